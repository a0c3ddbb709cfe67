#include "heuristics/example/tall_tiles.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"

namespace my_compiler {
namespace {

using seedtune::Config;
using seedtune::Eligibility;
using seedtune::PartialConfig;
using seedtune::TuningContext;

constexpr int64_t kMinRows = 4096;
constexpr int64_t kMaxColumns = 128;

// Why not; nullopt: it is one of ours. Eligibility and seeding both ask here, so they agree.
std::optional<std::string> WhyNot(const TuningContext& context) {
  if (seedtune::ArchFamily(context.device.arch.base) != "hopper") return "no Hopper, want one";
  if (context.facts.size() != 1) {
    return absl::StrCat(context.facts.size(), " matmuls, want one");
  }
  const seedtune::MatmulFact& fact = context.facts[0];
  if (!fact.m.axis || !fact.n.axis || !fact.k.axis) return "a dimension cannot be blocked";
  // A hint would do to plan with; this one wants to know.
  if (fact.m.is_symbolic() || fact.n.is_symbolic()) return "m or n is symbolic, want both static";
  if (*fact.m.static_extent < kMinRows || *fact.n.static_extent > kMaxColumns) {
    return absl::StrCat(*fact.m.static_extent, "x", *fact.n.static_extent, ", want at least ",
                        kMinRows, " rows and at most ", kMaxColumns, " columns");
  }
  return std::nullopt;
}

class TallTiles : public seedtune::AutotunerHeuristic {
 public:
  std::string_view name() const override { return "my_tall_tiles"; }
  std::string_view backend() const override { return "triton"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return Eligibility::No(*why_not);
    return Eligibility::Yes(absl::StrCat(*context.facts[0].m.static_extent, " rows"));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return absl::FailedPreconditionError(*why_not);
    std::vector<PartialConfig> seeds;
    for (const auto& [rows, stages] : {std::pair(256, 4), {128, 5}, {64, 6}}) {
      PartialConfig seed;
      seed.Set("block_size[m]", rows).Set("block_size[k]", 64);
      seed.Set("num_warps", rows / 32).Set("num_stages", stages);
      // What the device cannot launch, or the kernel is too small for, is no seed here.
      if (context.space.Normalize(seed, seedtune::NormalizeMode::kReject).ok()) {
        seeds.push_back(seed);
      }
    }
    if (seeds.empty()) return absl::FailedPreconditionError("no tile fits");
    return seeds;
  }

  // Two knobs at once: twice the rows with twice the warps, and back.
  std::vector<PartialConfig> Neighbors(const TuningContext& /*context*/,
                                       const Config& config) const override {
    const int64_t rows = config.GetInt("block_size[m]");
    const int64_t warps = config.GetInt("num_warps");
    PartialConfig taller, shorter;
    taller.Set("block_size[m]", 2 * rows).Set("num_warps", 2 * warps);
    shorter.Set("block_size[m]", rows / 2).Set("num_warps", warps / 2);
    return {taller, shorter};
  }

  // Measured on nothing yet: seeds, and no default.
  bool PromotesPrimary(const TuningContext& /*context*/) const override { return false; }
};

}  // namespace

std::unique_ptr<const seedtune::AutotunerHeuristic> MakeTallTiles() {
  return std::make_unique<TallTiles>();
}

}  // namespace my_compiler

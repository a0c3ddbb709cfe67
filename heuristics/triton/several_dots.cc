#include "heuristics/triton/several_dots.h"

#include <algorithm>
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
#include "hardware/hardware_info.h"
#include "heuristics/diversity.h"
#include "heuristics/knob_choices.h"
#include "heuristics/triton/triton_seed.h"
#include "heuristics/tuning_context.h"

namespace seedtune {
namespace {

constexpr size_t kMaxSeeds = 4;
constexpr int64_t kCovered = 256;  // of what one block spans

std::optional<std::string> WhyNot(const TuningContext& context) {
  if (context.facts.size() < 2) {
    return absl::StrCat(context.facts.size(), " matmul", context.facts.size() == 1 ? "" : "s",
                        ", want two or more");
  }
  if (!context.device.has_tensor_cores) return "no matrix units, want some";
  for (const char* knob : {"block_size[m]", "num_warps", "num_stages"}) {
    if (!context.space.FindKnob(knob)) {
      return absl::StrCat("the space has no ", knob, ": the dimension cannot be blocked");
    }
  }
  return std::nullopt;
}

class TritonSeveralDots : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "triton_several_dots"; }
  std::string_view backend() const override { return "triton"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return Eligibility::No(*std::move(why_not));
    return Eligibility::Yes(
        absl::StrCat(context.facts.size(), " matmuls on ", context.device.arch.base));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return absl::FailedPreconditionError(*why_not);
    const bool is_rocm = context.device.kind == DeviceKind::kRocm;
    DiverseSeeds seeds(context.space, std::min(kMaxSeeds, context.max_seeds));
    for (const auto& [m, n, warps] : {Tile{128, 64, 4}, Tile{128, 128, 8}, Tile{64, 64, 4},
                                      Tile{64, 128, 4}, Tile{16, 64, 4}}) {
      if (seeds.is_full()) break;
      TritonPlan plan;
      plan.block_m = m;
      plan.block_n = n;
      plan.num_warps = warps;
      plan.num_stages = is_rocm ? 1 : 3;
      plan.block_k = 64;
      std::optional<PartialConfig> seed = FitSeed(context.space, plan);
      if (!seed) continue;
      Cover(context.space, *seed);
      seeds.Add(*std::move(seed));
    }
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    if (WhyNot(context)) return {};
    return CoupledMoves(config, {TritonMove::kWarpsWithTile, TritonMove::kStagesWithTile});
  }

 private:
  struct Tile {
    int64_t m, n, warps;
  };

  // Blocks of what the later dots bring along span it, as far as the space takes that.
  static void Cover(const ConfigSpace& space, PartialConfig& seed) {
    for (const Knob& knob : space.knobs()) {
      const std::string& name = knob.name();
      if (name.compare(0, 11, "block_size[") != 0 || seed.values.count(name) > 0) continue;
      PartialConfig covered = seed;
      covered.Set(name, *ChoiceAtMost(space, name, kCovered));
      if (space.Normalize(covered, NormalizeMode::kReject).ok()) seed = std::move(covered);
    }
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeTritonSeveralDots() {
  return std::make_unique<TritonSeveralDots>();
}

}  // namespace seedtune

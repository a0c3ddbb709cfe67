#include "heuristics/triton/skinny_gemm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/knob_choices.h"
#include "heuristics/matmul_reasons.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kMinAspect = 8;
constexpr int64_t kMaxBlockM = 64;
constexpr int64_t kMaxBlockN = 64;
constexpr int64_t kMaxBlockK = 256;

constexpr struct {
  DeviceKind kind;
  std::string_view arch;
} kTargets[] = {{DeviceKind::kCuda, "sm90"}, {DeviceKind::kRocm, "gfx950"}};

// The eligibility, from which SeedConfigs() takes that all extents are known.
Eligibility Judge(const TuningContext& context) {
  const HardwareInfo& device = context.device;
  const bool is_target =
      std::any_of(std::begin(kTargets), std::end(kTargets), [&](const auto& target) {
        return device.kind == target.kind &&
               MatchArch(device.arch.base, target.arch) != ArchMatch::kNone;
      });
  if (!is_target) {
    return Eligibility::No(absl::StrCat("architecture is ",
                                        device.arch.base.empty() ? "unknown" : device.arch.base,
                                        ", want sm90 or gfx950"));
  }
  if (auto why_not = WhyNotOneStaticMatmul(context)) return Eligibility::No(*why_not);
  const MatmulFact& fact = context.facts[0];
  if (!fact.batch_extents.empty()) {
    return Eligibility::No(absl::StrCat("batch of ", fact.batch(), ", want none"));
  }
  if (auto why_not = WhyNotTunable(fact)) return Eligibility::No(*why_not);

  const int64_t longer = std::max(*fact.m.static_extent, *fact.n.static_extent);
  const int64_t shorter = std::min(*fact.m.static_extent, *fact.n.static_extent);
  // Rounded down, so that what falls short never reads as enough.
  const std::string aspect = absl::StrFormat(
      "aspect %.1f",
      std::floor(10 * static_cast<double>(longer) / static_cast<double>(shorter)) / 10);
  if (longer / kMinAspect < shorter) {
    return Eligibility::No(absl::StrCat(aspect, ", want at least ", kMinAspect));
  }
  return Eligibility::Yes(absl::StrCat(aspect, " on ", device.arch.base));
}

class TritonSkinnyGemm : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "triton_skinny_gemm"; }
  std::string_view backend() const override { return "triton"; }

  Eligibility IsEligible(const TuningContext& context) const override { return Judge(context); }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (const Eligibility eligibility = Judge(context); !eligibility.eligible) {
      return absl::FailedPreconditionError(eligibility.reason);
    }
    const MatmulFact& fact = context.facts[0];
    const ConfigSpace& space = context.space;
    const auto block = [&](std::string_view knob, int64_t extent, int64_t limit) {
      return NearestChoice(space, knob, std::min(limit, PowerOfTwoAtMost(extent)));
    };
    const auto m = block("block_size[m]", *fact.m.static_extent, kMaxBlockM);
    const auto n = block("block_size[n]", *fact.n.static_extent, kMaxBlockN);
    const auto k = block("block_size[k]", *fact.k.static_extent, kMaxBlockK);
    if (!m || !n || !k) {
      return absl::FailedPreconditionError(absl::StrCat(
          space.name(), " lacks one of block_size[m], block_size[n] and block_size[k]"));
    }
    PartialConfig seed;
    seed.Set("block_size[m]", KnobValue(*m));
    seed.Set("block_size[n]", KnobValue(*n));
    seed.Set("block_size[k]", KnobValue(*k));
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const Constraint* violated, space.FirstViolationOf(seed));
      if (violated == nullptr) return std::vector<PartialConfig>{seed};
      // The smallest tiles have no work for as many warps as the space starts from.
      const bool has_idle_warps = violated->name == "each_warp_has_work";
      const std::string_view knob = has_idle_warps ? "num_warps" : "block_size[k]";
      const auto now = seed.values.find(knob);
      const int64_t value =
          now == seed.values.end() ? space.Default().GetInt(knob) : std::get<int64_t>(now->second);
      const auto smaller = ChoiceAtMost(space, knob, value - 1);
      if (!smaller || *smaller >= value) {
        return absl::FailedPreconditionError(
            absl::StrCat(violated->name, " refuses even the smallest tile"));
      }
      seed.Set(knob, *smaller);
    }
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeTritonSkinnyGemm() {
  return std::make_unique<TritonSkinnyGemm>();
}

}  // namespace seedtune

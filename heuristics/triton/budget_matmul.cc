#include "heuristics/triton/budget_matmul.h"

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
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/diversity.h"
#include "heuristics/knob_choices.h"
#include "heuristics/triton/tile_budget.h"
#include "heuristics/triton/triton_seed.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr size_t kMaxSeeds = 5;
// Where so few of the compute units have a tile, and k is so many blocks deep, k is split.
constexpr int64_t kFewTiles = 4;
constexpr int64_t kDeepSteps = 32;
constexpr int64_t kMinStepsOfPart = 4;
constexpr int64_t kShortK = 1024;
constexpr int64_t kMinAspectElements = 4096;

struct Generation {
  std::string_view name;
  std::string_view family;
  std::string_view validated;  // the architecture whose default the primary may become
  bool takes_fp8 = false;
  TileBudget (*budget)();
};
constexpr Generation kHopper = {"triton_hopper_matmul", "hopper", "sm90", false, &HopperTileBudget};
constexpr Generation kBlackwell = {"triton_blackwell_matmul", "blackwell", "sm100", true,
                                   &BlackwellTileBudget};

class BudgetMatmul : public AutotunerHeuristic {
 public:
  explicit BudgetMatmul(const Generation& generation) : generation_(generation) {}

  std::string_view name() const override { return generation_.name; }
  std::string_view backend() const override { return "triton"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<PlannedMatmul> matmul = Judge(context, why_not);
    if (!matmul) return Eligibility::No(std::move(why_not));
    return Eligibility::Yes(absl::StrCat(matmul->shape, " on ", context.device.arch.base));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    const std::optional<PlannedMatmul> matmul = Judge(context, why_not);
    if (!matmul) return absl::FailedPreconditionError(why_not);
    std::vector<PartialConfig> ranked;
    for (const TritonPlan& plan : Plans(context, *matmul)) {
      std::optional<PartialConfig> seed = FitSeed(context.space, plan);
      if (!seed) continue;
      if (plan.persistent) ByTensorDescriptors(context.space, *seed);
      ranked.push_back(*std::move(seed));
    }
    return SelectDiverse(context.space, ranked, kMaxSeeds);
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    std::string why_not;
    if (!Judge(context, why_not)) return {};
    return CoupledMoves(
        config, {TritonMove::kStagesWithTile, TritonMove::kAspect, TritonMove::kPersistence});
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    return context.device.arch.base == generation_.validated;
  }

 private:
  std::optional<PlannedMatmul> Judge(const TuningContext& context, std::string& why_not) const {
    const std::string& base = context.device.arch.base;
    if (context.device.kind != DeviceKind::kCuda || ArchFamily(base) != generation_.family) {
      why_not = absl::StrCat("architecture is ", base.empty() ? "unknown" : base, ", want ",
                             generation_.family == kHopper.family ? "sm90" : "sm100 or its like");
      return std::nullopt;
    }
    std::optional<PlannedMatmul> matmul = PlanOneMatmul(context, why_not);
    if (!matmul) return std::nullopt;
    if (!generation_.takes_fp8 && IsFp8(context.facts[0].lhs.dtype) &&
        IsFp8(context.facts[0].rhs.dtype)) {
      why_not = absl::StrCat("both operands are fp8 (",
                             std::string(DTypeName(context.facts[0].lhs.dtype)),
                             "), want a wider one; triton_fp8_matmul is for them");
      return std::nullopt;
    }
    return matmul;
  }

  // Best first; the first is the primary.
  std::vector<TritonPlan> Plans(const TuningContext& context, const PlannedMatmul& matmul) const {
    const int64_t units = std::max(context.device.compute_units, 1);
    const BudgetedTile tile = TileByBudget(generation_.budget(), matmul.m, matmul.n, matmul.k,
                                           matmul.itemsize, units, matmul.batch);
    TritonPlan plan;
    plan.block_m = tile.block_m;
    plan.block_n = tile.block_n;
    plan.block_k = tile.block_k;
    plan.num_warps = tile.num_warps;
    plan.num_stages = tile.num_stages;
    plan.l2_grouping = tile.l2_grouping;

    std::vector<TritonPlan> plans;
    const int64_t tiles =
        CeilDiv(matmul.m, tile.block_m) * CeilDiv(matmul.n, tile.block_n) * matmul.batch;
    if (tiles * kFewTiles <= units && matmul.k / tile.block_k >= kDeepSteps) {
      for (const int64_t extent_of_tile : {128, 64}) {
        TritonPlan split = plan;
        split.block_m = std::min(std::max<int64_t>(16, PowerOfTwoAtMost(matmul.m)), extent_of_tile);
        split.block_n = std::min(std::max<int64_t>(16, PowerOfTwoAtMost(matmul.n)), extent_of_tile);
        split.block_k = std::min<int64_t>(plan.block_k, 128);
        split.num_stages = 4;
        const int64_t outputs =
            CeilDiv(matmul.m, split.block_m) * CeilDiv(matmul.n, split.block_n) * matmul.batch;
        split.split_k =
            std::clamp<int64_t>(units / outputs, 2, matmul.k / (split.block_k * kMinStepsOfPart));
        plans.push_back(split);
      }
    }
    plans.push_back(plan);
    // Persistent programs run one tile's epilogue while the next tile's operands arrive.
    TritonPlan persistent = plan;
    persistent.persistent = true;
    persistent.num_stages = std::max<int64_t>(2, plan.num_stages - 1);
    persistent.epilogue_subtile = 2;
    const bool several_waves = tiles > units;
    if (several_waves) plans.push_back(persistent);
    if (matmul.k <= kShortK && plan.block_m * plan.block_n >= 32768) {
      TritonPlan pair = plan;
      pair.block_m = pair.block_n = 128;
      pair.num_warps = 4;
      pair.num_stages = 3;
      plans.push_back(pair);
    }
    TritonPlan turned = plan;
    turned.block_m = 2 * plan.block_m;
    turned.block_n = plan.block_n / 2;
    if (turned.block_n >= 16 && turned.block_m * turned.block_n >= kMinAspectElements) {
      plans.push_back(turned);
    }
    TritonPlan shallow = plan;
    shallow.block_k = std::max<int64_t>(16, plan.block_k / 2);
    shallow.num_stages = std::max<int64_t>(2, plan.num_stages / 2);
    plans.push_back(shallow);
    return plans;
  }

  // Where the operands' layouts allow them; beside persistent programs only, whose loop they serve.
  void ByTensorDescriptors(const ConfigSpace& space, PartialConfig& seed) const {
    for (const char* knob : {"indexing[0]", "indexing[1]", "indexing[2]"}) {
      if (HasChoice(space, knob, std::string("tensor_descriptor"))) {
        seed.Set(knob, "tensor_descriptor");
      }
    }
    if (HasChoice(space, "range_flatten[grid]", std::string("true"))) {
      seed.Set("range_flatten[grid]", "true");
    }
  }

  const Generation& generation_;
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeTritonHopperMatmul() {
  return std::make_unique<BudgetMatmul>(kHopper);
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonBlackwellMatmul() {
  return std::make_unique<BudgetMatmul>(kBlackwell);
}

}  // namespace seedtune

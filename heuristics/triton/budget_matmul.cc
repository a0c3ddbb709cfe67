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
// Or where half of them have one and k is at least this.
constexpr int64_t kDeepK = 8192;
// Below this, persistent programs were not measured.
constexpr int64_t kPersistentK = 256;
constexpr int64_t kRowsTogether = 8;       // of tiles, which share columns in the L2 cache
constexpr int64_t kRowBytes = 128;         // of a block along k: a swizzled row of a tile
constexpr double kSquareTileSpeed = 0.94;  // of 128 x 128, as a share of that of 128 x 256
constexpr int64_t kMinAspectElements = 4096;

struct Generation {
  std::string_view name;
  std::string_view family;
  std::string_view validated;  // the architecture whose default the primary may become
  bool takes_fp8 = false;
  bool is_measured = false;  // what Plans() does beside the formula (docs/results/triton-h100.md)
  TileBudget (*budget)();
};
constexpr Generation kHopper = {"triton_hopper_matmul", "hopper", "sm90", false, true,
                                &HopperTileBudget};
constexpr Generation kBlackwell = {"triton_blackwell_matmul", "blackwell", "sm100", true, false,
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
    DiverseSeeds seeds(context.space, std::min(kMaxSeeds, context.max_seeds));
    for (const TritonPlan& plan : Plans(context, *matmul)) {
      if (seeds.is_full()) break;
      std::optional<PartialConfig> seed = FitSeed(context.space, plan);
      if (seed) seeds.Add(*std::move(seed));
    }
    return std::move(seeds).Take();
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

  static bool TakesDescriptors(const ConfigSpace& space) {
    return HasChoice(space, "indexing[0]", std::string("tensor_descriptor")) &&
           HasChoice(space, "indexing[1]", std::string("tensor_descriptor"));
  }

  static int64_t Tiles(const PlannedMatmul& matmul, int64_t block_m, int64_t block_n) {
    return CeilDiv(matmul.m, block_m) * CeilDiv(matmul.n, block_n) * matmul.batch;
  }

  // Where tiles leave most of the device idle and k is deep: parts of it that fill the device. None
  // otherwise. Small tiles first: each part writes its tile to memory, so that few parts are
  // better.
  static std::vector<TritonPlan> SplitPlans(const PlannedMatmul& matmul, const TritonPlan& plan,
                                            int64_t units) {
    std::vector<TritonPlan> plans;
    const int64_t most_m = std::max<int64_t>(16, PowerOfTwoAtMost(matmul.m));
    const int64_t most_n = std::max<int64_t>(16, PowerOfTwoAtMost(matmul.n));
    const int64_t small_m = std::min<int64_t>(most_m, 64), small_n = std::min<int64_t>(most_n, 64);
    const bool few = Tiles(matmul, plan.block_m, plan.block_n) * kFewTiles <= units &&
                     matmul.k / plan.block_k >= kDeepSteps;
    const int64_t small_tiles = Tiles(matmul, small_m, small_n);
    const bool half =
        small_m == 64 && small_n == 64 && small_tiles * 2 <= units && matmul.k >= kDeepK;
    if (!few && !half) return plans;
    // Of small tiles that leave room for two or three parts, too many stay idle.
    const bool small_first = small_tiles * 4 <= units;
    for (const int64_t rows : {small_first ? 64 : 128, small_first ? 128 : 64}) {
      TritonPlan split = plan;
      split.block_m = std::min(most_m, rows);
      split.block_n = small_n;
      split.block_k = kRowBytes / matmul.itemsize;
      split.num_warps = 4;
      split.num_stages = 8;
      const int64_t outputs = Tiles(matmul, split.block_m, split.block_n);
      split.split_k = std::clamp<int64_t>(
          units / outputs, 2, std::max<int64_t>(2, matmul.k / (split.block_k * kMinStepsOfPart)));
      plans.push_back(split);
    }
    return plans;
  }

  // Persistent programs, which load one tile's operands while they store the one before.
  static TritonPlan Persistent(const TritonPlan& plan) {
    TritonPlan persistent = plan;
    persistent.persistent = true;
    persistent.flattens_grid = true;
    persistent.loads_by_descriptor = true;
    persistent.epilogue_subtile = 2;
    return persistent;
  }

  // The large tile and the square one, the better first: what the square one loses by its shape
  // (a fifteenth) it may win where it fills the last wave. Where neither fits: the formula's.
  static std::vector<TritonPlan> PersistentPlans(const PlannedMatmul& matmul,
                                                 const TritonPlan& plan, int64_t units) {
    const auto fill = [&](int64_t block_m, int64_t block_n) {
      const int64_t tiles = Tiles(matmul, block_m, block_n);
      return static_cast<double>(tiles) / static_cast<double>(CeilDiv(tiles, units) * units);
    };
    std::vector<TritonPlan> plans;
    if (matmul.m < 128 || matmul.n < 128) {
      plans.push_back(Persistent(plan));
      return plans;
    }
    TritonPlan square = Persistent(plan);
    square.block_m = square.block_n = 128;
    square.block_k = kRowBytes / matmul.itemsize;
    square.num_warps = 8;
    square.num_stages = 5;
    square.stores_by_descriptor = true;
    plans.push_back(square);
    if (matmul.n < 256) return plans;
    TritonPlan large = square;
    large.block_n = 256;
    // Many waves have many stores to hide; what a stored tile takes of shared memory is a stage.
    large.stores_by_descriptor = Tiles(matmul, 128, 256) > 2 * units;
    large.num_stages = large.stores_by_descriptor ? 3 : 4;
    const bool large_first = fill(128, 256) >= kSquareTileSpeed * fill(128, 128);
    plans.insert(large_first ? plans.begin() : plans.end(), large);
    return plans;
  }

  // For one wave of tiles: shallow blocks and as many stages as fit keep more loads in flight than
  // deep blocks do.
  static TritonPlan Pipelined(const TritonPlan& plan) {
    TritonPlan pipelined = plan;
    pipelined.num_warps = 4;
    if (plan.block_m < 64) {
      // 16x8192x8192 on an H200: 35.2 to 35.9 us, 36.0 to 37.1 with blocks of 256 of k.
      pipelined.block_n = 64;
      pipelined.block_k = 128;
      pipelined.num_stages = 6;
      return pipelined;
    }
    pipelined.block_m = 64;
    pipelined.block_n = 128;
    pipelined.block_k = 64;
    pipelined.num_stages = 8;
    pipelined.loads_by_descriptor = true;
    return pipelined;
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

    std::vector<TritonPlan> plans = SplitPlans(matmul, plan, units);
    const int64_t tiles = Tiles(matmul, tile.block_m, tile.block_n);
    const bool several_waves = tiles > units;
    const bool measured = generation_.is_measured && matmul.batch == 1 && matmul.itemsize == 2 &&
                          TakesDescriptors(context.space);
    if (measured && several_waves && matmul.k >= kPersistentK) {
      plan.l2_grouping = kRowsTogether;
      const std::vector<TritonPlan> persistent = PersistentPlans(matmul, plan, units);
      plans.insert(plans.end(), persistent.begin(), persistent.end());
      plans.push_back(plan);
    } else {
      plans.push_back(plan);
      if (several_waves) {
        TritonPlan persistent = Persistent(plan);
        persistent.stores_by_descriptor = true;
        persistent.num_stages = std::max<int64_t>(2, plan.num_stages - 1);
        plans.push_back(persistent);
      }
    }
    if (measured && !several_waves) {
      const TritonPlan pipelined = Pipelined(plan);
      // The same tile turned: 1.01 of torch.mm instead of 0.95 at 1024x1024x1024 and as fast at
      // 8192x128x8192 (H200), 1.07 instead of 1.01 at 256x4096x4096 (H100).
      const bool leads = plans.size() == 1 && plan.block_m == 128 && plan.block_n == 64 &&
                         matmul.k >= pipelined.num_stages * pipelined.block_k;
      plans.insert(leads ? plans.begin() : plans.end(), pipelined);
    }
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

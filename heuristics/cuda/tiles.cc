#include "heuristics/cuda/tiles.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/cuda/cuda_plan.h"
#include "heuristics/knob_choices.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

struct WarpTile {
  int64_t m, n;
};
// Squares read the least per multiplication; oblong ones fit narrow blocks.
constexpr WarpTile kWarpTiles[] = {{64, 64}, {64, 32}, {32, 64}, {32, 32}, {16, 64},
                                   {64, 16}, {32, 16}, {16, 32}, {16, 16}};
constexpr int64_t kBlocks[] = {16, 32, 64, 128, 256};
constexpr int64_t kMinThreads = 64;
// One step of mma is a last resort: where k is no longer.
constexpr int64_t kBlockKBytes[] = {64, 128}, kLastResortBytes[] = {32};
// Each step of a simt stage has code of its own; more does not stay in the instruction cache.
constexpr int64_t kSimtBlockKBytes = 64;
constexpr int64_t kMaxGrouping = 8;
constexpr size_t kSeeds = 6;
// Products of so much work that wgmma takes as they stand are faster there, by a fifth at least and
// mostly by half (H200: 41 kernels, each tuned for a second): two seeds leave the time to others.
constexpr size_t kSeedsBesideWgmma = 2;
constexpr double kWgmmaWork = double{1 << 29};
constexpr int64_t kWgmmaExtent = 64;
constexpr int64_t kCopyAlignment = 4;  // below, there is no asynchronous copy
// Of 16 bytes, that a thread holds on their way (templates/tile_copy.cu): it can hold more, but on
// an H100 kernels whose threads hold four took 1.2 times as long (127x4099x8191).
constexpr int64_t kHeldPieces = 2;

struct Ranked {
  CudaTile tile;
  double cycles = 0;
};

// The most stages that leave room for as many blocks as registers and threads allow.
int64_t StagesFor(CudaTile tile, const CudaProblem& problem, const HardwareInfo& device,
                  const std::vector<int64_t>& choices) {
  tile.stages = choices.front();
  const int64_t blocks = CudaBlocksPerUnit(tile, problem.types, device);
  const int64_t steps =
      std::max<int64_t>(CeilDiv(CeilDiv(problem.k, tile.block_k), tile.split_k), 2);
  int64_t stages = tile.stages;
  for (const int64_t choice : choices) {
    tile.stages = choice;
    if (choice > steps + 1 || choice > 5 ||
        CudaBlocksPerUnit(tile, problem.types, device) < blocks ||
        (device.shared_memory_per_block_bytes > 0 &&
         CudaSharedBytes(tile, problem.types) > device.shared_memory_per_block_bytes)) {
      break;
    }
    stages = choice;
  }
  return stages;
}

std::vector<Ranked> RankTiles(const CudaProblem& problem, const TuningContext& context,
                              CudaFamily family) {
  const HardwareInfo& device = context.device;
  const std::vector<int64_t> splits = IntegerChoices(context.space, "split_k");
  const std::vector<int64_t> stages = IntegerChoices(context.space, "num_stages");
  const int64_t narrower = std::min(DTypeBytes(problem.types.lhs), DTypeBytes(problem.types.rhs));
  // Packing may pay where copies are not asynchronous; bytes along k are a must.
  const auto packs = [&](std::string_view knob, const OperandFact& operand, bool along_k) {
    std::vector<bool> choices = {false};
    if (family != CudaFamily::kMma || !HasChoice(context.space, knob, KnobValue(true))) {
      return choices;
    }
    const bool must = DTypeBytes(operand.dtype) == 1 && !along_k;
    if (must || operand.alignment_bytes < kCopyAlignment) choices.push_back(true);
    if (must) choices.erase(choices.begin());
    return choices;
  };
  const std::vector<bool> lhs_packs =
      packs("pack[lhs]", problem.fact->lhs, problem.types.lhs_along_k);
  const std::vector<bool> rhs_packs =
      packs("pack[rhs]", problem.fact->rhs, problem.types.rhs_along_k);
  CudaTile tile;
  tile.family = family;
  const auto holds = [&](const OperandFact& operand, int64_t block) {
    return family != CudaFamily::kMma || operand.alignment_bytes >= kCopyAlignment ||
           block * tile.block_k * DTypeBytes(operand.dtype) <= kHeldPieces * 16 * CudaThreads(tile);
  };

  const auto is_choice = [&](int64_t bytes) {
    return HasChoice(context.space, "block_size[k]", KnobValue(bytes / narrower)) &&
           (family != CudaFamily::kSimt || bytes <= kSimtBlockKBytes);
  };
  const std::span<const int64_t> block_k_bytes =
      std::any_of(std::begin(kBlockKBytes), std::end(kBlockKBytes), is_choice)
          ? std::span<const int64_t>(kBlockKBytes)
          : std::span<const int64_t>(kLastResortBytes);

  std::vector<Ranked> ranked;
  for (const int64_t block_m : kBlocks) {
    if (block_m != kBlocks[0] && block_m / 2 >= problem.m) break;
    for (const int64_t block_n : kBlocks) {
      if (block_n != kBlocks[0] && block_n / 2 >= problem.n) break;
      for (const WarpTile& warp : kWarpTiles) {
        if (block_m % warp.m != 0 || block_n % warp.n != 0) continue;
        tile.block_m = block_m;
        tile.block_n = block_n;
        tile.warp_m = warp.m;
        tile.warp_n = warp.n;
        const int64_t threads = CudaThreads(tile);
        if (threads > 256 || (threads < kMinThreads && block_m * block_n > 32 * 32)) continue;
        for (const int64_t bytes : block_k_bytes) {
          if (!is_choice(bytes)) continue;
          tile.block_k = bytes / narrower;
          tile.split_k = 1;
          tile.stages = StagesFor(tile, problem, device, stages);
          const int64_t tiles = CeilDiv(problem.m, block_m) * CeilDiv(problem.n, block_n);
          for (const int64_t split : splits) {
            if (split > CeilDiv(problem.k, tile.block_k)) break;
            // Nothing to fill.
            if (split > 1 && device.compute_units > 0 &&
                tiles * problem.batch * split > 4 * device.compute_units) {
              break;
            }
            tile.split_k = split;
            for (const CudaReduction reduction :
                 {CudaReduction::kLastBlock, CudaReduction::kSecondLaunch}) {
              if (split == 1 && reduction != CudaReduction::kLastBlock) break;
              tile.reduction = reduction;
              tile.l2_grouping = *ChoiceAtMost(
                  context.space, "l2_grouping",
                  std::min(kMaxGrouping, PowerOfTwoAtMost(CeilDiv(problem.m, block_m))));
              for (const bool pack_lhs : lhs_packs) {
                for (const bool pack_rhs : rhs_packs) {
                  if ((!pack_lhs && !holds(problem.fact->lhs, block_m)) ||
                      (!pack_rhs && !holds(problem.fact->rhs, block_n))) {
                    continue;
                  }
                  tile.pack_lhs = pack_lhs;
                  tile.pack_rhs = pack_rhs;
                  ranked.push_back({tile, CudaTileCycles(tile, problem, device)});
                }
              }
            }
          }
        }
      }
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.cycles < b.cycles; });
  return ranked;
}

// Whether wgmma is that much faster.
bool LeavesItToWgmma(const CudaProblem& problem, const ConfigSpace& space) {
  const CudaTypes& types = problem.types;
  return HasFamily(space, CudaFamily::kWgmma) && types.short_extent >= kWgmmaExtent &&
         static_cast<double>(problem.m) * static_cast<double>(problem.n) *
                 static_cast<double>(problem.k) * static_cast<double>(problem.batch) >=
             kWgmmaWork &&
         CudaWgmmaReads(problem.fact->lhs, types.lhs_along_k, types.lhs_by_registers) &&
         CudaWgmmaReads(problem.fact->rhs, types.rhs_along_k, types.rhs_by_registers);
}

class CudaTiles : public AutotunerHeuristic {
 public:
  CudaTiles(std::string_view name, CudaFamily family) : name_(name), family_(family) {}

  std::string_view name() const override { return name_; }
  std::string_view backend() const override { return "cuda"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<CudaProblem> problem = CudaProblemOf(context, why_not);
    if (!problem) return Eligibility::No(why_not);
    const std::string operands = absl::StrCat(std::string(DTypeName(problem->types.lhs)), " times ",
                                              std::string(DTypeName(problem->types.rhs)));
    const bool tensor_cores = HasFamily(context.space, CudaFamily::kMma);
    if (tensor_cores != (family_ == CudaFamily::kMma)) {
      return Eligibility::No(
          absl::StrCat("tensor cores ", tensor_cores ? "take " : "do not take ", operands));
    }
    return Eligibility::Yes(
        absl::StrCat(operands, problem->by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (const Eligibility eligibility = IsEligible(context); !eligibility.eligible) {
      return absl::FailedPreconditionError(eligibility.reason);
    }
    std::string why_not;
    const CudaProblem problem = *CudaProblemOf(context, why_not);
    const std::vector<Ranked> ranked = RankTiles(problem, context, family_);
    const size_t most = LeavesItToWgmma(problem, context.space) ? kSeedsBesideWgmma : kSeeds;
    CudaSeeds seeds(context.space, std::min(most, context.max_seeds));
    std::optional<CudaTile> primary;
    for (const Ranked& candidate : ranked) {
      if (!seeds.Add(candidate.tile)) continue;
      primary = candidate.tile;
      break;
    }
    if (!primary || seeds.is_full()) return std::move(seeds).Take();
    const auto add_first = [&](auto differs) {
      for (const Ranked& candidate : ranked) {
        if (seeds.is_full()) return;
        if (differs(candidate.tile) && seeds.Add(candidate.tile)) return;
      }
    };
    add_first([&](const CudaTile& tile) {
      return tile.block_m != primary->block_m || tile.block_n != primary->block_n;
    });
    add_first([&](const CudaTile& tile) { return tile.split_k != primary->split_k; });
    CudaTile streamed = *primary;
    streamed.schedule = CudaSchedule::kStreamK;
    streamed.split_k = 1;
    streamed.reduction = CudaReduction::kLastBlock;
    seeds.Add(streamed);
    CudaTile other_ring = *primary;
    other_ring.stages = *ChoiceAtMost(context.space, "num_stages", primary->stages - 1);
    if (!seeds.Add(other_ring)) {
      other_ring.stages = *ChoiceAtLeast(context.space, "num_stages", primary->stages + 1);
      seeds.Add(other_ring);
    }
    add_first([&](const CudaTile& tile) {
      return tile.block_m * tile.block_n * 2 <= primary->block_m * primary->block_n;
    });
    add_first([&](const CudaTile& tile) {
      return (tile.block_m > tile.block_n) != (primary->block_m > primary->block_n) &&
             tile.block_k != primary->block_k;
    });
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    const CudaTile tile = CudaTileOf(config);
    if (tile.family != family_) return {};
    std::vector<PartialConfig> moves;
    using Changes = std::vector<std::pair<const char*, int64_t>>;
    const auto add = [&](const Changes& changes) {
      PartialConfig move;
      for (const auto& [knob, value] : changes) {
        if (!HasChoice(context.space, knob, KnobValue(value))) return;
        move.Set(knob, value);
      }
      moves.push_back(std::move(move));
    };
    // From one side to the other.
    add({{"block_size[m]", tile.block_m * 2},
         {"warp_tile[m]", tile.warp_m * 2},
         {"block_size[n]", tile.block_n / 2},
         {"warp_tile[n]", tile.warp_n / 2}});
    add({{"block_size[m]", tile.block_m / 2},
         {"warp_tile[m]", tile.warp_m / 2},
         {"block_size[n]", tile.block_n * 2},
         {"warp_tile[n]", tile.warp_n * 2}});
    add({{"block_size[m]", tile.block_m * 2}, {"block_size[n]", tile.block_n / 2}});
    add({{"block_size[m]", tile.block_m / 2}, {"block_size[n]", tile.block_n * 2}});
    // As much under way, in fewer or more pieces.
    add({{"block_size[k]", tile.block_k * 2}, {"num_stages", (tile.stages + 1) / 2}});
    add({{"block_size[k]", tile.block_k / 2}, {"num_stages", tile.stages * 2}});
    // As many blocks.
    add({{"block_size[m]", tile.block_m * 2}, {"split_k", tile.split_k * 2}});
    add({{"block_size[n]", tile.block_n * 2}, {"split_k", tile.split_k * 2}});
    if (tile.split_k > 1) {
      add({{"block_size[m]", tile.block_m / 2}, {"split_k", tile.split_k / 2}});
      add({{"block_size[n]", tile.block_n / 2}, {"split_k", tile.split_k / 2}});
    }
    // As many warps.
    add({{"block_size[m]", tile.block_m * 2}, {"warp_tile[m]", tile.warp_m * 2}});
    add({{"block_size[n]", tile.block_n * 2}, {"warp_tile[n]", tile.warp_n * 2}});
    add({{"block_size[m]", tile.block_m / 2}, {"warp_tile[m]", tile.warp_m / 2}});
    add({{"block_size[n]", tile.block_n / 2}, {"warp_tile[n]", tile.warp_n / 2}});
    return moves;
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    return IsEligible(context).eligible;
  }

 private:
  std::string_view name_;
  CudaFamily family_;
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCudaMmaTiles() {
  return std::make_unique<CudaTiles>("cuda_mma_tiles", CudaFamily::kMma);
}

std::unique_ptr<const AutotunerHeuristic> MakeCudaSimtTiles() {
  return std::make_unique<CudaTiles>("cuda_simt_tiles", CudaFamily::kSimt);
}

}  // namespace seedtune

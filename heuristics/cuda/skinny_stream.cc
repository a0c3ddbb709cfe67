#include "heuristics/cuda/skinny_stream.h"

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

constexpr int64_t kShortBlock = 16;  // a skinny kernel's one block size of the short side
// Of the short side, what the mma kernel streams as well, where the other operand is large enough
// to be the work: a fraction of the L2 cache.
constexpr int64_t kMaxStreamed = 32;
constexpr int64_t kLargeOfL2 = 4, kDefaultL2Bytes = 32 << 20;
// From the request to the data, loaded; H200, measured.
constexpr double kLatencyS = 1.2e-6;
constexpr double kDefaultBytesPerS = 2e12;
constexpr int64_t kDefaultUnits = 108;
constexpr int64_t kRowsAlongK = 32;  // a warp's: the small operand is read once for them
// More keep the multipliers busier than memory (f32 on an H200: simt is as fast at 4, 1.5 to 3
// times at 16).
constexpr int64_t kMaxWithoutTensorCores = 4;
// Of a ring, at least, for each warp; but where most multiprocessors have no block, what counts is
// that all of k is under way at once, in the rings of twice the warps.
constexpr int64_t kTurns = 4;
// The mma kernels that stream best on an H200: 80 KB under way in each block, or 72.
constexpr int64_t kStreamRows = 64, kStreamBytes = 256, kStreamStages = 5, kWideStreamStages = 4;
constexpr int64_t kStreamWarps = 4, kStreamBlocksOfUnit = 2;
constexpr int64_t kWideCopy = 16;

struct Skinny {
  CudaProblem problem;
  int64_t extent = 0;  // of the long side
  int64_t bytes = 0;   // of an element of the big operand
  int64_t units = 0;
  double unit_bytes = 0;  // to have under way on each multiprocessor
  bool streams_by_tensor_cores = false;
};

std::optional<Skinny> SkinnyOf(const TuningContext& context, std::string& why_not) {
  const std::optional<CudaProblem> problem = CudaProblemOf(context, why_not);
  if (!problem) return std::nullopt;
  const CudaTypes& types = problem->types;
  const bool tensor_cores = HasFamily(context.space, CudaFamily::kMma);
  Skinny skinny;
  // As it is: bytes are read along k only.
  const auto streams = [](const OperandFact& operand, bool along_k) {
    return operand.alignment_bytes >= kWideCopy && (along_k || DTypeBytes(operand.dtype) > 1);
  };
  skinny.streams_by_tensor_cores = tensor_cores && streams(problem->fact->lhs, types.lhs_along_k) &&
                                   streams(problem->fact->rhs, types.rhs_along_k);
  skinny.bytes = DTypeBytes(types.long_is_n ? types.rhs : types.lhs);
  skinny.extent = std::max(problem->m, problem->n);
  const int64_t l2_bytes = context.device.l2_bytes > 0 ? context.device.l2_bytes : kDefaultL2Bytes;
  const bool is_large =
      skinny.extent * problem->k * problem->batch * skinny.bytes > l2_bytes / kLargeOfL2;
  const int64_t most = is_large && skinny.streams_by_tensor_cores ? kMaxStreamed : kCudaMaxSkinny;
  if (types.short_extent > most) {
    why_not =
        absl::StrCat("the lesser of m and n is ", types.short_extent, ", want at most ", most);
    return std::nullopt;
  }
  if (types.short_extent <= kCudaMaxSkinny && !HasFamily(context.space, CudaFamily::kSkinny)) {
    why_not = "no skinny kernel streams such an operand";
    return std::nullopt;
  }
  if (!tensor_cores && types.short_extent > kMaxWithoutTensorCores) {
    why_not = absl::StrCat("the lesser of m and n is ", types.short_extent, ", want at most ",
                           kMaxWithoutTensorCores, " without tensor cores");
    return std::nullopt;
  }
  skinny.problem = *problem;
  const HardwareInfo& device = context.device;
  skinny.units = device.compute_units > 0 ? device.compute_units : kDefaultUnits;
  const double bandwidth = device.memory_bandwidth_bytes_per_s > 0
                               ? static_cast<double>(device.memory_bandwidth_bytes_per_s)
                               : kDefaultBytesPerS;
  skinny.unit_bytes = bandwidth * kLatencyS / static_cast<double>(skinny.units);
  return skinny;
}

void SetLong(CudaTile& tile, bool long_is_n, int64_t block, int64_t warp) {
  tile.block_m = tile.block_n = tile.warp_m = tile.warp_n = kShortBlock;
  (long_is_n ? tile.block_n : tile.block_m) = block;
  (long_is_n ? tile.warp_n : tile.warp_m) = warp;
}

class CudaSkinnyStream : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "cuda_skinny_stream"; }
  std::string_view backend() const override { return "cuda"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<Skinny> skinny = SkinnyOf(context, why_not);
    if (!skinny) return Eligibility::No(why_not);
    const int64_t extent = skinny->problem.types.short_extent;
    return Eligibility::Yes(
        absl::StrCat(extent, " by ", skinny->extent, ", at most ",
                     extent > kCudaMaxSkinny ? kMaxStreamed : kCudaMaxSkinny,
                     skinny->problem.by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    const std::optional<Skinny> skinny = SkinnyOf(context, why_not);
    if (!skinny) return absl::FailedPreconditionError(why_not);
    const CudaTypes& types = skinny->problem.types;
    const ConfigSpace& space = context.space;
    const int64_t step = CudaSkinnyStep(types), rows = CudaSkinnyRows(types);
    const int64_t warp_rows = rows >= kRowsAlongK ? rows : std::max(rows, kRowsAlongK);

    // `warp` rows a warp, `across` warps side by side, rings of `stages` turns.
    const auto plan = [&](int64_t warp, int64_t across, int64_t along, int64_t stages,
                          int64_t bytes_of_turn) {
      CudaTile tile;
      tile.family = CudaFamily::kSkinny;
      SetLong(tile, types.long_is_n, warp * across, warp);
      // Turns of some bytes, of whole steps.
      tile.block_k = *ChoiceAtLeast(space, "block_size[k]",
                                    std::max(step, bytes_of_turn / (warp * skinny->bytes)));
      tile.stages = *NearestChoice(space, "num_stages", stages);
      const int64_t tiles = CeilDiv(skinny->extent, warp * across) * skinny->problem.batch;
      const int64_t turns = CeilDiv(skinny->problem.k, tile.block_k);
      const bool is_small = tiles < skinny->units / 2;
      tile.warps_k = *ChoiceAtMost(
          space, "warps[k]",
          std::max<int64_t>(is_small ? std::min(2 * along, turns) : std::min(along, turns / kTurns),
                            1));
      // Until each multiprocessor has what it takes under way.
      const double block_bytes = static_cast<double>(across * tile.warps_k * (tile.stages - 1) *
                                                     warp * tile.block_k * skinny->bytes);
      const double blocks =
          std::max(skinny->unit_bytes / block_bytes, 1.0) * static_cast<double>(skinny->units);
      const int64_t split = static_cast<int64_t>(blocks) / tiles;
      const int64_t turns_of_warp = is_small ? tile.stages : kTurns;
      tile.split_k = *ChoiceAtMost(
          space, "split_k",
          std::max<int64_t>(std::min(split, turns / (tile.warps_k * turns_of_warp)), 1));
      return tile;
    };

    // The long side in blocks of four warps of tensor cores, which share stages of some bytes of k.
    const auto tensor_stream = [&](int64_t bytes, int64_t stages, int64_t rows = kStreamRows) {
      CudaTile tile;
      tile.family = CudaFamily::kMma;
      SetLong(tile, types.long_is_n, rows, rows / kStreamWarps);
      if (types.short_extent > kShortBlock) {
        (types.long_is_n ? tile.block_m : tile.block_n) = kMaxStreamed;
        (types.long_is_n ? tile.warp_m : tile.warp_n) = kMaxStreamed;
      }
      tile.block_k = bytes / std::min(DTypeBytes(types.lhs), DTypeBytes(types.rhs));
      tile.stages = stages;
      const int64_t tiles = CeilDiv(skinny->extent, rows) * skinny->problem.batch;
      tile.split_k = *ChoiceAtMost(
          space, "split_k",
          std::max<int64_t>(
              std::min(skinny->units / tiles, CeilDiv(skinny->problem.k, tile.block_k) / kTurns),
              1));
      return tile;
    };

    CudaSeeds seeds(space, context.max_seeds);
    if (types.short_extent > kCudaMaxSkinny) {
      const CudaTile primary = tensor_stream(kStreamBytes, kWideStreamStages);
      seeds.Add(primary);
      if (seeds.size() == 0) seeds.Add(tensor_stream(kStreamBytes / 2, kWideStreamStages));
      seeds.Add(tensor_stream(kStreamBytes / 2, 2 * kWideStreamStages));
      seeds.Add(tensor_stream(kStreamBytes, kWideStreamStages + 1));
      CudaTile split = primary;
      split.split_k = *ChoiceAtLeast(space, "split_k", 2 * primary.split_k);
      seeds.Add(split);
      return std::move(seeds).Take();
    }
    const auto add = [&](CudaTile tile) {
      if (seeds.is_full()) return;
      // Fewer warps, then shorter rings, where something does not fit.
      for (; tile.warps_k > 1 || tile.stages > 2;) {
        if (seeds.Add(tile)) return;
        if (tile.warps_k > 1) {
          tile.warps_k /= 2;
        } else {
          tile.stages = *ChoiceAtMost(space, "num_stages", tile.stages - 1);
        }
      }
      seeds.Add(tile);
    };
    // Where the small operand is read as it is needed, not copied ahead, larger turns let more of
    // its reads wait for each other.
    const bool tensor_cores = HasFamily(space, CudaFamily::kMma);
    const bool copied_ahead =
        tensor_cores && (types.long_is_n ? types.lhs_along_k : types.rhs_along_k);
    const CudaTile primary = copied_ahead   ? plan(warp_rows, 1, 4, 6, 4096)
                             : tensor_cores ? plan(warp_rows, 1, 4, 2, 8192)
                                            : plan(warp_rows, 1, 8, 3, 8192);
    // Two blocks run on a multiprocessor at once. More than that would take turns, the last of
    // which leaves memory idle: then blocks twice as wide, of stages half as deep.
    const bool takes_turns = CeilDiv(skinny->extent, kStreamRows) * skinny->problem.batch >
                             kStreamBlocksOfUnit * skinny->units;
    const CudaTile streamed = takes_turns
                                  ? tensor_stream(kStreamBytes / 2, kStreamStages, 2 * kStreamRows)
                                  : tensor_stream(kStreamBytes, kStreamStages);
    if (skinny->streams_by_tensor_cores && types.long_is_n) seeds.Add(streamed);
    add(primary);
    if (seeds.is_full()) return std::move(seeds).Take();
    if (skinny->streams_by_tensor_cores) seeds.Add(streamed);
    if (!copied_ahead) add(plan(warp_rows, 1, 4, 6, 4096));
    add(plan(warp_rows, 1, 2, 5, 4096));
    add(plan(warp_rows, 2, 2, 4, 4096));
    add(plan(std::min(2 * warp_rows, 4 * rows), 1, 4, 4, 8192));
    CudaTile relaunched = primary;
    if (primary.split_k > 1) {
      relaunched.reduction = CudaReduction::kSecondLaunch;
    } else {
      relaunched.split_k = *ChoiceAtLeast(space, "split_k", 2);
    }
    seeds.Add(relaunched);
    add(plan(rows, 1, 8, 8, 2048));
    if (seeds.size() == 0) {
      // The least that there is.
      CudaTile least = plan(rows, 1, 1, 2, 0);
      least.split_k = 1;
      seeds.Add(least);
    }
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    const CudaTile tile = CudaTileOf(config);
    if (tile.family != CudaFamily::kSkinny) return {};
    const bool long_is_n = CudaTypesOf(context.facts[0]).long_is_n;
    const char* block_knob = long_is_n ? "block_size[n]" : "block_size[m]";
    const char* warp_knob = long_is_n ? "warp_tile[n]" : "warp_tile[m]";
    const int64_t block = long_is_n ? tile.block_n : tile.block_m;
    const int64_t warp = long_is_n ? tile.warp_n : tile.warp_m;
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
    add({{block_knob, block * 2}, {warp_knob, warp * 2}});
    add({{block_knob, block / 2}, {warp_knob, warp / 2}});
    add({{block_knob, block * 2}, {"warps[k]", tile.warps_k / 2}});
    add({{block_knob, block / 2}, {"warps[k]", tile.warps_k * 2}});
    add({{"warps[k]", tile.warps_k * 2}, {"split_k", tile.split_k / 2}});
    add({{"warps[k]", tile.warps_k / 2}, {"split_k", tile.split_k * 2}});
    add({{"block_size[k]", tile.block_k * 2}, {"num_stages", (tile.stages + 1) / 2}});
    add({{"block_size[k]", tile.block_k / 2}, {"num_stages", tile.stages * 2}});
    return moves;
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    return IsEligible(context).eligible;
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCudaSkinnyStream() {
  return std::make_unique<CudaSkinnyStream>();
}

}  // namespace seedtune

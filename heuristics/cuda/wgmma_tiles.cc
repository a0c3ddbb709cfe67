#include "heuristics/cuda/wgmma_tiles.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
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
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/cuda/cuda_plan.h"
#include "heuristics/knob_choices.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

// Tiles, and which share of the tensor cores' rate they reach when nothing else is in the way:
// bf16, long k, on an H100 (driver 580, 2026-11-28), by this library's own kernels. Of equals, the
// first is ranked first.
struct TileChoice {
  int64_t block_m, block_n;
  CudaSchedule schedule;
  double efficiency;
};
constexpr TileChoice kTiles[] = {
    {128, 256, CudaSchedule::kCooperative, 1.00}, {256, 128, CudaSchedule::kCooperative, 0.99},
    {256, 192, CudaSchedule::kCooperative, 0.99}, {192, 192, CudaSchedule::kCooperative, 0.965},
    {128, 192, CudaSchedule::kPingPong, 0.96},    {192, 128, CudaSchedule::kPingPong, 0.95},
    {128, 192, CudaSchedule::kCooperative, 0.94}, {192, 128, CudaSchedule::kCooperative, 0.94},
    {128, 128, CudaSchedule::kPingPong, 0.89},    {128, 128, CudaSchedule::kCooperative, 0.88},
    {64, 256, CudaSchedule::kCooperative, 0.82},  {64, 256, CudaSchedule::kPingPong, 0.77},
    {64, 128, CudaSchedule::kPingPong, 0.75},     {64, 128, CudaSchedule::kCooperative, 0.68},
    {128, 64, CudaSchedule::kCooperative, 0.69},  {128, 64, CudaSchedule::kPingPong, 0.65},
    {64, 64, CudaSchedule::kCooperative, 0.50},
};
constexpr struct { int64_t m, n; } kClusters[] = {{2, 1}, {1, 2}, {1, 1}};

// Of one multiprocessor and cycle. Dense bf16, NVIDIA H100 Tensor Core GPU Architecture
// (whitepaper, 2022): 2048 multiply-adds; a step of 32 bytes of k takes as long in every type.
constexpr double kStepRate = 2048.0 / 16;  // elements of the tile times steps of k
constexpr double kStepsPerStage = 4;
// The rest was fitted to 1300 configurations of 19 kernels measured there, so that of each kernel's
// the model's choice is within 1% of the fastest on the average.
constexpr double kL2Bytes = 66;
constexpr double kOutBytes = 84;             // through shared memory to the L2 cache
constexpr double kEpilogue = 900;            // latencies of an epilogue that nothing hides
constexpr double kDeferred = 2500;           // all of one whose stores wait for the next tile
constexpr double kActivation = 0.1;          // an element, where it is more than a maximum
constexpr double kActivationInTurns = 0.25;  // what of it the other warpgroup's tile does not hide
constexpr double kFill = 7900;               // launching, and filling the pipeline
constexpr double kReduction = 5800;          // launching the second kernel
constexpr double kMeeting = 3300;            // blocks that wait for each other's parts
constexpr double kPartBytes = 18;            // of these parts, written and read
constexpr double kClusterStart = 2400;
constexpr double kPassing = 5000;    // latencies of sums that a block passes on and takes over
constexpr double kPassedBytes = 40;  // of these sums, written and read
constexpr double kOneOfTwo = 0.90;   // of the rate, where one warpgroup of two works
constexpr double kAlone = 0.8;       // of it, where nobody multiplies while fp8 sums are moved on
// Memory gives this share of its peak, with a cache full of what has to be written back; and what
// does not bind costs this share of its time.
constexpr double kMemoryShare = 0.69;
constexpr double kOverlapLoss = 0.29;
constexpr double kStageOverlapLoss = 0.05;

// Of the tensor cores' peak, what large products reach by wgmma, and by mma, which needs no
// packing.
constexpr double kWgmmaShare = 0.75, kMmaShare = 0.4;

constexpr double kH100Units = 132;
constexpr double kH100ClockHz = 1.755e9;
constexpr double kH100BytesPerS = 3.35e12;
constexpr int64_t kMaxGrouping = 8;
constexpr size_t kSeeds = 8;
// Outputs of fewer elements, or products of less work, are left to smaller tiles than these.
constexpr int64_t kMinWork = int64_t{1} << 26;

struct Ranked {
  CudaTile tile;
  double cycles = 0;
};

// Whether something after the sums takes as long as a dozen additions.
bool HasSlowEpilogue(const TuningContext& context, const MatmulFact& fact) {
  return std::any_of(fact.epilogue.begin(), fact.epilogue.end(), [&](ValueId id) {
    const Op& op = context.kernel.ops[id];
    return op.kind == OpKind::kPointwise &&
           (op.pointwise == PointwiseKind::kGelu || op.pointwise == PointwiseKind::kSilu ||
            op.pointwise == PointwiseKind::kTanh || op.pointwise == PointwiseKind::kExp);
  });
}

double Cycles(const CudaTile& tile, double efficiency, bool slow_epilogue,
              const CudaProblem& problem, const HardwareInfo& device) {
  const double units = device.compute_units > 0 ? device.compute_units : kH100Units;
  const double clock = device.clock_hz > 0 ? static_cast<double>(device.clock_hz) : kH100ClockHz;
  const double memory_bytes = (device.memory_bandwidth_bytes_per_s > 0
                                   ? static_cast<double>(device.memory_bandwidth_bytes_per_s)
                                   : kH100BytesPerS) *
                              kMemoryShare / clock;
  const double m = static_cast<double>(tile.block_m), n = static_cast<double>(tile.block_n);
  const double cluster = static_cast<double>(tile.cluster_m * tile.cluster_n);
  const double clusters = std::floor(units / cluster);
  const double work =
      static_cast<double>(CudaWgmmaWork(tile, problem.m, problem.n, problem.batch) * tile.split_k);
  const double rounds = std::ceil(work / clusters);
  const double stages = std::ceil(static_cast<double>(CeilDiv(problem.k, tile.block_k)) /
                                  static_cast<double>(tile.split_k));
  const double out_bytes =
      tile.split_k > 1 ? 4.0 : static_cast<double>(DTypeBytes(problem.fact->out.dtype));
  const bool hidden = tile.schedule == CudaSchedule::kPingPong && rounds > 1;
  // Where registers are left for it (backends/cuda/kernels).
  const bool defers =
      tile.schedule == CudaSchedule::kCooperative && rounds > 1 && tile.split_k == 1 &&
      CudaConsumers(tile) > 1 && out_bytes == 2 &&
      tile.block_m * tile.block_n <= (IsFp8(problem.types.lhs) ? 128 * 192 : 128 * 256);
  // With nothing to do in turns, one of the two has nothing to do.
  const bool idle = tile.schedule == CudaSchedule::kPingPong && rounds == 1;
  const double multiply =
      m * n / kStepRate * kStepsPerStage /
      (efficiency * (idle ? kOneOfTwo : 1) *
       (IsFp8(problem.types.lhs) && tile.schedule == CudaSchedule::kPingPong ? kAlone : 1));
  const double load =
      (m / static_cast<double>(tile.cluster_n) + n / static_cast<double>(tile.cluster_m)) *
      kCudaWgmmaStageBytes / kL2Bytes;
  const double activation = slow_epilogue ? m * n * (hidden ? kActivationInTurns : kActivation) : 0;
  const double epilogue = defers ? kDeferred : m * n * out_bytes / kOutBytes + kEpilogue;
  const double stage = std::max(multiply, load) + kStageOverlapLoss * std::min(multiply, load);
  double cycles = kFill + (cluster > 1 ? kClusterStart : 0) +
                  (tile.stream_k ? work / clusters : rounds) * stages * stage +
                  (hidden ? epilogue : rounds * epilogue) + rounds * activation;
  if (tile.stream_k) cycles += kPassing + 2 * 4 * m * n / kPassedBytes;
  double bytes = static_cast<double>(problem.fact->bytes);
  const double element = static_cast<double>(DTypeBytes(problem.types.lhs));
  if (tile.pack_lhs) bytes += 2 * element * static_cast<double>(problem.m * problem.k);
  if (tile.pack_rhs) bytes += 2 * element * static_cast<double>(problem.n * problem.k);
  const double memory = bytes / memory_bytes;
  cycles = std::max(cycles, memory) + kOverlapLoss * std::min(cycles, memory);
  if (tile.split_k > 1) {
    const double parts = static_cast<double>(problem.m * problem.n * problem.batch) * 4 *
                         static_cast<double>(tile.split_k);
    cycles += (tile.reduction == CudaReduction::kSecondLaunch ? kReduction : kMeeting) +
              2 * parts / (units * kPartBytes);
  }
  return cycles;
}

// Parts of k are added up by the blocks themselves where all of them run at once.
CudaReduction ReductionFor(const CudaTile& tile, const CudaProblem& problem,
                           const HardwareInfo& device) {
  const int64_t blocks = RoundUp(CeilDiv(problem.m, tile.block_m), tile.cluster_m) *
                         RoundUp(CeilDiv(problem.n, tile.block_n), tile.cluster_n) * problem.batch *
                         tile.split_k;
  return tile.split_k > 1 && blocks > device.compute_units ? CudaReduction::kSecondLaunch
                                                           : CudaReduction::kLastBlock;
}

// As many stages as fit and as there are; 0: not even two fit.
int64_t StagesFor(CudaTile tile, const CudaProblem& problem, const HardwareInfo& device,
                  const std::vector<int64_t>& choices) {
  const int64_t steps = CeilDiv(CeilDiv(problem.k, tile.block_k), tile.split_k);
  int64_t stages = 0;
  for (const int64_t choice : choices) {
    tile.stages = choice;
    if (stages > 0 && stages >= steps) break;
    if (device.shared_memory_per_block_bytes > 0 &&
        CudaSharedBytes(tile, problem.types) > device.shared_memory_per_block_bytes) {
      break;
    }
    stages = choice;
  }
  return stages;
}

std::vector<Ranked> RankTiles(const CudaProblem& problem, const TuningContext& context) {
  const HardwareInfo& device = context.device;
  const std::vector<int64_t> splits = IntegerChoices(context.space, "split_k");
  const std::vector<int64_t> stages = IntegerChoices(context.space, "num_stages");
  const std::vector<int64_t> groupings = IntegerChoices(context.space, "l2_grouping");
  const int64_t units = device.compute_units > 0 ? device.compute_units : 1;
  const bool slow_epilogue = HasSlowEpilogue(context, *problem.fact);
  std::vector<Ranked> ranked;
  for (const TileChoice& choice : kTiles) {
    // Half of a tile at least has to be output.
    if ((choice.block_m > kCudaWgmmaRows && choice.block_m / 2 >= problem.m) ||
        (choice.block_n > kCudaWgmmaRows && choice.block_n / 2 >= problem.n)) {
      continue;
    }
    CudaTile tile;
    tile.family = CudaFamily::kWgmma;
    tile.schedule = choice.schedule;
    tile.block_m = choice.block_m;
    tile.block_n = choice.block_n;
    tile.epilogue_bytes = CudaWgmmaEpilogueBytes(tile);
    tile.block_k = kCudaWgmmaStageBytes / DTypeBytes(problem.types.lhs);
    tile.warp_m = tile.warp_n = kCudaNoWarpTile;
    tile.pack_lhs = !CudaWgmmaReads(problem.fact->lhs, problem.types.lhs_along_k,
                                    problem.types.lhs_by_registers);
    tile.pack_rhs = !CudaWgmmaReads(problem.fact->rhs, problem.types.rhs_along_k,
                                    problem.types.rhs_by_registers);
    const int64_t rows = CeilDiv(problem.m, tile.block_m);
    const int64_t columns = CeilDiv(problem.n, tile.block_n);
    // They ascend from 1. All rows in one group, if the second would be small.
    const int64_t most = rows < 2 * kMaxGrouping ? NextPowerOfTwo(rows) : kMaxGrouping;
    const int64_t grouping = *std::prev(std::upper_bound(groupings.begin(), groupings.end(), most));
    for (const auto& cluster : kClusters) {
      if (cluster.m > rows || cluster.n > columns) continue;
      tile.cluster_m = cluster.m;
      tile.cluster_n = cluster.n;
      tile.l2_grouping = grouping;
      for (const int64_t split : splits) {
        // Parts that would wait for a place, or that have next to nothing to do, are no help.
        // All run at once, so that nobody takes turns.
        if (split > 1 && (rows * columns * problem.batch * split > units ||
                          split * 2 > CeilDiv(problem.k, tile.block_k) ||
                          choice.schedule == CudaSchedule::kPingPong)) {
          break;
        }
        tile.split_k = split;
        tile.reduction = ReductionFor(tile, problem, device);
        tile.stages = StagesFor(tile, problem, device, stages);
        if (tile.stages == 0) break;
        const auto rank = [&] {
          ranked.push_back({tile, Cycles(tile, choice.efficiency, slow_epilogue, problem, device)});
        };
        rank();
        tile.stream_k = CudaWgmmaStreamsK(tile, problem.m, problem.n,
                                          CeilDiv(problem.k, tile.block_k), problem.batch, units);
        if (tile.stream_k) rank();
        tile.stream_k = false;
      }
    }
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.cycles < b.cycles; });
  return ranked;
}

// Whether bringing operands to aligned rows first, which mma can do without, takes longer than
// wgmma saves. What the L2 cache holds meanwhile costs next to nothing.
bool PacksTooMuch(const CudaProblem& problem, const HardwareInfo& device) {
  const auto packed = [&](const OperandFact& operand, bool along_k, bool by_registers,
                          int64_t outer) {
    const int64_t bytes = DTypeBytes(operand.dtype);
    const bool mma_packs_too = bytes == 1 && !along_k;
    if (CudaWgmmaReads(operand, along_k, by_registers) || mma_packs_too) return 0.0;
    return static_cast<double>(bytes * outer) * static_cast<double>(problem.k) *
           static_cast<double>(problem.batch);
  };
  const CudaTypes& types = problem.types;
  const double bytes =
      packed(problem.fact->lhs, types.lhs_along_k, types.lhs_by_registers, problem.m) +
      packed(problem.fact->rhs, types.rhs_along_k, types.rhs_by_registers, problem.n);
  if (bytes <= static_cast<double>(device.l2_bytes) / 2) return false;
  const double units = device.compute_units > 0 ? device.compute_units : kH100Units;
  const double clock = device.clock_hz > 0 ? static_cast<double>(device.clock_hz) : kH100ClockHz;
  const double bandwidth = device.memory_bandwidth_bytes_per_s > 0
                               ? static_cast<double>(device.memory_bandwidth_bytes_per_s)
                               : kH100BytesPerS;
  // Steps of k of elements that take as long in every type.
  const double steps = static_cast<double>(problem.m) * static_cast<double>(problem.n) *
                       static_cast<double>(problem.k) * static_cast<double>(problem.batch) *
                       static_cast<double>(DTypeBytes(types.lhs)) /
                       (kCudaWgmmaStageBytes / kStepsPerStage);
  const double saved_s = steps / (kStepRate * units * clock) * (1 / kMmaShare - 1 / kWgmmaShare);
  return 2 * bytes / bandwidth > saved_s;
}

class CudaWgmmaTiles : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "cuda_wgmma_tiles"; }
  std::string_view backend() const override { return "cuda"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<CudaProblem> problem = CudaProblemOf(context, why_not);
    if (!problem) return Eligibility::No(why_not);
    if (!HasFamily(context.space, CudaFamily::kWgmma)) {
      return Eligibility::No(absl::StrCat(
          "no wgmma for ", std::string(DTypeName(problem->types.lhs)), " ", problem->m, "x",
          problem->n, "x", problem->k, " on ", context.device.arch.base,
          ", want operands that Hopper's tensor cores take, more than ", kCudaWgmmaRows / 2,
          " rows and columns (", kCudaWgmmaRegisterRows / 2,
          " of what goes through registers) and ", kCudaWgmmaStageBytes / 2, " bytes of k"));
    }
    return Eligibility::Yes(absl::StrCat("wgmma takes ", std::string(DTypeName(problem->types.lhs)),
                                         problem->by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (const Eligibility eligibility = IsEligible(context); !eligibility.eligible) {
      return absl::FailedPreconditionError(eligibility.reason);
    }
    std::string why_not;
    const std::vector<Ranked> ranked = RankTiles(*CudaProblemOf(context, why_not), context);
    // The best of each shape and schedule, whatever its cluster and how its k is dealt out; and the
    // best whose k is dealt out in another way than the primary's.
    CudaSeeds seeds(context.space, std::min(kSeeds, context.max_seeds));
    std::vector<CudaTile> taken;
    for (const Ranked& candidate : ranked) {
      if (seeds.is_full()) break;
      const CudaTile& tile = candidate.tile;
      const bool known = std::any_of(taken.begin(), taken.end(), [&](const CudaTile& other) {
        return other.block_m == tile.block_m && other.block_n == tile.block_n &&
               other.schedule == tile.schedule;
      });
      if (known && (taken.size() != 1 ||
                    (taken[0].split_k == tile.split_k && taken[0].stream_k == tile.stream_k))) {
        continue;
      }
      if (!seeds.Add(tile)) continue;
      taken.push_back(tile);
      if (taken.size() > 1 || !tile.stream_k) continue;
      // Beside it, the best that is not dealt out.
      const auto whole = std::find_if(ranked.begin(), ranked.end(),
                                      [](const Ranked& other) { return !other.tile.stream_k; });
      if (whole != ranked.end() && seeds.Add(whole->tile)) taken.push_back(whole->tile);
    }
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    std::string why_not;
    const std::optional<CudaProblem> problem = CudaProblemOf(context, why_not);
    const CudaTile from = CudaTileOf(config);
    if (!problem || from.family != CudaFamily::kWgmma) return {};
    const std::vector<int64_t> stages = IntegerChoices(context.space, "num_stages");
    std::vector<PartialConfig> moves;
    const auto add = [&](CudaTile tile) {
      for (const auto& [knob, value] :
           {std::pair("block_size[m]", tile.block_m), std::pair("block_size[n]", tile.block_n),
            std::pair("split_k", tile.split_k)}) {
        if (!HasChoice(context.space, knob, KnobValue(value))) return;
      }
      tile.reduction = ReductionFor(tile, *problem, context.device);
      tile.epilogue_bytes = CudaWgmmaEpilogueBytes(tile);
      tile.stages = StagesFor(tile, *problem, context.device, stages);
      tile.stream_k =
          tile.stream_k &&
          CudaWgmmaStreamsK(tile, problem->m, problem->n, CeilDiv(problem->k, tile.block_k),
                            problem->batch, context.device.compute_units);
      if (tile.stages > 0) moves.push_back(ToPartial(tile));
    };
    // From one side to the other.
    CudaTile tile = from;
    std::swap(tile.block_m, tile.block_n);
    std::swap(tile.cluster_m, tile.cluster_n);
    if (from.block_m != from.block_n) add(tile);
    // Sharing a large tile, or taking small ones in turns.
    tile = from;
    if (from.schedule == CudaSchedule::kCooperative) {
      tile.schedule = CudaSchedule::kPingPong;
      (tile.block_n > 128 ? tile.block_n : tile.block_m) /= 2;
    } else {
      tile.schedule = CudaSchedule::kCooperative;
      (tile.block_n < 256 ? tile.block_n : tile.block_m) *= 2;
    }
    add(tile);
    // As many blocks.
    for (const bool along_m : {false, true}) {
      tile = from;
      int64_t& block = along_m ? tile.block_m : tile.block_n;
      block *= 2;
      tile.split_k *= 2;
      add(tile);
      tile = from;
      (along_m ? tile.block_m : tile.block_n) /= 2;
      if (tile.split_k > 1) tile.split_k /= 2;
      add(tile);
    }
    return moves;
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<CudaProblem> problem = CudaProblemOf(context, why_not);
    return problem &&
           static_cast<double>(problem->m) * static_cast<double>(problem->n) *
                   static_cast<double>(problem->k) * static_cast<double>(problem->batch) >=
               static_cast<double>(kMinWork) &&
           !PacksTooMuch(*problem, context.device);
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCudaWgmmaTiles() {
  return std::make_unique<CudaWgmmaTiles>();
}

}  // namespace seedtune

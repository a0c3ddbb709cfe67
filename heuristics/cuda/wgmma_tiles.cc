#include "heuristics/cuda/wgmma_tiles.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <memory>
#include <numeric>
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

// Tiles, and which share of the tensor cores' rate they reach when nothing else is in the way. Of
// equals, the first is ranked first.
struct TileChoice {
  int64_t block_m, block_n;
  CudaSchedule schedule;
  double efficiency;
};
constexpr TileChoice kTiles[] = {
    {128, 256, CudaSchedule::kCooperative, 0.84}, {256, 128, CudaSchedule::kCooperative, 0.81},
    {256, 192, CudaSchedule::kCooperative, 0.82}, {192, 192, CudaSchedule::kCooperative, 0.835},
    {128, 192, CudaSchedule::kPingPong, 0.84},    {192, 128, CudaSchedule::kPingPong, 0.81},
    {128, 192, CudaSchedule::kCooperative, 0.81}, {192, 128, CudaSchedule::kCooperative, 0.83},
    {128, 128, CudaSchedule::kPingPong, 0.80},    {128, 128, CudaSchedule::kCooperative, 0.81},
    {64, 256, CudaSchedule::kCooperative, 0.76},  {64, 256, CudaSchedule::kPingPong, 0.705},
    {64, 192, CudaSchedule::kCooperative, 0.69},  {64, 192, CudaSchedule::kPingPong, 0.73},
    {64, 128, CudaSchedule::kCooperative, 0.635}, {64, 128, CudaSchedule::kPingPong, 0.63},
    {128, 64, CudaSchedule::kCooperative, 0.635}, {128, 64, CudaSchedule::kPingPong, 0.61},
    {64, 64, CudaSchedule::kCooperative, 0.45},   {192, 96, CudaSchedule::kCooperative, 0.80},
    {128, 160, CudaSchedule::kCooperative, 0.75},
};
constexpr struct { int64_t m, n; } kClusters[] = {{1, 1}, {2, 1}, {1, 2}};

// Of one multiprocessor and cycle. Dense bf16, NVIDIA H100 Tensor Core GPU Architecture
// (whitepaper, 2022): 2048 multiply-adds; a step of 32 bytes of k takes as long in every type.
constexpr double kStepRate = 2048.0 / 16;  // elements of the tile times steps of k
constexpr double kStepsPerStage = 4;
// What follows, and the shares of the tiles, were fitted to 3500 configurations of 125 kernels
// measured on an H200 (driver 580, 2026-11-29, the L2 cache cold and clean). docs/kernels.md says
// how well that did on kernels that were left out. kFill and kMeeting have since been lowered
// by what the kernels gained.
constexpr double kCopyBytes = 61;  // into shared memory
// Of one multiprocessor, while all of its graphics processing cluster (GPC) read: neighbours there
// that want the same lines at about the same time ask for them once. H100 and H200: up to 18
// multiprocessors a GPC; half of the device at one partition of the L2 cache.
constexpr double kClusterBytes = 32;
constexpr int64_t kGpcBlocks = 16;
constexpr int64_t kPartitionBlocks = 66;
constexpr double kPartitionWeight = 3;
// What a row costs more if it begins within a line of 128 bytes, and so takes two where one would
// do.
constexpr double kSplitLine = 0.63, kSplitLineOut = 0.35;
// Where the device works for long at the limit of its power, copies cost clock cycles: this share,
// for 64 x 64 elements of a tile, of what takes kLongCycles and more.
constexpr double kEnergy = 0.07;
constexpr double kLongCycles = 3e5;
// From the time at which a stage is free to that at which it is full again.
constexpr double kRingLatency = 2070;
constexpr double kOutBytes = 25;      // through shared memory to the L2 cache
constexpr double kEpilogue = 100;     // latencies of an epilogue that nothing hides
constexpr double kDeferred = 1730;    // all of one whose stores wait for the next tile
constexpr double kActivation = 0.11;  // an element, where it is more than a maximum
// What of it the other warpgroup's tile does not hide; and where sums leave no registers for it.
constexpr double kActivationInTurns = 0.1, kActivationInLargeTurns = 0.4;
constexpr int64_t kLargeTurn = 128 * 128;
constexpr double kFill = 8650;        // launching, and filling the pipeline
constexpr double kReduction = 13500;  // launching the second kernel
constexpr double kMeeting = 2500;     // blocks that wait for each other's parts
constexpr double kPartBytes = 28;     // of these parts, written and read
constexpr double kAddsAlone = 0.85;   // of that, where a single warpgroup does it
constexpr double kClusterStart = 2300;
constexpr double kPassing = 8000;     // latencies of sums that a block passes on and takes over
constexpr double kPassedBytes = 300;  // of these sums, written and read
// Blocks whose stages are dealt out, of two rounds at most, read tiles at different times: half of
// what neighbours would share is read by each; and their stages take longer by this share.
constexpr double kUnshared = 0.5, kDealtLoss = 0.03, kDealtRounds = 2;
constexpr double kSkewedRows = 0.08;  // the latter, where rows go through registers
constexpr double kOneOfTwo = 0.97;    // of the rate, where one warpgroup of two works
constexpr double kAlone = 0.6;        // of it, where nobody multiplies while fp8 sums are moved on
constexpr double kPromoted = 0.93;    // of it, where somebody does
// What passes through registers is brought there for so many columns' time, and, in turns, while
// nobody multiplies: of 2048x2048x2048 in tf32, 128x256 took 47.5 us, 64x256 72.1, 128x128 60.3.
constexpr double kByRegisters = 30, kByRegistersInTurns = 1.15;
// Memory gives this share of its peak, less where an operand is read in runs of few bytes; and what
// does not bind costs this share of its time.
constexpr double kMemoryShare = 0.96;
constexpr double kShortRun = 0.04;  // of the time, for runs of 128 bytes; half of it for 256
constexpr double kRunBytes = 128;
constexpr double kOverlapLoss = 0.18;
// Parts of k whose number is no power of two take this many times as long, where memory binds.
constexpr double kOddParts = 1.06;
// Operands of more than this share of the L2 cache are read anew by each round of tiles.
constexpr double kL2Share = 0.65;

// Of the tensor cores' peak, what large products reach by wgmma, and by mma, which needs no
// packing.
constexpr double kWgmmaShare = 0.75, kMmaShare = 0.4;

constexpr double kH100Units = 132;
constexpr double kH100ClockHz = 1.755e9;
constexpr double kH100BytesPerS = 3.35e12;
constexpr int64_t kShortK = 512;  // bytes
constexpr int64_t kWideGroup = 8;
constexpr size_t kShapes = 6, kSeeds = 12;
// Outputs of fewer elements, or products of less work, are left to smaller tiles than these.
constexpr int64_t kMinWork = int64_t{1} << 25;

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

// Rows of the operands that `blocks` blocks, one after the other as they are numbered, read of each
// step of k; those of rows of the left one count `lhs` times, those of the right one `rhs` times.
double RowsRead(const CudaTile& tile, const CudaProblem& problem, double blocks, double lhs = 1,
                double rhs = 1) {
  const double rows = static_cast<double>(CeilDiv(problem.m, tile.block_m));
  const double columns = static_cast<double>(CeilDiv(problem.n, tile.block_n));
  const double m = lhs * static_cast<double>(std::min(tile.block_m, problem.m));
  const double n = rhs * static_cast<double>(std::min(tile.block_n, problem.n));
  // Other parts of k, or other matrices of the batch, are something else to read.
  if (blocks >= rows * columns) return (rows * m + columns * n) * blocks / (rows * columns);
  const double group = std::min(static_cast<double>(tile.l2_grouping * tile.cluster_m), rows);
  if (blocks > group * columns) {
    return std::min(rows, std::ceil(blocks / columns)) * m + columns * n;
  }
  const double together = std::min(group, blocks);
  return together * m + std::min(columns, std::ceil(blocks / together)) * n;
}

// Of rows of so many elements, one after the other in memory, the share that begins within a line.
double SplitShare(int64_t row_elements, DType dtype) {
  return 1 - static_cast<double>(std::gcd(row_elements * DTypeBytes(dtype), kCudaWgmmaStageBytes)) /
                 static_cast<double>(kCudaWgmmaStageBytes);
}

// Of the rows of the operands and of the output.
struct SplitShares {
  explicit SplitShares(const CudaProblem& problem)
      : lhs(SplitShare(problem.types.lhs_along_k ? problem.k : problem.m, problem.types.lhs)),
        rhs(SplitShare(problem.types.rhs_along_k ? problem.k : problem.n, problem.types.rhs)),
        out(SplitShare(problem.n, problem.fact->out.dtype)) {}
  double lhs, rhs, out;
};

double Cycles(const CudaTile& tile, double efficiency, bool slow_epilogue,
              const CudaProblem& problem, const SplitShares& split, const HardwareInfo& device) {
  const CudaTypes& types = problem.types;
  const bool fp8 = IsFp8(types.lhs);
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
  const DType out = problem.fact->out.dtype;
  const double out_bytes = tile.split_k > 1 ? 4.0 : static_cast<double>(DTypeBytes(out));
  const bool ping_pong = tile.schedule == CudaSchedule::kPingPong;
  const bool hidden = ping_pong && rounds > 1;
  // Where registers are left for it (backends/cuda/kernels).
  const bool defers = !ping_pong && rounds > 1 && tile.split_k == 1 && CudaConsumers(tile) > 1 &&
                      out_bytes == 2 &&
                      tile.block_n * DTypeBytes(out) % kCudaWgmmaStageBytes == 0 &&
                      tile.block_m * tile.block_n <= (fp8 ? 128 * 192 : 128 * 256);
  // With nothing to do in turns, one of the two has nothing to do.
  const bool idle = ping_pong && rounds == 1;
  const double element = static_cast<double>(DTypeBytes(types.lhs));
  const double ideal = static_cast<double>(problem.m * problem.batch) *
                       static_cast<double>(problem.n) * static_cast<double>(problem.k) * element /
                       (kCudaWgmmaStageBytes / kStepsPerStage) / (kStepRate * units);
  const double energy = kEnergy * std::min(1.0, ideal / kLongCycles) * 64 *
                        (1 / (m * static_cast<double>(tile.cluster_m)) +
                         1 / (n * static_cast<double>(tile.cluster_n)));
  const double by_registers = types.lhs_by_registers || types.rhs_by_registers
                                  ? (1 + kByRegisters / (types.rhs_by_registers ? m : n)) *
                                        (ping_pong ? kByRegistersInTurns : 1)
                                  : 1;
  const double multiply =
      m * n / kStepRate * kStepsPerStage * (1 + energy) * by_registers /
      (efficiency * (idle ? kOneOfTwo : 1) * (fp8 ? (ping_pong ? kAlone : kPromoted) : 1));
  // Packed operands begin with a line. Columns are copied by lines, and some tiles begin within
  // one.
  const int64_t columns = types.rhs_along_k
                              ? tile.block_n
                              : RoundUp(tile.block_n, kCudaWgmmaStageBytes / DTypeBytes(types.rhs));
  const double lhs_lines = 1 + (tile.pack_lhs ? 0 : kSplitLine * split.lhs);
  const double split_columns = columns == tile.block_n
                                   ? split.rhs
                                   : std::max(split.rhs, SplitShare(tile.block_n, types.rhs));
  const double rhs_lines = 1 + (tile.pack_rhs ? 0 : kSplitLine * split_columns);
  const double copy = (static_cast<double>(std::min(tile.block_m, problem.m)) * lhs_lines /
                           static_cast<double>(tile.cluster_n) +
                       static_cast<double>(std::min(columns, problem.n)) * rhs_lines /
                           static_cast<double>(tile.cluster_m)) *
                      kCudaWgmmaStageBytes / kCopyBytes;
  const double at_once = work * cluster / rounds;
  const double neighbors = std::min(static_cast<double>(kGpcBlocks), at_once);
  const double read = RowsRead(tile, problem, neighbors, lhs_lines, rhs_lines) / neighbors *
                      std::min(1.0, at_once / units) * kCudaWgmmaStageBytes / kClusterBytes;
  const double stage =
      std::max({multiply, copy, read, kRingLatency / static_cast<double>(tile.stages - 1)});
  const double split_out = tile.split_k == 1 ? kSplitLineOut * split.out : 0;
  const double epilogue =
      defers ? kDeferred : m * n * out_bytes / kOutBytes * (1 + split_out) + kEpilogue;
  const double activation =
      slow_epilogue ? m * n *
                          (!hidden                                    ? kActivation
                           : tile.block_m * tile.block_n > kLargeTurn ? kActivationInLargeTurns
                                                                      : kActivationInTurns)
                    : 0;

  const double lhs_bytes = element * static_cast<double>(problem.m * problem.k * problem.batch);
  const double rhs_bytes = element * static_cast<double>(problem.n * problem.k * problem.batch);
  double bytes = static_cast<double>(problem.fact->bytes);
  if (rounds > 1 && device.l2_bytes > 0 &&
      lhs_bytes + rhs_bytes > kL2Share * static_cast<double>(device.l2_bytes)) {
    const double again = work / clusters * RowsRead(tile, problem, units) * element *
                         static_cast<double>(problem.k) / static_cast<double>(tile.split_k);
    bytes += std::max(again - lhs_bytes - rhs_bytes, 0.0);
  }
  if (!types.lhs_along_k) bytes += lhs_bytes * kShortRun * kRunBytes / (m * element);
  if (!types.rhs_along_k) bytes += rhs_bytes * kShortRun * kRunBytes / (n * element);
  if (tile.pack_lhs) bytes += 2 * lhs_bytes;
  if (tile.pack_rhs) bytes += 2 * rhs_bytes;
  const double memory =
      bytes / memory_bytes * (PowerOfTwoAtMost(tile.split_k) == tile.split_k ? 1 : kOddParts);
  // Who has no tile in the last round asks memory for nothing.
  const auto overlapped = [](double multiplying, double reading) {
    return std::max(multiplying, reading) + kOverlapLoss * std::min(multiplying, reading);
  };
  double cycles = kFill + (cluster > 1 ? kClusterStart : 0) + (hidden ? epilogue : 0);
  if (tile.stream_k) {
    const double even = work / clusters, dealt = std::min(even, kDealtRounds - (rounds - even));
    const double alone = copy * kCopyBytes / kClusterBytes;
    const double dealt_stage =
        std::max(stage, (1 - kUnshared) * read + kUnshared * alone) *
        (1 + (types.lhs_by_registers || types.rhs_by_registers ? kSkewedRows : kDealtLoss));
    cycles += overlapped(stages * ((even - dealt) * stage + dealt * dealt_stage) +
                             rounds * ((hidden ? 0 : epilogue) + activation),
                         memory);
    cycles += kPassing + 2 * 4 * m * n / kPassedBytes;
  } else {
    const double round = stages * stage + (hidden ? 0 : epilogue) + activation;
    const double full = std::floor(work / clusters), rest = work - full * clusters;
    cycles += full * overlapped(round, memory * clusters / work);
    if (rest > 0) cycles += overlapped(round, memory * rest / work);
  }
  if (tile.split_k > 1) {
    const double parts = static_cast<double>(problem.m * problem.n * problem.batch) * 4 *
                         static_cast<double>(tile.split_k);
    cycles += (tile.reduction == CudaReduction::kSecondLaunch ? kReduction : kMeeting) +
              2 * parts / (units * kPartBytes * (CudaConsumers(tile) == 1 ? kAddsAlone : 1));
  }
  return cycles;
}

// The rows of tiles that are walked together. Where k is short, rows of the output are best written
// whole; else a GPC, and half of the device, should read as little as they can: next to each other
// stand those who share the operand that has more to read. Wrong by as much as 1.8 times in time.
int64_t GroupingFor(CudaTile tile, const CudaProblem& problem,
                    const std::vector<int64_t>& choices) {
  const int64_t rows = CeilDiv(problem.m, tile.block_m);
  if (problem.k * DTypeBytes(problem.types.lhs) <= kShortK) return choices.front();
  int64_t grouping = choices.front();
  double least = 0;
  for (const int64_t choice : choices) {
    if (choice > NextPowerOfTwo(rows)) break;
    tile.l2_grouping = choice;
    const double read =
        RowsRead(tile, problem, kGpcBlocks) / kGpcBlocks +
        kPartitionWeight * RowsRead(tile, problem, kPartitionBlocks) / kPartitionBlocks;
    if (least > 0 && read >= least) continue;
    least = read;
    grouping = choice;
  }
  return grouping;
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

// As many stages as fit and as a block has use for, in all the tiles that it takes: the producer
// begins the next one while the last is multiplied. 0: not even two fit.
int64_t StagesFor(CudaTile tile, const CudaProblem& problem, const HardwareInfo& device,
                  const std::vector<int64_t>& choices) {
  const int64_t units = device.compute_units > 0 ? device.compute_units : 1;
  const int64_t tiles = CeilDiv(problem.m, tile.block_m) * CeilDiv(problem.n, tile.block_n) *
                        problem.batch * tile.split_k;
  const int64_t steps =
      CeilDiv(CeilDiv(problem.k, tile.block_k), tile.split_k) * CeilDiv(tiles, units);
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
  const SplitShares shares(problem);
  std::vector<Ranked> ranked;
  ranked.reserve(std::size(kTiles) * std::size(kClusters) * 2 + splits.size());
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
    tile.l2_grouping = GroupingFor(tile, problem, groupings);
    int64_t unsplit_stages = -1;  // the same for all clusters
    for (const auto& cluster : kClusters) {
      if (cluster.m > rows || cluster.n > columns) continue;
      tile.cluster_m = cluster.m;
      tile.cluster_n = cluster.n;
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
        if (split > 1) {
          tile.stages = StagesFor(tile, problem, device, stages);
        } else {
          if (unsplit_stages < 0) unsplit_stages = StagesFor(tile, problem, device, stages);
          tile.stages = unsplit_stages;
        }
        if (tile.stages == 0) break;
        const auto rank = [&] {
          ranked.push_back(
              {tile, Cycles(tile, choice.efficiency, slow_epilogue, problem, shares, device)});
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
    const CudaProblem problem = *CudaProblemOf(context, why_not);
    const std::vector<Ranked> ranked = RankTiles(problem, context);
    // The best; the best of other shapes and schedules; the primary with its last rounds dealt out,
    // or not, and with its tiles walked in other orders; and what else is ranked high, whatever it
    // differs in.
    CudaSeeds seeds(context.space, std::min(kSeeds, context.max_seeds));
    std::vector<CudaTile> taken;
    for (const Ranked& candidate : ranked) {
      if (taken.size() >= kShapes || seeds.is_full()) break;
      const CudaTile& tile = candidate.tile;
      const bool known = std::any_of(taken.begin(), taken.end(), [&](const CudaTile& other) {
        return other.block_m == tile.block_m && other.block_n == tile.block_n &&
               other.schedule == tile.schedule;
      });
      if (!known && seeds.Add(tile)) taken.push_back(tile);
    }
    if (taken.empty()) return std::move(seeds).Take();
    CudaTile dealt_otherwise = taken[0];
    dealt_otherwise.stream_k = !dealt_otherwise.stream_k;  // the space says whether it can be
    seeds.Add(dealt_otherwise);
    for (const int64_t grouping : {int64_t{1}, kWideGroup}) {
      CudaTile tile = taken[0];
      tile.l2_grouping = std::min(grouping, NextPowerOfTwo(CeilDiv(problem.m, tile.block_m)));
      seeds.Add(tile);
    }
    for (const Ranked& candidate : ranked) {
      if (seeds.is_full()) break;
      seeds.Add(candidate.tile);
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

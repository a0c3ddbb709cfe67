#include "heuristics/cuda/cuda_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "config/spaces/gpu_knobs.h"
#include "hardware/hardware_info.h"
#include "heuristics/knob_choices.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

// Figures that the device record does not have, of one multiprocessor and one cycle.
//
// Multiply-adds of two-byte operands by mma.sync: NVIDIA A100 Tensor Core GPU Architecture
// (whitepaper, 2020), 1024; an H200's own measured through mma.sync: about as many. Of f32: 64 on
// an A100, 128 since (CUDA C++ Programming Guide, arithmetic instructions).
constexpr double kMmaRate = 1024;
constexpr double kSimtRate = 128;
constexpr double kSharedBytes = 128;  // the same guide, shared memory: 32 banks of 4 bytes
constexpr double kL2Bytes = 40;       // measured on an H200
// Cycles, about as seen on an H200.
constexpr double kLoadLatency = 900;      // from memory to shared memory
constexpr double kShiftedLatency = 1800;  // from memory to registers, shifted, to shared memory
constexpr double kBlockOverhead = 1500;   // starting, filling the pipeline, writing the output
constexpr double kBlockStart = 160;       // from one start of a block to the next, at least
constexpr double kStep = 150;             // waiting for each other, where nobody else is there
constexpr double kSecondLaunch = 3000;
// Of the block that adds the parts up: its start, and the bytes of them that it reads a cycle. A
// simt kernel's few threads have many sums each.
constexpr double kLastBlock = 1500, kLastBlockBytes = 40, kSimtLastBlockBytes = 10;
// Warps that a multiprocessor needs for its ordinary multipliers to be busy: with half of them,
// half of the speed (f32 on an H100); but of 64 by 32 sums, four are enough (H200).
constexpr double kSimtWarps = 8, kSimtWideWarps = 4;
// Turns to multiply that a simt kernel's read of 16 bytes takes: of the left operand, which eight
// threads share, and of the right one. Fitted to f32 of 8 to 128 sums a thread on an H200.
constexpr double kSimtLeftTurns = 2, kSimtRightTurns = 8;
// Elements of operands that no asynchronous copy takes, a cycle.
constexpr double kShiftedElements = 64;
// Elements of a simt kernel that go one a copy, a cycle.
constexpr double kTurnedElements = 12;
constexpr int64_t kWideCopy = 16;

constexpr int kMinArch = 80;
constexpr int kA100Units = 108;
constexpr double kA100ClockHz = 1.41e9;
constexpr double kA100BytesPerS = 1.555e12;

}  // namespace

std::optional<CudaProblem> CudaProblemOf(const TuningContext& context, std::string& why_not) {
  const HardwareInfo& device = context.device;
  if (device.kind != DeviceKind::kCuda || CudaArchNumber(device.arch) < kMinArch) {
    why_not = absl::StrCat("device is ", device.arch.base.empty() ? "unknown" : device.arch.base,
                           ", want a CUDA device of sm80 or newer");
    return std::nullopt;
  }
  if (context.facts.size() != 1) {
    why_not = absl::StrCat(context.facts.size(), " matmuls, want one");
    return std::nullopt;
  }
  const MatmulFact& fact = context.facts[0];
  const auto m = fact.m.planning_extent(), n = fact.n.planning_extent(),
             k = fact.k.planning_extent();
  if (!m || !n || !k || fact.batch() == 0) {
    why_not = "an extent is unknown, want at least hints";
    return std::nullopt;
  }
  CudaProblem problem;
  problem.m = *m;
  problem.n = *n;
  problem.k = *k;
  problem.batch = fact.batch();
  problem.types = CudaTypesOf(fact);
  problem.fact = &fact;
  problem.by_hint =
      fact.m.is_symbolic() || fact.n.is_symbolic() || fact.k.is_symbolic() || !fact.batch_is_static;
  return problem;
}

bool HasFamily(const ConfigSpace& space, CudaFamily family) {
  return HasChoice(space, "family", KnobValue(std::string(CudaFamilyName(family))));
}

PartialConfig ToPartial(const CudaTile& tile) {
  PartialConfig seed;
  seed.Set("family", KnobValue(std::string(CudaFamilyName(tile.family))));
  seed.Set("block_size[m]", tile.block_m).Set("block_size[n]", tile.block_n);
  seed.Set("block_size[k]", tile.block_k);
  seed.Set("warp_tile[m]", tile.warp_m).Set("warp_tile[n]", tile.warp_n);
  seed.Set("warps[k]", tile.warps_k).Set("num_stages", tile.stages).Set("split_k", tile.split_k);
  seed.Set("reduction",
           tile.reduction == CudaReduction::kLastBlock ? "last_block" : "second_launch");
  seed.Set("schedule", KnobValue(std::string(CudaScheduleName(tile.schedule))));
  seed.Set("stream_k", tile.stream_k).Set("epilogue_tile", tile.epilogue_bytes);
  seed.Set("cluster[m]", tile.cluster_m).Set("cluster[n]", tile.cluster_n);
  seed.Set("l2_grouping", tile.l2_grouping);
  seed.Set("pack[lhs]", tile.pack_lhs).Set("pack[rhs]", tile.pack_rhs);
  return seed;
}

double CudaTileCycles(const CudaTile& tile, const CudaProblem& problem,
                      const HardwareInfo& device) {
  const double units = device.compute_units > 0 ? device.compute_units : kA100Units;
  const double clock = device.clock_hz > 0 ? static_cast<double>(device.clock_hz) : kA100ClockHz;
  const double memory_bytes = (device.memory_bandwidth_bytes_per_s > 0
                                   ? static_cast<double>(device.memory_bandwidth_bytes_per_s)
                                   : kA100BytesPerS) /
                              clock;
  const double lhs = DTypeBytes(problem.types.lhs), rhs = DTypeBytes(problem.types.rhs);
  const double sum = DTypeBytes(problem.types.accumulator);
  const double m = static_cast<double>(tile.block_m), n = static_cast<double>(tile.block_n);
  const double k = static_cast<double>(tile.block_k);

  const int64_t tiles =
      CeilDiv(problem.m, tile.block_m) * CeilDiv(problem.n, tile.block_n) * problem.batch;
  const double blocks = static_cast<double>(tiles * tile.split_k);
  const double steps =
      std::ceil(static_cast<double>(CeilDiv(problem.k, tile.block_k)) / tile.split_k);
  const bool mma = tile.family == CudaFamily::kMma;

  // One step of one block that has the multiprocessor for itself.
  const double rate = mma ? kMmaRate * 2 / std::max(lhs, rhs) : kSimtRate * 4 / sum;
  const double warps = static_cast<double>(CudaThreads(tile)) / 32;
  const double shared =
      ((m * lhs + n * rhs) + warps * (tile.warp_m * lhs + tile.warp_n * rhs)) * k / kSharedBytes;
  const double multiply = m * n * k / rate;
  // What goes one element a copy: a simt kernel's operands that lie along k, or in rows that are
  // not aligned.
  const auto single = [&](const OperandFact& operand, bool along_k, double elements) {
    return !mma && (along_k || operand.alignment_bytes < kWideCopy) ? elements * k : 0.0;
  };
  const double turned = single(problem.fact->lhs, problem.types.lhs_along_k, m) +
                        single(problem.fact->rhs, problem.types.rhs_along_k, n);
  // Multiplying and reading overlap, if not wholly; a simt kernel's reads, 16 bytes at a time for
  // all sums of a thread, take turns of the multipliers.
  const double turns = (kSimtLeftTurns * static_cast<double>(tile.warp_m) / 4 +
                        kSimtRightTurns * static_cast<double>(tile.warp_n) / 8) *
                       sum / kWideCopy;
  const double sums = static_cast<double>(tile.warp_m * tile.warp_n) / 32;
  const double step = (mma ? std::max(multiply, shared) + 0.25 * std::min(multiply, shared)
                           : std::max(multiply * (1 + turns / sums), shared)) +
                      turned / kTurnedElements;
  // Copies of a stage go out while another one is multiplied, so that the last is half as early.
  double wait = kLoadLatency / (static_cast<double>(tile.stages) - 1.5);
  // What is shifted into place is fetched a step ahead, whatever the stages.
  const bool shifts = mma && ((problem.fact->lhs.alignment_bytes < 4 && !tile.pack_lhs) ||
                              (problem.fact->rhs.alignment_bytes < 4 && !tile.pack_rhs));
  if (shifts) wait = std::max(wait, kShiftedLatency);

  const double together = static_cast<double>(CudaBlocksPerUnit(tile, problem.types, device));
  const auto wave = [&](double blocks_of_unit) {
    const double busy = tile.warp_m == 64 && tile.warp_n == 32 ? kSimtWideWarps : kSimtWarps;
    const double idle = mma ? 1 : std::max(busy / (blocks_of_unit * warps), 1.0);
    return steps * std::max(step * blocks_of_unit * idle + kStep / blocks_of_unit, wait) +
           kBlockOverhead;
  };
  const double rounds = std::floor(blocks / (units * together));
  const double rest = blocks - rounds * units * together;
  double cycles = rounds * wave(together) + (rest > 0 ? wave(std::ceil(rest / units)) : 0);

  cycles = std::max(cycles, blocks * kBlockStart / units);
  const double tile_bytes = blocks * steps * (m * lhs + n * rhs) * k;
  cycles = std::max(cycles, tile_bytes / (units * kL2Bytes));
  double bytes = static_cast<double>(problem.fact->bytes);
  if (tile.pack_lhs) bytes += 2 * lhs * static_cast<double>(problem.m * problem.k * problem.batch);
  if (tile.pack_rhs) bytes += 2 * rhs * static_cast<double>(problem.n * problem.k * problem.batch);
  cycles = std::max(cycles, bytes / memory_bytes);
  if (tile.pack_lhs || tile.pack_rhs) cycles += kSecondLaunch;
  const auto slow = [&](const OperandFact& operand, bool packed, double elements) {
    if (!mma || packed || operand.alignment_bytes >= 4) return 0.0;
    return blocks * steps * elements * k / (units * kShiftedElements);
  };
  cycles += slow(problem.fact->lhs, tile.pack_lhs, m) + slow(problem.fact->rhs, tile.pack_rhs, n);
  if (tile.split_k > 1) {
    const double parts = m * n * sum * static_cast<double>(tile.split_k);
    if (tile.reduction == CudaReduction::kSecondLaunch) {
      cycles +=
          kSecondLaunch + (mma ? 2 : 4) * parts * static_cast<double>(tiles) / (units * kL2Bytes);
    } else {
      cycles += kLastBlock + parts / (mma ? kLastBlockBytes : kSimtLastBlockBytes) *
                                 std::ceil(static_cast<double>(tiles) / units);
    }
  }
  return cycles;
}

bool CudaSeeds::Add(const CudaTile& tile) {
  if (is_full()) return false;
  PartialConfig seed = ToPartial(tile);
  const absl::StatusOr<Config> config = space_.Normalize(seed, NormalizeMode::kReject);
  if (!config.ok() || std::find(configs_.begin(), configs_.end(), *config) != configs_.end()) {
    return false;
  }
  configs_.push_back(*config);
  seeds_.push_back(std::move(seed));
  return true;
}

absl::StatusOr<std::vector<PartialConfig>> CudaSeeds::Take() && {
  if (seeds_.empty()) {
    return absl::FailedPreconditionError(absl::StrCat(space_.name(), " takes none of the tiles"));
  }
  return std::move(seeds_);
}

}  // namespace seedtune

#include "config/spaces/cuda/cuda_tile.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr int64_t kWarpSize = 32;
constexpr int64_t kWarpgroup = 128;
constexpr int64_t kTooManyRegisters = 256;
// Where rows that the bulk tensor copy engine moves may start (CUDA Driver API,
// cuTensorMapEncodeTiled).
constexpr int64_t kTensorMapAlignment = 16;
// CUDA C++ Programming Guide, technical specifications per compute capability: what the system
// takes of each block's shared memory, and blocks a multiprocessor (of sm90; fewer before).
constexpr int64_t kReservedSharedBytes = 1024;
constexpr int64_t kMaxBlocksPerUnit = 32;
// Lanes of a simt warp along m and n (templates/simt.cu).
constexpr int64_t kLanesM = 4;
constexpr int64_t kLanesN = 8;
constexpr int64_t kTurnedPadBytes = 16;
constexpr int64_t kChunkBytes = 16;  // of one load of a skinny kernel's thread
constexpr int kFp8Arch = 89;         // from which on tensor cores take all that they take here

int64_t TileBytes(const CudaTile& tile, const CudaTypes& types) {
  int64_t columns = tile.block_n;
  // Copied by 128 bytes of them, where they do not lie along k.
  if (tile.family == CudaFamily::kWgmma && !types.rhs_along_k && DTypeBytes(types.rhs) == 2) {
    columns = RoundUp(columns, kCudaWgmmaStageBytes / 2);
  }
  const int64_t bytes =
      tile.block_k * (tile.block_m * DTypeBytes(types.lhs) + columns * DTypeBytes(types.rhs));
  if (tile.family != CudaFamily::kSimt) return bytes;
  // Operands that are turned have a padded row for each step of k (templates/tile_copy.cu).
  return bytes + tile.block_k * kTurnedPadBytes *
                     ((types.lhs_along_k ? 1 : 0) + (types.rhs_along_k ? 1 : 0));
}

int64_t SimtRegisters(const CudaTile& tile, const CudaTypes& types) {
  const int64_t words = DTypeBytes(types.accumulator) / 4;
  const int64_t rows = tile.warp_m / kLanesM;
  const int64_t columns = tile.warp_n / kLanesN;
  // Sums; the operands of this step and of the next; addresses and counters.
  return words * (rows * columns + 2 * (rows + columns)) + 32;
}

int64_t MmaRegisters(const CudaTile& tile) {
  const int64_t sums = tile.warp_m * tile.warp_n / kWarpSize;
  // Of this step and of the next.
  const int64_t fragments = 2 * (tile.warp_m / 16 * 4 + tile.warp_n / 8 * 2);
  return sums + fragments + 40;
}

bool SkinnyTakesTensorCores(const CudaTypes& types) { return CudaMmaTakes(types, kFp8Arch); }
DType BigDType(const CudaTypes& types) { return types.long_is_n ? types.rhs : types.lhs; }
bool BigAlongK(const CudaTypes& types) {
  return types.long_is_n ? types.rhs_along_k : types.lhs_along_k;
}

// Loads of a thread for one step of the big operand, 16 bytes each.
int64_t SkinnyLoads(const CudaTile& tile, const CudaTypes& types) {
  return (types.long_is_n ? tile.warp_n : tile.warp_m) * CudaSkinnyStep(types) *
         DTypeBytes(BigDType(types)) / (kWarpSize * kChunkBytes);
}
int64_t SkinnyShortTiles(const CudaTypes& types) { return types.short_extent > 8 ? 2 : 1; }

int64_t SkinnyRegisters(const CudaTile& tile, const CudaTypes& types) {
  const int64_t rows = types.long_is_n ? tile.warp_n : tile.warp_m;
  const int64_t words = DTypeBytes(types.accumulator) / 4;
  const int64_t loads = SkinnyLoads(tile, types);
  if (SkinnyTakesTensorCores(types)) {
    const int64_t small = (BigAlongK(types) ? 4 : 2) * SkinnyShortTiles(types);
    return 4 * loads + small + rows / 16 * SkinnyShortTiles(types) * 4 + 48;
  }
  const int64_t products = rows * types.short_extent / (BigAlongK(types) ? 4 : kWarpSize);
  return 4 * loads + words * products + 64;
}

// A ring of stages, where each thread has a slot for each of its loads; and, in its place, what
// warps that share a tile along k have summed, but for the first of them (templates/skinny.cu).
int64_t SkinnySharedBytes(const CudaTile& tile, const CudaTypes& types) {
  const int64_t steps = CeilDiv(tile.block_k, CudaSkinnyStep(types));
  const int64_t slots =
      SkinnyLoads(tile, types) + (SkinnyTakesTensorCores(types) ? SkinnyShortTiles(types) : 0);
  return std::max(tile.stages * steps * slots * CudaThreads(tile) * kChunkBytes,
                  (tile.warps_k - 1) * tile.block_m * tile.block_n * DTypeBytes(types.accumulator));
}

bool ByRegisters(const CudaTypes& types) {
  return types.lhs_by_registers || types.rhs_by_registers;
}

// With one warpgroup that multiplies, what it needs. With more, what all threads start with, if
// what these then allot themselves is enough.
int64_t WgmmaRegisters(const CudaTile& tile, const CudaTypes& types) {
  const int64_t consumers = CudaConsumers(tile);
  const int64_t all_rows = CudaWgmmaRows(tile, types);
  const int64_t rows = tile.schedule == CudaSchedule::kPingPong ? all_rows : all_rows / consumers;
  const int64_t columns = types.rhs_by_registers ? tile.block_m : tile.block_n;
  int64_t registers = rows * columns / kWarpgroup;
  // fp8 sums are moved to f32 registers after each stage, those of an instruction at a time.
  if (IsFp8(types.lhs)) {
    registers += kCudaWgmmaRows * CudaWgmmaColumns(tile, types) / kWarpgroup;
  }
  // What a stage's instructions take: four steps, four registers each.
  if (ByRegisters(types)) registers += 4 * 4 * rows / kCudaWgmmaRows;
  constexpr int64_t kOthers = 40;
  if (consumers == 1) return registers + kOthers;
  const CudaWgmmaAllotment allotment = CudaWgmmaAllotmentOf(tile);
  return registers + kOthers <= allotment.consumer ? allotment.start : kTooManyRegisters;
}

// Whether the bulk tensor copy engine reads the operand as it stands.
bool HasTensorMap(const OperandFact& operand) {
  const bool contiguous =
      operand.layout == OperandLayout::kRowMajor || operand.layout == OperandLayout::kColumnMajor;
  return contiguous && operand.alignment_bytes % kTensorMapAlignment == 0 &&
         operand.alignment_bytes > 0;
}

// Which of `values` has the name; the last one if no other has.
template <typename T>
T Named(std::string_view name, std::string_view (*name_of)(T), std::initializer_list<T> values) {
  for (const T value : values) {
    if (name_of(value) == name) return value;
  }
  return *(values.end() - 1);
}

}  // namespace

std::string_view CudaFamilyName(CudaFamily family) {
  switch (family) {
    case CudaFamily::kMma:
      return "mma";
    case CudaFamily::kSimt:
      return "simt";
    case CudaFamily::kSkinny:
      return "skinny";
    case CudaFamily::kWgmma:
      return "wgmma";
  }
  return "invalid";
}

std::string_view CudaScheduleName(CudaSchedule schedule) {
  switch (schedule) {
    case CudaSchedule::kTiles:
      return "tiles";
    case CudaSchedule::kStreamK:
      return "stream_k";
    case CudaSchedule::kCooperative:
      return "cooperative";
    case CudaSchedule::kPingPong:
      return "ping_pong";
  }
  return "invalid";
}

CudaTile CudaTileOf(const Config& config) {
  CudaTile tile;
  tile.family =
      Named(config.GetEnum("family"), CudaFamilyName,
            {CudaFamily::kMma, CudaFamily::kSimt, CudaFamily::kSkinny, CudaFamily::kWgmma});
  tile.block_m = config.GetInt("block_size[m]");
  tile.block_n = config.GetInt("block_size[n]");
  tile.block_k = config.GetInt("block_size[k]");
  tile.warp_m = config.GetInt("warp_tile[m]");
  tile.warp_n = config.GetInt("warp_tile[n]");
  tile.warps_k = config.GetInt("warps[k]");
  tile.stages = config.GetInt("num_stages");
  tile.split_k = config.GetInt("split_k");
  tile.reduction = config.GetEnum("reduction") == "last_block" ? CudaReduction::kLastBlock
                                                               : CudaReduction::kSecondLaunch;
  tile.schedule = Named(config.GetEnum("schedule"), CudaScheduleName,
                        {CudaSchedule::kTiles, CudaSchedule::kStreamK, CudaSchedule::kCooperative,
                         CudaSchedule::kPingPong});
  tile.stream_k = config.GetBool("stream_k");
  tile.epilogue_bytes = config.GetInt("epilogue_tile");
  tile.cluster_m = config.GetInt("cluster[m]");
  tile.cluster_n = config.GetInt("cluster[n]");
  tile.l2_grouping = config.GetInt("l2_grouping");
  tile.pack_lhs = config.GetBool("pack[lhs]");
  tile.pack_rhs = config.GetBool("pack[rhs]");
  return tile;
}

CudaTypes CudaTypesOf(const MatmulFact& fact) {
  CudaTypes types;
  types.lhs = fact.lhs.dtype;
  types.rhs = fact.rhs.dtype;
  types.accumulator = fact.accumulator;
  types.lhs_along_k = fact.lhs.layout != OperandLayout::kColumnMajor;
  types.rhs_along_k = fact.rhs.layout != OperandLayout::kRowMajor;
  const bool may_turn = DTypeBytes(types.lhs) == 4 && DTypeBytes(types.rhs) == 4;
  types.rhs_by_registers = may_turn && !types.rhs_along_k && HasTensorMap(fact.rhs);
  types.lhs_by_registers =
      may_turn && !types.rhs_by_registers && !types.lhs_along_k && HasTensorMap(fact.lhs);
  const int64_t m = fact.m.planning_extent().value_or(0);
  const int64_t n = fact.n.planning_extent().value_or(0);
  types.short_extent = std::min(m, n);
  types.long_is_n = m <= n;
  return types;
}

int64_t CudaConsumers(const CudaTile& tile) {
  if (tile.schedule == CudaSchedule::kPingPong) return 2;
  if (tile.block_m <= kCudaWgmmaRows) return 1;
  return tile.block_m % (2 * kCudaWgmmaRows) == 0 ? 2 : 3;
}

int64_t CudaWgmmaEpilogueBytes(const CudaTile& tile) {
  return CudaConsumers(tile) == 3 ? kCudaWgmmaStageBytes : kCudaEpilogueBytes;
}

CudaWgmmaAllotment CudaWgmmaAllotmentOf(const CudaTile& tile) {
  // 65536 registers, given out by eight a thread.
  switch (CudaConsumers(tile)) {
    case 2:
      return {.start = 168, .producer = 40, .consumer = 232};
    case 3:
      return {.start = 128, .producer = 32, .consumer = 160};
    default:
      return {};
  }
}

int64_t CudaWgmmaRows(const CudaTile& tile, const CudaTypes& types) {
  return types.rhs_by_registers ? tile.block_n : tile.block_m;
}

int64_t CudaWgmmaColumns(const CudaTile& tile, const CudaTypes& types) {
  constexpr int64_t kPiece = 128;
  if (types.rhs_by_registers) return tile.block_m;
  return IsFp8(types.lhs) ? tile.block_n / CeilDiv(tile.block_n, kPiece) : tile.block_n;
}

int64_t CudaWgmmaWork(const CudaTile& tile, int64_t m, int64_t n, int64_t batch) {
  return CeilDiv(CeilDiv(m, tile.block_m), tile.cluster_m) *
         CeilDiv(CeilDiv(n, tile.block_n), tile.cluster_n) * batch;
}

bool CudaWgmmaStreamsK(const CudaTile& tile, int64_t m, int64_t n, int64_t k_stages, int64_t batch,
                       int64_t units) {
  // Of larger clusters, the device does not hold as many as its multiprocessors have room for.
  constexpr int64_t kMaxCluster = 2;
  const int64_t cluster = tile.cluster_m * tile.cluster_n;
  const int64_t clusters = units / cluster;
  if (tile.family != CudaFamily::kWgmma || tile.split_k > 1 || cluster > kMaxCluster ||
      CudaConsumers(tile) < 2 || k_stages < kCudaStreamKStages || clusters == 0) {
    return false;
  }
  const int64_t work = CudaWgmmaWork(tile, m, n, batch);
  return work > clusters && work % clusters != 0;
}

int64_t CudaThreads(const CudaTile& tile) {
  if (tile.family == CudaFamily::kWgmma) return kWarpgroup * (CudaConsumers(tile) + 1);
  return kWarpSize * (tile.block_m / tile.warp_m) * (tile.block_n / tile.warp_n) * tile.warps_k;
}

int64_t CudaSharedBytes(const CudaTile& tile, const CudaTypes& types) {
  if (tile.family == CudaFamily::kSkinny) return SkinnySharedBytes(tile, types);
  const int64_t ring = CudaRingBytes(tile, types);
  if (tile.family == CudaFamily::kWgmma) {
    // The swizzle's alignment, what each warp has of its output on the way, two barriers a stage
    // (templates/wgmma.cu).
    return 1024 + ring + CudaConsumers(tile) * 4 * kCudaWgmmaWarpRows * tile.epilogue_bytes +
           tile.stages * 16;
  }
  // The epilogue passes rows of each warp's sums through it, padded: 16 (templates/mma.cu), or 4
  // where it has to (templates/simt.cu).
  const int64_t sum_bytes = DTypeBytes(types.accumulator);
  const int64_t warp_bytes = tile.family == CudaFamily::kMma
                                 ? 16 * (tile.warp_n + 8) * sum_bytes
                                 : 4 * (tile.warp_n * sum_bytes + kChunkBytes);
  return std::max(ring, CudaThreads(tile) / kWarpSize * warp_bytes);
}

int64_t CudaRingBytes(const CudaTile& tile, const CudaTypes& types) {
  return tile.stages * TileBytes(tile, types);
}

int64_t CudaSkinnyStep(const CudaTypes& types) {
  const int64_t bytes = DTypeBytes(BigDType(types));
  if (BigAlongK(types)) return (SkinnyTakesTensorCores(types) ? 4 : 8) * kChunkBytes / bytes;
  return SkinnyTakesTensorCores(types) ? kCudaMmaStepBytes / bytes : 4;
}

int64_t CudaSkinnyRows(const CudaTypes& types) {
  const int64_t chunk = kChunkBytes / DTypeBytes(BigDType(types));
  if (BigAlongK(types)) return SkinnyTakesTensorCores(types) ? 16 : 4;
  return (SkinnyTakesTensorCores(types) ? 8 : 32) * chunk;
}

int64_t CudaRegisters(const CudaTile& tile, const CudaTypes& types) {
  switch (tile.family) {
    case CudaFamily::kMma:
      return MmaRegisters(tile);
    case CudaFamily::kSimt:
      return SimtRegisters(tile, types);
    case CudaFamily::kSkinny:
      return SkinnyRegisters(tile, types);
    case CudaFamily::kWgmma:
      return WgmmaRegisters(tile, types);
  }
  return 0;
}

int64_t CudaBlocksPerUnit(const CudaTile& tile, const CudaTypes& types,
                          const HardwareInfo& device) {
  const int64_t threads = CudaThreads(tile);
  int64_t blocks = device.threads_per_unit > 0 ? device.threads_per_unit / threads : 1;
  if (device.registers_per_unit > 0) {
    // Given out to warps by 256, which is 8 a thread.
    const int64_t registers = (CudaRegisters(tile, types) + 7) / 8 * 8;
    blocks = std::min(blocks, device.registers_per_unit / (registers * threads));
  }
  if (device.shared_memory_per_unit_bytes > 0) {
    blocks = std::min(blocks, device.shared_memory_per_unit_bytes /
                                  (CudaSharedBytes(tile, types) + kReservedSharedBytes));
  }
  return std::clamp<int64_t>(blocks, 1, kMaxBlocksPerUnit);
}

bool CudaWgmmaTakes(const CudaTypes& types, int arch) {
  return arch >= 90 && arch < 100 && CudaMmaTakes(types, arch);
}

bool CudaWgmmaReads(const OperandFact& operand, bool along_k, bool by_registers) {
  // Only elements of two bytes may lie along the other dimension (PTX ISA, wgmma.mma_async).
  return HasTensorMap(operand) && (along_k || by_registers || DTypeBytes(operand.dtype) == 2);
}

bool CudaMmaTakes(const CudaTypes& types, int arch) {
  if (arch < 80) return false;
  if (types.lhs == DType::kI8) {
    return types.rhs == DType::kI8 && types.accumulator == DType::kI32;
  }
  if (types.accumulator != DType::kF32) return false;
  if (IsFp8(types.lhs)) return IsFp8(types.rhs) && arch >= 89;
  return types.lhs == types.rhs &&
         (types.lhs == DType::kBF16 || types.lhs == DType::kF16 || types.lhs == DType::kTF32);
}

}  // namespace seedtune

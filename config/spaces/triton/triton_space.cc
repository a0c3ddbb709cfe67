#include "config/spaces/triton/triton_space.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/spaces/gpu_knobs.h"
#include "config/spaces/single_matmul.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kName = "triton_matmul";
constexpr int kVersion = 1;

// tl.dot wants 16 of each dimension, 32 of k for operands of 1 byte (Triton's min_dot_size for
// NVIDIA; AMD's takes less, which has no matrix instruction).
constexpr int64_t kMinBlock = 16;
constexpr int64_t kMinBlockKOfBytes = 32;
constexpr int64_t kMaxBlockMN = 256;
constexpr int64_t kMaxBlockK = 512;
// TRITON_MAX_TENSOR_NUMEL.
constexpr int64_t kMaxTensorElements = int64_t{1} << 20;
// Registers of a thread that may hold accumulators: NVIDIA threads have at most 255 (CUDA C++
// Programming Guide, technical specifications), those of CDNA 512, half of them accumulation
// registers (AMD CDNA3 ISA).
constexpr int64_t kCudaThreadRegisters = 255;
constexpr int64_t kRocmThreadRegisters = 256;
// What the smallest matrix instruction of a warp makes: m16n8 (PTX ISA, mma), 16x16 (MFMA).
constexpr int64_t kCudaWarpTile = 16 * 8;
constexpr int64_t kRocmWarpTile = 16 * 16;

// Reads the tile's three sizes from a constraint's arguments, of which they are the first; a
// dimension without a knob has a fixed one.
struct TileReader {
  std::vector<std::string> knobs;
  std::array<int, 3> place = {-1, -1, -1};
  std::array<int64_t, 3> fixed = {};

  int64_t Get(int dim, std::span<const int64_t> args) const {
    return place[dim] < 0 ? fixed[dim] : args[place[dim]];
  }
  int64_t m(std::span<const int64_t> args) const { return Get(0, args); }
  int64_t n(std::span<const int64_t> args) const { return Get(1, args); }
  int64_t k(std::span<const int64_t> args) const { return Get(2, args); }
};

// Bytes of shared memory that the operands' tiles take while the loop over k runs. What the
// epilogue takes to change layouts comes after and reuses them; it is not counted, since it depends
// on the compiler and is often less (sm90: 132,096 bytes for 256 x 256 of bf16).
int64_t SharedMemoryBytes(const HardwareInfo& device, int64_t lhs_bytes, int64_t rhs_bytes,
                          int64_t stages) {
  if (device.kind == DeviceKind::kRocm) {
    // Without a pipeline the two tiles take turns (ROCm/triton pull request 661). With one, gfx950
    // copies straight into LDS, a buffer a stage (triton-lang/triton pull request 9087); older ones
    // keep one stage in registers.
    if (stages == 1) return std::max(lhs_bytes, rhs_bytes);
    const int64_t buffers = device.arch.base == "gfx950" ? stages : stages - 1;
    return buffers * (lhs_bytes + rhs_bytes);
  }
  return stages * (lhs_bytes + rhs_bytes);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> TritonMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device) {
  if (device.kind != DeviceKind::kCuda && device.kind != DeviceKind::kRocm) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(kName), ": the device is \"", device.name, "\" (",
                     std::string(DeviceKindName(device.kind)), "), want a GPU, cuda or rocm"));
  }
  const bool is_cuda = device.kind == DeviceKind::kCuda;
  SEEDTUNE_ASSIGN_OR_RETURN(const SingleMatmul matmul, FindSingleMatmul(kName, facts));
  const MatmulFact& fact = *matmul.fact;
  const int64_t lhs_itemsize = DTypeBytes(fact.lhs.dtype);
  const int64_t rhs_itemsize = DTypeBytes(fact.rhs.dtype);
  const int64_t min_k = std::min(lhs_itemsize, rhs_itemsize) == 1 ? kMinBlockKOfBytes : kMinBlock;

  ConfigSpace::Options options;
  options.name = std::string(kName);
  options.version = kVersion;
  const auto add = [&options](absl::StatusOr<Knob> knob) {
    if (knob.ok()) options.knobs.push_back(*std::move(knob));
    return knob.status();
  };
  TileReader tile;
  const struct {
    const char* name;
    const DimFact& dim;
    int64_t extent, min, max, near;
  } kDims[] = {{"m", fact.m, matmul.m, kMinBlock, kMaxBlockMN, 64},
               {"n", fact.n, matmul.n, kMinBlock, kMaxBlockMN, 64},
               {"k", fact.k, matmul.k, min_k, kMaxBlockK, 32}};
  for (int i = 0; i < 3; ++i) {
    const auto& [name, dim, extent, min, max, near] = kDims[i];
    if (!dim.axis) {
      // Beyond the largest tensor any size is as bad, and none may overflow below.
      tile.fixed[i] = std::max(min, NextPowerOfTwo(std::min(extent, 2 * kMaxTensorElements)));
      continue;
    }
    SEEDTUNE_RETURN_IF_ERROR(add(BlockSizeKnob(name, min, max, extent, near)));
    tile.place[i] = static_cast<int>(tile.knobs.size());
    tile.knobs.push_back(options.knobs.back().name());
  }
  const int64_t warp_size = device.warp_size > 0 ? device.warp_size : 32;
  const int64_t max_warps = warp_size > 32 ? 16 : 32;
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("num_warps", 1, max_warps, 4)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Integer("num_stages", 1, is_cuda ? 8 : 4, 1, 2)));
  SEEDTUNE_RETURN_IF_ERROR(add(L2GroupingKnob()));
  SEEDTUNE_RETURN_IF_ERROR(add(PidTypeKnob()));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(0, fact.lhs, device)));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(1, fact.rhs, device)));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(2, fact.out, device)));

  const auto with = [&tile](const char* knob) {
    std::vector<std::string> knobs = tile.knobs;
    knobs.push_back(knob);
    return knobs;
  };
  std::vector<Constraint>& constraints = options.constraints;
  if (device.shared_memory_per_block_bytes > 0) {
    const int64_t limit = device.shared_memory_per_block_bytes;
    constraints.push_back(
        {"tile_fits_shared_memory",
         absl::StrCat("the operands' tiles of all stages within ", limit,
                      " bytes of shared memory"),
         with("num_stages"),
         [tile, device, lhs_itemsize, rhs_itemsize, limit](std::span<const int64_t> v) {
           return SharedMemoryBytes(device, tile.m(v) * tile.k(v) * lhs_itemsize,
                                    tile.k(v) * tile.n(v) * rhs_itemsize, v.back()) <= limit;
         }});
  }
  constraints.push_back({"tile_fits_tensor",
                         absl::StrCat("tiles of at most ", kMaxTensorElements, " elements"),
                         tile.knobs, [tile](std::span<const int64_t> v) {
                           return tile.m(v) * tile.k(v) <= kMaxTensorElements &&
                                  tile.k(v) * tile.n(v) <= kMaxTensorElements &&
                                  tile.m(v) * tile.n(v) <= kMaxTensorElements;
                         }});
  // Tensor memory, where there is some, takes the accumulators instead.
  if (device.tensor_memory_per_unit_bytes == 0) {
    const int64_t limit = is_cuda ? kCudaThreadRegisters : kRocmThreadRegisters;
    const int64_t registers = DTypeBytes(fact.accumulator) / 4;
    constraints.push_back(
        {"accumulators_fit_registers",
         absl::StrCat("at most ", limit, " registers of accumulators a thread"), with("num_warps"),
         [tile, limit, registers, warp_size](std::span<const int64_t> v) {
           return tile.m(v) * tile.n(v) * registers <= limit * v.back() * warp_size;
         }});
  } else {
    constraints.push_back(
        {"accumulators_fit_tensor_memory",
         absl::StrCat("accumulators within ", device.tensor_memory_per_unit_bytes,
                      " bytes of tensor memory"),
         tile.knobs,
         [tile, limit = device.tensor_memory_per_unit_bytes, bytes = DTypeBytes(fact.accumulator)](
             std::span<const int64_t> v) { return tile.m(v) * tile.n(v) * bytes <= limit; }});
  }
  constraints.push_back(
      {"each_warp_has_work", "a matrix instruction's worth of the output tile for each warp",
       with("num_warps"),
       [tile, least = is_cuda ? kCudaWarpTile : kRocmWarpTile](std::span<const int64_t> v) {
         return tile.m(v) * tile.n(v) >= v.back() * least;
       }});
  constraints.push_back({"l2_group_has_rows", "groups no larger than what covers all rows of tiles",
                         with("l2_grouping"), [tile, m = matmul.m](std::span<const int64_t> v) {
                           return v.back() <= NextPowerOfTwo(CeilDiv(m, tile.m(v)));
                         }});
  return ConfigSpace::Create(std::move(options));
}

}  // namespace seedtune

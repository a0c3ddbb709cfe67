#include "config/spaces/cute/cute_space.h"

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

constexpr std::string_view kName = "cute_matmul";
constexpr int kVersion = 1;

constexpr int64_t kMinBlockM = 64;
constexpr int64_t kMinBlockN = 16;
constexpr int64_t kMaxBlockMN = 256;
constexpr int64_t kMaxBlockK = 128;
// Of shared memory, for what is not operand tiles: the epilogue's buffers and barriers. As Helion
// has it (tcgen05_constants.py).
constexpr int64_t kReservedSharedMemoryBytes = 28 * 1024;
// Tensor memory is columns of 128 lanes of 4 bytes (PTX ISA, tensor memory).
constexpr int64_t kTensorMemoryColumnBytes = 128 * 4;
// Warps beside the epilogue's: one issues loads, one matrix instructions.
constexpr int64_t kOtherRoles = 2;

bool IsTcgen05Operand(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kF16 || IsFp8(dtype);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> CuteMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device) {
  const auto precondition = [](const auto&... parts) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(kName), ": ", parts...));
  };
  if (device.kind != DeviceKind::kCuda || device.tensor_memory_per_unit_bytes == 0) {
    return precondition("the device is \"", device.name, "\" (", device.arch.ToString(),
                        "), want one with tcgen05 (sm100, sm103)");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const SingleMatmul matmul, FindSingleMatmul(kName, facts));
  const MatmulFact& fact = *matmul.fact;
  if (fact.lhs.dtype != fact.rhs.dtype || !IsTcgen05Operand(fact.lhs.dtype) ||
      fact.accumulator != DType::kF32) {
    return precondition("the operands are ", std::string(DTypeName(fact.lhs.dtype)), " and ",
                        std::string(DTypeName(fact.rhs.dtype)), ", accumulated in ",
                        std::string(DTypeName(fact.accumulator)),
                        ", want two of one of bf16, f16, f8e4m3, f8e5m2, accumulated in f32");
  }
  const struct {
    const char* name;
    const DimFact& dim;
  } kDims[] = {{"m", fact.m}, {"n", fact.n}, {"k", fact.k}};
  for (const auto& [name, dim] : kDims) {
    if (!dim.axis) return precondition(name, " is no tunable axis, want one");
  }
  const int64_t itemsize = DTypeBytes(fact.lhs.dtype);

  ConfigSpace::Options options;
  options.name = std::string(kName);
  options.version = kVersion;
  const auto add = [&options](absl::StatusOr<Knob> knob) {
    if (knob.ok()) options.knobs.push_back(*std::move(knob));
    return knob.status();
  };
  SEEDTUNE_RETURN_IF_ERROR(add(BlockSizeKnob("m", kMinBlockM, kMaxBlockMN, matmul.m, 128)));
  SEEDTUNE_RETURN_IF_ERROR(add(BlockSizeKnob("n", kMinBlockN, kMaxBlockMN, matmul.n, 128)));
  SEEDTUNE_RETURN_IF_ERROR(
      add(BlockSizeKnob("k", itemsize == 1 ? 32 : 16, kMaxBlockK, matmul.k, 64)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("num_warps", 4, 16, 8)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Integer("num_stages", 1, 8, 1, 2)));
  SEEDTUNE_RETURN_IF_ERROR(add(PidTypeKnob()));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("cluster_m", 1, 2, 1)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("cluster_n", 1, 1, 1)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("epilogue_warps", 4, 8, 4)));
  SEEDTUNE_RETURN_IF_ERROR(add(L2GroupingKnob()));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Integer("ab_stages", 2, 12, 1, 2)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::PowerOfTwo("acc_stages", 1, 4, 2)));
  SEEDTUNE_RETURN_IF_ERROR(add(Knob::Integer("c_stages", 1, 4, 1, 2)));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(0, fact.lhs, device)));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(1, fact.rhs, device)));
  SEEDTUNE_RETURN_IF_ERROR(add(IndexingKnob(2, fact.out, device)));

  std::vector<Constraint>& constraints = options.constraints;
  // PTX ISA, tcgen05.mma, shapes of dense f16 and f8f6f4: 64 or 128 rows a CTA; columns a multiple
  // of 8 or 16 with one CTA, of 32 with two.
  constraints.push_back({"shape_has_an_instruction",
                         "64 or 128 rows for each CTA of a cluster, and 32 columns or more for two",
                         {"block_size[m]", "block_size[n]", "cluster_m"},
                         [](std::span<const int64_t> v) {
                           const int64_t rows = v[0] / v[2];
                           return (rows == 64 || rows == 128) && (v[2] == 1 || v[1] >= 32);
                         }});
  const int64_t columns = device.tensor_memory_per_unit_bytes / kTensorMemoryColumnBytes;
  constraints.push_back(
      {"accumulators_fit_tensor_memory",
       absl::StrCat("accumulators of all stages within ", columns, " columns of tensor memory"),
       {"block_size[n]", "acc_stages"},
       [columns](std::span<const int64_t> v) { return v[0] * v[1] <= columns; }});
  if (device.shared_memory_per_block_bytes > 0) {
    const int64_t budget = device.shared_memory_per_block_bytes - kReservedSharedMemoryBytes;
    constraints.push_back(
        {"tiles_fit_shared_memory",
         absl::StrCat("the operands' tiles of all stages within ", budget,
                      " bytes of shared memory"),
         {"block_size[m]", "block_size[n]", "block_size[k]", "cluster_m", "ab_stages"},
         [itemsize, budget](std::span<const int64_t> v) {
           return v[4] * (v[0] + v[1]) * v[2] * itemsize / v[3] <= budget;
         }});
  }
  constraints.push_back({"each_role_has_a_warp",
                         absl::StrCat("at least ", kOtherRoles, " warps beside the epilogue's"),
                         {"num_warps", "epilogue_warps"},
                         [](std::span<const int64_t> v) { return v[0] >= v[1] + kOtherRoles; }});
  constraints.push_back({"l2_group_has_rows",
                         "groups no larger than what covers all rows of tiles",
                         {"l2_grouping", "block_size[m]"},
                         [m = matmul.m](std::span<const int64_t> v) {
                           return v[0] <= NextPowerOfTwo(CeilDiv(m, v[1]));
                         }});
  return ConfigSpace::Create(std::move(options));
}

}  // namespace seedtune

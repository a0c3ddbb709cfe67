#include "config/spaces/cute/cute_space.h"

#include <algorithm>
#include <cstdint>
#include <functional>
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
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kName = "cute_matmul";
constexpr int kVersion = 2;

constexpr int64_t kMinBlockM = 64;
constexpr int64_t kMinBlockN = 16;
constexpr int64_t kMaxBlockMN = 256;
constexpr int64_t kMaxBlockK = 128;
// Tensor memory is columns of 128 lanes of 4 bytes (PTX ISA, tensor memory).
constexpr int64_t kTensorMemoryColumnBytes = 128 * 4;
// Two barriers of 8 bytes a stage of operands and of accumulators, and the scheduler's few.
constexpr int64_t kBarrierBytes = 16;
// Warps beside the epilogue's: one issues loads, one matrix instructions.
constexpr int64_t kOtherRoles = 2;
constexpr int64_t kEpilogueRows = 128;
constexpr int64_t kWarpgroupRows = 64;  // of one wgmma (PTX ISA)
constexpr int64_t kWarpgroupWarps = 4;
// A thread has 255 registers (CUDA C++ Programming Guide); wgmma's accumulators stay in them.
constexpr int64_t kThreadRegisters = 255;
constexpr int64_t kMaxCluster = 8;  // of CTAs, portably (CUDA C++ Programming Guide)

bool IsOperand(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kF16 || IsFp8(dtype);
}

class Builder {
 public:
  Builder(const SingleMatmul& matmul, const HardwareInfo& device)
      : matmul_(matmul),
        fact_(*matmul.fact),
        device_(device),
        is_tcgen05_(device.tensor_memory_per_unit_bytes > 0),
        itemsize_(DTypeBytes(fact_.lhs.dtype)),
        out_itemsize_(DTypeBytes(fact_.out.dtype)) {}

  absl::StatusOr<std::shared_ptr<const ConfigSpace>> Build() {
    options_.name = std::string(kName);
    options_.version = kVersion;
    options_.index_on_demand = true;
    SEEDTUNE_RETURN_IF_ERROR(AddKnobs());
    if (is_tcgen05_) {
      AddTcgen05Constraints();
    } else {
      AddWgmmaConstraints();
    }
    AddSharedConstraints();
    return ConfigSpace::Create(std::move(options_));
  }

 private:
  absl::Status Add(absl::StatusOr<Knob> knob) {
    if (knob.ok()) options_.knobs.push_back(*std::move(knob));
    return knob.status();
  }
  void Want(std::string name, std::string description, std::vector<std::string> knobs,
            std::function<bool(std::span<const int64_t>)> holds) {
    options_.constraints.push_back(
        {std::move(name), std::move(description), std::move(knobs), std::move(holds)});
  }

  absl::Status AddKnobs() {
    SEEDTUNE_RETURN_IF_ERROR(Add(BlockSizeKnob("m", kMinBlockM, kMaxBlockMN, matmul_.m, 128)));
    SEEDTUNE_RETURN_IF_ERROR(Add(BlockSizeKnob("n", kMinBlockN, kMaxBlockMN, matmul_.n, 128)));
    const absl::StatusOr<Knob> block_k =
        BlockSizeKnob("k", itemsize_ == 1 ? 32 : 16, kMaxBlockK, matmul_.k, 64);
    SEEDTUNE_RETURN_IF_ERROR(Add(block_k));
    const int64_t default_k = block_k->numeric(block_k->default_choice());
    SEEDTUNE_RETURN_IF_ERROR(Add(PidTypeKnob()));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Enum("tile_scheduler", {"static", "dynamic"}, "static")));
    SEEDTUNE_RETURN_IF_ERROR(Add(L2GroupingKnob()));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("l2_swizzle", 1, 8, 1)));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("cluster_m", 1, 4, 1)));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("cluster_n", 1, 4, 1)));
    if (is_tcgen05_) {
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Boolean("two_cta", false)));
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("num_warps", 4, 16, 8)));
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer("num_stages", 1, 8, 1, 2)));
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("epilogue_warps", 4, 8, 4)));
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("acc_stages", 1, 4, 2)));
    } else {
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::IntegerChoice("num_warps", {8, 12}, 8)));
      SEEDTUNE_RETURN_IF_ERROR(
          Add(Knob::Enum("schedule", {"cooperative", "ping_pong"}, "cooperative")));
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer("ab_stages", 2, 12, 1, 2)));
    // Rows of an operand's tile in shared memory are swizzled over as many bytes.
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("smem_swizzle_bytes", 32, 128,
                                                  std::min<int64_t>(128, default_k * itemsize_))));
    if (HasTensorDescriptor(fact_.out)) {
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Boolean("tma_store", false)));
      has_tma_store_ = true;
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer("c_stages", 1, 4, 1, 2)));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("epilogue_tile_n", 16, 128, 32)));
    SEEDTUNE_RETURN_IF_ERROR(Add(IndexingKnob(0, fact_.lhs, device_)));
    SEEDTUNE_RETURN_IF_ERROR(Add(IndexingKnob(1, fact_.rhs, device_)));
    return Add(IndexingKnob(2, fact_.out, device_));
  }

  bool HasTensorDescriptor(const OperandFact& operand) const {
    const absl::StatusOr<Knob> knob = IndexingKnob(0, operand, device_);
    return knob.ok() && knob->num_choices() > 1;
  }

  void AddTcgen05Constraints() {
    // PTX ISA, tcgen05.mma, shapes of dense f16 and f8f6f4: 64 or 128 rows a CTA; columns a
    // multiple of 8 or 16 with one CTA, of 32 with two. block_size[m] is of the pair where two_cta.
    Want("shape_has_an_instruction",
         "64 or 128 rows for each CTA of a tile, and 32 columns or more for two",
         {"block_size[m]", "block_size[n]", "two_cta"}, [](std::span<const int64_t> v) {
           const int64_t rows = v[0] / (1 + v[2]);
           return (rows == 64 || rows == 128) && (v[2] == 0 || v[1] >= 32);
         });
    Want("pairs_share_a_cluster", "an even cluster_m for two CTAs of a tile",
         {"two_cta", "cluster_m"},
         [](std::span<const int64_t> v) { return v[0] == 0 || v[1] % 2 == 0; });
    const int64_t columns = device_.tensor_memory_per_unit_bytes / kTensorMemoryColumnBytes;
    Want("accumulators_fit_tensor_memory",
         absl::StrCat("accumulators of all stages within ", columns, " columns of tensor memory"),
         {"block_size[n]", "acc_stages"},
         [columns](std::span<const int64_t> v) { return v[0] * v[1] <= columns; });
    Want("each_role_has_a_warp",
         absl::StrCat("at least ", kOtherRoles, " warps beside the epilogue's"),
         {"num_warps", "epilogue_warps"},
         [](std::span<const int64_t> v) { return v[0] >= v[1] + kOtherRoles; });
    WantTilesInSharedMemory("two_cta", /*pairs=*/1);
  }

  void AddWgmmaConstraints() {
    // One warpgroup loads; the others multiply, together or each a tile of its own in turns.
    Want("warpgroups_have_rows",
         "64 rows or more for each warpgroup that multiplies, and two that do for ping_pong",
         {"block_size[m]", "num_warps", "schedule"}, [](std::span<const int64_t> v) {
           const int64_t consumers = v[1] / kWarpgroupWarps - 1;
           return v[2] == 0 ? v[0] >= consumers * kWarpgroupRows : consumers == 2;
         });
    Want("accumulators_fit_registers",
         absl::StrCat("at most ", kThreadRegisters, " registers of accumulators a thread"),
         {"block_size[m]", "block_size[n]", "num_warps", "schedule"},
         [](std::span<const int64_t> v) {
           const int64_t sharers = v[3] == 0 ? v[2] / kWarpgroupWarps - 1 : 1;
           return v[0] * v[1] <= kThreadRegisters * sharers * kWarpgroupWarps * 32;
         });
    WantTilesInSharedMemory("num_warps", /*pairs=*/0);
  }

  // `pairs` times the value of `knob` is 1 where two CTAs hold half of a tile each.
  void WantTilesInSharedMemory(const std::string& knob, int64_t pairs) {
    if (device_.shared_memory_per_block_bytes == 0) return;
    const int64_t limit = device_.shared_memory_per_block_bytes;
    Want("tiles_fit_shared_memory",
         absl::StrCat("the operands' tiles of all stages, and those of the output where TMA stores "
                      "them, within ",
                      limit, " bytes of shared memory"),
         {"block_size[m]", "block_size[n]", "block_size[k]", knob, "ab_stages",
          // Without TMA stores the next knob stands in, times 0.
          has_tma_store_ ? "tma_store" : "c_stages", "c_stages", "epilogue_tile_n"},
         [itemsize = itemsize_, out = has_tma_store_ ? out_itemsize_ : 0, pairs,
          limit](std::span<const int64_t> v) {
           const int64_t operands =
               v[4] * ((v[0] + v[1]) * v[2] * itemsize / (1 + pairs * v[3]) + kBarrierBytes);
           const int64_t rows = std::min(v[0] / (1 + pairs * v[3]), kEpilogueRows);
           return operands + v[5] * v[6] * rows * v[7] * out <= limit;
         });
  }

  void AddSharedConstraints() {
    Want("cluster_is_portable", absl::StrCat("at most ", kMaxCluster, " CTAs a cluster"),
         {"cluster_m", "cluster_n"},
         [](std::span<const int64_t> v) { return v[0] * v[1] <= kMaxCluster; });
    // A cluster without a tile for each of its CTAs idles some of them always.
    const bool pairs = is_tcgen05_;
    Want("cluster_has_tiles", "no more CTAs along a side of a cluster than cover the output",
         {"cluster_m", "cluster_n", "block_size[m]", "block_size[n]",
          pairs ? "two_cta" : "num_warps"},
         [pairs, m = matmul_.m, n = matmul_.n](std::span<const int64_t> v) {
           const int64_t rows = pairs && v[4] == 1 ? v[2] / 2 : v[2];
           return v[0] <= NextPowerOfTwo(CeilDiv(m, rows)) &&
                  v[1] <= NextPowerOfTwo(CeilDiv(n, v[3]));
         });
    Want("swizzle_fits_rows", "rows of operand tiles at least as long as the swizzle",
         {"block_size[k]", "smem_swizzle_bytes"},
         [itemsize = itemsize_](std::span<const int64_t> v) { return v[0] * itemsize >= v[1]; });
    Want("epilogue_fits_tile", "stores no wider than the tile",
         {"block_size[n]", "epilogue_tile_n"},
         [](std::span<const int64_t> v) { return v[1] <= std::max<int64_t>(v[0], 32); });
    Want("l2_group_has_rows", "groups no larger than what covers all rows of tiles",
         {"l2_grouping", "block_size[m]"}, [m = matmul_.m](std::span<const int64_t> v) {
           return v[0] <= NextPowerOfTwo(CeilDiv(m, v[1]));
         });
    constexpr int64_t kPersistentBlocked = 2;  // of pid_type
    Want("scheduler_of_persistent",
         "a dynamic tile scheduler and swizzle only where programs are persistent",
         {"pid_type", "tile_scheduler", "l2_swizzle"}, [](std::span<const int64_t> v) {
           return v[0] >= kPersistentBlocked || (v[1] == 0 && v[2] == 1);
         });
  }

  const SingleMatmul& matmul_;
  const MatmulFact& fact_;
  const HardwareInfo& device_;
  const bool is_tcgen05_;
  const int64_t itemsize_;
  const int64_t out_itemsize_;
  bool has_tma_store_ = false;  // known once the knobs are there
  ConfigSpace::Options options_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> CuteMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device) {
  const auto precondition = [](const auto&... parts) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(kName), ": ", parts...));
  };
  if (device.kind != DeviceKind::kCuda ||
      (device.tensor_memory_per_unit_bytes == 0 && ArchFamily(device.arch.base) != "hopper")) {
    return precondition("the device is \"", device.name, "\" (", device.arch.ToString(),
                        "), want one with tcgen05 (sm100, sm103) or wgmma (sm90)");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const SingleMatmul matmul, FindSingleMatmul(kName, facts));
  const MatmulFact& fact = *matmul.fact;
  if (fact.lhs.dtype != fact.rhs.dtype || !IsOperand(fact.lhs.dtype) ||
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
  return Builder(matmul, device).Build();
}

}  // namespace seedtune

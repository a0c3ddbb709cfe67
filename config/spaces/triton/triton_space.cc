#include "config/spaces/triton/triton_space.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/spaces/gpu_knobs.h"
#include "config/spaces/single_matmul.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kName = "triton_matmul";
constexpr int kVersion = 3;

// tl.dot wants 16 of each dimension, 32 of k for operands of 1 byte (Triton's min_dot_size for
// NVIDIA; AMD's takes less, which has no matrix instruction).
constexpr int64_t kMinBlock = 16;
constexpr int64_t kMinBlockKOfBytes = 32;
constexpr int64_t kMaxBlockMN = 256;
constexpr int64_t kMaxBlockK = 512;
// TRITON_MAX_TENSOR_NUMEL.
constexpr int64_t kMaxTensorElements = int64_t{1} << 20;
// What the smallest matrix instruction of a warp makes: m16n8 (PTX ISA, mma), 16x16 (MFMA, WMMA).
constexpr int64_t kCudaWarpTile = 16 * 8;
constexpr int64_t kRocmWarpTile = 16 * 16;
// wgmma and tcgen05 take 64 rows and a warpgroup (PTX ISA); Triton falls back to mma.sync below.
constexpr int64_t kMinAsyncRows = 64;
constexpr int64_t kMinAsyncWarps = 4;
constexpr int64_t kMaxGridYZ = 65535;  // of a CUDA grid (CUDA C++ Programming Guide)
// Parts of k, each added to the output by other programs.
constexpr int64_t kSplits[] = {1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128};
constexpr int64_t kMinSubtileColumns = 16;  // what one store of the epilogue takes at least

// What a device of the space is, as far as Triton's code for it differs.
struct Target {
  bool is_cuda = false;
  bool has_async_dot = false;  // wgmma, tcgen05: operands read straight from shared memory
  bool has_warp_specialization = false;
  bool is_cdna = false;
  bool has_direct_to_lds = false;  // gfx950
  bool has_copy_ahead = false;     // cp.async, or AMD's loads into registers
  int64_t warp_size = 32;
};

Target TargetOf(const HardwareInfo& device) {
  Target target;
  target.is_cuda = device.kind == DeviceKind::kCuda;
  const int number = CudaArchNumber(device.arch);
  const std::string_view family = ArchFamily(device.arch.base);
  target.has_async_dot = family == "hopper" || family == "blackwell";
  target.has_warp_specialization = family == "blackwell";
  target.is_cdna = family.substr(0, 4) == "cdna";
  target.has_direct_to_lds = device.arch.base == "gfx950";
  target.has_copy_ahead = !target.is_cuda || number == 0 || number >= 80;
  target.warp_size = device.warp_size > 0 ? device.warp_size : 32;
  return target;
}

// A block size that constraints read: one of their first arguments, or fixed.
struct Extent1d {
  int place = -1;
  int64_t fixed = 0;
  int64_t Get(std::span<const int64_t> args) const { return place < 0 ? fixed : args[place]; }
};

// The tile of one dot, read from a constraint's arguments, of which the tile's knobs come first.
struct DotTile {
  Extent1d m_size, n_size, k_size;
  int64_t lhs_bytes = 0;  // of an element in memory; 0: computed in the kernel, so never staged
  int64_t rhs_bytes = 0;
  int64_t accumulator_bytes = 0;
  bool async_type = true;  // wgmma and tcgen05 take the operands

  int64_t m(std::span<const int64_t> args) const { return m_size.Get(args); }
  int64_t n(std::span<const int64_t> args) const { return n_size.Get(args); }
  int64_t k(std::span<const int64_t> args) const { return k_size.Get(args); }
};
using DotTiles = std::vector<DotTile>;

// Bytes of shared memory that a dot's operand tiles take at least while the loop over k runs. What
// the epilogue takes to change layouts comes after and reuses them; it is not counted, since it
// depends on the compiler and is often less (sm90: 132,096 bytes for 256 x 256 of bf16).
int64_t SharedMemoryBytes(const Target& target, const DotTile& dot, int64_t warps, int64_t stages,
                          std::span<const int64_t> v) {
  const int64_t lhs = dot.m(v) * dot.k(v) * dot.lhs_bytes;
  const int64_t rhs = dot.k(v) * dot.n(v) * dot.rhs_bytes;
  if (!target.is_cuda) {
    // Without a pipeline the two tiles take turns (ROCm/triton pull request 661). With one, gfx950
    // copies straight into LDS, a buffer a stage (triton-lang/triton pull request 9087); older ones
    // keep one stage in registers.
    if (stages == 1) return std::max(lhs, rhs);
    return (target.has_direct_to_lds ? stages : stages - 1) * (lhs + rhs);
  }
  if (!target.has_copy_ahead) return std::max(lhs, rhs);
  // mma.sync reads a stage into registers before the next copy lands, so that one buffer fewer
  // does; wgmma and tcgen05 read it where it is (triton-lang/triton,
  // test/TritonGPU/pipeline-lower-loop.mlir, loop-pipeline-expand.mlir).
  const bool async = target.has_async_dot && dot.async_type && dot.m(v) >= kMinAsyncRows &&
                     warps >= kMinAsyncWarps;
  return std::max<int64_t>(async ? stages : stages - 1, 1) * (lhs + rhs);
}

class Builder {
 public:
  Builder(const std::vector<SingleMatmul>& matmuls, const HardwareInfo& device)
      : matmuls_(matmuls), device_(device), target_(TargetOf(device)) {}

  absl::StatusOr<std::shared_ptr<const ConfigSpace>> Build() {
    options_.name = std::string(kName);
    options_.version = kVersion;
    options_.index_on_demand = true;
    SEEDTUNE_RETURN_IF_ERROR(AddTileKnobs());
    SEEDTUNE_RETURN_IF_ERROR(AddScheduleKnobs());
    SEEDTUNE_RETURN_IF_ERROR(AddMemoryKnobs());
    SEEDTUNE_RETURN_IF_ERROR(AddRangeKnobs());
    SEEDTUNE_RETURN_IF_ERROR(AddVendorKnobs());
    AddResourceConstraints();
    AddScheduleConstraints();
    AddRangeConstraints();
    AddVendorConstraints();
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
  std::vector<std::string> TileAnd(std::initializer_list<const char*> more) const {
    std::vector<std::string> knobs = tile_knobs_;
    knobs.insert(knobs.end(), more.begin(), more.end());
    return knobs;
  }

  // An axis has one block size, named after the first dot that has it.
  absl::StatusOr<Extent1d> BlockSizeOf(const DimFact& dim, const std::string& role, int64_t extent,
                                       int64_t min, int64_t max, int64_t near) {
    if (!dim.axis) {
      // Beyond the largest tensor any size is as bad, and none may overflow below.
      return Extent1d{-1, std::max(min, NextPowerOfTwo(std::min(extent, 2 * kMaxTensorElements)))};
    }
    for (size_t i = 0; i < tile_axes_.size(); ++i) {
      if (tile_axes_[i] == *dim.axis) return Extent1d{static_cast<int>(i), 0};
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(BlockSizeKnob(role, min, max, extent, near)));
    tile_axes_.push_back(*dim.axis);
    tile_knobs_.push_back(options_.knobs.back().name());
    return Extent1d{static_cast<int>(tile_axes_.size()) - 1, 0};
  }

  absl::Status AddTileKnobs() {
    for (size_t i = 0; i < matmuls_.size(); ++i) {
      const MatmulFact& fact = *matmuls_[i].fact;
      const std::string suffix = i == 0 ? "" : absl::StrCat(i);
      const int64_t lhs_itemsize = DTypeBytes(fact.lhs.dtype);
      const int64_t rhs_itemsize = DTypeBytes(fact.rhs.dtype);
      const int64_t min_k =
          std::min(lhs_itemsize, rhs_itemsize) == 1 ? kMinBlockKOfBytes : kMinBlock;
      DotTile dot;
      SEEDTUNE_ASSIGN_OR_RETURN(
          dot.m_size, BlockSizeOf(fact.m, "m" + suffix, matmuls_[i].m, kMinBlock, kMaxBlockMN, 64));
      SEEDTUNE_ASSIGN_OR_RETURN(
          dot.n_size, BlockSizeOf(fact.n, "n" + suffix, matmuls_[i].n, kMinBlock, kMaxBlockMN, 64));
      SEEDTUNE_ASSIGN_OR_RETURN(
          dot.k_size, BlockSizeOf(fact.k, "k" + suffix, matmuls_[i].k, min_k, kMaxBlockK, 32));
      // Staged as it stands in memory or as the dot takes it, whichever is less.
      const bool one = matmuls_.size() == 1;
      if (one || fact.lhs.tensor) {
        dot.lhs_bytes = std::min<int64_t>(lhs_itemsize, DTypeBytes(fact.lhs.memory_dtype));
      }
      if (one || fact.rhs.tensor) {
        dot.rhs_bytes = std::min<int64_t>(rhs_itemsize, DTypeBytes(fact.rhs.memory_dtype));
      }
      dot.accumulator_bytes = DTypeBytes(fact.accumulator);
      dot.async_type = fact.lhs.dtype != DType::kF64;
      dots_.push_back(dot);
    }
    const int64_t max_threads =
        device_.max_threads_per_block > 0 ? device_.max_threads_per_block : 1024;
    SEEDTUNE_RETURN_IF_ERROR(
        Add(Knob::PowerOfTwo("num_warps", 1, max_threads / target_.warp_size, 4)));
    return Add(Knob::Integer("num_stages", 1, target_.is_cuda ? 8 : 4, 1, 2));
  }

  absl::Status AddScheduleKnobs() {
    const MatmulFact& first = *matmuls_[0].fact;
    if (matmuls_.size() == 1 && first.k.axis) {
      std::vector<int64_t> splits;
      for (const int64_t split : kSplits) {
        if (split <= CeilDiv(matmuls_[0].k, kMinBlock)) splits.push_back(split);
      }
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::IntegerChoice("split_k", std::move(splits), 1)));
    }
    const bool is_grid = first.m.axis.has_value() && first.n.axis.has_value();
    if (is_grid) {
      SEEDTUNE_RETURN_IF_ERROR(Add(L2GroupingKnob()));
      // Of the grid's axes: m, n, and what a batch adds.
      SEEDTUNE_RETURN_IF_ERROR(
          Add(Knob::Permutation("loop_order", first.batch_axes.empty() ? 2 : 3)));
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(PidTypeKnob()));
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("num_sm_multiplier", 1, 128, 1)));
    if (target_.has_warp_specialization && first.n.axis) {
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::PowerOfTwo("epilogue_subtile", 1, 4, 1)));
    }
    return absl::OkStatus();
  }

  absl::Status AddMemoryKnobs() {
    std::vector<OperandFact> operands;  // loads, then what is stored last
    for (const SingleMatmul& matmul : matmuls_) {
      for (const OperandFact* operand : {&matmul.fact->lhs, &matmul.fact->rhs}) {
        if (matmuls_.size() == 1 || operand->tensor) operands.push_back(*operand);
      }
    }
    const size_t loads = operands.size();
    operands.push_back(matmuls_.back().fact->out);
    for (size_t i = 0; i < operands.size(); ++i) {
      SEEDTUNE_RETURN_IF_ERROR(Add(TritonIndexingKnob(static_cast<int>(i), operands[i])));
    }
    for (size_t i = 0; i < loads; ++i) {
      SEEDTUNE_RETURN_IF_ERROR(target_.is_cuda
                                   ? Add(Knob::Enum(absl::StrCat("load_eviction_policy[", i, "]"),
                                                    {"none", "first", "last"}, "none"))
                                   : Add(Knob::Enum(absl::StrCat("load_cache_modifier[", i, "]"),
                                                    {"none", "cg"}, "none")));
    }
    if (target_.is_cuda) return absl::OkStatus();
    return Add(Knob::Enum("store_cache_modifier", {"none", "cs", "wt"}, "none"));
  }

  // As IndexingKnob, and block pointers, which want no alignment.
  absl::StatusOr<Knob> TritonIndexingKnob(int index, const OperandFact& operand) {
    SEEDTUNE_ASSIGN_OR_RETURN(const Knob knob, IndexingKnob(index, operand, device_));
    std::vector<std::string> values;
    for (int i = 0; i < knob.num_choices(); ++i) {
      values.push_back(std::get<std::string>(knob.choice(i)));
    }
    if (operand.layout != OperandLayout::kUnknown) values.push_back("block_pointer");
    return Knob::Enum(knob.name(), std::move(values), "pointer");
  }

  absl::Status AddRangeKnobs() {
    for (const char* loop : {"k", "grid"}) {
      const auto name = [loop](const char* knob) { return absl::StrCat(knob, "[", loop, "]"); };
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer(name("range_unroll_factor"), 0, 4, 1, 0)));
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer(name("range_num_stages"), 0, 4, 1, 0)));
      SEEDTUNE_RETURN_IF_ERROR(
          Add(Knob::Enum(name("range_multi_buffer"), {"auto", "false", "true"}, "auto")));
      SEEDTUNE_RETURN_IF_ERROR(
          Add(Knob::Enum(name("range_flatten"), {"auto", "false", "true"}, "auto")));
      if (!target_.has_warp_specialization) continue;
      SEEDTUNE_RETURN_IF_ERROR(
          Add(Knob::Enum(name("range_warp_specialize"), {"auto", "false", "true"}, "auto")));
    }
    return absl::OkStatus();
  }

  absl::Status AddVendorKnobs() {
    if (target_.is_cuda) {
      // 0: the compiler's own.
      return Add(Knob::IntegerChoice("maxnreg", {0, 32, 64, 128, 256}, 0));
    }
    SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Integer("waves_per_eu", 0, 4, 1, 0)));
    if (target_.is_cdna) {
      // 0: the compiler's own. Of f64 there is the one of 16 alone (AMD CDNA3 ISA, MFMA).
      const bool is_f64 = matmuls_[0].fact->lhs.dtype == DType::kF64;
      SEEDTUNE_RETURN_IF_ERROR(Add(Knob::IntegerChoice(
          "matrix_instr_nonkdim",
          is_f64 ? std::vector<int64_t>{0, 16} : std::vector<int64_t>{0, 16, 32}, 0)));
    }
    if (device_.num_xcds > 1) SEEDTUNE_RETURN_IF_ERROR(Add(Knob::Boolean("xcd_remap", false)));
    return absl::OkStatus();
  }

  void AddResourceConstraints() {
    if (device_.shared_memory_per_block_bytes > 0) {
      const int64_t limit = device_.shared_memory_per_block_bytes;
      Want("tile_fits_shared_memory",
           absl::StrCat("the operands' tiles of all stages within ", limit,
                        " bytes of shared memory"),
           TileAnd({"num_warps", "num_stages", "range_num_stages[k]"}),
           [target = target_, dots = dots_, limit](std::span<const int64_t> v) {
             const int64_t of_range = v[v.size() - 1];
             const int64_t stages = of_range > 0 ? of_range : v[v.size() - 2];
             return std::all_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
               return SharedMemoryBytes(target, dot, v[v.size() - 3], stages, v) <= limit;
             });
           });
    }
    if (target_.is_cuda && target_.has_copy_ahead && HasKnob("split_k")) WantRoomToUnroll();
    Want("tile_fits_tensor", absl::StrCat("tiles of at most ", kMaxTensorElements, " elements"),
         tile_knobs_, [dots = dots_](std::span<const int64_t> v) {
           return std::all_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
             return dot.m(v) * dot.k(v) <= kMaxTensorElements &&
                    dot.k(v) * dot.n(v) <= kMaxTensorElements &&
                    dot.m(v) * dot.n(v) <= kMaxTensorElements;
           });
         });
    // What a thread has no register for goes to local memory and runs all the same, so only what
    // the whole unit cannot hold is refused.
    if (device_.registers_per_unit > 0) {
      Want("accumulators_fit_registers",
           absl::StrCat("accumulators within the ", device_.registers_per_unit,
                        " registers of a compute unit",
                        device_.tensor_memory_per_unit_bytes > 0 ? " (or in tensor memory)" : ""),
           TileAnd({"num_warps"}),
           [dots = dots_, limit = device_.registers_per_unit,
            has_tmem = device_.tensor_memory_per_unit_bytes > 0](std::span<const int64_t> v) {
             return std::all_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
               const bool in_tmem = has_tmem && dot.async_type && dot.m(v) >= kMinAsyncRows &&
                                    v.back() >= kMinAsyncWarps;
               return in_tmem || dot.m(v) * dot.n(v) * dot.accumulator_bytes / 4 <= limit;
             });
           });
    }
    if (device_.tensor_memory_per_unit_bytes > 0) {
      Want(
          "accumulators_fit_tensor_memory",
          absl::StrCat("accumulators within ", device_.tensor_memory_per_unit_bytes,
                       " bytes of tensor memory"),
          TileAnd({"num_warps"}),
          [dots = dots_, limit = device_.tensor_memory_per_unit_bytes](std::span<const int64_t> v) {
            return std::all_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
              const bool in_tmem =
                  dot.async_type && dot.m(v) >= kMinAsyncRows && v.back() >= kMinAsyncWarps;
              return !in_tmem || dot.m(v) * dot.n(v) * dot.accumulator_bytes <= limit;
            });
          });
    }
    Want("each_warp_has_work", "a matrix instruction's worth of the output tile for each warp",
         TileAnd({"num_warps"}),
         [dots = dots_,
          least = target_.is_cuda ? kCudaWarpTile : kRocmWarpTile](std::span<const int64_t> v) {
           return std::any_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
             return dot.m(v) * dot.n(v) >= v.back() * least;
           });
         });
  }

  // A pipelined loop that is unrolled has all its buffers so many times, unless it is too short to
  // be entered (Triton 3.6 on an H200: of 249 candidates of twelve matmuls that had too little
  // shared memory 111 are refused so, of 3,669 that ran none). One buffer fewer than stages counts,
  // so that warps need not be looked at: with another knob the index takes six times as long.
  void WantRoomToUnroll() {
    const int64_t limit = device_.shared_memory_per_block_bytes;
    if (limit <= 0) return;
    Want("unrolled_stages_fit_shared_memory",
         absl::StrCat("the operands' tiles of all stages, once for each unrolled step, within ",
                      limit, " bytes of shared memory"),
         TileAnd({"num_stages", "range_num_stages[k]", "range_unroll_factor[k]", "split_k"}),
         [dot = dots_[0], limit, extent = matmuls_[0].k](std::span<const int64_t> v) {
           const std::span<const int64_t> more = v.last(4);
           const int64_t stages = more[1] > 0 ? more[1] : more[0], unroll = more[2];
           const int64_t stage = (dot.m(v) * dot.lhs_bytes + dot.n(v) * dot.rhs_bytes) * dot.k(v);
           return unroll <= 1 || unroll * (stages - 1) * stage <= limit ||
                  CeilDiv(CeilDiv(extent, dot.k(v)), more[3]) <= unroll;
         });
  }

  bool HasKnob(std::string_view name) const {
    return std::any_of(options_.knobs.begin(), options_.knobs.end(),
                       [&](const Knob& knob) { return knob.name() == name; });
  }

  void AddScheduleConstraints() {
    const Extent1d m = dots_[0].m_size;
    const Extent1d n = dots_[0].n_size;
    if (HasKnob("l2_grouping")) {
      Want("l2_group_has_rows", "groups no larger than what covers all rows of tiles",
           {tile_knobs_[m.place], "l2_grouping"},
           [extent = matmuls_[0].m](std::span<const int64_t> v) {
             return v[1] <= NextPowerOfTwo(CeilDiv(extent, v[0]));
           });
      Want("l2_group_of_flat_ids", "groups only where program ids have one dimension",
           {"pid_type", "l2_grouping"},
           [](std::span<const int64_t> v) { return v[0] != kXyz || v[1] == 1; });
    }
    if (HasKnob("split_k")) {
      Want("split_has_steps", "a block of k for each part of it",
           {tile_knobs_[dots_[0].k_size.place], "split_k"},
           [extent = matmuls_[0].k](std::span<const int64_t> v) {
             return v[1] <= CeilDiv(extent, v[0]);
           });
    }
    if (n.place >= 0 && CeilDiv(matmuls_[0].n, kMinBlock) > kMaxGridYZ) {
      Want("grid_has_rows", absl::StrCat("at most ", kMaxGridYZ, " programs a row of a xyz grid"),
           {tile_knobs_[n.place], "pid_type"},
           [extent = matmuls_[0].n](std::span<const int64_t> v) {
             return v[1] != kXyz || CeilDiv(extent, v[0]) <= kMaxGridYZ;
           });
    }
    if (HasKnob("epilogue_subtile")) {
      Want("subtile_has_columns",
           absl::StrCat("at least ", kMinSubtileColumns, " columns for each store"),
           {tile_knobs_[n.place], "epilogue_subtile"}, [](std::span<const int64_t> v) {
             return v[1] == 1 || v[0] / v[1] >= kMinSubtileColumns;
           });
    }
    WantDefaultUnlessPersistent("num_sm_multiplier", 1);
  }

  // Choices of pid_type, in PidTypeKnob's order.
  static constexpr int64_t kXyz = 1;
  static constexpr int64_t kPersistentBlocked = 2;

  // What has no loop over tiles does not differ by how that loop would run.
  void WantDefaultUnlessPersistent(const std::string& knob, int64_t numeric_default) {
    Want(absl::StrCat(absl::StrReplaceAll(knob, {{"[grid]", "_grid"}}), "_of_persistent"),
         absl::StrCat(knob, " only where programs are persistent"), {"pid_type", knob},
         [numeric_default](std::span<const int64_t> v) {
           return v[0] >= kPersistentBlocked || v[1] == numeric_default;
         });
  }

  void AddRangeConstraints() {
    for (const char* knob :
         {"range_unroll_factor[grid]", "range_num_stages[grid]", "range_multi_buffer[grid]",
          "range_flatten[grid]", "range_warp_specialize[grid]"}) {
      if (HasKnob(knob)) WantDefaultUnlessPersistent(knob, 0);
    }
    if (!target_.has_warp_specialization) return;
    constexpr int64_t kTrue = 2;  // of "auto", "false", "true"
    Want("one_loop_is_specialized", "warp specialization of one loop at most",
         {"range_warp_specialize[k]", "range_warp_specialize[grid]"},
         [](std::span<const int64_t> v) { return v[0] != kTrue || v[1] != kTrue; });
    for (const char* loop : {"k", "grid"}) {
      Want(absl::StrCat("specialized_loop_is_not_unrolled_", loop),
           absl::StrCat("no unrolling of a specialized loop over ", loop),
           {absl::StrCat("range_warp_specialize[", loop, "]"),
            absl::StrCat("range_unroll_factor[", loop, "]")},
           [](std::span<const int64_t> v) { return v[0] != kTrue || v[1] == 0; });
    }
  }

  void AddVendorConstraints() {
    if (HasKnob("maxnreg") && device_.registers_per_unit > 0) {
      Want("threads_fit_registers",
           absl::StrCat("maxnreg of all threads within ", device_.registers_per_unit, " registers"),
           {"maxnreg", "num_warps"},
           [limit = device_.registers_per_unit, warp = target_.warp_size](
               std::span<const int64_t> v) { return v[0] * v[1] * warp <= limit; });
    }
    if (HasKnob("matrix_instr_nonkdim")) {
      Want("tile_has_an_instruction", "tiles no smaller than the matrix instruction",
           TileAnd({"matrix_instr_nonkdim"}), [dots = dots_](std::span<const int64_t> v) {
             return std::all_of(dots.begin(), dots.end(), [&](const DotTile& dot) {
               return dot.m(v) >= v.back() && dot.n(v) >= v.back();
             });
           });
    }
  }

  const std::vector<SingleMatmul>& matmuls_;
  const HardwareInfo& device_;
  const Target target_;
  ConfigSpace::Options options_;
  std::vector<AxisId> tile_axes_;        // those with a block size
  std::vector<std::string> tile_knobs_;  // of each, the knob
  DotTiles dots_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> TritonMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device) {
  if (device.kind != DeviceKind::kCuda && device.kind != DeviceKind::kRocm) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(kName), ": the device is \"", device.name, "\" (",
                     std::string(DeviceKindName(device.kind)), "), want a GPU, cuda or rocm"));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<SingleMatmul> matmuls, FindMatmuls(kName, facts));
  return Builder(matmuls, device).Build();
}

}  // namespace seedtune

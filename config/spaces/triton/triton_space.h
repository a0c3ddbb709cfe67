// The config space of a matmul that Triton compiles.
#ifndef SEEDTUNE_CONFIG_SPACES_TRITON_TRITON_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_TRITON_TRITON_SPACE_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Of the tile, for each axis that a dot of the kernel may block, under the name that the axis has
// in the first dot that has it (m, n, k; what later dots bring along is n1, k1, ... after their
// place):
//   block_size[m], block_size[n]   powers of two from 16 to what covers the extent, at most 256
//   block_size[k]                  the same to at most 512, from 32 for operands of 1 byte
//   num_warps                      powers of two, as many as a block has threads for
//   num_stages                     of the loop over k: 1 to 8, on AMD's 1 to 4
// Of how tiles are walked:
//   split_k                        parts of k, added up in memory; kernels of one dot
//   l2_grouping, pid_type          see gpu_knobs.h
//   loop_order                     of the grid's axes: m, n (and batch)
//   num_sm_multiplier              programs for each compute unit; persistent ones only
//   epilogue_subtile               stores a tile in 1, 2 or 4 parts; where there is tensor memory
// Of memory, one for each operand that is loaded and (indexing) the one that is stored, in order:
//   indexing[i]                    "pointer", "block_pointer", "tensor_descriptor" (gpu_knobs.h)
//   load_eviction_policy[i]        NVIDIA: "none", "first", "last"
//   load_cache_modifier[i], store_cache_modifier   AMD: "none", "cg"; "none", "cs", "wt"
// Of the loop over k and of the one over tiles that persistent programs have:
//   range_unroll_factor[k], [grid], range_num_stages[...]    0 to 4, 0: the compiler's own
//   range_multi_buffer[...], range_flatten[...]              "auto", "false", "true"
//   range_warp_specialize[...]                               the same, where there is tensor memory
// Of the vendor: maxnreg (NVIDIA; 0: none); waves_per_eu, matrix_instr_nonkdim (AMD; 0: the
// compiler's own; the latter where there is MFMA), xcd_remap (several dies).
//
// A dimension that is no tunable axis has no block size: its tile spans it. Batch axes have block
// size 1.
//
// Constraints. What cannot be compiled or launched is refused, and nothing that can: shared memory
// is counted as the least that Triton takes (operand tiles; one buffer a stage for wgmma and
// tcgen05, one fewer for mma.sync, nothing for an epilogue), and accumulators may fill all
// registers of a compute unit, since what a thread cannot hold spills. Beside that, what would only
// repeat another configuration is refused: more warps than the tile has matrix instructions for,
// groups of more rows of tiles than there are, settings of a loop that is not there.
//
// What the device does not know constrains nothing.
// kFailedPrecondition: no GPU, no matmul, an extent that nothing is known of.
// kInvalidArgument: no tile fits the device (a dimension that is no tunable axis is too long).
absl::StatusOr<std::shared_ptr<const ConfigSpace>> TritonMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_TRITON_TRITON_SPACE_H_

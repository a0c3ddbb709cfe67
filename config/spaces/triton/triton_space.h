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

// Knobs:
//   block_size[m], block_size[n]   powers of two from 16 to what covers the extent, at most 256
//   block_size[k]                  the same to at most 512, from 32 for operands of 1 byte
//   num_warps                      powers of two to 32, of 64 threads each to 16
//   num_stages                     of the loop over k: 1 to 8, on AMD's 1 to 4
//   l2_grouping, pid_type          see gpu_knobs.h
//   indexing[0], indexing[1], indexing[2]   of the loads of left and right operand and of the store
// A dimension that is no tunable axis has no block size: its tile spans it. Batch axes have block
// size 1. Constraints: the operands' tiles of all stages fit into shared memory, the accumulators
// into registers, a tile is no larger than Triton's tensors may be, each warp has a matrix
// instruction's worth of the tile, and no more rows of tiles are grouped than there are.
//
// What the device does not know constrains nothing.
// kFailedPrecondition: no GPU, not exactly one matmul, an extent that nothing is known of.
// kInvalidArgument: no tile fits the device (a dimension that is no tunable axis is too long).
absl::StatusOr<std::shared_ptr<const ConfigSpace>> TritonMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_TRITON_TRITON_SPACE_H_

// The config space of a matmul on Blackwell's tcgen05 tensor cores, as CuTe kernels are written.
#ifndef SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Knobs:
//   block_size[m]    64, 128, 256: rows of the tile of a cluster (of both CTAs where cluster_m is
//   2) block_size[n]    powers of two from 16 to 256 block_size[k]    powers of two from 16 (32 for
//   operands of 1 byte) to 128 num_warps        of a CTA, all roles together: 4, 8, 16 num_stages
//   of loops that are not the main one: 1 to 8 pid_type, l2_grouping, indexing[0..2]   as in
//   triton_space.h cluster_m        1, or 2: two CTAs share one instruction and load half of the
//   right operand's tile each cluster_n        1 epilogue_warps   warps that take accumulators to
//   memory: 4, 8 ab_stages        buffers of operand tiles: 2 to 12 acc_stages       accumulators:
//   1, 2, 4 c_stages         buffers of output tiles: 1 to 4
// Constraints: shapes that the instruction has, accumulators within tensor memory, operand tiles
// within shared memory, a warp for each role, and no more rows of tiles grouped than there are.
//
// kFailedPrecondition: a device without tcgen05 (it has sm100 and sm103), not exactly one matmul,
// an extent that nothing is known of, a dimension that is no tunable axis, operands that are not
// two of one of bf16, f16, f8e4m3 and f8e5m2 accumulated in f32.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> CuteMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_

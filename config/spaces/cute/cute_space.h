// The config space of a matmul on tcgen05 (Blackwell) or wgmma (Hopper), as CuTe kernels are
// written.
#ifndef SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Knobs of both:
//   block_size[m]        64, 128, 256: rows of a tile (of both its CTAs where two_cta)
//   block_size[n]        powers of two from 16 to 256
//   block_size[k]        powers of two from 16 (32 for operands of 1 byte) to 128
//   num_warps            of a CTA, all roles together
//   cluster_m, cluster_n CTAs of a cluster: 1, 2, 4; at most 8 together
//   ab_stages            buffers of operand tiles: 2 to 12
//   c_stages             buffers of output tiles: 1 to 4; in shared memory where TMA stores
//   epilogue_tile_n      columns of one such buffer, which has 128 rows at most: 16 to 128
//   tma_store            the output leaves by TMA; where its layout allows it
//   smem_swizzle_bytes   of operand tiles in shared memory: 32, 64, 128
//   pid_type, l2_grouping, indexing[0..2]   as in triton_space.h
//   tile_scheduler       of persistent programs: "static", or "dynamic" (cluster launch control on
//                        Blackwell, a counter on Hopper)
//   l2_swizzle           of the persistent scheduler: 1 to 8 tiles
// Of tcgen05:
//   two_cta              two CTAs share one instruction and hold half of the tiles each
//   epilogue_warps       warps that take accumulators to memory: 4, 8
//   acc_stages           accumulators in tensor memory: 1, 2, 4
//   num_stages           of loops that are not the main one: 1 to 8
// Of wgmma, where one warpgroup loads and one or two multiply (num_warps 8 or 12):
//   schedule             "cooperative": they share a tile; "ping_pong": they take tiles in turns
// Constraints: shapes that the instruction has, accumulators within tensor memory or registers,
// tiles within shared memory, a warp for each role, portable clusters with a tile for each CTA,
// rows of at least the swizzle, no more rows of tiles grouped than there are, and no settings of
// persistent programs without such programs.
//
// kFailedPrecondition: a device without tcgen05 (sm100 and sm103 have it) and wgmma (sm90), not
// exactly one matmul, an extent that nothing is known of, a dimension that is no tunable axis,
// operands that are not two of one of bf16, f16, f8e4m3 and f8e5m2 accumulated in f32.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> CuteMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CUTE_CUTE_SPACE_H_

// The config space of a matmul that the cuda backend generates kernels for.
#ifndef SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_SPACE_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Knobs (see cuda_tile.h for what they become):
//   family                          "mma" and, on sm90, "wgmma" (where tensor cores take the
//                                   operands), "simt", "skinny" (where m or n is at most 16)
//   block_size[m], block_size[n]    of a thread block's tile: powers of two from 16 to 256
//   block_size[k]                   of one stage: 32 to 256 bytes of the narrower operand
//   warp_tile[m], warp_tile[n]      of a warp's part of the tile: powers of two from 16 to 128
//   warps[k]                        warps that share such a part along k; 1 but for skinny
//   num_stages                      of the ring in shared memory, 2 to 12
//   split_k                         blocks that share a tile along k
//   reduction                       where split: "last_block" adds up, or a "second_launch"
//   schedule                        "tiles", or "stream_k"; of wgmma "cooperative", where the
//                                   warpgroups of a block share a tile, or "ping_pong", where two
//                                   take tiles in turns
//   stream_k                        wgmma: the stages of the last one or two rounds of tiles are
//                                   dealt out evenly
//   epilogue_tile                   wgmma: bytes of each row of the output that a warp stages in
//                                   shared memory, 128 to 512
//   cluster[m], cluster[n]          tiles of a thread block cluster; wgmma only
//   l2_grouping                     rows of tiles that are walked together, 1 to 32
//   pack[lhs], pack[rhs]            the operand is copied first, to aligned rows; offered where its
//                                   own are aligned to less than 16 bytes, and required where mma
//                                   cannot read it as it stands
// What a family does not use has one value. Constraints: whole warps in a block, shared memory,
// registers and threads within the device's limits, and work for every part.
//
// What the device does not know constrains nothing.
// kFailedPrecondition: no CUDA device of sm80 or newer, not exactly one matmul, an extent that
// nothing is known of, operands that no kernel takes.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> CudaMatmulSpace(
    std::span<const MatmulFact> facts, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CUDA_CUDA_SPACE_H_

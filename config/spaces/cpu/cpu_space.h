// The config space of the CPU backend's f32 matmul.
#ifndef SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_

#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Knobs (see backends/cpu/gemm.h for what each does to the code):
//   register_tile[m]   rows of the register tile
//   register_tile[n]   its width, in SIMD vectors
//   block_size[m], block_size[n], block_size[k]   cache blocks
//   pack[lhs], pack[rhs]   copy the operand's blocks into micro-panels first
//   unroll[k]          steps of k a loop iteration
//   prefetch_distance  in steps of k; 0: none
//   loop_order         "nkm", "mkn", ...
//   threads            1 .. the device's cores
//   thread_split       "m", "n", "mn", "k"
// Constraints: the register tile leaves registers for operands, blocks are multiples of the tile, no block longer
// than twice its extent, packed blocks fit the caches they are meant for, one thread has one way to split, ...
// kFailedPrecondition: not exactly one matmul, or an extent that nothing is known of.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> CpuMatmulSpace(std::span<const MatmulFact> facts,
                                                                  const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_

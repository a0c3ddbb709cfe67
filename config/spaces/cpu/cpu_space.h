// The config space of the CPU backend's f32 matmul.
#ifndef SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_
#define SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// A tile of C that the micro kernel keeps in registers.
struct CpuRegisterTile {
  int rows = 0;
  int vectors = 0;
  friend bool operator==(const CpuRegisterTile&, const CpuRegisterTile&) = default;
};

// The tiles that the space offers, by rising width, then height. A test of the backend checks that
// it compiles each of them.
std::vector<CpuRegisterTile> CpuRegisterTiles();

// Knobs (see backends/cpu/gemm.h for what each does to the code):
//   transpose          compute C' = B' A' instead of C = A B, where ' transposes; only there where
//                      the right operand's rows are not contiguous and m is at most 64 and n. All
//                      other knobs but thread_split speak of the product that is computed: then
//                      "m" is n, "n" is m, lhs is B' and rhs is A'
//   register_tile[m]   rows of the register tile
//   register_tile[n]   its width, in SIMD vectors
//   block_size[m], block_size[n], block_size[k]
//                      cache blocks, in elements; 1 and 1.5 times powers of two, the last choice is
//                      the whole extent (the larger one, where transpose exchanges two); k from 64
//                      on, for the few rows of a stream from 16 on. Whoever
//                      runs them rounds blocks of m and n up to whole register tiles: the choices
//                      are so far apart that no two become one.
//   pack[lhs], pack[rhs]   copy the operand's blocks into micro-panels first
//   unroll[k]          steps of k a loop iteration
//   prefetch_distance  in steps of k; 0: none. Up to 32 for the right operand; under transpose
//                      whole cache lines, for the left one
//   loop_order         "nkm", "knm", "mkn", "kmn", "nmk", "mnk", outermost first
//   threads            powers of two up to the device's cores, and all cores
//   thread_split       "m", "n", "mn", "k", and "batch" where there is one; of C, transposed or not
// Constraints: the register tile is one that is compiled, leaves registers for operands and has
// enough accumulators to hide latency; packed blocks fit the caches they are meant for; loop orders
// that mean the same traversal count once; each thread has work and one thread has one way to
// split; operands that cannot be read in place are packed; tiles and blocks are those that the
// extents of the product that is computed would have alone.
//
// Extents and sizes that the device does not know constrain nothing.
// kFailedPrecondition: the device is no CPU, not exactly one matmul, an extent that nothing is
// known of, not f32.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> CpuMatmulSpace(std::span<const MatmulFact> facts,
                                                                  const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_CPU_CPU_SPACE_H_

#ifndef SEEDTUNE_BACKENDS_CPU_GEMM_KERNELS_H_
#define SEEDTUNE_BACKENDS_CPU_GEMM_KERNELS_H_

// The compiled micro kernels of the f32 matmul: one machine-code routine per register tile, K
// unrolling and layout of A, for every instruction set that is generated. Internal to
// //backends/cpu:gemm.
//
// Thread-safe: all functions are pure; the kernels touch only what their TileCall points to.

#include <array>
#include <cstdint>

namespace seedtune::cpu_gemm {

// One register tile: C[mr][nr] (+)= A[mr][k] * B[k][nr], where nr is nr_vectors times the vector
// length; or several that lie side by side in C. The kernel reads and writes whole tiles; edges of
// the matrix are the caller's: it packs, passes a scratch tile, or takes the kernel of an edge,
// where there is one.
struct TileCall {
  int64_t k = 0;
  // Element (i, p) of A lies at a[i + p * a_stride] (ALayout::kRowsAdjacent) or a[i * a_stride + p]
  // (kDepthAdjacent).
  const float* a = nullptr;
  int64_t a_stride = 0;
  // Element (p, j) of B lies at b[p * b_stride + j] for the first tile, and b_tile_step further on
  // for each tile after it.
  const float* b = nullptr;
  int64_t b_stride = 0;
  int64_t tiles = 1;
  int64_t b_tile_step = 0;
  // Of the kernel of an edge: how many columns of the last vector there are. Nothing beyond them is
  // touched, in B and in C. It takes one tile.
  int last_columns = 0;
  // Element (i, j) of C lies at c[i * c_stride + j].
  float* c = nullptr;
  int64_t c_stride = 0;
  bool prefetch_c = false;  // Before the first step, since C is needed after the last.
  bool accumulate = false;  // false: C is written without being read.
  // In steps of k ahead of the one computed; 0 prefetches nothing. That of A counts only for
  // kDepthAdjacent: else A is packed, or its rows share lines.
  int64_t prefetch_distance_a = 0;
  int64_t prefetch_distance_b = 0;
};

using TileKernel = void (*)(const TileCall& call);

enum class ALayout { kRowsAdjacent = 0, kDepthAdjacent = 1 };

inline constexpr int kMaxTileRows = 16;
inline constexpr int kMaxTileVectors = 4;
inline constexpr std::array<int, 4> kUnrolls = {1, 2, 4, 8};

// Rows of the register tiles that are compiled for each width, in ascending order. The widest need
// about 32 vector registers (accumulators, one row of B and a broadcast element of A); with 16
// registers the larger ones spill.
inline constexpr std::array<int, 8> kTileRows1 = {1, 2, 4, 6, 8, 12, 14, 16};
inline constexpr std::array<int, 7> kTileRows2 = {1, 2, 4, 6, 8, 12, 14};
inline constexpr std::array<int, 5> kTileRows3 = {1, 2, 4, 6, 8};
inline constexpr std::array<int, 4> kTileRows4 = {1, 2, 4, 6};

// The instruction set in use.
struct TargetInfo {
  const char* name = nullptr;  // A string literal.
  int lanes = 0;               // Floats in a vector.
  int vector_registers = 0;
};
TargetInfo ActiveTarget();

// In place of an unrolling: the kernel of an edge, see TileCall::last_columns.
inline constexpr int kEdgeTile = 0;

// Kernels of one tile width for the instruction set in use. `rows` is one of kTileRows<width>,
// `unroll` one of kUnrolls, or kEdgeTile; nullptr where there is no such kernel. Instruction sets
// that cannot mask memory accesses have none for edges.
TileKernel FindTileKernel1(int rows, int unroll, ALayout layout);
TileKernel FindTileKernel2(int rows, int unroll, ALayout layout);
TileKernel FindTileKernel3(int rows, int unroll, ALayout layout);
TileKernel FindTileKernel4(int rows, int unroll, ALayout layout);

}  // namespace seedtune::cpu_gemm

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_KERNELS_H_

#ifndef SEEDTUNE_BACKENDS_CPU_GEMM_H_
#define SEEDTUNE_BACKENDS_CPU_GEMM_H_

// A configurable f32 matrix product for CPUs:
//
//   C[i] = activation(A[i] * B[i] + bias + residual[i])                   for i in [0, batch)
//
// with every decision that matters for speed left to a GemmConfig. The algorithm is the five loops
// of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (TOMS 34(3), 2008),
// with the three outer ones in any order: a micro kernel computes one register tile of C from
// slivers of A and B; two loops over tiles cover a block of C; three loops over blocks cover the
// matrix. Packing copies a block of an operand into the order in which the micro kernel reads it.
//
// The micro kernels are compiled for several instruction sets (Highway) and chosen at run time; a
// register tile is counted in vectors, so that its width in columns depends on the machine
// (VectorLanesF32).
//
// Good values follow from the machine; Low et al., "Analytical Modeling Is Enough for
// High-Performance BLIS" (TOMS 43(2), 2016) derives them. In the words of GemmConfig, for the order
// kNkm:
//   mr * nr >= lanes * latency * throughput of fused multiply-add, and
//   mr * nr_vectors + nr_vectors + 1 <= vector registers;
//   kc * nr floats (a sliver of B) and kc * mr (a sliver of A) in the L1 cache, the first staying
//   there; mc * kc floats (the block of A) in the L2 cache, leaving room for slivers of B and C; kc
//   * nc floats (the block of B) in this core's share of the L3 cache.
// For kMkn the roles of A and B are exchanged.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cpu/thread_pool.h"

namespace seedtune {

enum class GemmActivation {
  kNone,
  kRelu,  // max(x, 0)
  kGelu,  // 0.5 x (1 + erf(x / sqrt(2))): the exact form, not the tanh approximation.
};

enum class GemmResidual {
  kNone,
  kBeforeActivation,  // activation(A * B + bias + residual), as at the end of a ResNet block.
  kAfterActivation,   // activation(A * B + bias) + residual, as in a transformer.
};

// What is done to each element of the product before it is stored for good.
struct GemmEpilogue {
  bool bias = false;  // One addend per column, the same for every batch entry.
  GemmActivation activation = GemmActivation::kNone;
  GemmResidual residual = GemmResidual::kNone;
  // Element (i, j) of batch entry e lies at residual[e * batch_stride + i * row_stride + j]. Either
  // may be 0: one row, or one matrix, added everywhere. Ignored over an extent of 1, or without a
  // residual.
  int64_t residual_row_stride = 0;
  int64_t residual_batch_stride = 0;
};

// What is computed. All strides are in elements. Element (i, p) of A in batch entry e lies at
// a[e * a_batch_stride + i * a_row_stride + p * a_col_stride], and likewise for B, which is k x n.
// C is row-major. A product with a column-major C is the product of the transposes, exchanged.
struct GemmProblem {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t batch = 1;

  // One of the two strides must be 1 and the other at least the extent it steps over ("row-major"
  // or "column-major"); a stride over an extent of 1 is ignored.
  int64_t a_row_stride = 0;
  int64_t a_col_stride = 0;
  int64_t a_batch_stride = 0;  // 0: every batch entry has the same A. Ignored if batch is 1.
  int64_t b_row_stride = 0;
  int64_t b_col_stride = 0;
  int64_t b_batch_stride = 0;  // As for A.
  int64_t c_row_stride = 0;
  int64_t c_batch_stride = 0;

  GemmEpilogue epilogue;

  // A problem with dense row-major operands, one after the other within a batch. No product of two
  // of m, n and k may exceed int64_t.
  static GemmProblem RowMajor(int64_t m, int64_t n, int64_t k, int64_t batch = 1);

  // Whether each operand has unit stride along its rows. Where both strides serve, row-major wins.
  bool a_is_row_major() const;
  bool b_is_row_major() const;
};

// The order of the three loops over blocks, outermost first: which operand stays in which cache.
// The loops over the tiles of a block keep the operand that the innermost of the m and n loops
// revisits: with m inside n, a sliver of B stays in the L1 cache and passes over the block of A;
// with n inside m, the reverse.
enum class GemmLoopOrder {
  kNkm,  // A block streams past a resident panel of B (Goto, BLIS: jc, pc, ic).
  kKnm,  // As kNkm, but C is swept once for each k block and each operand is read only once.
  kMkn,  // A block of B streams past a resident panel of A: for n much smaller than m.
  kKmn,  // As kMkn, swept once for each k block.
  kNmk,  // A block of C stays until it is complete; both operands stream.
  kMnk,  // As kNmk, C being walked by rows.
};

// How the work is divided among threads. No thread waits for another until the end (kK: until the
// partial sums are added): each packs what it needs for itself.
enum class GemmThreadSplit {
  kM,      // Rows of C. Each thread reads all of B.
  kN,      // Columns of C. Each thread reads all of A.
  kMN,     // A grid over rows and columns, chosen for the least traffic.
  kK,      // Ranges of k into partial results, then added: for small m and n.
  kBatch,  // Batch entries.
};

struct GemmConfig {
  // Whether the product of the transposes is computed, C' = B' A' for C = A B, where ' transposes,
  // and each tile is turned back on its way to C. All fields below but thread_split describe the
  // product that is computed: under `transpose` their A is B' (n x k), their B is A' (k x m), and
  // their rows are columns of C, so that mr, mc and pack_a belong to n, and nr_vectors, nc and
  // pack_b to m.
  //
  // It pays where B is column-major and m is small, as in y = W x with a W of [outputs, inputs] and
  // a few x. The vectors run along rows of the right operand, so that B would have to be packed to
  // be used once or a few times; its transpose is read in place, once, mr long runs at a time, and
  // what is packed is A, which is small. The price is that m is rounded up to whole vectors, and
  // one more copy of C by way of the L1 cache.
  bool transpose = false;
  // The register tile: mr rows by nr_vectors vectors. One of SupportedRegisterTiles(). At the edges
  // of the matrix a smaller tile takes over.
  int mr = 6;
  int nr_vectors = 2;
  // Cache blocks of the m, n and k loops. Any positive value is right; multiples of the register
  // tile are fast, since every block has edges of its own. Cut to the extent of the problem. A block
  // that is one tile high and at most 32 steps of k deep is one call for all its columns: few rows
  // of B pass by as long streams, which suits a product of a vector and a matrix.
  int64_t mc = 96;
  int64_t nc = 1024;
  int64_t kc = 256;
  // Whether blocks of A and B are copied into the order of use. Without it the micro kernel reads
  // operands in place, which saves traffic where they are used few times and costs address
  // translations and cache conflicts where their rows lie far apart. (Slivers at the edges are
  // copied in any case, but for those of B where the instruction set can mask memory accesses.)
  bool pack_a = true;
  bool pack_b = true;  // Must be true where PackBRequired() of this `transpose`.
  int k_unroll = 4;    // Steps of k per iteration of the micro kernel's loop: 1, 2, 4 or 8.
  // How many steps of k ahead the micro kernel prefetches the operand that streams: B, or under
  // `transpose` A, where k is contiguous in it and it is not packed. 0 leaves it to the hardware.
  int prefetch_distance = 0;
  // Whether the micro kernel prefetches its tile of C while it computes. Nothing under `transpose`.
  bool prefetch_c = true;
  GemmLoopOrder loop_order = GemmLoopOrder::kNkm;
  // At most so many threads; fewer where there is less to divide.
  int threads = 1;
  GemmThreadSplit thread_split = GemmThreadSplit::kM;
};

// A register tile that is compiled.
struct GemmRegisterTile {
  int mr = 0;
  int nr_vectors = 0;
  // Vector registers in use at once: accumulators, a row of B, and one for A. Above
  // VectorRegistersF32() the tile spills: right, but slow.
  int registers = 0;
};

// All register tiles that are compiled, the same on every machine, by rising nr_vectors, then mr.
std::vector<GemmRegisterTile> SupportedRegisterTiles();

// Floats in one vector, and number of vector registers, of the instruction set in use.
int VectorLanesF32();
int VectorRegistersF32();

// The instruction set in use, in Highway's words: "AVX3" (AVX-512), "AVX2", "SSE4", "NEON",
// "SCALAR".
std::string_view ActiveTargetName();

// Whether `problem` is computable only with pack_b: the micro kernel loads vectors along rows of
// the right operand, so that a column-major B must be packed, and under `transpose` a row-major A.
// The left operand may always be read in place.
bool PackBRequired(const GemmProblem& problem, bool transpose = false);

// Returns kInvalidArgument naming the first field that is wrong, its value, and what is wanted.
absl::Status ValidateGemm(const GemmProblem& problem, const GemmConfig& config);

// A problem and a configuration, made ready to run: kernels chosen, work divided, workspaces
// allocated, threads started. Thread-compatible: one Run() at a time.
class GemmPlan {
 public:
  // Threads come from `pool` if there is one (borrowed; it must outlive the plan, have at least
  // config.threads threads, and run nothing else meanwhile), else from a pool that the plan owns.
  // Errors: those of ValidateGemm; kInvalidArgument: the pool is too small; kResourceExhausted: no
  // memory for workspaces, or no more threads.
  static absl::StatusOr<GemmPlan> Create(const GemmProblem& problem, const GemmConfig& config,
                                         ThreadPool* pool = nullptr);

  GemmPlan(GemmPlan&&) noexcept;
  GemmPlan& operator=(GemmPlan&&) noexcept;
  ~GemmPlan();

  // Packing buffers and partial results of all threads.
  int64_t workspace_bytes() const;

  // Threads that Run() uses: config.threads or fewer.
  int threads() const;

  // Computes C. `bias` and `residual` are read only if the epilogue asks for them. C must not
  // overlap any other operand. Allocates nothing. Elements of C between rows are left alone.
  void Run(const float* a, const float* b, const float* bias, const float* residual, float* c);

 private:
  class Impl;
  explicit GemmPlan(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_H_

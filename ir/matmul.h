// The matmuls that most people mean, without spelling out axes and ops: a shape, dtypes, layouts,
// an epilogue.
#ifndef SEEDTUNE_IR_MATMUL_H_
#define SEEDTUNE_IR_MATMUL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

enum class MatrixLayout { kRowMajor = 1, kColumnMajor = 2 };
enum class Activation { kNone = 0, kRelu = 1, kGelu = 2, kSilu = 3 };

// `bias` and `residual` have the dtype of `out`.
// out[b, m, n] =
//     activation(scale * sum_k lhs[b, m, k] * rhs[b, k, n] + bias[n]) + residual[b, m, n]
struct MatmulSpec {
  std::string name = "";  // "": the short form
  Extent m = {};
  Extent n = {};
  Extent k = {};
  int64_t batch = 1;  // 1: no batch axis
  DType lhs = DType::kF32;
  DType rhs = DType::kF32;
  DType out = DType::kF32;
  DType accumulator = DType::kF32;
  MatrixLayout lhs_layout = MatrixLayout::kRowMajor;  // row-major: k contiguous
  MatrixLayout rhs_layout = MatrixLayout::kRowMajor;  // row-major: n contiguous
  double scale = 1;  // floating-point accumulators only; 1: no such operation
  bool bias = false;
  Activation activation = Activation::kNone;
  bool residual = false;
  friend bool operator==(const MatmulSpec&, const MatmulSpec&) = default;
};

// Of each tensor's first element: PyTorch's allocators give at least this much on every device (64
// bytes on CPUs, 512 on GPUs). A compiler that promises less builds its kernels with KernelBuilder.
inline constexpr int64_t kMatmulAlignmentBytes = 64;

// Axes "m", "n", "k" (and "batch"), dense tensors "lhs", "rhs", "out" (and "bias", "residual").
// What stands after the dot is computed in the accumulator's dtype and cast to that of `out` last.
// kInvalidArgument: an extent below 1, an overflow, an accumulator that does not suit the operands,
// a GELU, SiLU or scale of integers, a scale that is no number. Thread-safe, as all functions here.
absl::StatusOr<Kernel> BuildMatmul(const MatmulSpec& spec);

// Reads `matmul:MxNxK:dtype`, with options after further colons, in any order:
//   batch=64   rhs=f8e5m2   out=f32   acc=f32   scale=0.125   bias   relu|gelu|silu   residual
//   tn|nt|tt|nn (BLAS letters: t: that operand is stored transposed, column-major)
// e.g. `matmul:4096x4096x4096:bf16`, `matmul:16x14336x4096:f32:nt:bias:gelu`. One dtype serves both
// operands and the output unless `rhs=` and `out=` say otherwise. M, N and K may be symbolic:
// `matmul:M=16[1,64]x4096x4096:f32` (hint and bounds; `?` stands for one that is not known:
// `M=?[1,?]`). kInvalidArgument: where, what is wrong, what is wanted.
absl::StatusOr<MatmulSpec> ParseMatmulShortForm(std::string_view text);
// Reads back as the same spec but for its name. Options that say what holds anyway are left out.
std::string MatmulShortForm(const MatmulSpec& spec);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_MATMUL_H_

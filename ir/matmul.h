// The matmuls that most people mean, without spelling out axes and ops: a shape, dtypes, layouts, an epilogue.
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

// out[b, m, n] = activation(sum_k lhs[b, m, k] * rhs[b, k, n] + bias[n]) + residual[b, m, n]
struct MatmulSpec {
  std::string name;  // "": the short form
  Extent m, n, k;
  int64_t batch = 1;                   // 1: no batch axis
  DType lhs = DType::kF32;
  DType rhs = DType::kF32;
  DType out = DType::kF32;
  DType accumulator = DType::kF32;
  MatrixLayout lhs_layout = MatrixLayout::kRowMajor;  // row-major: k contiguous
  MatrixLayout rhs_layout = MatrixLayout::kRowMajor;  // row-major: n contiguous
  bool bias = false;
  Activation activation = Activation::kNone;
  bool residual = false;
};

// Axes "m", "n", "k" (and "batch"), tensors "lhs", "rhs", "out" (and "bias", "residual").
// kInvalidArgument: an extent below 1, an overflow, ...
absl::StatusOr<Kernel> BuildMatmul(const MatmulSpec& spec);

// Reads `matmul:MxNxK:dtype`, with options after further colons, in any order:
//   batch=64   out=f32   acc=f32   tn|nt|tt|nn (BLAS letters: t: that operand is stored transposed, column-major)
//   bias  relu  gelu  silu  residual
// e.g. `matmul:4096x4096x4096:bf16`, `matmul:16x14336x4096:f32:nt:bias:gelu`. One dtype serves both operands and
// the output unless `out=` says otherwise. M may be symbolic: `matmul:M=16[1,64]x4096x4096:f32` (hint and bounds).
// kInvalidArgument: where, what is wrong, what is wanted.
absl::StatusOr<MatmulSpec> ParseMatmulShortForm(std::string_view text);
std::string MatmulShortForm(const MatmulSpec& spec);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_MATMUL_H_

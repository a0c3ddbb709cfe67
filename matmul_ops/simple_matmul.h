// Recognises the kernels that a GEMM library can run: exactly one dot, with scale, bias,
// activation and residual after it and nothing before it, over at most one batch axis.
#ifndef SEEDTUNE_MATMUL_OPS_SIMPLE_MATMUL_H_
#define SEEDTUNE_MATMUL_OPS_SIMPLE_MATMUL_H_

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "ir/kernel.h"
#include "ir/matmul.h"

namespace seedtune {

// A matrix in memory, from the first element of its tensor on. Strides in elements.
struct MatrixView {
  TensorId tensor = -1;
  DType dtype = DType::kF32;
  int64_t row_stride = 0;
  int64_t column_stride = 0;
  int64_t batch_stride = 0;  // 0: the same matrix for every batch
};

// out[b] = activation(scale lhs[b] rhs[b] + bias) + residual[b], computed in the accumulator's
// dtype and cast to that of out last.
struct SimpleMatmul {
  int64_t m = 0, n = 0, k = 0, batch = 1;
  DType accumulator = DType::kF32;
  MatrixView lhs, rhs, out;
  double scale = 1;              // 1 where the accumulator is of integers
  std::optional<TensorId> bias;  // n elements, contiguous
  Activation activation = Activation::kNone;
  std::optional<MatrixView> residual;
};

// kUnimplemented: says what of the kernel is outside this form ("two dots, want one").
// kFailedPrecondition: an extent is symbolic and has to be bound first (see BindSymbols).
absl::StatusOr<SimpleMatmul> MatchSimpleMatmul(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_MATMUL_OPS_SIMPLE_MATMUL_H_

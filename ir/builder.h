// Builds kernels in C++. Every method returns an id for use in later calls; the first mistake is
// kept and comes out of Build(), so that calls need no checking in between. Not thread-safe.
//
//   KernelBuilder b("ffn_up");
//   AxisId m = b.AddAxis("m", AxisKind::kParallel, Extent::Static(16));
//   ...
//   ValueId x = b.Load(lhs, {m, k}), w = b.Load(rhs, {k, n});
//   b.Store(out, {m, n}, b.Dot(x, w, {.m = {m}, .n = {n}, .k = {k}}, DType::kF32));
//   absl::StatusOr<Kernel> kernel = std::move(b).Build();
#ifndef SEEDTUNE_IR_BUILDER_H_
#define SEEDTUNE_IR_BUILDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

class KernelBuilder {
 public:
  explicit KernelBuilder(std::string_view name);

  AxisId AddAxis(std::string_view name, AxisKind kind, Extent extent, bool tunable = true);

  // A dense tensor, outermost dimension first, innermost stride 1 (a symbolic size makes the
  // strides outside it dynamic).
  TensorId AddTensor(std::string_view name, DType dtype, std::vector<Extent> sizes,
                     int64_t alignment_bytes = 0);
  TensorId AddStridedTensor(Tensor tensor);

  // One plain axis a tensor dimension, or a general affine access.
  ValueId Load(TensorId tensor, const std::vector<AxisId>& axes);
  ValueId LoadAffine(TensorId tensor, std::vector<AffineIndex> access);
  ValueId Constant(double value, DType dtype);
  ValueId Dot(ValueId lhs, ValueId rhs, DotAxes axes, DType accumulator);
  ValueId Reduce(ReduceKind kind, ValueId operand, std::vector<AxisId> axes);
  ValueId Pointwise(PointwiseKind kind, std::vector<ValueId> operands);
  ValueId Cast(ValueId operand, DType dtype);
  void Store(TensorId tensor, const std::vector<AxisId>& axes, ValueId value);
  void StoreAffine(TensorId tensor, std::vector<AffineIndex> access, ValueId value);

  // Names the operation added last; without it ops are "load0", "dot2", ...
  void NameLast(std::string_view name);

  // kInvalidArgument: the first mistake, with the op and field (see validate.h). Consumes the
  // builder.
  absl::StatusOr<Kernel> Build() &&;

 private:
  ValueId Add(Op op);
  Kernel kernel_;
  absl::Status status_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_IR_BUILDER_H_

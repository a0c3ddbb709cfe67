#include "ir/test_kernels.h"

#include <utility>

#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"

namespace seedtune {

Kernel RichKernel() {
  const Extent symbolic_m = Extent::Symbolic("M", 16, 1, 64);
  KernelBuilder b("rich");
  const AxisId batch = b.AddAxis("batch", AxisKind::kBatch, Extent::Static(3));
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, symbolic_m);
  const AxisId n = b.AddAxis("n", AxisKind::kReduction, Extent::Static(32), /*tunable=*/false);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, Extent::Static(8));

  const TensorId lhs =
      b.AddTensor("lhs", DType::kBF16, {Extent::Static(3), symbolic_m, Extent::Static(20)}, 32);
  const TensorId rhs =
      b.AddStridedTensor({.name = "rhs",
                          .dtype = DType::kI8,
                          .dims = {{.size = Extent::Static(3), .stride = TensorDim::kDynamicStride},
                                   {.size = Extent::Static(8), .stride = 40},
                                   {.size = Extent::Static(32), .stride = 1}},
                          .alignment_bytes = 0});
  const TensorId bias = b.AddTensor("bias", DType::kF32, {Extent::Static(32)});
  const TensorId out = b.AddTensor("out", DType::kBF16, {Extent::Static(3), symbolic_m});

  const ValueId x = b.LoadAffine(lhs, {{.terms = {{.axis = batch, .coefficient = 1}}, .offset = 0},
                                       {.terms = {{.axis = m, .coefficient = 1}}, .offset = 0},
                                       {.terms = {{.axis = k, .coefficient = 2}}, .offset = 3}});
  b.NameLast("x");
  const ValueId w = b.Cast(b.Load(rhs, {batch, k, n}), DType::kBF16);
  ValueId value = b.Dot(x, w, {.batch = {batch}, .m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  value = b.Pointwise(PointwiseKind::kMul, {value, b.Constant(2, DType::kF32)});
  value = b.Pointwise(PointwiseKind::kAdd, {value, b.Load(bias, {n})});
  value = b.Pointwise(PointwiseKind::kRelu, {value});
  value = b.Reduce(ReduceKind::kMax, value, {n});
  b.Store(out, {batch, m}, b.Cast(value, DType::kBF16));
  return *std::move(b).Build();  // valid, which RichKernelTest checks
}

}  // namespace seedtune

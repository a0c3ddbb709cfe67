#include "matmul_ops/simple_matmul.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/bind.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/random_kernel.h"
#include "ir/test_kernels.h"
#include "ir/validate.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

Kernel FromShortForm(const std::string& text) {
  const auto spec = ParseMatmulShortForm(text);
  EXPECT_THAT(spec, IsOk());
  const auto kernel = BuildMatmul(*spec);
  EXPECT_THAT(kernel, IsOk());
  return *kernel;
}

std::string TensorName(const Kernel& kernel, TensorId id) { return kernel.tensors[id].name; }

TEST(SimpleMatmulTest, MatchesAPlainMatmul) {
  const Kernel kernel = FromShortForm("matmul:16x32x64:f32");
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  EXPECT_EQ(matmul.m, 16);
  EXPECT_EQ(matmul.n, 32);
  EXPECT_EQ(matmul.k, 64);
  EXPECT_EQ(matmul.batch, 1);
  EXPECT_EQ(matmul.accumulator, DType::kF32);
  EXPECT_EQ(TensorName(kernel, matmul.lhs.tensor), "lhs");
  EXPECT_EQ(matmul.lhs.row_stride, 64);
  EXPECT_EQ(matmul.lhs.column_stride, 1);
  EXPECT_EQ(matmul.lhs.batch_stride, 0);
  EXPECT_EQ(TensorName(kernel, matmul.rhs.tensor), "rhs");
  EXPECT_EQ(matmul.rhs.row_stride, 32);
  EXPECT_EQ(matmul.rhs.column_stride, 1);
  EXPECT_EQ(TensorName(kernel, matmul.out.tensor), "out");
  EXPECT_EQ(matmul.out.row_stride, 32);
  EXPECT_EQ(matmul.out.column_stride, 1);
  EXPECT_EQ(matmul.bias, std::nullopt);
  EXPECT_EQ(matmul.activation, Activation::kNone);
  EXPECT_FALSE(matmul.residual.has_value());
}

TEST(SimpleMatmulTest, MatchesAllThatBuildMatmulMakes) {
  for (const char* layout : {"nn", "nt", "tn", "tt"}) {
    for (const char* batch : {"", ":batch=3"}) {
      for (const char* bias : {"", ":bias"}) {
        for (const char* activation : {"", ":relu", ":gelu", ":silu"}) {
          for (const char* residual : {"", ":residual"}) {
            for (const char* dtype : {"f32", "bf16:out=f32", "bf16"}) {
              const std::string text = std::string("matmul:16x32x64:") + dtype + ":" + layout +
                                       batch + bias + activation + residual;
              SCOPED_TRACE(text);
              const Kernel kernel = FromShortForm(text);
              ASSERT_OK_AND_ASSIGN(const MatmulSpec spec, ParseMatmulShortForm(text));
              ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
              EXPECT_EQ(matmul.batch, spec.batch);
              EXPECT_EQ(matmul.bias.has_value(), spec.bias);
              EXPECT_EQ(matmul.activation, spec.activation);
              EXPECT_EQ(matmul.residual.has_value(), spec.residual);
              EXPECT_EQ(matmul.lhs.dtype, spec.lhs);
              EXPECT_EQ(matmul.out.dtype, spec.out);
              const bool lhs_t = spec.lhs_layout == MatrixLayout::kColumnMajor;
              const bool rhs_t = spec.rhs_layout == MatrixLayout::kColumnMajor;
              EXPECT_EQ(matmul.lhs.row_stride, lhs_t ? 1 : 64);
              EXPECT_EQ(matmul.lhs.column_stride, lhs_t ? 16 : 1);
              EXPECT_EQ(matmul.rhs.row_stride, rhs_t ? 1 : 32);
              EXPECT_EQ(matmul.rhs.column_stride, rhs_t ? 64 : 1);
              const bool batched = spec.batch > 1;
              EXPECT_EQ(matmul.lhs.batch_stride, batched ? 16 * 64 : 0);
              EXPECT_EQ(matmul.rhs.batch_stride, batched ? 32 * 64 : 0);
              EXPECT_EQ(matmul.out.batch_stride, batched ? 16 * 32 : 0);
              if (matmul.bias) {
                EXPECT_EQ(TensorName(kernel, *matmul.bias), "bias");
              }
              if (matmul.residual) {
                EXPECT_EQ(TensorName(kernel, matmul.residual->tensor), "residual");
                EXPECT_EQ(matmul.residual->row_stride, 32);
                EXPECT_EQ(matmul.residual->batch_stride, batched ? 16 * 32 : 0);
              }
            }
          }
        }
      }
    }
  }
}

TEST(SimpleMatmulTest, WantsSymbolsBound) {
  const Kernel kernel = FromShortForm("matmul:M=16[1,64]x32x64:f32:bias");
  EXPECT_THAT(
      MatchSimpleMatmul(kernel),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               HasSubstr("the extent of axis \"m\" is the symbol \"M\", want a number; bind "
                         "its symbols first")));
  ASSERT_OK_AND_ASSIGN(const Kernel bound, BindSymbols(kernel, {{"M", 48}}));
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(bound));
  EXPECT_EQ(matmul.m, 48);
}

TEST(SimpleMatmulTest, ScalesStandFirst) {
  const Kernel kernel = FromShortForm("matmul:16x32x64:bf16:scale=0.125:bias:gelu:residual");
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  EXPECT_EQ(matmul.scale, 0.125);
  EXPECT_TRUE(matmul.bias.has_value());
  EXPECT_EQ(matmul.activation, Activation::kGelu);
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul plain,
                       MatchSimpleMatmul(FromShortForm("matmul:16x32x64:bf16")));
  EXPECT_EQ(plain.scale, 1);
}

TEST(SimpleMatmulTest, OperandsOfAnAddMayStandEitherWay) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32:bias:residual");
  for (Op& op : kernel.ops) {
    if (op.kind == OpKind::kPointwise) std::swap(op.operands[0], op.operands[1]);
  }
  ASSERT_THAT(ValidateKernel(kernel), IsOk());
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  EXPECT_TRUE(matmul.bias.has_value());
  EXPECT_TRUE(matmul.residual.has_value());
}

TEST(SimpleMatmulTest, TakesPaddedAndBroadcastStrides) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32:batch=3");
  kernel.tensors[0].dims[1].stride = 80;  // rows of lhs
  kernel.tensors[0].dims[0].stride = 16 * 80;
  kernel.tensors[1].dims[0].stride = 0;   // one rhs for the whole batch
  kernel.tensors[2].dims[1].stride = 40;  // rows of out
  kernel.tensors[2].dims[0].stride = 16 * 40;
  ASSERT_THAT(ValidateKernel(kernel), IsOk());
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  EXPECT_EQ(matmul.lhs.row_stride, 80);
  EXPECT_EQ(matmul.lhs.batch_stride, 1280);
  EXPECT_EQ(matmul.rhs.batch_stride, 0);
  EXPECT_EQ(matmul.out.row_stride, 40);
}

TEST(SimpleMatmulTest, AResidualMayBeAddedInPlace) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32:residual");
  // The load of the residual reads "out".
  for (Op& op : kernel.ops) {
    if (op.kind == OpKind::kLoad && TensorName(kernel, op.tensor) == "residual") op.tensor = 2;
  }
  kernel.tensors.pop_back();
  ASSERT_THAT(ValidateKernel(kernel), IsOk());
  ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  EXPECT_EQ(matmul.residual->tensor, matmul.out.tensor);
}

// A matmul of 4 x 8 x 16 in f16 whose epilogue `finish` builds: it takes the dot's value and stores
// what it likes.
struct Parts {
  KernelBuilder b = KernelBuilder("odd");
  Extent m_extent = Extent::Static(4);
  Extent n_extent = Extent::Static(8);
  Extent k_extent = Extent::Static(16);
  AxisId m = b.AddAxis("m", AxisKind::kParallel, m_extent);
  AxisId n = b.AddAxis("n", AxisKind::kParallel, n_extent);
  AxisId k = b.AddAxis("k", AxisKind::kReduction, k_extent);
  TensorId lhs = b.AddTensor("lhs", DType::kF32, {m_extent, k_extent});
  TensorId rhs = b.AddTensor("rhs", DType::kF32, {k_extent, n_extent});
  TensorId out = b.AddTensor("out", DType::kF32, {m_extent, n_extent});

  TensorId Vector(const char* name, const Extent& extent) {
    return b.AddTensor(name, DType::kF32, {extent});
  }
  TensorId Matrix(const char* name) { return b.AddTensor(name, DType::kF32, {m_extent, n_extent}); }
  ValueId Add(ValueId x, ValueId y) { return b.Pointwise(PointwiseKind::kAdd, {x, y}); }
  ValueId Relu(ValueId x) { return b.Pointwise(PointwiseKind::kRelu, {x}); }
  ValueId LoadLhs() { return b.Load(lhs, {m, k}); }
  ValueId LoadRhs() { return b.Load(rhs, {k, n}); }
  ValueId Dot(ValueId x, ValueId y) {
    return b.Dot(x, y, {.m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  }
  ValueId Dot() {
    const ValueId x = LoadLhs();
    return Dot(x, LoadRhs());
  }
  void Store(ValueId value) { b.Store(out, {m, n}, value); }
};

TEST(SimpleMatmulTest, SaysWhatIsOutsideTheForm) {
  using P = Parts;
  const struct {
    const char* name;
    std::function<void(P&)> build;
    const char* error;
  } kCases[] = {
      {"scaled operand",
       [](P& p) {
         const ValueId x = p.LoadLhs();
         const ValueId y = p.b.Pointwise(PointwiseKind::kNeg, {x});
         p.Store(p.Dot(y, p.LoadRhs()));
       },
       "lhs is computed by \"pointwise1\", want it loaded as it is"},
      {"cast operand",
       [](P& p) {
         const ValueId x = p.LoadLhs();
         const ValueId y = p.b.Cast(p.LoadRhs(), DType::kF32);
         p.Store(p.Dot(x, y));
       },
       "rhs is computed by \"cast2\", want it loaded as it is"},
      {"two dots",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Add(x, p.Dot()));
       },
       "2 dots, want one"},
      {"squared result",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.b.Pointwise(PointwiseKind::kMul, {x, x}));
       },
       "\"dot2\" is used 2 times, want once"},
      {"result scaled late",
       [](P& p) {
         const ValueId x = p.b.Pointwise(PointwiseKind::kRelu, {p.Dot()});
         p.Store(p.b.Pointwise(PointwiseKind::kMul, {x, p.b.Constant(2, DType::kF32)}));
       },
       "\"pointwise5\" scales after another part of the epilogue, want it first"},
      {"exponential", [](P& p) { p.Store(p.b.Pointwise(PointwiseKind::kExp, {p.Dot()})); },
       "\"pointwise3\" (exp) stands after the dot, want scale, bias, activation (relu, gelu, silu) "
       "and residual only"},
      {"constant added",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Add(x, p.b.Constant(2, DType::kF32)));
       },
       "\"pointwise4\" adds \"constant3\", want a tensor loaded for this alone"},
      {"added to itself",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Add(x, x));
       },
       "\"dot2\" is used 2 times, want once"},
      {"stored twice",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(x);
         p.b.Store(p.Matrix("copy"), {p.m, p.n}, x);
       },
       "\"dot2\" is used 2 times, want once"},
      {"bias of the rows",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Add(x, p.b.Load(p.Vector("bias", p.m_extent), {p.m})));
       },
       "\"pointwise4\" adds \"load3\", which spans neither n alone (a bias) nor m and n (a "
       "residual)"},
      {"scalar bias",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Add(x, p.b.Load(p.b.AddTensor("bias", DType::kF32, {}), {})));
       },
       "which spans neither n alone (a bias) nor m and n (a residual)"},
      {"two biases",
       [](P& p) {
         ValueId x = p.Dot();
         x = p.Add(x, p.b.Load(p.Vector("bias", p.n_extent), {p.n}));
         p.Store(p.Add(x, p.b.Load(p.Vector("more", p.n_extent), {p.n})));
       },
       "\"pointwise6\" adds a bias after another part of the epilogue, want it first"},
      {"bias after the activation",
       [](P& p) {
         const ValueId x = p.Relu(p.Dot());
         p.Store(p.Add(x, p.b.Load(p.Vector("bias", p.n_extent), {p.n})));
       },
       "adds a bias after another part of the epilogue, want it first"},
      {"bias after the residual",
       [](P& p) {
         ValueId x = p.Dot();
         x = p.Add(x, p.b.Load(p.Matrix("residual"), {p.m, p.n}));
         p.Store(p.Add(x, p.b.Load(p.Vector("bias", p.n_extent), {p.n})));
       },
       "adds a bias after another part of the epilogue, want it first"},
      {"strided bias",
       [](P& p) {
         const ValueId x = p.Dot();
         const TensorId bias = p.b.AddStridedTensor({.name = "bias",
                                                     .dtype = DType::kF32,
                                                     .dims = {{.size = p.n_extent, .stride = 2}},
                                                     .alignment_bytes = 0});
         p.Store(p.Add(x, p.b.Load(bias, {p.n})));
       },
       "the bias \"bias\" has stride 2, want 1"},
      {"bias from an offset",
       [](P& p) {
         const ValueId x = p.Dot();
         const TensorId bias = p.Vector("bias", Extent::Static(9));
         p.Store(p.Add(x, p.b.LoadAffine(bias, {{.terms = {{p.n, 1}}, .offset = 1}})));
       },
       "\"load3\" begins at an offset of 1 in tensor \"bias\", want 0"},
      {"bias used elsewhere",
       [](P& p) {
         const ValueId x = p.Dot();
         const ValueId bias = p.b.Load(p.Vector("bias", p.n_extent), {p.n});
         p.Store(p.Add(x, bias));
         p.b.Store(p.Vector("copy", p.n_extent), {p.n}, bias);
       },
       "\"pointwise4\" adds \"load3\", want a tensor loaded for this alone"},
      {"two residuals",
       [](P& p) {
         ValueId x = p.Dot();
         x = p.Add(x, p.b.Load(p.Matrix("residual"), {p.m, p.n}));
         p.Store(p.Add(x, p.b.Load(p.Matrix("more"), {p.m, p.n})));
       },
       "\"pointwise6\" adds a second residual, want one"},
      {"two activations",
       [](P& p) { p.Store(p.b.Pointwise(PointwiseKind::kGelu, {p.Relu(p.Dot())})); },
       "\"pointwise4\" is a second activation, want one"},
      {"activation after the residual",
       [](P& p) {
         const ValueId x = p.Dot();
         p.Store(p.Relu(p.Add(x, p.b.Load(p.Matrix("residual"), {p.m, p.n}))));
       },
       "\"pointwise5\" is an activation after the residual, want it before"},
      {"tanh", [](P& p) { p.Store(p.b.Pointwise(PointwiseKind::kTanh, {p.Dot()})); },
       "\"pointwise3\" (tanh) stands after the dot"},
      {"cast in the middle",
       [](P& p) {
         const ValueId x = p.b.Cast(p.Dot(), DType::kF64);
         p.Store(p.b.Cast(p.Relu(x), DType::kF32));
       },
       "\"pointwise4\" stands after a cast, want the cast last"},
      {"something beside it",
       [](P& p) {
         p.Store(p.Dot());
         const ValueId x = p.b.Load(p.Vector("x", p.n_extent), {p.n});
         p.b.Store(p.Vector("y", p.n_extent), {p.n}, x);
       },
       "\"load4\" is no part of the matmul, want nothing beside it"},
      {"stored over more",
       [](P& p) {
         const AxisId copy = p.b.AddAxis("copy", AxisKind::kParallel, Extent::Static(2));
         const TensorId copies =
             p.b.AddTensor("copies", DType::kF32, {Extent::Static(2), p.m_extent, p.n_extent});
         const ValueId x = p.LoadLhs();
         p.b.Store(copies, {copy, p.m, p.n}, p.Dot(x, p.LoadRhs()));
         p.b.Store(p.out, {p.m, p.n}, p.b.Constant(0, DType::kF32));
       },
       "\"store3\" writes over other axes than those of the dot"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    Parts parts;
    c.build(parts);
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(parts.b).Build());
    EXPECT_THAT(MatchSimpleMatmul(kernel),
                StatusIs(absl::StatusCode::kUnimplemented,
                         AllOf(StartsWith("kernel \"odd\": "), HasSubstr(c.error))));
  }
}

// Mistakes in memory, made in a plain matmul.
TEST(SimpleMatmulTest, SaysWhichTensorsAreOutsideTheForm) {
  constexpr int64_t kDynamic = TensorDim::kDynamicStride;
  const struct {
    const char* name;
    const char* kernel;
    std::function<void(Kernel&)> change;
    const char* error;
  } kCases[] = {
      {"dynamic stride", "matmul:4x8x16:f32",
       [](Kernel& k) { k.tensors[1].dims[0].stride = kDynamic; },
       "tensor \"rhs\".dims[0].stride is dynamic, want a number"},
      {"offset", "matmul:4x8x16:f32",
       [](Kernel& k) {
         k.tensors[0].dims[1].size.value = 20;
         k.ops[0].access[1].offset = 4;
       },
       "\"load0\" begins at an offset of 4 in tensor \"lhs\", want 0"},
      {"backwards", "matmul:4x8x16:f32",
       [](Kernel& k) {
         k.ops[0].access[1] = {.terms = {{2, -1}}, .offset = 15};
       },
       "\"load0\" begins at an offset of 15"},
      {"backwards, without a step", "matmul:1x8x16:f32",
       [](Kernel& k) { k.ops[0].access[0].terms[0].coefficient = -1; },
       "\"load0\" walks backwards along axis \"m\", want a stride of at least 0"},
      {"overlapping output", "matmul:4x8x16:f32",
       [](Kernel& k) { k.tensors[2].dims[0].stride = 7; },
       "tensor \"out\" is written in overlapping strides, want each element written once"},
      {"overlapping batches", "matmul:4x8x16:f32:batch=2",
       [](Kernel& k) { k.tensors[2].dims[0].stride = 31; },
       "tensor \"out\" is written in overlapping strides"},
      {"output over an operand", "matmul:16x16x16:f32",
       [](Kernel& k) {
         k.ops[3].tensor = 0;
         k.tensors.pop_back();
       },
       "tensor \"lhs\" is read and written, want that of a residual of the same strides only"},
      {"output over the bias", "matmul:1x16x16:f32:bias",
       [](Kernel& k) {
         k.ops[3].tensor = 2;
         k.ops[3].access = {{{}, 0}, {{{1, 1}}, 0}};
         k.tensors.pop_back();
       },
       "tensor \"out\" is read and written"},
      {"residual in place, transposed", "matmul:16x16x16:f32:residual",
       [](Kernel& k) {
         k.ops[3].tensor = 2;
         std::swap(k.ops[3].access[0], k.ops[3].access[1]);
         k.tensors.pop_back();
       },
       "tensor \"out\" is read and written, want that of a residual of the same strides only"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    Kernel kernel = FromShortForm(c.kernel);
    c.change(kernel);
    ASSERT_THAT(ValidateKernel(kernel), IsOk());
    EXPECT_THAT(MatchSimpleMatmul(kernel),
                StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(c.error)));
  }
}

TEST(SimpleMatmulTest, WantsOneAxisADimension) {
  const Extent extent = Extent::Static(4);
  const auto error_of = [&](std::vector<int> counts) {
    KernelBuilder b("axes");
    const auto add = [&](const char* name, AxisKind kind, int count) {
      std::vector<AxisId> axes;
      for (int i = 0; i < count; ++i) {
        axes.push_back(b.AddAxis(name + std::to_string(i), kind, extent));
      }
      return axes;
    };
    const std::vector<AxisId> batch = add("b", AxisKind::kBatch, counts[0]);
    const std::vector<AxisId> m = add("m", AxisKind::kParallel, counts[1]);
    const std::vector<AxisId> n = add("n", AxisKind::kParallel, counts[2]);
    const std::vector<AxisId> k = add("k", AxisKind::kReduction, counts[3]);
    const auto tensor = [&](const char* name, const std::vector<std::vector<AxisId>>& lists) {
      std::vector<AxisId> axes;
      for (const auto& list : lists) axes.insert(axes.end(), list.begin(), list.end());
      return std::pair(b.AddTensor(name, DType::kF32, std::vector<Extent>(axes.size(), extent)),
                       axes);
    };
    const auto [lhs, lhs_axes] = tensor("lhs", {batch, m, k});
    const auto [rhs, rhs_axes] = tensor("rhs", {batch, k, n});
    const auto [out, out_axes] = tensor("out", {batch, m, n});
    const ValueId x = b.Load(lhs, lhs_axes);
    const ValueId y = b.Load(rhs, rhs_axes);
    b.Store(out, out_axes, b.Dot(x, y, {.batch = batch, .m = m, .n = n, .k = k}, DType::kF32));
    const auto kernel = std::move(b).Build();
    EXPECT_THAT(kernel, IsOk());
    return MatchSimpleMatmul(*kernel).status();
  };
  EXPECT_THAT(error_of({1, 1, 1, 1}), IsOk());
  EXPECT_THAT(error_of({0, 1, 1, 1}), IsOk());
  const auto unimplemented = [](const char* error) {
    return StatusIs(absl::StatusCode::kUnimplemented, HasSubstr(error));
  };
  EXPECT_THAT(error_of({0, 2, 1, 1}), unimplemented("dot.m is made of 2 axes, want one"));
  EXPECT_THAT(error_of({0, 0, 1, 1}), unimplemented("dot.m is made of 0 axes, want one"));
  EXPECT_THAT(error_of({0, 1, 0, 1}), unimplemented("dot.n is made of 0 axes, want one"));
  EXPECT_THAT(error_of({0, 1, 1, 2}), unimplemented("dot.k is made of 2 axes, want one"));
  EXPECT_THAT(error_of({2, 1, 1, 1}),
              unimplemented("dot.batch is made of 2 axes, want one at most"));
}

TEST(SimpleMatmulTest, RejectsRichAndDotlessKernels) {
  EXPECT_THAT(MatchSimpleMatmul(RichKernel()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("symbol \"M\"")));
  ASSERT_OK_AND_ASSIGN(const Kernel bound, BindSymbols(RichKernel(), {}));
  EXPECT_THAT(MatchSimpleMatmul(bound), StatusIs(absl::StatusCode::kUnimplemented));
  const Extent extent = Extent::Static(8);
  KernelBuilder b("copy");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
  const ValueId x = b.Load(b.AddTensor("x", DType::kF32, {extent}), {m});
  b.Store(b.AddTensor("y", DType::kF32, {extent}), {m}, x);
  ASSERT_OK_AND_ASSIGN(const Kernel copy, std::move(b).Build());
  EXPECT_THAT(MatchSimpleMatmul(copy),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("0 dots, want one")));
}

// Any kernel gets an answer, and a match names every tensor of the kernel once.
TEST(SimpleMatmulTest, AnswersForRandomKernels) {
  int matched = 0;
  for (uint64_t seed = 0; seed < 1500; ++seed) {
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    const auto matmul = MatchSimpleMatmul(kernel);
    if (!matmul.ok()) {
      EXPECT_TRUE(matmul.status().code() == absl::StatusCode::kUnimplemented ||
                  matmul.status().code() == absl::StatusCode::kFailedPrecondition);
      continue;
    }
    ++matched;
    const size_t tensors = 3 + (matmul->bias ? 1 : 0) + (matmul->residual ? 1 : 0);
    EXPECT_EQ(kernel.tensors.size(), tensors) << seed;
  }
  EXPECT_GT(matched, 0);
}

}  // namespace
}  // namespace seedtune

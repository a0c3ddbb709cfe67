#include "ir/matmul.h"

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::vector<std::string> OpNames(const Kernel& kernel) {
  std::vector<std::string> names;
  for (const Op& op : kernel.ops) {
    names.emplace_back(op.kind == OpKind::kPointwise ? PointwiseKindName(op.pointwise)
                                                     : OpKindName(op.kind));
  }
  return names;
}

// Sizes and strides, outermost first.
std::vector<std::pair<int64_t, int64_t>> Dims(const Kernel& kernel, const std::string& tensor) {
  std::vector<std::pair<int64_t, int64_t>> dims;
  for (const Tensor& t : kernel.tensors) {
    if (t.name != tensor) continue;
    for (const TensorDim& dim : t.dims) dims.emplace_back(dim.size.value, dim.stride);
  }
  return dims;
}

absl::StatusOr<Kernel> BuildShortForm(const std::string& text) {
  const absl::StatusOr<MatmulSpec> spec = ParseMatmulShortForm(text);
  if (!spec.ok()) return spec.status();
  return BuildMatmul(*spec);
}

TEST(BuildMatmulTest, PlainMatmul) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, BuildShortForm("matmul:2x3x5:f32"));
  EXPECT_EQ(kernel.name, "matmul:2x3x5:f32");
  ASSERT_EQ(kernel.axes.size(), 3u);
  EXPECT_EQ(kernel.axes[0], (Axis{"m", AxisKind::kParallel, Extent::Static(2)}));
  EXPECT_EQ(kernel.axes[1], (Axis{"n", AxisKind::kParallel, Extent::Static(3)}));
  EXPECT_EQ(kernel.axes[2], (Axis{"k", AxisKind::kReduction, Extent::Static(5)}));
  EXPECT_THAT(Dims(kernel, "lhs"), ElementsAre(std::pair(2, 5), std::pair(5, 1)));
  EXPECT_THAT(Dims(kernel, "rhs"), ElementsAre(std::pair(5, 3), std::pair(3, 1)));
  EXPECT_THAT(Dims(kernel, "out"), ElementsAre(std::pair(2, 3), std::pair(3, 1)));
  EXPECT_THAT(OpNames(kernel), ElementsAre("load", "load", "dot", "store"));
  for (const Tensor& tensor : kernel.tensors) {
    EXPECT_EQ(tensor.alignment_bytes, kMatmulAlignmentBytes);
  }
}

TEST(BuildMatmulTest, ColumnMajorSwapsDimensions) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, BuildShortForm("matmul:2x3x5:f32:tt:batch=7"));
  EXPECT_THAT(Dims(kernel, "lhs"), ElementsAre(std::pair(7, 10), std::pair(5, 2), std::pair(2, 1)));
  EXPECT_THAT(Dims(kernel, "rhs"), ElementsAre(std::pair(7, 15), std::pair(3, 5), std::pair(5, 1)));
  EXPECT_THAT(Dims(kernel, "out"), ElementsAre(std::pair(7, 6), std::pair(2, 3), std::pair(3, 1)));
  ASSERT_EQ(kernel.axes.size(), 4u);
  EXPECT_EQ(kernel.axes[0], (Axis{"batch", AxisKind::kBatch, Extent::Static(7)}));
}

TEST(BuildMatmulTest, EpilogueIsComputedInTheAccumulator) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, BuildShortForm("matmul:2x3x5:bf16:bias:gelu:residual"));
  EXPECT_THAT(OpNames(kernel), ElementsAre("load", "load", "dot", "load", "cast", "add", "gelu",
                                           "load", "cast", "add", "cast", "store"));
  EXPECT_THAT(Dims(kernel, "bias"), ElementsAre(std::pair(3, 1)));
  EXPECT_THAT(Dims(kernel, "residual"), ElementsAre(std::pair(2, 3), std::pair(3, 1)));
  for (const Tensor& tensor : kernel.tensors) EXPECT_EQ(tensor.dtype, DType::kBF16);
  for (const Op& op : kernel.ops) {
    if (op.kind == OpKind::kPointwise || op.kind == OpKind::kDot) {
      EXPECT_EQ(op.dtype, DType::kF32);
    }
  }
  // No casts where nothing has to be cast.
  ASSERT_OK_AND_ASSIGN(const Kernel f32, BuildShortForm("matmul:2x3x5:f32:bias:relu:residual"));
  EXPECT_THAT(OpNames(f32),
              ElementsAre("load", "load", "dot", "load", "add", "relu", "load", "add", "store"));
}

TEST(BuildMatmulTest, SymbolicRowsMakeOuterStridesDynamic) {
  ASSERT_OK_AND_ASSIGN(const Kernel kernel,
                       BuildShortForm("matmul:M=16[1,64]x32x64:f32:tn:batch=2"));
  EXPECT_EQ(kernel.axes[1].extent, Extent::Symbolic("M", 16, 1, 64));
  constexpr int64_t kDynamic = TensorDim::kDynamicStride;
  EXPECT_THAT(Dims(kernel, "lhs"),
              ElementsAre(std::pair(2, kDynamic), std::pair(64, kDynamic), std::pair(16, 1)));
  EXPECT_THAT(Dims(kernel, "rhs"),
              ElementsAre(std::pair(2, 2048), std::pair(64, 32), std::pair(32, 1)));
}

TEST(BuildMatmulTest, RejectsImpossibleSpecs) {
  const MatmulSpec good = {.m = Extent::Static(2), .n = Extent::Static(3), .k = Extent::Static(5)};
  ASSERT_THAT(BuildMatmul(good), IsOk());
  const auto error_of = [&](auto change) {
    MatmulSpec spec = good;
    spec.name = "bad";
    change(spec);
    return BuildMatmul(spec).status();
  };
  const auto expect = [](const absl::Status& status, const char* error) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
    EXPECT_THAT(std::string(status.message()), StartsWith("kernel \"bad\": "));
  };
  const int64_t huge = INT64_MAX;
  expect(error_of([](MatmulSpec& s) { s.m.value = 0; }),
         "axes[0] (m).extent is 0, want at least 1");
  expect(error_of([](MatmulSpec& s) { s.n.value = -1; }), "axes[1] (n).extent is -1");
  expect(error_of([](MatmulSpec& s) { s.k.value = INT64_MIN; }), "axes[2] (k).extent is -92");
  expect(error_of([](MatmulSpec& s) { s.batch = 0; }), "batch is 0, want at least 1");
  expect(error_of([](MatmulSpec& s) { s.batch = -2; }), "batch is -2, want at least 1");
  expect(error_of([&](MatmulSpec& s) { s.m.value = huge; }), "tensors[0] (lhs).dims: the number");
  expect(error_of([&](MatmulSpec& s) { s.batch = huge; }), "tensors[0] (lhs).dims: the number");
  expect(error_of([&](MatmulSpec& s) { s.m.value = huge / 5; }),
         "tensors[0] (lhs).dims: the size in bytes overflows");
  expect(error_of([](MatmulSpec& s) { s.accumulator = DType::kF16; }),
         "ops[2] (dot2).dtype (the accumulator) is f16");
  expect(error_of([](MatmulSpec& s) { s.rhs = DType::kI8; }), "want both float or both integer");
  expect(error_of([](MatmulSpec& s) { s.lhs = static_cast<DType>(0); }),
         "tensors[0] (lhs).dtype is 0");
  expect(error_of([](MatmulSpec& s) { s.lhs_layout = static_cast<MatrixLayout>(0); }),
         "lhs_layout is 0, want row-major or column-major");
  expect(error_of([](MatmulSpec& s) { s.rhs_layout = static_cast<MatrixLayout>(3); }),
         "rhs_layout is 3");
  expect(error_of([](MatmulSpec& s) { s.activation = static_cast<Activation>(9); }),
         "activation is 9, want none, relu, gelu or silu");
  expect(error_of([](MatmulSpec& s) { s.m = Extent::Symbolic("M", 65, 1, 64); }),
         ".hint is 65, want at most the max, 64");
}

TEST(MatmulShortFormTest, ReadsEachPart) {
  const MatmulSpec plain = {
      .m = Extent::Static(16), .n = Extent::Static(14336), .k = Extent::Static(4096)};
  const auto changed = [&](auto change) {
    MatmulSpec spec = plain;
    change(spec);
    return spec;
  };
  const struct {
    const char* text;
    MatmulSpec want;
  } kCases[] = {
      {"matmul:16x14336x4096:f32", plain},
      {"matmul:16x14336x4096:f32:nn", plain},
      {"matmul:16x14336x4096:f32:tn",
       changed([](MatmulSpec& s) { s.lhs_layout = MatrixLayout::kColumnMajor; })},
      {"matmul:16x14336x4096:f32:nt",
       changed([](MatmulSpec& s) { s.rhs_layout = MatrixLayout::kColumnMajor; })},
      {"matmul:16x14336x4096:f32:tt",
       changed([](MatmulSpec& s) { s.lhs_layout = s.rhs_layout = MatrixLayout::kColumnMajor; })},
      {"matmul:16x14336x4096:bf16",
       changed([](MatmulSpec& s) { s.lhs = s.rhs = s.out = DType::kBF16; })},
      {"matmul:16x14336x4096:f64",
       changed([](MatmulSpec& s) { s.lhs = s.rhs = s.out = s.accumulator = DType::kF64; })},
      {"matmul:16x14336x4096:i8:out=i32", changed([](MatmulSpec& s) {
         s.lhs = s.rhs = DType::kI8;
         s.out = s.accumulator = DType::kI32;
       })},
      {"matmul:16x14336x4096:f16:acc=f16",
       changed([](MatmulSpec& s) { s.lhs = s.rhs = s.out = s.accumulator = DType::kF16; })},
      {"matmul:16x14336x4096:f8e4m3:rhs=f8e5m2:out=f16", changed([](MatmulSpec& s) {
         s.lhs = DType::kF8E4M3;
         s.rhs = DType::kF8E5M2;
         s.out = DType::kF16;
       })},
      {"matmul:16x14336x4096:f32:batch=64", changed([](MatmulSpec& s) { s.batch = 64; })},
      {"matmul:16x14336x4096:f32:scale=0.125", changed([](MatmulSpec& s) { s.scale = 0.125; })},
      {"matmul:16x14336x4096:f32:scale=-1e-3", changed([](MatmulSpec& s) { s.scale = -1e-3; })},
      {"matmul:16x14336x4096:f32:residual:silu:bias", changed([](MatmulSpec& s) {
         s.residual = s.bias = true;
         s.activation = Activation::kSilu;
       })},
      {"matmul:M=16[1,64]x14336x4096:f32",
       changed([](MatmulSpec& s) { s.m = Extent::Symbolic("M", 16, 1, 64); })},
      {"matmul:max_tokens=16x14336x4096:f32",
       changed([](MatmulSpec& s) { s.m = Extent::Symbolic("max_tokens", 16, 0, 0); })},
      {"matmul:x=16xx=16x4096:f32",
       changed([](MatmulSpec& s) { s.m = s.n = Extent::Symbolic("x", 16, 0, 0); })},
      {"matmul:M=?[?,64]x14336xK=?[8,?]:f32", changed([](MatmulSpec& s) {
         s.m = Extent::Symbolic("M", 0, 0, 64);
         s.k = Extent::Symbolic("K", 0, 8, 0);
       })},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const MatmulSpec spec, ParseMatmulShortForm(c.text));
    EXPECT_EQ(spec, c.want);
    EXPECT_THAT(BuildMatmul(spec), IsOk());
  }
}

TEST(MatmulShortFormTest, SaysWhatIsWrong) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"", "\"\": want it to start with \"matmul:\", as in matmul:16x4096x4096:bf16"},
      {"matmull:1x1x1:f32", "\"matmull:1x1x1:f32\": want it to start with \"matmul:\""},
      {"matmul:", "m is not a number, want one, as in matmul:16x4096x4096:bf16; it ends there"},
      {"matmul:?", "m is not a number, want one"},
      {"matmul:0x4096x4096:f32", "m is 0, want at least 1"},
      {"matmul:16x-4x4096:f32", "n is -4, want at least 1"},
      {"matmul:16x4096x0:f32", "k is 0, want at least 1"},
      {"matmul:9223372036854775808x1x1:f32",
       "m is 9223372036854775808, which does not fit 64 bits"},
      {"matmul:16", "want \"x\" and n after m, as in matmul:16x4096x4096:bf16; it ends there"},
      {"matmul:16:f32",
       "want \"x\" and n after m, as in matmul:16x4096x4096:bf16; there stands "
       "\":f32\""},
      {"matmul:16x16", "want \"x\" and k after n"},
      {"matmul:16x16x16", "want \":\" and a dtype after k"},
      {"matmul:16x16x16x16:f32",
       "want \":\" and a dtype after k, as in "
       "matmul:16x4096x4096:bf16; there stands \"x16:f32\""},
      {"matmul:16x16x1.5:f32", "there stands \".5:f32\""},
      {"matmul:16x16x16:", "no dtype named \"\""},
      {"matmul:16x16x16:bf61", "no dtype named \"bf61\", did you mean \"bf16\""},
      {"matmul:16x16x16:f32:", "no option \"\"; known: batch="},
      {"matmul:16x16x16:f32:biass", "no option \"biass\", did you mean \"bias\""},
      {"matmul:16x16x16:f32:btch=4", "no option \"btch=4\", did you mean \"batch=\""},
      {"matmul:16x16x16:f32:out=f31", "out: no dtype named \"f31\""},
      {"matmul:16x16x16:f32:acc=", "acc: no dtype named \"\""},
      {"matmul:16x16x16:f32:scale=two", "scale is \"two\", want a finite number"},
      {"matmul:16x16x16:f32:scale=inf", "scale is \"inf\", want a finite number"},
      {"matmul:16x16x16:f32:batch=0", "batch is \"0\", want a number of at least 1"},
      {"matmul:16x16x16:f32:batch=two", "batch is \"two\", want a number of at least 1"},
      {"matmul:16x16x16:f32:batch=9223372036854775808", "batch is \"9223372036854775808\""},
      {"matmul:16x16x16:f32:batch", "no option \"batch\", did you mean \"batch=\""},
      {"matmul:16x16x16:f32:relu:gelu",
       "option \"gelu\" is the second that sets the activation, want one at most"},
      {"matmul:16x16x16:f32:nt:nn", "option \"nn\" is the second that sets the layouts"},
      {"matmul:16x16x16:f32:bias:bias", "option \"bias\" is the second that sets the bias"},
      {"matmul:16x16x16:f32:residual:residual", "is the second that sets the residual"},
      {"matmul:16x16x16:f32:out=f32:out=f32", "is the second that sets the dtype of out"},
      {"matmul:16x16x16:f32:batch=2:batch=2", "is the second that sets the batch"},
      {"matmul:Mx16x16:f32",
       "m (symbol \"Mx16x16\") has no value, want a typical one, as in Mx16x16=16"},
      {"matmul:M=x16x16:f32", "m (symbol \"M\") is not a number"},
      {"matmul:M=0x16x16:f32", "m (symbol \"M\") is 0, want at least 1"},
      {"matmul:M=16[1x16x16:f32", "m (symbol \"M\"): want \"[min,max]\"; there stands"},
      {"matmul:M=16[1,64x16x16:f32", "m (symbol \"M\"): want \"[min,max]\""},
      {"matmul:M=16[,64]x16x16:f32", "m (symbol \"M\").min is not a number"},
      {"matmul:M=16[1,]x16x16:f32", "m (symbol \"M\").max is not a number"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    const auto spec = ParseMatmulShortForm(c.text);
    EXPECT_THAT(spec, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_THAT(std::string(spec.status().message()),
                StartsWith("\"" + std::string(c.text) + "\": "));
    EXPECT_EQ(spec.status().message().find('\n'), std::string::npos);
  }
}

TEST(MatmulShortFormTest, LeavesOutWhatHoldsAnyway) {
  const struct {
    const char* text;
    const char* short_form;
  } kCases[] = {
      {"matmul:16x32x64:f32:nn:batch=1:out=f32:acc=f32:rhs=f32", "matmul:16x32x64:f32"},
      {"matmul:16x32x64:i8:acc=i32", "matmul:16x32x64:i8"},
      {"matmul:16x32x64:f32:residual:gelu:bias:nt:batch=3",
       "matmul:16x32x64:f32:batch=3:nt:bias:gelu:residual"},
      {"matmul:M=16[?,?]x32x64:f32", "matmul:M=16x32x64:f32"},
  };
  for (const auto& c : kCases) {
    ASSERT_OK_AND_ASSIGN(const MatmulSpec spec, ParseMatmulShortForm(c.text));
    EXPECT_EQ(MatmulShortForm(spec), c.short_form);
  }
}

TEST(MatmulShortFormTest, RandomSpecsReadBack) {
  std::mt19937_64 random(20240817);
  const auto below = [&](int limit) { return static_cast<int>(random() % limit); };
  const auto extent = [&](const char* symbol) {
    if (below(2) == 0) return Extent::Static(1 + below(5000));
    const int64_t min = below(2) == 0 ? 0 : 1 + below(10);
    const int64_t max = below(2) == 0 ? 0 : 100 + below(100);
    const int64_t hint = below(2) == 0 ? 0 : 10 + below(90);
    return Extent::Symbolic(symbol, hint, min, max);
  };
  const auto dtype = [&] { return AllDTypes()[below(static_cast<int>(AllDTypes().size()))]; };
  const auto layout = [&] {
    return below(2) == 0 ? MatrixLayout::kRowMajor : MatrixLayout::kColumnMajor;
  };
  for (int i = 0; i < 500; ++i) {
    MatmulSpec spec;
    spec.m = extent("M");
    spec.n = extent("n.0");
    spec.k = extent("_k");
    spec.batch = 1 + below(4);
    spec.lhs = dtype();
    spec.rhs = dtype();
    spec.out = dtype();
    spec.accumulator = dtype();
    spec.lhs_layout = layout();
    spec.rhs_layout = layout();
    spec.bias = below(2) == 0;
    spec.residual = below(2) == 0;
    spec.activation = static_cast<Activation>(below(4));
    const std::string text = MatmulShortForm(spec);
    SCOPED_TRACE(text);
    ASSERT_OK_AND_ASSIGN(const MatmulSpec read, ParseMatmulShortForm(text));
    EXPECT_EQ(read, spec);
  }
}

}  // namespace
}  // namespace seedtune

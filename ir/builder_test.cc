#include "ir/builder.h"

#include <cstdint>
#include <limits>
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

TEST(KernelBuilderTest, BuildsAMatmul) {
  const Extent m_extent = Extent::Static(16);
  const Extent n_extent = Extent::Static(32);
  const Extent k_extent = Extent::Static(64);
  KernelBuilder b("ffn_up");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, m_extent);
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, n_extent, /*tunable=*/false);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, k_extent);
  const TensorId lhs = b.AddTensor("lhs", DType::kBF16, {m_extent, k_extent}, 16);
  const TensorId rhs = b.AddTensor("rhs", DType::kBF16, {k_extent, n_extent});
  const TensorId out = b.AddTensor("out", DType::kF32, {m_extent, n_extent});
  const ValueId x = b.Load(lhs, {m, k});
  const ValueId w = b.Load(rhs, {k, n});
  const ValueId dot = b.Dot(x, w, {.m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  b.NameLast("product");
  b.Store(out, {m, n}, dot);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());

  EXPECT_EQ(kernel.name, "ffn_up");
  EXPECT_TRUE(kernel.axes[m].tunable);
  EXPECT_FALSE(kernel.axes[n].tunable);
  EXPECT_EQ(kernel.tensors[lhs].alignment_bytes, 16);
  EXPECT_EQ(kernel.tensors[lhs].dims[0].stride, 64);
  ASSERT_EQ(kernel.ops.size(), 4u);
  EXPECT_EQ(kernel.ops[x].name, "load0");
  EXPECT_EQ(kernel.ops[x].dtype, DType::kBF16);
  EXPECT_THAT(kernel.ops[w].axes, ElementsAre(n, k));  // ascending
  EXPECT_EQ(kernel.ops[dot].name, "product");
  EXPECT_EQ(kernel.ops[dot].dtype, DType::kF32);
  EXPECT_THAT(kernel.ops[dot].axes, ElementsAre(m, n));
  EXPECT_EQ(kernel.ops[3].name, "store3");
  EXPECT_THAT(kernel.ops[3].operands, ElementsAre(dot));
}

TEST(KernelBuilderTest, BringsAccessesInOrder) {
  KernelBuilder b("window");
  const AxisId row = b.AddAxis("row", AxisKind::kParallel, Extent::Static(4));
  const AxisId tap = b.AddAxis("tap", AxisKind::kReduction, Extent::Static(3));
  const AxisId copy = b.AddAxis("copy", AxisKind::kParallel, Extent::Static(2));
  const TensorId in = b.AddTensor("in", DType::kF32, {Extent::Static(9)});
  const TensorId out = b.AddTensor("out", DType::kF32, {Extent::Static(4), Extent::Static(2)});
  // tap + row + row + 0 * copy
  const ValueId x =
      b.LoadAffine(in, {{.terms = {{tap, 1}, {row, 1}, {row, 1}, {copy, 0}}, .offset = 0}});
  const ValueId sum = b.Reduce(ReduceKind::kSum, x, {tap, tap});
  b.Store(out, {row, copy}, sum);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const std::vector<AffineIndex::Term> want = {{row, 2}, {tap, 1}};
  EXPECT_EQ(kernel.ops[x].access[0].terms, want);
  EXPECT_THAT(kernel.ops[x].axes, ElementsAre(row, tap));
  EXPECT_THAT(kernel.ops[sum].axes, ElementsAre(row));
  EXPECT_THAT(kernel.ops[sum].reduce_axes, ElementsAre(tap));
}

TEST(KernelBuilderTest, PointwiseSpansAllItsOperandsDo) {
  const Extent extent = Extent::Static(4);
  KernelBuilder b("outer");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, extent);
  const ValueId column = b.Load(b.AddTensor("column", DType::kF16, {extent}), {m});
  const ValueId row = b.Load(b.AddTensor("row", DType::kF16, {extent}), {n});
  const ValueId product = b.Pointwise(PointwiseKind::kMul, {row, column});
  const ValueId scaled = b.Pointwise(PointwiseKind::kMul, {product, b.Constant(0.5, DType::kF16)});
  const ValueId wide = b.Cast(scaled, DType::kF64);
  b.Store(b.AddTensor("out", DType::kF64, {extent, extent}), {m, n}, wide);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  EXPECT_THAT(kernel.ops[product].axes, ElementsAre(m, n));
  EXPECT_EQ(kernel.ops[product].dtype, DType::kF16);
  EXPECT_THAT(kernel.ops[wide].axes, ElementsAre(m, n));
  EXPECT_EQ(kernel.ops[wide].dtype, DType::kF64);
}

// Ids that do not exist may go into every method; Build() names the first.
TEST(KernelBuilderTest, TakesWrongIdsUntilBuild) {
  const auto error_of = [](auto mistake) {
    KernelBuilder b("wrong");
    const AxisId m = b.AddAxis("m", AxisKind::kParallel, Extent::Static(4));
    const TensorId t = b.AddTensor("t", DType::kF32, {Extent::Static(4)});
    const ValueId x = b.Load(t, {m});
    mistake(b, m, t, x);
    b.Store(t, {m}, x);
    return std::move(b).Build().status();
  };
  using B = KernelBuilder;
  const auto expect = [](const absl::Status& status, const char* error) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  expect(error_of([](B& b, AxisId m, TensorId, ValueId) { b.Load(7, {m}); }),
         "ops[1] (load1).tensor is 7");
  expect(error_of([](B& b, AxisId, TensorId t, ValueId) { b.Load(t, {-3}); }),
         "ops[1] (load1).access[0].terms[0].axis is -3");
  expect(error_of([](B& b, AxisId, TensorId t, ValueId) { b.Load(t, {}); }),
         "ops[1] (load1).access has 0 dimensions, want 1");
  expect(error_of([](B& b, AxisId m, TensorId, ValueId x) { b.Store(-1, {m}, x); }),
         "ops[1] (store1).tensor is -1");
  expect(error_of([](B& b, AxisId m, TensorId t, ValueId) { b.Store(t, {m}, 99); }),
         "ops[1] (store1).operands[0] is 99");
  expect(error_of([](B& b, AxisId m, TensorId, ValueId x) {
           b.Dot(x, 50, {.m = {m}, .n = {}, .k = {}}, DType::kF32);
         }),
         "ops[1] (dot1).operands[1] is 50");
  expect(error_of([](B& b, AxisId, TensorId, ValueId x) {
           b.Dot(x, x, {.m = {}, .n = {}, .k = {17}}, DType::kF32);
         }),
         "ops[1] (dot1).dot.k[0] is 17");
  expect(error_of([](B& b, AxisId, TensorId, ValueId x) { b.Reduce(ReduceKind::kMax, x, {9}); }),
         "ops[1] (reduce1).reduce_axes[0] is 9");
  expect(error_of([](B& b, AxisId, TensorId, ValueId) { b.Reduce(ReduceKind::kMax, -1, {0}); }),
         "ops[1] (reduce1).operands[0] is -1");
  expect(error_of([](B& b, AxisId, TensorId, ValueId) { b.Pointwise(PointwiseKind::kNeg, {}); }),
         "ops[1] (pointwise1).operands: there are 0, want 1");
  expect(error_of([](B& b, AxisId, TensorId, ValueId) { b.Cast(1, DType::kF16); }),
         "ops[1] (cast1).operands[0] is 1");
  expect(error_of([](B& b, AxisId, TensorId, ValueId x) { b.Cast(x, static_cast<DType>(0)); }),
         "ops[1] (cast1).dtype is 0");
  expect(error_of([](B& b, AxisId, TensorId, ValueId) { b.NameLast(""); }), "ops[0].name is empty");
}

TEST(KernelBuilderTest, KeepsTheFirstMistake) {
  KernelBuilder b("wrong");
  b.NameLast("nothing yet");
  b.Load(5, {});
  EXPECT_THAT(
      std::move(b).Build(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("kernel \"wrong\": NameLast(\"nothing yet\") comes before any op")));
}

TEST(KernelBuilderTest, RejectsTensorsThatOverflow) {
  KernelBuilder b("large");
  const Extent extent = Extent::Static(std::numeric_limits<int64_t>::max() / 2);
  b.AddTensor("t", DType::kI8, {extent, extent, extent});
  EXPECT_THAT(std::move(b).Build(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("tensors[0] (t).dims: the number of elements overflows")));
}

}  // namespace
}  // namespace seedtune

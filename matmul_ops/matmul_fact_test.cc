#include "matmul_ops/matmul_fact.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/bind.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/random_kernel.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

Kernel FromShortForm(const std::string& text) {
  const auto spec = ParseMatmulShortForm(text);
  EXPECT_THAT(spec, IsOk());
  const auto kernel = BuildMatmul(*spec);
  EXPECT_THAT(kernel, IsOk());
  return *kernel;
}

MatmulFact OnlyFact(const Kernel& kernel) {
  std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
  EXPECT_THAT(facts, SizeIs(1));
  return facts[0];
}

// "add", "gelu", "cast", ...
std::vector<std::string> Names(const Kernel& kernel, const std::vector<ValueId>& ops) {
  std::vector<std::string> names;
  for (const ValueId id : ops) {
    const Op& op = kernel.ops[id];
    names.emplace_back(op.kind == OpKind::kPointwise ? PointwiseKindName(op.pointwise)
                                                     : OpKindName(op.kind));
  }
  return names;
}

TEST(MatmulFactTest, PlainMatmul) {
  const Kernel kernel = FromShortForm("matmul:16x4096x14336:f32");
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_EQ(kernel.ops[fact.op].kind, OpKind::kDot);

  EXPECT_THAT(fact.m.axis, Optional(0));
  EXPECT_THAT(fact.n.axis, Optional(1));
  EXPECT_THAT(fact.k.axis, Optional(2));
  EXPECT_THAT(fact.m.static_extent, Optional(16));
  EXPECT_THAT(fact.n.static_extent, Optional(4096));
  EXPECT_THAT(fact.k.static_extent, Optional(14336));
  EXPECT_EQ(fact.m.hint, std::nullopt);
  EXPECT_FALSE(fact.m.is_symbolic());
  EXPECT_THAT(fact.m.planning_extent(), Optional(16));
  EXPECT_EQ(fact.m.min, 0);
  EXPECT_EQ(fact.m.max, 0);

  EXPECT_THAT(fact.batch_axes, IsEmpty());
  EXPECT_THAT(fact.batch_extents, IsEmpty());
  EXPECT_TRUE(fact.batch_is_static);
  EXPECT_EQ(fact.batch(), 1);

  EXPECT_EQ(fact.lhs.rank, 2);
  EXPECT_EQ(fact.lhs.dtype, DType::kF32);
  EXPECT_EQ(fact.lhs.memory_dtype, DType::kF32);
  EXPECT_EQ(fact.lhs.layout, OperandLayout::kRowMajor);
  EXPECT_THAT(fact.lhs.tensor, Optional(0));
  EXPECT_THAT(fact.lhs.row_stride, Optional(14336));
  EXPECT_THAT(fact.lhs.column_stride, Optional(1));
  EXPECT_EQ(fact.lhs.batch_stride, std::nullopt);
  EXPECT_EQ(fact.lhs.alignment_bytes, 64);
  EXPECT_THAT(fact.rhs.tensor, Optional(1));
  EXPECT_THAT(fact.rhs.row_stride, Optional(4096));
  EXPECT_THAT(fact.out.tensor, Optional(2));
  EXPECT_THAT(fact.out.row_stride, Optional(4096));
  EXPECT_THAT(fact.out.column_stride, Optional(1));

  EXPECT_EQ(fact.accumulator, DType::kF32);
  EXPECT_THAT(fact.prologue, IsEmpty());
  EXPECT_THAT(fact.epilogue, IsEmpty());
  EXPECT_EQ(fact.flops, int64_t{2} * 16 * 4096 * 14336);
  EXPECT_EQ(fact.bytes, 4 * (int64_t{16} * 14336 + int64_t{14336} * 4096 + int64_t{16} * 4096));
  EXPECT_DOUBLE_EQ(fact.intensity,
                   static_cast<double>(fact.flops) / static_cast<double>(fact.bytes));
}

TEST(MatmulFactTest, DtypesAndLayouts) {
  const struct {
    const char* kernel;
    OperandLayout lhs, rhs;
    int64_t lhs_row, lhs_column, rhs_row, rhs_column;
  } kCases[] = {
      {"matmul:16x32x64:bf16:out=f32:nn", OperandLayout::kRowMajor, OperandLayout::kRowMajor, 64, 1,
       32, 1},
      {"matmul:16x32x64:bf16:out=f32:tn", OperandLayout::kColumnMajor, OperandLayout::kRowMajor, 1,
       16, 32, 1},
      {"matmul:16x32x64:bf16:out=f32:nt", OperandLayout::kRowMajor, OperandLayout::kColumnMajor, 64,
       1, 1, 64},
      {"matmul:16x32x64:bf16:out=f32:tt", OperandLayout::kColumnMajor, OperandLayout::kColumnMajor,
       1, 16, 1, 64},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const MatmulFact fact = OnlyFact(FromShortForm(c.kernel));
    EXPECT_EQ(fact.lhs.layout, c.lhs);
    EXPECT_EQ(fact.rhs.layout, c.rhs);
    EXPECT_THAT(fact.lhs.row_stride, Optional(c.lhs_row));
    EXPECT_THAT(fact.lhs.column_stride, Optional(c.lhs_column));
    EXPECT_THAT(fact.rhs.row_stride, Optional(c.rhs_row));
    EXPECT_THAT(fact.rhs.column_stride, Optional(c.rhs_column));
    EXPECT_EQ(fact.lhs.dtype, DType::kBF16);
    EXPECT_EQ(fact.rhs.dtype, DType::kBF16);
    EXPECT_EQ(fact.accumulator, DType::kF32);
    EXPECT_EQ(fact.out.dtype, DType::kF32);
    EXPECT_EQ(fact.out.memory_dtype, DType::kF32);
    EXPECT_EQ(fact.bytes, 2 * (16 * 64 + 64 * 32) + 4 * 16 * 32);
  }
}

TEST(MatmulFactTest, BatchedMatmul) {
  const MatmulFact fact = OnlyFact(FromShortForm("matmul:384x64x128:f32:batch=12:nt"));
  EXPECT_THAT(fact.batch_axes, ElementsAre(0));
  EXPECT_THAT(fact.batch_extents, ElementsAre(12));
  EXPECT_TRUE(fact.batch_is_static);
  EXPECT_EQ(fact.batch(), 12);
  EXPECT_EQ(fact.lhs.rank, 3);
  EXPECT_EQ(fact.out.rank, 3);
  EXPECT_THAT(fact.lhs.batch_stride, Optional(384 * 128));
  EXPECT_THAT(fact.rhs.batch_stride, Optional(64 * 128));
  EXPECT_THAT(fact.out.batch_stride, Optional(384 * 64));
  EXPECT_EQ(fact.flops, int64_t{2} * 12 * 384 * 64 * 128);
  EXPECT_EQ(fact.bytes, 4 * 12 * (384 * 128 + 128 * 64 + 384 * 64));
}

// lhs[b0, b1, m, k] times one rhs for all b1, which repeats it by a stride of 0.
TEST(MatmulFactTest, SeveralBatchAxesAndABroadcastOperand) {
  const auto extent = [](int64_t value) { return Extent::Static(value); };
  KernelBuilder b("broadcast");
  const AxisId b0 = b.AddAxis("b0", AxisKind::kBatch, Extent::Symbolic("B", 5, 0, 0));
  const AxisId b1 = b.AddAxis("b1", AxisKind::kBatch, extent(3));
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent(8));
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, extent(16));
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, extent(32));
  const Extent batch = Extent::Symbolic("B", 5, 0, 0);
  const TensorId lhs = b.AddTensor("lhs", DType::kF32, {batch, extent(3), extent(8), extent(32)});
  const TensorId rhs = b.AddStridedTensor({.name = "rhs",
                                           .dtype = DType::kF32,
                                           .dims = {{.size = batch, .stride = 512},
                                                    {.size = extent(3), .stride = 0},
                                                    {.size = extent(32), .stride = 16},
                                                    {.size = extent(16), .stride = 1}},
                                           .alignment_bytes = 0});
  const TensorId out = b.AddTensor("out", DType::kF32, {batch, extent(3), extent(8), extent(16)});
  const ValueId dot = b.Dot(b.Load(lhs, {b0, b1, m, k}), b.Load(rhs, {b0, b1, k, n}),
                            {.batch = {b0, b1}, .m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  b.Store(out, {b0, b1, m, n}, dot);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_THAT(fact.batch_axes, ElementsAre(b0, b1));
  EXPECT_THAT(fact.batch_extents, ElementsAre(5, 3));
  EXPECT_FALSE(fact.batch_is_static);
  EXPECT_EQ(fact.batch(), 15);
  EXPECT_THAT(fact.rhs.batch_stride, Optional(0));
  EXPECT_THAT(fact.lhs.batch_stride, Optional(256));
  EXPECT_EQ(fact.lhs.rank, 4);
  EXPECT_EQ(fact.flops, int64_t{2} * 15 * 8 * 16 * 32);
  // rhs once for each b0 only.
  EXPECT_EQ(fact.bytes, 4 * (15 * 8 * 32 + 5 * 32 * 16 + 15 * 8 * 16));
}

TEST(MatmulFactTest, FusedEpilogue) {
  const Kernel kernel = FromShortForm("matmul:16x32x64:bf16:bias:gelu:residual");
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_THAT(Names(kernel, fact.epilogue), ElementsAre("add", "gelu", "add", "cast"));
  EXPECT_TRUE(std::is_sorted(fact.epilogue.begin(), fact.epilogue.end()));
  EXPECT_THAT(fact.prologue, IsEmpty());
  EXPECT_EQ(fact.out.dtype, DType::kBF16);
  EXPECT_EQ(fact.accumulator, DType::kF32);
  EXPECT_EQ(kernel.tensors[fact.out.tensor.value()].name, "out");
  // Operands and result; the epilogue's own operands are not the dot's.
  EXPECT_EQ(fact.bytes, 2 * (16 * 64 + 64 * 32 + 16 * 32));
}

TEST(MatmulFactTest, SymbolicRowsWithAHint) {
  const MatmulFact fact = OnlyFact(FromShortForm("matmul:M=16[1,64]x32x64:f32:batch=2"));
  EXPECT_THAT(fact.m.axis, Optional(1));
  EXPECT_TRUE(fact.m.is_symbolic());
  EXPECT_EQ(fact.m.static_extent, std::nullopt);
  EXPECT_THAT(fact.m.hint, Optional(16));
  EXPECT_THAT(fact.m.planning_extent(), Optional(16));
  EXPECT_EQ(fact.m.min, 1);
  EXPECT_EQ(fact.m.max, 64);
  EXPECT_FALSE(fact.n.is_symbolic());
  EXPECT_EQ(fact.flops, 2 * 2 * 16 * 32 * 64);
  EXPECT_EQ(fact.bytes, 4 * 2 * (16 * 64 + 64 * 32 + 16 * 32));
  // The outer strides of lhs and out depend on M, the rows' do not.
  EXPECT_EQ(fact.lhs.batch_stride, std::nullopt);
  EXPECT_THAT(fact.lhs.row_stride, Optional(64));
  EXPECT_THAT(fact.rhs.batch_stride, Optional(64 * 32));
  EXPECT_EQ(fact.lhs.layout, OperandLayout::kRowMajor);
  EXPECT_EQ(fact.lhs.alignment_bytes, 4);  // of the second matrix, known at run time only
  EXPECT_EQ(fact.rhs.alignment_bytes, 64);
}

TEST(MatmulFactTest, SymbolicRowsWithoutAHint) {
  const MatmulFact fact = OnlyFact(FromShortForm("matmul:M=?x32x64:f32"));
  EXPECT_TRUE(fact.m.is_symbolic());
  EXPECT_EQ(fact.m.hint, std::nullopt);
  EXPECT_EQ(fact.m.planning_extent(), std::nullopt);
  EXPECT_EQ(fact.m.min, 0);
  EXPECT_EQ(fact.m.max, 0);
  EXPECT_EQ(fact.flops, 0);
  EXPECT_EQ(fact.bytes, 0);
  EXPECT_EQ(fact.intensity, 0);
}

TEST(MatmulFactTest, ColumnsThatAreNotTunable) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32");
  kernel.axes[1].tunable = false;
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_EQ(fact.n.axis, std::nullopt);
  EXPECT_THAT(fact.n.static_extent, Optional(32));
  EXPECT_THAT(fact.m.axis, Optional(0));
  EXPECT_THAT(fact.k.axis, Optional(2));
}

// An implicit convolution: m is (row, column), k is (tap row, tap column, channel), channels last.
TEST(MatmulFactTest, DimensionsOfSeveralAxes) {
  const auto extent = [](int64_t value) { return Extent::Static(value); };
  KernelBuilder b("conv3x3");
  const AxisId h = b.AddAxis("h", AxisKind::kParallel, extent(14));
  const AxisId w = b.AddAxis("w", AxisKind::kParallel, extent(14));
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, extent(64));
  const AxisId r = b.AddAxis("r", AxisKind::kReduction, extent(3));
  const AxisId s = b.AddAxis("s", AxisKind::kReduction, extent(3));
  const AxisId c = b.AddAxis("c", AxisKind::kReduction, extent(32));
  const TensorId image =
      b.AddTensor("image", DType::kF16, {extent(16), extent(16), extent(32)}, 64);
  const TensorId weights =
      b.AddTensor("weights", DType::kF16, {extent(3), extent(3), extent(32), extent(64)});
  const TensorId out = b.AddTensor("out", DType::kF32, {extent(14), extent(14), extent(64)}, 64);
  const ValueId x = b.LoadAffine(image, {{.terms = {{h, 1}, {r, 1}}, .offset = 0},
                                         {.terms = {{w, 1}, {s, 1}}, .offset = 0},
                                         {.terms = {{c, 1}}, .offset = 0}});
  const ValueId y = b.Load(weights, {r, s, c, n});
  b.Store(out, {h, w, n}, b.Dot(x, y, {.m = {h, w}, .n = {n}, .k = {r, s, c}}, DType::kF32));
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_EQ(fact.m.axis, std::nullopt);
  EXPECT_EQ(fact.k.axis, std::nullopt);
  EXPECT_THAT(fact.n.axis, Optional(n));
  EXPECT_THAT(fact.m.static_extent, Optional(196));
  EXPECT_THAT(fact.k.static_extent, Optional(288));
  EXPECT_EQ(fact.lhs.row_stride, std::nullopt);
  EXPECT_EQ(fact.lhs.column_stride, std::nullopt);
  EXPECT_EQ(fact.lhs.rank, 5);
  EXPECT_EQ(fact.lhs.layout, OperandLayout::kRowMajor);  // channels are next to one another
  EXPECT_EQ(fact.lhs.alignment_bytes, 64);               // 32 channels of 2 bytes
  EXPECT_EQ(fact.flops, 2 * 196 * 64 * 288);
  // The windows overlap: the image is moved once.
  EXPECT_EQ(fact.bytes, 2 * (16 * 16 * 32 + 288 * 64) + 4 * 196 * 64);
}

TEST(MatmulFactTest, DimensionsOfSeveralAxesThatAreSymbolic) {
  const Extent rows = Extent::Symbolic("R", 7, 2, 10);
  const Extent columns = Extent::Static(3);
  KernelBuilder b("split");
  const AxisId m0 = b.AddAxis("m0", AxisKind::kParallel, rows);
  const AxisId m1 = b.AddAxis("m1", AxisKind::kParallel, columns);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, Extent::Static(4));
  const TensorId lhs = b.AddTensor("lhs", DType::kF32, {rows, columns, Extent::Static(4)});
  const TensorId vec = b.AddTensor("vec", DType::kF32, {Extent::Static(4)});
  const TensorId out = b.AddTensor("out", DType::kF32, {rows, columns});
  b.Store(out, {m0, m1},
          b.Dot(b.Load(lhs, {m0, m1, k}), b.Load(vec, {k}), {.m = {m0, m1}, .n = {}, .k = {k}},
                DType::kF32));
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_EQ(fact.m.axis, std::nullopt);
  EXPECT_THAT(fact.m.hint, Optional(21));
  EXPECT_EQ(fact.m.min, 6);
  EXPECT_EQ(fact.m.max, 30);
  // n is made of no axis: a matrix times a vector.
  EXPECT_EQ(fact.n.axis, std::nullopt);
  EXPECT_THAT(fact.n.static_extent, Optional(1));
  EXPECT_EQ(fact.rhs.rank, 1);
  EXPECT_EQ(fact.rhs.column_stride, std::nullopt);
  EXPECT_THAT(fact.rhs.row_stride, Optional(1));
  EXPECT_EQ(fact.rhs.layout, OperandLayout::kColumnMajor);
  EXPECT_EQ(fact.flops, 2 * 21 * 4);
}

// The operands of a matmul, with one dimension of lhs changed.
Kernel WithLhsStrides(int64_t rows, int64_t columns, int64_t alignment_bytes = 64) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32");
  kernel.tensors[0].dims[0].stride = rows;
  kernel.tensors[0].dims[1].stride = columns;
  kernel.tensors[0].alignment_bytes = alignment_bytes;
  return kernel;
}

TEST(MatmulFactTest, StridesSayLayoutAndAlignment) {
  constexpr int64_t kDynamic = TensorDim::kDynamicStride;
  const struct {
    const char* name;
    int64_t rows, columns, alignment;
    OperandLayout layout;
    std::optional<int64_t> row_stride, column_stride;
    int64_t alignment_bytes;
  } kCases[] = {
      {"dense", 64, 1, 64, OperandLayout::kRowMajor, 64, 1, 64},
      {"padded", 80, 1, 64, OperandLayout::kRowMajor, 80, 1, 64},
      {"rows start at multiples of 16 bytes", 68, 1, 64, OperandLayout::kRowMajor, 68, 1, 16},
      {"rows start anywhere", 65, 1, 64, OperandLayout::kRowMajor, 65, 1, 4},
      {"no promise", 64, 1, 0, OperandLayout::kRowMajor, 64, 1, 4},
      {"column-major", 1, 16, 128, OperandLayout::kColumnMajor, 1, 16, 64},
      {"column-major, padded", 1, 24, 128, OperandLayout::kColumnMajor, 1, 24, 32},
      {"every other element", 128, 2, 64, OperandLayout::kStrided, 128, 2, 64},
      {"rows known at run time", kDynamic, 1, 64, OperandLayout::kRowMajor, std::nullopt, 1, 4},
      {"columns known at run time", 1, kDynamic, 64, OperandLayout::kColumnMajor, 1, std::nullopt,
       4},
      {"all known at run time", kDynamic, kDynamic, 64, OperandLayout::kUnknown, std::nullopt,
       std::nullopt, 4},
      {"perhaps column-major", kDynamic, 2, 64, OperandLayout::kUnknown, std::nullopt, 2, 4},
      {"perhaps row-major", 64, kDynamic, 64, OperandLayout::kUnknown, 64, std::nullopt, 64},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const MatmulFact fact = OnlyFact(WithLhsStrides(c.rows, c.columns, c.alignment));
    EXPECT_EQ(fact.lhs.layout, c.layout) << OperandLayoutName(fact.lhs.layout);
    EXPECT_EQ(fact.lhs.row_stride, c.row_stride);
    EXPECT_EQ(fact.lhs.column_stride, c.column_stride);
    EXPECT_EQ(fact.lhs.alignment_bytes, c.alignment_bytes);
    // Nothing else changes.
    EXPECT_EQ(fact.rhs.alignment_bytes, 64);
    EXPECT_EQ(fact.bytes, 4 * (16 * 64 + 64 * 32 + 16 * 32));
  }
}

TEST(MatmulFactTest, OffsetsAndBatchesShiftTheAlignment) {
  Kernel kernel = FromShortForm("matmul:16x32x64:f32:batch=2");
  // A window into a larger tensor: from its fourth column on.
  kernel.tensors[0].dims[2].size = Extent::Static(80);
  kernel.ops[0].access[2].offset = 4;
  EXPECT_EQ(OnlyFact(kernel).lhs.alignment_bytes, 16);
  kernel.ops[0].access[2].offset = 0;
  kernel.tensors[0].dims[0].stride = 16 * 64 + 2;
  EXPECT_EQ(OnlyFact(kernel).lhs.alignment_bytes, 8);
  // A single matrix never takes that step.
  kernel.axes[0].extent = Extent::Static(1);
  EXPECT_EQ(OnlyFact(kernel).lhs.alignment_bytes, 64);
}

// What RichKernel stands for: a window, a cast before the dot, and a reduction after it.
TEST(MatmulFactTest, PrologueAndReducingEpilogue) {
  const Kernel kernel = RichKernel();
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_THAT(Names(kernel, fact.prologue), ElementsAre("cast"));
  EXPECT_THAT(Names(kernel, fact.epilogue), ElementsAre("mul", "add", "relu", "reduce", "cast"));

  EXPECT_EQ(fact.n.axis, std::nullopt);  // not tunable
  EXPECT_THAT(fact.n.static_extent, Optional(32));
  EXPECT_THAT(fact.m.hint, Optional(16));

  EXPECT_EQ(fact.lhs.layout, OperandLayout::kStrided);  // every other element
  EXPECT_THAT(fact.lhs.column_stride, Optional(2));
  EXPECT_THAT(fact.lhs.row_stride, Optional(20));
  EXPECT_EQ(fact.lhs.batch_stride, std::nullopt);
  EXPECT_EQ(fact.lhs.alignment_bytes, 2);

  EXPECT_EQ(fact.rhs.dtype, DType::kBF16);
  EXPECT_EQ(fact.rhs.memory_dtype, DType::kI8);
  EXPECT_THAT(fact.rhs.tensor, Optional(1));
  EXPECT_EQ(fact.rhs.layout, OperandLayout::kRowMajor);
  EXPECT_THAT(fact.rhs.row_stride, Optional(40));
  EXPECT_EQ(fact.rhs.batch_stride, std::nullopt);

  // n is reduced away before the store.
  EXPECT_EQ(fact.out.rank, 2);
  EXPECT_EQ(fact.out.dtype, DType::kBF16);
  EXPECT_THAT(fact.out.row_stride, Optional(1));
  EXPECT_EQ(fact.out.column_stride, std::nullopt);
  EXPECT_EQ(fact.out.layout, OperandLayout::kColumnMajor);
  EXPECT_EQ(fact.flops, 2 * 3 * 16 * 32 * 8);
  EXPECT_EQ(fact.bytes, 2 * 3 * 16 * 8 + 1 * 3 * 8 * 32 + 2 * 3 * 16);
}

// Weights in 8 bits, scaled column by column: the operand stands in memory as the weights.
TEST(MatmulFactTest, PrologueOfSeveralLoads) {
  const Extent m_extent = Extent::Static(4);
  const Extent n_extent = Extent::Static(8);
  const Extent k_extent = Extent::Static(16);
  KernelBuilder b("dequantize");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, m_extent);
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, n_extent);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, k_extent);
  const TensorId lhs = b.AddTensor("lhs", DType::kF16, {m_extent, k_extent});
  const TensorId weights = b.AddTensor("weights", DType::kI8, {n_extent, k_extent}, 16);
  const TensorId scales = b.AddTensor("scales", DType::kF16, {n_extent});
  const TensorId out = b.AddTensor("out", DType::kF16, {m_extent, n_extent});
  const ValueId x = b.Load(lhs, {m, k});
  const ValueId wide = b.Cast(b.Load(weights, {n, k}), DType::kF16);
  const ValueId scaled = b.Pointwise(PointwiseKind::kMul, {wide, b.Load(scales, {n})});
  const ValueId dot = b.Dot(x, scaled, {.m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  b.Store(out, {m, n}, b.Cast(dot, DType::kF16));
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_THAT(fact.prologue, ElementsAre(wide, scaled));
  EXPECT_THAT(fact.rhs.tensor, Optional(weights));
  EXPECT_EQ(fact.rhs.layout, OperandLayout::kColumnMajor);
  EXPECT_EQ(fact.rhs.dtype, DType::kF16);
  EXPECT_EQ(fact.rhs.memory_dtype, DType::kI8);
  EXPECT_EQ(fact.rhs.alignment_bytes, 16);
  EXPECT_EQ(fact.bytes, 2 * 4 * 16 + 1 * 8 * 16 + 2 * 4 * 8);
}

TEST(MatmulFactTest, OperandsMadeOfTwoTensorsStandInNone) {
  const Extent extent = Extent::Static(8);
  KernelBuilder b("sum");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
  const AxisId n = b.AddAxis("n", AxisKind::kParallel, extent);
  const AxisId k = b.AddAxis("k", AxisKind::kReduction, extent);
  const TensorId x = b.AddTensor("x", DType::kF32, {extent, extent});
  const TensorId y = b.AddTensor("y", DType::kF32, {extent, extent});
  const TensorId out = b.AddTensor("out", DType::kF32, {extent, extent});
  const ValueId sum = b.Pointwise(PointwiseKind::kAdd, {b.Load(x, {m, k}), b.Load(y, {m, k})});
  const ValueId dot = b.Dot(sum, b.Load(y, {k, n}), {.m = {m}, .n = {n}, .k = {k}}, DType::kF32);
  b.Store(out, {m, n}, dot);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  const MatmulFact fact = OnlyFact(kernel);
  EXPECT_THAT(fact.prologue, ElementsAre(sum));
  EXPECT_EQ(fact.lhs.tensor, std::nullopt);
  EXPECT_EQ(fact.lhs.layout, OperandLayout::kUnknown);
  EXPECT_EQ(fact.lhs.dtype, DType::kF32);
  EXPECT_EQ(fact.lhs.alignment_bytes, 0);
  EXPECT_THAT(fact.rhs.tensor, Optional(y));
}

// Attention: softmax(q k^T) v, in one kernel.
Kernel Attention() {
  const auto extent = [](int64_t value) { return Extent::Static(value); };
  KernelBuilder b("attention");
  const AxisId head = b.AddAxis("head", AxisKind::kBatch, extent(4));
  const AxisId query = b.AddAxis("query", AxisKind::kParallel, extent(32));
  const AxisId key = b.AddAxis("key", AxisKind::kReduction, extent(64));
  const AxisId inner = b.AddAxis("inner", AxisKind::kReduction, extent(16));
  const AxisId value = b.AddAxis("value", AxisKind::kParallel, extent(8));
  const TensorId q = b.AddTensor("q", DType::kBF16, {extent(4), extent(32), extent(16)});
  const TensorId k = b.AddTensor("k", DType::kBF16, {extent(4), extent(64), extent(16)});
  const TensorId v = b.AddTensor("v", DType::kBF16, {extent(4), extent(64), extent(8)});
  const TensorId out = b.AddTensor("out", DType::kBF16, {extent(4), extent(32), extent(8)});
  const ValueId scores =
      b.Dot(b.Load(q, {head, query, inner}), b.Load(k, {head, key, inner}),
            {.batch = {head}, .m = {query}, .n = {key}, .k = {inner}}, DType::kF32);
  const ValueId top = b.Reduce(ReduceKind::kMax, scores, {key});
  const ValueId weights =
      b.Pointwise(PointwiseKind::kExp, {b.Pointwise(PointwiseKind::kSub, {scores, top})});
  const ValueId total = b.Reduce(ReduceKind::kSum, weights, {key});
  const ValueId result =
      b.Dot(b.Cast(weights, DType::kBF16), b.Load(v, {head, key, value}),
            {.batch = {head}, .m = {query}, .n = {value}, .k = {key}}, DType::kF32);
  b.Store(out, {head, query, value},
          b.Cast(b.Pointwise(PointwiseKind::kDiv, {result, total}), DType::kBF16));
  const auto kernel = std::move(b).Build();
  EXPECT_THAT(kernel, IsOk());
  return *kernel;
}

TEST(MatmulFactTest, SeveralDots) {
  const Kernel kernel = Attention();
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
  ASSERT_THAT(facts, SizeIs(2));
  EXPECT_LT(facts[0].op, facts[1].op);

  const MatmulFact& scores = facts[0];
  EXPECT_THAT(scores.m.static_extent, Optional(32));
  EXPECT_THAT(scores.n.static_extent, Optional(64));
  EXPECT_THAT(scores.k.static_extent, Optional(16));
  EXPECT_EQ(scores.rhs.layout, OperandLayout::kColumnMajor);
  // All that follows on the way to the second dot and to the store. A value that is used twice is
  // there once.
  EXPECT_THAT(Names(kernel, scores.epilogue),
              ElementsAre("reduce", "sub", "exp", "reduce", "cast", "div", "cast"));
  // The store at the end is written over query and value, and is all there is in memory.
  EXPECT_EQ(kernel.tensors[scores.out.tensor.value()].name, "out");
  EXPECT_EQ(scores.out.layout, OperandLayout::kStrided);

  const MatmulFact& result = facts[1];
  EXPECT_THAT(result.m.axis, Optional(1));
  EXPECT_THAT(result.n.axis, Optional(4));
  EXPECT_THAT(result.k.axis, Optional(2));  // the keys, which were n before
  EXPECT_EQ(result.lhs.tensor, std::nullopt);
  EXPECT_EQ(result.lhs.layout, OperandLayout::kUnknown);
  EXPECT_EQ(result.lhs.dtype, DType::kBF16);
  EXPECT_EQ(result.lhs.rank, 3);
  // What the first dot feeds is its epilogue, and no prologue.
  EXPECT_THAT(result.prologue, IsEmpty());
  EXPECT_THAT(Names(kernel, result.epilogue), ElementsAre("div", "cast"));
  EXPECT_EQ(result.flops, 2 * 4 * 32 * 8 * 64);
  // lhs never stands in memory.
  EXPECT_EQ(result.bytes, 2 * 4 * (64 * 8 + 32 * 8));
}

TEST(MatmulFactTest, KernelsWithoutADot) {
  const Extent extent = Extent::Static(8);
  KernelBuilder b("copy");
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
  const ValueId x = b.Load(b.AddTensor("x", DType::kF32, {extent}), {m});
  b.Store(b.AddTensor("y", DType::kF32, {extent}), {m}, x);
  ASSERT_OK_AND_ASSIGN(const Kernel kernel, std::move(b).Build());
  EXPECT_THAT(ExtractMatmulFacts(kernel), IsEmpty());
}

TEST(MatmulFactTest, LargeShapesSaturate) {
  // Valid at the hints, which are all that is known; each bound fits, their product does not.
  MatmulSpec spec;
  spec.name = "large";
  spec.m = Extent::Symbolic("M", 16, 1, int64_t{1} << 28);
  spec.n = Extent::Symbolic("N", 16, 1, int64_t{1} << 28);
  spec.k = Extent::Static(16);
  ASSERT_OK_AND_ASSIGN(const Kernel valid, BuildMatmul(spec));
  const MatmulFact fact = OnlyFact(valid);
  EXPECT_EQ(fact.m.max, int64_t{1} << 28);
  EXPECT_EQ(fact.flops, 2 * 16 * 16 * 16);

  // A kernel that nobody validated gives saturated figures, and no undefined behaviour.
  Kernel wrong = FromShortForm("matmul:16x32x64:f32:batch=2");
  for (Axis& axis : wrong.axes) axis.extent = Extent::Static(kHuge / 2);
  for (Tensor& tensor : wrong.tensors) {
    for (TensorDim& dim : tensor.dims)
      dim = {.size = Extent::Static(kHuge / 2), .stride = kHuge / 2};
  }
  const MatmulFact saturated = OnlyFact(wrong);
  EXPECT_EQ(saturated.flops, kHuge);
  EXPECT_EQ(saturated.bytes, kHuge);
  EXPECT_GT(saturated.lhs.alignment_bytes, 0);
}

TEST(MatmulFactTest, HoldsForRandomKernels) {
  std::set<OperandLayout> layouts;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE(seed);
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, RandomKernel(seed));
    for (const MatmulFact& fact : ExtractMatmulFacts(kernel)) {
      const Op& dot = kernel.ops[fact.op];
      ASSERT_EQ(dot.kind, OpKind::kDot);
      EXPECT_EQ(fact.accumulator, dot.dtype);
      EXPECT_EQ(fact.lhs.dtype, kernel.ops[dot.operands[0]].dtype);
      EXPECT_EQ(fact.rhs.dtype, kernel.ops[dot.operands[1]].dtype);
      EXPECT_EQ(fact.batch_extents.size(), dot.dot.batch.size());
      const std::pair<const DimFact&, const std::vector<AxisId>&> dims[] = {
          {fact.m, dot.dot.m}, {fact.n, dot.dot.n}, {fact.k, dot.dot.k}};
      for (const auto& [dim, axes] : dims) {
        EXPECT_EQ(dim.axis.has_value(), axes.size() == 1 && kernel.axes[axes[0]].tunable);
        EXPECT_FALSE(dim.static_extent && dim.hint);
        if (dim.static_extent) {
          EXPECT_EQ(dim.min, 0);
          EXPECT_EQ(dim.max, 0);
        }
        if (dim.min > 0 && dim.max > 0) {
          EXPECT_LE(dim.min, dim.max);
        }
      }
      if (fact.m.planning_extent() && fact.n.planning_extent() && fact.k.planning_extent() &&
          fact.batch() > 0) {
        EXPECT_EQ(fact.flops, 2 * fact.batch() * *fact.m.planning_extent() *
                                  *fact.n.planning_extent() * *fact.k.planning_extent());
      } else {
        EXPECT_EQ(fact.flops, 0);
      }
      for (const OperandFact* operand : {&fact.lhs, &fact.rhs, &fact.out}) {
        layouts.insert(operand->layout);
        if (!operand->tensor) {
          EXPECT_EQ(operand->layout, OperandLayout::kUnknown);
          EXPECT_EQ(operand->alignment_bytes, 0);
          continue;
        }
        const Tensor& tensor = kernel.tensors[*operand->tensor];
        EXPECT_EQ(operand->memory_dtype, tensor.dtype);
        EXPECT_GE(operand->alignment_bytes, DTypeBytes(tensor.dtype));
        EXPECT_LE(operand->alignment_bytes,
                  std::max<int64_t>(tensor.alignment_bytes, DTypeBytes(tensor.dtype)));
        EXPECT_EQ(operand->alignment_bytes & (operand->alignment_bytes - 1), 0);
        if (operand->column_stride == 1) {
          EXPECT_EQ(operand->layout, OperandLayout::kRowMajor);
        }
      }
      EXPECT_TRUE(std::is_sorted(fact.prologue.begin(), fact.prologue.end()));
      EXPECT_TRUE(std::is_sorted(fact.epilogue.begin(), fact.epilogue.end()));
      for (const ValueId id : fact.prologue) EXPECT_LT(id, fact.op);
      for (const ValueId id : fact.epilogue) EXPECT_GT(id, fact.op);
      EXPECT_FALSE(DescribeMatmulFact(kernel, fact).empty());
    }
  }
  EXPECT_EQ(layouts.size(), 4u);
}

// Facts of a bound kernel are those of the symbolic one at its hints.
TEST(MatmulFactTest, PlanningExtentsAreWhatBindingGives) {
  const Kernel symbolic = FromShortForm("matmul:M=16[1,64]xN=24x64:f32:nt:bias");
  ASSERT_OK_AND_ASSIGN(const Kernel bound, BindSymbols(symbolic, {}));
  const MatmulFact before = OnlyFact(symbolic);
  const MatmulFact after = OnlyFact(bound);
  EXPECT_EQ(before.m.planning_extent(), after.m.static_extent);
  EXPECT_EQ(before.n.planning_extent(), after.n.static_extent);
  EXPECT_EQ(before.flops, after.flops);
  EXPECT_EQ(before.bytes, after.bytes);
}

TEST(OperandLayoutTest, HasNames) {
  std::set<std::string> names;
  for (const OperandLayout layout : {OperandLayout::kRowMajor, OperandLayout::kColumnMajor,
                                     OperandLayout::kStrided, OperandLayout::kUnknown}) {
    names.emplace(OperandLayoutName(layout));
  }
  EXPECT_EQ(names.size(), 4u);
  EXPECT_EQ(OperandLayoutName(static_cast<OperandLayout>(99)), "invalid");
}

TEST(DescribeMatmulFactTest, TellsAllInAFewLines) {
  const auto describe = [](const Kernel& kernel) {
    return DescribeMatmulFact(kernel, OnlyFact(kernel));
  };
  EXPECT_EQ(
      describe(FromShortForm("matmul:16x4096x14336:bf16:nt:batch=2:bias:gelu")),
      "dot2: m 16, n 4096, k 14336, batch 2, accumulates in f32\n"
      "  lhs:      bf16 lhs, row-major, row stride 14336, batch stride 229376, aligned to 64 "
      "bytes\n"
      "  rhs:      bf16 rhs, column-major, column stride 14336, batch stride 58720256, aligned "
      "to 64 bytes\n"
      "  out:      bf16 out, row-major, row stride 4096, batch stride 65536, aligned to 64 "
      "bytes\n"
      "  epilogue: add, gelu, cast to bf16\n"
      "  work:     3.76 GFLOP, 236 MB, 15.9 FLOP/B\n");
  EXPECT_EQ(describe(FromShortForm("matmul:M=16[1,64]x32x64:f32")),
            "dot2: m symbolic (about 16, at least 1, at most 64), n 32, k 64, accumulates in f32\n"
            "  lhs:      f32 lhs, row-major, row stride 64, aligned to 64 bytes\n"
            "  rhs:      f32 rhs, row-major, row stride 32, aligned to 64 bytes\n"
            "  out:      f32 out, row-major, row stride 32, aligned to 64 bytes\n"
            "  epilogue: none\n"
            "  work:     65.5 kFLOP, 14.3 kB, 4.57 FLOP/B\n");
  EXPECT_THAT(describe(FromShortForm("matmul:M=?x32x64:f32")),
              testing::AllOf(HasSubstr("m symbolic (no hint)"),
                             HasSubstr("work:     unknown FLOP, unknown bytes\n")));
  EXPECT_THAT(describe(RichKernel()),
              testing::AllOf(HasSubstr("n 32 (not tunable)"),
                             HasSubstr("bf16 rhs (i8 in memory), row-major"),
                             HasSubstr("prologue: cast to bf16\n"),
                             HasSubstr("epilogue: mul, add, relu, reduce max, cast to bf16\n")));
}

}  // namespace
}  // namespace seedtune

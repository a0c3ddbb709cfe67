#include "ir/validate.h"

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/kernel_fields.h"
#include "ir/matmul.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();

// Ops of RichKernel, by number.
constexpr int kX = 0, kLoadRhs = 1, kCastRhs = 2, kDot = 3, kConstant = 4, kMul = 5, kLoadBias = 6,
              kAdd = 7, kRelu = 8, kReduce = 9, kCastOut = 10, kStore = 11;
// Its axes and tensors.
constexpr int kBatch = 0, kM = 1, kN = 2, kK = 3;
constexpr int kLhs = 0, kRhs = 1, kBias = 2, kOut = 3;

TEST(ValidateTest, AcceptsRichKernel) { EXPECT_THAT(ValidateKernel(RichKernel()), IsOk()); }

struct Mistake {
  const char* name;
  std::function<void(Kernel&)> make;
  const char* error;
};

// Makes each mistake in `kernel` and wants its error, which names the kernel, too.
void ExpectErrors(const Kernel& kernel, const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    SCOPED_TRACE(mistake.name);
    Kernel wrong = kernel;
    mistake.make(wrong);
    const absl::Status status = ValidateKernel(wrong);
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(mistake.error)));
    EXPECT_THAT(std::string(status.message()),
                StartsWith(absl::StrCat("kernel \"", wrong.name, "\": ")));
  }
}

TEST(ValidateTest, NamesWrongNames) {
  ExpectErrors(RichKernel(),
               {
                   {"kernel", [](Kernel& k) { k.name = ""; }, "name is empty, want a name"},
                   {"axis empty", [](Kernel& k) { k.axes[kM].name = ""; },
                    "axes[1].name is empty, want a name"},
                   {"axis twice", [](Kernel& k) { k.axes[kN].name = "m"; },
                    "axes[2].name is \"m\", which axes[1] has already; want a unique name"},
                   {"axis with blank", [](Kernel& k) { k.axes[kN].name = "n o"; },
                    "axes[2].name is \"n o\", want letters, digits"},
                   {"axis with digit first", [](Kernel& k) { k.axes[kN].name = "2n"; },
                    "axes[2].name is \"2n\", want letters, digits"},
                   {"tensor empty", [](Kernel& k) { k.tensors[kBias].name = ""; },
                    "tensors[2].name is empty, want a name"},
                   {"tensor twice", [](Kernel& k) { k.tensors[kBias].name = "lhs"; },
                    "tensors[2].name is \"lhs\", which tensors[0] has already"},
                   {"op empty", [](Kernel& k) { k.ops[kDot].name = ""; },
                    "ops[3].name is empty, want a name"},
                   {"op twice", [](Kernel& k) { k.ops[kDot].name = "x"; },
                    "ops[3].name is \"x\", which ops[0] has already"},
                   {"symbol", [](Kernel& k) { k.axes[kM].extent.symbol = "M!"; },
                    "axes[1] (m).extent.symbol is \"M!\", want letters"},
               });
}

TEST(ValidateTest, NamesWrongExtents) {
  ExpectErrors(
      RichKernel(),
      {
          {"zero", [](Kernel& k) { k.axes[kK].extent = Extent::Static(0); },
           "axes[3] (k).extent is 0, want at least 1"},
          {"negative", [](Kernel& k) { k.axes[kK].extent = Extent::Static(-8); },
           "axes[3] (k).extent is -8, want at least 1"},
          {"smallest", [](Kernel& k) { k.axes[kK].extent = Extent::Static(-kHuge - 1); },
           "axes[3] (k).extent is -9223372036854775808, want at least 1"},
          {"zero in tensor", [](Kernel& k) { k.tensors[kBias].dims[0].size = Extent::Static(0); },
           "tensors[2] (bias).dims[0].size is 0, want at least 1"},
          {"static with min", [](Kernel& k) { k.axes[kK].extent.min = 1; },
           "axes[3] (k).extent.min is 1, want 0: the extent is static"},
          {"static with max", [](Kernel& k) { k.axes[kK].extent.max = 9; },
           "axes[3] (k).extent.max is 9, want 0: the extent is static"},
          {"negative hint", [](Kernel& k) { k.axes[kM].extent.value = -1; },
           "axes[1] (m).extent (symbol \"M\").hint is -1, want at least 1, or 0"},
          {"negative min", [](Kernel& k) { k.axes[kM].extent.min = -1; },
           "axes[1] (m).extent (symbol \"M\").min is -1, want at least 1, or 0"},
          {"negative max", [](Kernel& k) { k.axes[kM].extent.max = -1; },
           "axes[1] (m).extent (symbol \"M\").max is -1, want at least 1, or 0"},
          {"empty range", [](Kernel& k) { k.axes[kM].extent = Extent::Symbolic("M", 0, 9, 8); },
           ".min is 9, want at most the max, 8"},
          {"hint below", [](Kernel& k) { k.axes[kM].extent = Extent::Symbolic("M", 3, 4, 8); },
           ".hint is 3, want at least the min, 4"},
          {"hint above", [](Kernel& k) { k.axes[kM].extent = Extent::Symbolic("M", 9, 4, 8); },
           ".hint is 9, want at most the max, 8"},
          {"symbol in two minds",
           [](Kernel& k) { k.tensors[kOut].dims[1].size = Extent::Symbolic("M", 16, 1, 32); },
           "tensors[3] (out).dims[1].size (symbol \"M\") has hint 16, min 1 and max 32, want 16, 1 "
           "and 64 as where the symbol was first used"},
      });
}

TEST(ValidateTest, NamesWrongTensors) {
  ExpectErrors(
      RichKernel(),
      {
          {"dtype", [](Kernel& k) { k.tensors[kBias].dtype = static_cast<DType>(77); },
           "tensors[2] (bias).dtype is 77, want a dtype"},
          {"stride", [](Kernel& k) { k.tensors[kRhs].dims[1].stride = -2; },
           "tensors[1] (rhs).dims[1].stride is -2, want at least 0, or -1 for a stride known at "
           "run "
           "time"},
          {"alignment no power of two", [](Kernel& k) { k.tensors[kLhs].alignment_bytes = 48; },
           "tensors[0] (lhs).alignment_bytes is 48, want 0, or a power of two of at least the "
           "element's 2"},
          {"alignment too small", [](Kernel& k) { k.tensors[kBias].alignment_bytes = 2; },
           "tensors[2] (bias).alignment_bytes is 2, want 0, or a power of two of at least the "
           "element's 4"},
          {"alignment negative", [](Kernel& k) { k.tensors[kLhs].alignment_bytes = -16; },
           "tensors[0] (lhs).alignment_bytes is -16"},
          {"unused",
           [](Kernel& k) {
             k.tensors.push_back({.name = "spare", .dtype = DType::kF32, .dims = {}});
           },
           "tensors[4] (spare) is neither loaded nor stored; leave it out"},
          {"too many elements",
           [](Kernel& k) {
             k.tensors[kRhs].dims[1].size = Extent::Static(kHuge / 3);
             k.tensors[kRhs].dims[1].stride = 0;
           },
           "tensors[1] (rhs).dims: the number of elements overflows 64 bits"},
          {"too long a way", [](Kernel& k) { k.tensors[kRhs].dims[1].stride = kHuge / 4; },
           "tensors[1] (rhs).dims: size times stride overflows 64 bits"},
          {"too many bytes",
           [](Kernel& k) { k.tensors[kBias].dims[0].size = Extent::Static(kHuge / 2); },
           "tensors[2] (bias).dims: the size in bytes overflows 64 bits"},
          {"too many bytes together",
           [](Kernel& k) {
             k.tensors[kBias].dims[0].size = Extent::Static(kHuge / 5);
             k.tensors.push_back(k.tensors[kBias]);
             k.tensors.back().name = "another";
           },
           "tensors[4] (another): the bytes of all tensors overflow 64 bits"},
      });
}

TEST(ValidateTest, NamesWrongOperands) {
  ExpectErrors(
      RichKernel(),
      {
          {"kind", [](Kernel& k) { k.ops[kDot].kind = static_cast<OpKind>(0); },
           "ops[3] (dot3).kind is 0, want an op kind"},
          {"dtype", [](Kernel& k) { k.ops[kDot].dtype = static_cast<DType>(0); },
           "ops[3] (dot3).dtype is 0, want a dtype"},
          {"too many",
           [](Kernel& k) {
             k.ops[kRelu].operands = {kAdd, kMul};
           },
           "ops[8] (pointwise8).operands: there are 2, want 1"},
          {"too few", [](Kernel& k) { k.ops[kAdd].operands = {kMul}; },
           "ops[7] (pointwise7).operands: there are 1, want 2"},
          {"of a load", [](Kernel& k) { k.ops[kLoadRhs].operands = {kX}; },
           "ops[1] (load1).operands: there are 1, want 0"},
          {"later", [](Kernel& k) { k.ops[kRelu].operands = {kReduce}; },
           "ops[8] (pointwise8).operands[0] is 9, want an op before it, 0 to 7"},
          {"itself", [](Kernel& k) { k.ops[kRelu].operands = {kRelu}; },
           "ops[8] (pointwise8).operands[0] is 8, want an op before it, 0 to 7"},
          {"negative", [](Kernel& k) { k.ops[kRelu].operands = {-1}; },
           "ops[8] (pointwise8).operands[0] is -1, want an op before it"},
          {"of the first op",
           [](Kernel& k) {
             k.ops.insert(k.ops.begin(), k.ops[kRelu]);
             k.ops[0].name = "early";
             k.ops[0].operands = {0};
           },
           "ops[0] (early).operands[0] is 0, but no op stands before it"},
          {"a store",
           [](Kernel& k) {
             k.ops.push_back(k.ops[kCastRhs]);
             k.ops.back().name = "late";
             k.ops.back().operands = {kStore};
           },
           "ops[12] (late).operands[0] is ops[11] (store11), a store, want an op that yields a "
           "value"},
          {"unused value",
           [](Kernel& k) {
             k.ops.push_back(k.ops[kConstant]);
             k.ops.back().name = "spare";
           },
           "ops[12] (spare) yields a value that no op uses; leave it out"},
          {"no store",
           [](Kernel& k) {
             k.ops.pop_back();
             k.tensors.pop_back();
           },
           "ops hold no store, want at least one"},
          {"foreign tensor", [](Kernel& k) { k.ops[kDot].tensor = kLhs; },
           "ops[3] (dot3).tensor is set, want its default: the op is a dot"},
          {"foreign access", [](Kernel& k) { k.ops[kDot].access = {{}}; },
           "ops[3] (dot3).access is set"},
          {"foreign dot", [](Kernel& k) { k.ops[kX].dot.batch = {kBatch}; },
           "ops[0] (x).dot is set, want its default: the op is a load"},
          {"foreign reduce", [](Kernel& k) { k.ops[kDot].reduce = ReduceKind::kMin; },
           "ops[3] (dot3).reduce is set"},
          {"foreign reduce_axes", [](Kernel& k) { k.ops[kDot].reduce_axes = {kK}; },
           "ops[3] (dot3).reduce_axes is set"},
          {"foreign pointwise", [](Kernel& k) { k.ops[kDot].pointwise = PointwiseKind::kMul; },
           "ops[3] (dot3).pointwise is set"},
          {"foreign constant", [](Kernel& k) { k.ops[kDot].constant = 1; },
           "ops[3] (dot3).constant is set"},
      });
}

TEST(ValidateTest, NamesWrongAccesses) {
  ExpectErrors(
      RichKernel(),
      {
          {"no tensor", [](Kernel& k) { k.ops[kX].tensor = -1; },
           "ops[0] (x).tensor is -1, want a tensor, 0 to 3"},
          {"tensor past the end", [](Kernel& k) { k.ops[kX].tensor = 4; },
           "ops[0] (x).tensor is 4, want a tensor, 0 to 3"},
          {"dtype", [](Kernel& k) { k.ops[kX].dtype = DType::kF16; },
           "ops[0] (x).dtype is f16, want bf16, that of tensors[0] (lhs)"},
          {"rank", [](Kernel& k) { k.ops[kX].access.pop_back(); },
           "ops[0] (x).access has 2 dimensions, want 3, the rank of tensors[0] (lhs)"},
          {"no axis", [](Kernel& k) { k.ops[kX].access[1].terms[0].axis = 4; },
           "ops[0] (x).access[1].terms[0].axis is 4, want an axis, 0 to 3"},
          {"no coefficient", [](Kernel& k) { k.ops[kX].access[2].terms[0].coefficient = 0; },
           "ops[0] (x).access[2].terms[0].coefficient is 0, want another number"},
          {"axis twice",
           [](Kernel& k) {
             k.ops[kX].access[2].terms = {{kK, 1}, {kK, 1}};
           },
           "ops[0] (x).access[2].terms[1].axis is k, want one after k"},
          {"axes out of order",
           [](Kernel& k) {
             k.ops[kX].access[2].terms = {{kK, 1}, {kN, 1}};
           },
           "ops[0] (x).access[2].terms[1].axis is n, want one after k"},
          {"before the beginning", [](Kernel& k) { k.ops[kX].access[2].offset = -1; },
           "ops[0] (x).access[2] reaches element -1, want at least 0 in dimension 2 of tensors[0] "
           "(lhs)"},
          {"backwards past the beginning",
           [](Kernel& k) { k.ops[kX].access[2].terms[0].coefficient = -1; },
           "ops[0] (x).access[2] reaches element -4, want at least 0"},
          {"past the end", [](Kernel& k) { k.ops[kX].access[2].offset = 6; },
           "ops[0] (x).access[2] can pass the end of dimension 2 of tensors[0] (lhs) by 1, want it "
           "inside 20 elements"},
          {"past the end by symbol", [](Kernel& k) { k.ops[kX].access[1].offset = 1; },
           "ops[0] (x).access[1] can pass the end of dimension 1 of tensors[0] (lhs) by 1, want it "
           "inside \"M\" elements"},
          {"a symbol's maximum past a size",
           [](Kernel& k) { k.tensors[kLhs].dims[1].size = Extent::Static(60); },
           "ops[0] (x).access[1] can pass the end of dimension 1 of tensors[0] (lhs) by 4, want it "
           "inside 60 elements"},
          {"a symbol without maximum",
           [](Kernel& k) {
             k.axes[kM].extent = Extent::Symbolic("N", 16, 0, 0);
             k.tensors[kOut].dims[1].size = k.axes[kM].extent;
           },
           "ops[0] (x).access[1] can pass the end of dimension 1 of tensors[0] (lhs) by any "
           "number"},
          {"a symbol without maximum backwards",
           [](Kernel& k) {
             k.axes[kM].extent = Extent::Symbolic("N", 16, 0, 0);
             k.ops[kX].access[1] = {.terms = {{kM, -1}}, .offset = 15};
           },
           "ops[0] (x).access[1] reaches element minus any number"},
          {"overflow", [](Kernel& k) { k.ops[kX].access[2].terms[0].coefficient = kHuge; },
           "ops[0] (x).access[2] can pass the end"},
          {"overflow of the offset", [](Kernel& k) { k.ops[kX].access[2].offset = -kHuge - 1; },
           "ops[0] (x).access[2] reaches element -9223372036854775808"},
          {"overflow backwards",
           [](Kernel& k) { k.ops[kX].access[2].terms[0].coefficient = -kHuge - 1; },
           "ops[0] (x).access[2] overflows 64 bits"},
          {"spanned axes",
           [](Kernel& k) {
             k.ops[kX].axes = {kBatch, kK};
           },
           "ops[0] (x).axes is batch, k, want batch, m, k, the axes of its access"},
          {"store of another dtype",
           [](Kernel& k) {
             k.tensors[kOut].dtype = DType::kF16;
             k.ops[kStore].dtype = DType::kF16;
           },
           "ops[11] (store11).operands[0] is ops[10] (cast10) of dtype bf16, want f16, that of "
           "tensors[3] (out); add a cast"},
          {"store leaves out an axis",
           [](Kernel& k) {
             k.ops[kStore].access[0] = {};
             k.ops[kStore].axes = {kM};
           },
           "ops[11] (store11).access does not use axis \"batch\", which ops[10] (cast10) spans: "
           "its "
           "values would overwrite one another"},
          {"store to what repeats", [](Kernel& k) { k.tensors[kOut].dims[1].stride = 0; },
           "ops[11] (store11).tensor is tensors[3] (out), whose dims[1].stride is 0"},
      });
}

TEST(ValidateTest, NamesWrongDots) {
  ExpectErrors(
      RichKernel(),
      {
          {"no k", [](Kernel& k) { k.ops[kDot].dot.k = {}; },
           "ops[3] (dot3).dot.k is empty, want at least one axis"},
          {"no axis", [](Kernel& k) { k.ops[kDot].dot.n = {9}; },
           "ops[3] (dot3).dot.n[0] is 9, want an axis, 0 to 3"},
          {"axis twice", [](Kernel& k) { k.ops[kDot].dot.n = {kM}; },
           "ops[3] (dot3).dot.n[0] is axis \"m\", which stands in dot.m already; want each axis "
           "once"},
          {"k is parallel", [](Kernel& k) { k.axes[kK].kind = AxisKind::kParallel; },
           "ops[3] (dot3).dot.k[0] is axis \"k\" of kind parallel, want reduction"},
          {"k is batch", [](Kernel& k) { k.axes[kK].kind = AxisKind::kBatch; },
           "ops[3] (dot3).dot.k[0] is axis \"k\" of kind batch, want reduction"},
          {"m is batch", [](Kernel& k) { k.axes[kM].kind = AxisKind::kBatch; },
           "ops[3] (dot3).dot.m[0] is axis \"m\" of kind batch, want parallel"},
          {"batch is parallel", [](Kernel& k) { k.axes[kBatch].kind = AxisKind::kParallel; },
           "ops[3] (dot3).dot.batch[0] is axis \"batch\" of kind parallel, want batch"},
          {"m is nothing's reduction", [](Kernel& k) { k.axes[kM].kind = AxisKind::kReduction; },
           "axes[1] (m).kind is reduction, but no op reduces over it; want parallel or batch"},
          {"axis kind", [](Kernel& k) { k.axes[kM].kind = static_cast<AxisKind>(9); },
           "axes[1] (m).kind is 9, want parallel, reduction or batch"},
          {"lhs spans too much", [](Kernel& k) { k.ops[kDot].dot.batch = {}; },
           "ops[3] (dot3).operands[0] is ops[0] (x), which spans batch, m, k, want m, k, the axes "
           "of "
           "dot.batch, dot.m and dot.k"},
          {"rhs spans too much", [](Kernel& k) { k.ops[kDot].dot.n = {}; },
           "ops[3] (dot3).operands[1] is ops[2] (cast2), which spans batch, n, k, want batch, k"},
          {"result",
           [](Kernel& k) {
             k.ops[kDot].axes = {kBatch, kM};
           },
           "ops[3] (dot3).axes is batch, m, want batch, m, n, those of dot.batch, dot.m and dot.n"},
          {"accumulator too narrow",
           [](Kernel& k) {
             k.tensors[kLhs].dtype = k.ops[kX].dtype = k.ops[kCastRhs].dtype = DType::kF32;
             k.ops[kDot].dtype = DType::kF16;
           },
           "ops[3] (dot3).dtype (the accumulator) is f16 for operands f32 and f32, want f16, bf16, "
           "f32 or f64, no narrower than they are"},
          {"accumulator tf32", [](Kernel& k) { k.ops[kDot].dtype = DType::kTF32; },
           "(the accumulator) is tf32"},
          {"accumulator fp8", [](Kernel& k) { k.ops[kDot].dtype = DType::kF8E4M3; },
           "(the accumulator) is f8e4m3"},
          {"accumulator integer", [](Kernel& k) { k.ops[kDot].dtype = DType::kI32; },
           "(the accumulator) is i32 for operands bf16 and bf16"},
          {"accumulator of integers",
           [](Kernel& k) {
             k.tensors[kLhs].dtype = k.ops[kX].dtype = k.ops[kCastRhs].dtype = DType::kI8;
           },
           "(the accumulator) is f32 for operands i8 and i8, want i32"},
          {"float times integer", [](Kernel& k) { k.ops[kCastRhs].dtype = DType::kI8; },
           "ops[3] (dot3).operands are bf16 and i8, want both float or both integer; add a cast"},
      });
}

TEST(ValidateTest, NamesWrongReductionsAndPointwise) {
  ExpectErrors(
      RichKernel(),
      {
          {"reduce kind", [](Kernel& k) { k.ops[kReduce].reduce = static_cast<ReduceKind>(0); },
           "ops[9] (reduce9).reduce is 0, want sum, max or min"},
          {"nothing reduced", [](Kernel& k) { k.ops[kReduce].reduce_axes = {}; },
           "ops[9] (reduce9).reduce_axes is empty, want at least one axis"},
          {"no axis", [](Kernel& k) { k.ops[kReduce].reduce_axes = {-1}; },
           "ops[9] (reduce9).reduce_axes[0] is -1, want an axis, 0 to 3"},
          {"twice",
           [](Kernel& k) {
             k.ops[kReduce].reduce_axes = {kN, kN};
           },
           "ops[9] (reduce9).reduce_axes[1] is n, want one after n"},
          {"not spanned", [](Kernel& k) { k.ops[kReduce].reduce_axes = {kK}; },
           "ops[9] (reduce9).reduce_axes[0] is axis \"k\", want one that ops[8] (pointwise8) "
           "spans: "
           "batch, m, n"},
          {"not a reduction", [](Kernel& k) { k.ops[kReduce].reduce_axes = {kM}; },
           "ops[9] (reduce9).reduce_axes[0] is axis \"m\" of kind parallel, want reduction"},
          {"reduce dtype", [](Kernel& k) { k.ops[kReduce].dtype = DType::kBF16; },
           "ops[9] (reduce9).dtype is bf16, want f32, that of its operand ops[8] (pointwise8)"},
          {"reduce axes",
           [](Kernel& k) {
             k.ops[kReduce].axes = {kBatch, kM, kN};
           },
           "ops[9] (reduce9).axes is batch, m, n, want batch, m, its operand's without "
           "reduce_axes"},
          {"pointwise kind",
           [](Kernel& k) { k.ops[kRelu].pointwise = static_cast<PointwiseKind>(99); },
           "ops[8] (pointwise8).pointwise is 99, want a pointwise kind"},
          {"pointwise dtypes",
           [](Kernel& k) { k.tensors[kBias].dtype = k.ops[kLoadBias].dtype = DType::kF64; },
           "ops[7] (pointwise7).operands[1] is ops[6] (load6) of dtype f64, want f32, that of "
           "operands[0]; add a cast"},
          {"pointwise result", [](Kernel& k) { k.ops[kRelu].dtype = DType::kF16; },
           "ops[8] (pointwise8).dtype is f16, want f32"},
          {"pointwise axes", [](Kernel& k) { k.ops[kAdd].axes = {kN}; },
           "ops[7] (pointwise7).axes is n, want batch, m, n, those of its operands"},
          {"cast axes", [](Kernel& k) { k.ops[kCastOut].axes = {}; },
           "ops[10] (cast10).axes is no axis, want batch, m, its operand's"},
          {"constant axes", [](Kernel& k) { k.ops[kConstant].axes = {kM}; },
           "ops[4] (constant4).axes is m, want no axis, a constant spans none"},
          {"constant not a number",
           [](Kernel& k) { k.ops[kConstant].constant = std::numeric_limits<double>::quiet_NaN(); },
           "ops[4] (constant4).constant is not a number"},
          {"constant no integer",
           [](Kernel& k) {
             k.ops[kConstant].dtype = DType::kI8;
             k.ops[kConstant].constant = 1.5;
           },
           "ops[4] (constant4).constant is 1.5, want an integer that fits i8"},
          {"constant too large",
           [](Kernel& k) {
             k.ops[kConstant].dtype = DType::kI8;
             k.ops[kConstant].constant = 128;
           },
           "ops[4] (constant4).constant is 128, want an integer that fits i8"},
          {"unused axis",
           [](Kernel& k) {
             k.axes.push_back(
                 {.name = "z", .kind = AxisKind::kParallel, .extent = Extent::Static(2)});
           },
           "axes[4] (z) is used by no op; leave it out"},
      });
}

TEST(ValidateTest, WantsFloatsForTranscendentalOps) {
  MatmulSpec spec = {.name = "i8",
                     .m = Extent::Static(4),
                     .n = Extent::Static(4),
                     .k = Extent::Static(4),
                     .lhs = DType::kI8,
                     .rhs = DType::kI8,
                     .out = DType::kI32,
                     .accumulator = DType::kI32,
                     .activation = Activation::kRelu};
  EXPECT_THAT(BuildMatmul(spec), IsOk());
  spec.activation = Activation::kGelu;
  EXPECT_THAT(BuildMatmul(spec), StatusIs(absl::StatusCode::kInvalidArgument,
                                          HasSubstr("dtype is i32, want a float dtype for gelu")));
}

TEST(ValidateTest, NamesOverflowingWork) {
  // Each matrix fits; the product of all three extents does not.
  const int64_t side = int64_t{1} << 21;
  const MatmulSpec spec = {.name = "cube",
                           .m = Extent::Static(side),
                           .n = Extent::Static(side),
                           .k = Extent::Static(side)};
  EXPECT_THAT(BuildMatmul(spec),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("ops[2] (dot2): the number of its flops overflows 64 bits")));

  // The same by a symbol's largest value.
  MatmulSpec symbolic = spec;
  symbolic.m = Extent::Symbolic("M", 16, 1, side);
  EXPECT_THAT(BuildMatmul(symbolic),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("flops overflows 64 bits")));
  symbolic.m.max = 1024;
  EXPECT_THAT(BuildMatmul(symbolic), IsOk());
}

TEST(ValidateTest, NamesOverflowingSumOfWork) {
  const int64_t side = int64_t{1} << 20;
  ASSERT_OK_AND_ASSIGN(Kernel kernel, BuildMatmul({.name = "half",
                                                   .m = Extent::Static(side),
                                                   .n = Extent::Static(side),
                                                   .k = Extent::Static(side)}));
  // 2^61 flops each: four of them reach 2^63.
  for (int i = 0; i < 3; ++i) {
    Op dot = kernel.ops[2];
    dot.name = absl::StrCat("more", i);
    Op store = kernel.ops[3];
    store.name = absl::StrCat("store more", i);
    store.operands = {static_cast<ValueId>(kernel.ops.size())};
    kernel.ops.push_back(dot);
    kernel.ops.push_back(store);
  }
  EXPECT_THAT(ValidateKernel(kernel), StatusIs(absl::StatusCode::kInvalidArgument,
                                               HasSubstr("the flops of all ops overflow 64 bits")));
}

TEST(ValidateTest, AcceptsSymbolsThatCancelOrFit) {
  // A symbolic axis inside a tensor that is as long as the symbol can be.
  Kernel kernel = RichKernel();
  kernel.tensors[kLhs].dims[1].size = Extent::Static(64);
  EXPECT_THAT(ValidateKernel(kernel), IsOk());
  // An axis of fixed extent inside a symbolic size of a minimum that large.
  kernel = RichKernel();
  kernel.tensors[kBias].dims[0].size = Extent::Symbolic("N", 64, 32, 0);
  EXPECT_THAT(ValidateKernel(kernel), IsOk());
  kernel.tensors[kBias].dims[0].size.min = 31;
  EXPECT_THAT(ValidateKernel(kernel),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("can pass the end")));
}

TEST(ValidateTest, AcceptsBackwardsWalks) {
  Kernel kernel = RichKernel();
  kernel.ops[kX].access[2] = {.terms = {{kK, -2}}, .offset = 14};
  EXPECT_THAT(ValidateKernel(kernel), IsOk());
  kernel.ops[kX].access[2].offset = 13;
  EXPECT_THAT(ValidateKernel(kernel),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("reaches element -1")));
}

TEST(ValidateTest, AcceptsAnAxisBothReducedAndStoredOver) {
  // out[m, n] = x[m, n] / sum over n of x[m, n]
  KernelBuilder b("normalize");
  const Extent extent = Extent::Static(8);
  const AxisId m = b.AddAxis("m", AxisKind::kParallel, extent);
  const AxisId n = b.AddAxis("n", AxisKind::kReduction, extent);
  const ValueId x = b.Load(b.AddTensor("x", DType::kF32, {extent, extent}), {m, n});
  const ValueId sum = b.Reduce(ReduceKind::kSum, x, {n});
  b.Store(b.AddTensor("out", DType::kF32, {extent, extent}), {m, n},
          b.Pointwise(PointwiseKind::kDiv, {x, sum}));
  EXPECT_THAT(std::move(b).Build(), IsOk());
}

// How to corrupt a field, by its name; every value has to be wrong wherever the field stands.
struct Corruptions {
  std::map<std::string, std::vector<int64_t>> numbers = {
      {"stride", {-2, -kHuge - 1}},
      {"alignment_bytes", {-1, 3}},
      {"min", {-1, kHuge}},
      {"max", {-1}},
      {"coefficient", {0, kHuge, -kHuge - 1}},
      {"offset", {-1000, 1000, kHuge, -kHuge - 1}},
      {"value", {-1, -kHuge - 1}},
  };
  std::map<std::string, std::vector<int>> enums_and_ids = {
      {"kind", {0, 99, -1}},        {"dtype", {0, 99, -1}}, {"axis", {-1, 4, 1 << 30}},
      {"tensor", {-2, 4, 1 << 30}}, {"reduce", {0, 99}},    {"pointwise", {0, 99}},
  };
  std::map<std::string, std::vector<std::vector<int>>> id_lists = {
      {"operands", {{-1}, {0, 0, 0}, {1 << 30}}},
      {"axes", {{-1}, {0, 0}, {1 << 30}, {3, 2, 1, 0}}},
      {"batch", {{-1}, {0, 0}, {1 << 30}, {1}, {3}}},
      {"m", {{-1}, {1, 1}, {1 << 30}, {0}}},
      {"n", {{-1}, {2, 2}, {1 << 30}, {0}}},
      {"k", {{-1}, {3, 3}, {1 << 30}, {0}, {1}}},
      {"reduce_axes", {{-1}, {2, 2}, {1 << 30}, {0}}},
  };
};

TEST(ValidateTest, RejectsEachFieldCorrupted) {
  const Corruptions corruptions;
  int checked = 0;

  // Counts the fields, then corrupts one after the other in a fresh kernel.
  int fields = 0;
  Kernel kernel = RichKernel();
  VisitKernelFields(kernel, [&](const std::string&, const char*, auto&) { ++fields; });
  ASSERT_GT(fields, 100);

  for (int target = 0; target < fields; ++target) {
    for (int variant = 0; variant < 8; ++variant) {
      Kernel wrong = RichKernel();
      std::string where;
      std::string field;
      bool corrupted = false;
      int at = 0;
      VisitKernelFields(wrong, [&](const std::string& place, const std::string& name, auto& value) {
        if (at++ != target) return;
        where = place;
        field = name;
        using T = std::decay_t<decltype(value)>;
        const auto take = [&](const auto& table) {
          const auto it = table.find(name);
          ASSERT_TRUE(it != table.end()) << "say how to corrupt " << place << "." << name;
          if (variant < std::ssize(it->second)) {
            value = static_cast<T>(it->second[variant]);
            corrupted = true;
          }
        };
        if constexpr (std::is_same_v<T, std::string>) {
          // An extent without a symbol is a static one, and fits no less.
          if (variant == 0 && name != "symbol") {
            value.clear();
            corrupted = true;
          } else if (variant == 1 && name == "symbol") {
            value = "no identifier";
            corrupted = true;
          }
        } else if constexpr (std::is_same_v<T, double>) {
          if (variant == 0) value = std::numeric_limits<double>::quiet_NaN();
          corrupted = variant == 0;
        } else if constexpr (std::is_same_v<T, int64_t>) {
          take(corruptions.numbers);
        } else if constexpr (std::is_same_v<T, bool>) {
          EXPECT_EQ(name, "tunable") << "say how to corrupt it";  // either value is right
        } else if constexpr (std::is_same_v<T, std::vector<int>>) {
          take(corruptions.id_lists);
        } else if constexpr (std::is_enum_v<T> || std::is_same_v<T, int>) {
          take(corruptions.enums_and_ids);
        } else {
          // Lists of structs: one element too few, and one too many.
          if (variant == 0 && !value.empty()) {
            value.pop_back();
            corrupted = true;
          } else if (variant == 1) {
            value.push_back({});
            corrupted = true;
          }
        }
      });
      if (!corrupted) continue;
      ++checked;
      SCOPED_TRACE(absl::StrCat(where, ".", field, " variant ", variant));
      const absl::Status status = ValidateKernel(wrong);
      // The op, tensor or axis at fault is named by its number and the field by its name, or the op
      // is that uses it.
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                                   AnyOf(HasSubstr(field), HasSubstr("ops["), HasSubstr("axes["),
                                         HasSubstr("tensors["))));
    }
  }
  EXPECT_GT(checked, fields);
}

}  // namespace
}  // namespace seedtune

#include "ir/bind.h"

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "ir/test_kernels.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

Kernel FromShortForm(const std::string& text) {
  const auto spec = ParseMatmulShortForm(text);
  EXPECT_THAT(spec, IsOk());
  auto kernel = BuildMatmul(*spec);
  EXPECT_THAT(kernel, IsOk());
  kernel->name = "bound";
  return *kernel;
}

TEST(BindTest, GivesWhatTheStaticShapeGives) {
  const Kernel symbolic = FromShortForm("matmul:M=16[1,64]x32x64:f32:batch=3:tt:bias:residual");
  EXPECT_THAT(BindSymbols(symbolic, {{"M", 48}}),
              IsOkAndHolds(FromShortForm("matmul:48x32x64:f32:batch=3:tt:bias:residual")));
  // Its hint, where nothing is given.
  EXPECT_THAT(BindSymbols(symbolic, {}),
              IsOkAndHolds(FromShortForm("matmul:16x32x64:f32:batch=3:tt:bias:residual")));
}

TEST(BindTest, BindsSeveralSymbols) {
  const Kernel symbolic = FromShortForm("matmul:M=16xN=?[8,?]xK=64:f32:nt");
  EXPECT_THAT(BindSymbols(symbolic, {{"N", 24}, {"K", 128}}),
              IsOkAndHolds(FromShortForm("matmul:16x24x128:f32:nt")));
}

TEST(BindTest, LeavesStaticKernelsAlone) {
  const Kernel kernel = FromShortForm("matmul:48x32x64:f32");
  EXPECT_THAT(BindSymbols(kernel, {}), IsOkAndHolds(kernel));
}

TEST(BindTest, LeavesStridesThatAreDynamicThemselves) {
  // rhs of this kernel has a dynamic stride outside static sizes.
  ASSERT_OK_AND_ASSIGN(const Kernel bound, BindSymbols(RichKernel(), {{"M", 5}}));
  EXPECT_EQ(bound.tensors[1].dims[0].stride, TensorDim::kDynamicStride);
  // lhs and out had strides that were dynamic for the symbol's sake: 3 x M x 20 and 3 x M.
  EXPECT_EQ(bound.tensors[0].dims[0].stride, 100);
  EXPECT_EQ(bound.tensors[3].dims[0].stride, 5);
}

TEST(BindTest, RejectsWhatDoesNotFit) {
  const Kernel symbolic = FromShortForm("matmul:M=16[4,64]xN=?x64:f32");
  const struct {
    const char* name;
    std::map<std::string, int64_t> values;
    const char* error;
  } kCases[] = {
      {"below", {{"M", 3}, {"N", 1}}, "kernel \"bound\": symbol \"M\" is 3, want 4 to 64"},
      {"above", {{"M", 65}, {"N", 1}}, "symbol \"M\" is 65, want 4 to 64"},
      {"zero", {{"N", 0}}, "symbol \"N\" is 0, want at least 1"},
      {"negative", {{"N", -5}}, "symbol \"N\" is -5, want at least 1"},
      {"no hint", {}, "symbol \"N\" has no value and no hint, want one of them"},
      {"unknown", {{"N", 1}, {"m", 8}}, "no symbol named \"m\", did you mean \"M\"; known: M, N"},
      {"too large", {{"N", int64_t{1} << 58}}, "overflow"},
      {"far too large", {{"N", INT64_MAX}}, "overflow"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(BindSymbols(symbolic, c.values),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  EXPECT_THAT(BindSymbols(FromShortForm("matmul:4x4x4:f32"), {{"M", 4}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("no symbol named \"M\"; its shape is static")));
}

TEST(BindTest, RejectsStridesThatOverflow) {
  // The size along dimension 1 is small, but the stride there is not.
  Kernel kernel = RichKernel();
  kernel.tensors[0].dims[1].stride = int64_t{1} << 57;
  kernel.tensors[0].dims[0].stride = TensorDim::kDynamicStride;
  EXPECT_THAT(BindSymbols(kernel, {{"M", 64}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("tensor \"lhs\".dims[0].stride overflows 64 bits")));
}

}  // namespace
}  // namespace seedtune

#include "ir/dtype.h"

#include <set>
#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DTypeTest, NamesReadBack) {
  std::set<std::string> names;
  for (const DType dtype : AllDTypes()) {
    const std::string name(DTypeName(dtype));
    EXPECT_THAT(ParseDType(name), IsOkAndHolds(dtype));
    EXPECT_TRUE(names.insert(name).second) << name << " twice";
  }
}

TEST(DTypeTest, NumbersAreThoseOfFiles) {
  // From 1 on without a gap, in the order of AllDTypes().
  int number = 0;
  for (const DType dtype : AllDTypes()) EXPECT_EQ(static_cast<int>(dtype), ++number);
  EXPECT_EQ(number, 9);
}

TEST(DTypeTest, SuggestsTheNearestName) {
  EXPECT_THAT(
      ParseDType("bf61"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("no dtype named \"bf61\", did you mean \"bf16\"; known: f64, "
                               "f32, tf32, bf16, f16, f8e4m3, f8e5m2, i8, i32"))));
  for (const char* wrong : {"", "F32", "float", "f32 ", "complex64"}) {
    EXPECT_THAT(ParseDType(wrong),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("; known: f64, f32")))
        << wrong;
  }
}

TEST(DTypeTest, KnowsSizesAndFamilies) {
  EXPECT_EQ(DTypeBytes(DType::kF64), 8);
  EXPECT_EQ(DTypeBytes(DType::kF32), 4);
  EXPECT_EQ(DTypeBytes(DType::kTF32), 4);
  EXPECT_EQ(DTypeBytes(DType::kBF16), 2);
  EXPECT_EQ(DTypeBytes(DType::kF16), 2);
  EXPECT_EQ(DTypeBytes(DType::kI8), 1);
  EXPECT_EQ(DTypeBytes(DType::kI32), 4);
  for (const DType dtype : AllDTypes()) {
    if (IsFp8(dtype)) {
      EXPECT_TRUE(IsFloat(dtype));
      EXPECT_EQ(DTypeBytes(dtype), 1);
    }
  }
  EXPECT_TRUE(IsFp8(DType::kF8E4M3));
  EXPECT_TRUE(IsFp8(DType::kF8E5M2));
  EXPECT_FALSE(IsFloat(DType::kI8));
  EXPECT_FALSE(IsFloat(DType::kI32));
}

TEST(DTypeTest, AccumulatorsAreNoNarrowerThanOperands) {
  for (const DType dtype : AllDTypes()) {
    EXPECT_GE(DTypeBytes(DefaultAccumulator(dtype)), DTypeBytes(dtype)) << DTypeName(dtype);
    EXPECT_EQ(IsFloat(DefaultAccumulator(dtype)), IsFloat(dtype)) << DTypeName(dtype);
  }
  EXPECT_EQ(DefaultAccumulator(DType::kBF16), DType::kF32);
  EXPECT_EQ(DefaultAccumulator(DType::kF64), DType::kF64);
  EXPECT_EQ(DefaultAccumulator(DType::kI8), DType::kI32);
}

TEST(DTypeTest, InvalidNumbersHaveNoSize) {
  EXPECT_EQ(DTypeBytes(static_cast<DType>(0)), 0);
  EXPECT_EQ(DTypeBytes(static_cast<DType>(99)), 0);
}

}  // namespace
}  // namespace seedtune

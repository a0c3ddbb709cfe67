#include "util/integer_math.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(IntegerMathTest, RoundsAsItsNamesSay) {
  EXPECT_EQ(CeilDiv(0, 4), 0);
  EXPECT_EQ(CeilDiv(7, 4), 2);
  EXPECT_EQ(CeilDiv(8, 4), 2);
  EXPECT_EQ(CeilDiv(INT64_MAX, 2), int64_t{1} << 62);
  EXPECT_EQ(RoundUp(0, 16), 0);
  EXPECT_EQ(RoundUp(16, 16), 16);
  EXPECT_EQ(RoundUp(17, 16), 32);
}

TEST(IntegerMathTest, FindsPowersOfTwo) {
  EXPECT_EQ(NextPowerOfTwo(1), 1);
  EXPECT_EQ(NextPowerOfTwo(64), 64);
  EXPECT_EQ(NextPowerOfTwo(65), 128);
  EXPECT_EQ(PowerOfTwoAtMost(1), 1);
  EXPECT_EQ(PowerOfTwoAtMost(31), 16);
  EXPECT_EQ(PowerOfTwoAtMost(32), 32);
  EXPECT_EQ(PowerOfTwoAtMost(INT64_MAX), int64_t{1} << 62);
}

}  // namespace
}  // namespace seedtune

#include "util/format.h"

#include <limits>

#include "absl/numeric/int128.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(FormatNsTest, PicksTheUnit) {
  EXPECT_EQ(FormatNs(853), "853 ns");
  EXPECT_EQ(FormatNs(41'230), "41.2 us");
  EXPECT_EQ(FormatNs(1.9e6), "1.9 ms");
  EXPECT_EQ(FormatNs(12.34e9), "12.3 s");
}

TEST(FormatSecondsTest, RoundsUpToTheTwoLargestParts) {
  EXPECT_EQ(FormatSeconds(0), "0 s");
  EXPECT_EQ(FormatSeconds(41.2), "42 s");
  EXPECT_EQ(FormatSeconds(59.5), "1 min 0 s");
  EXPECT_EQ(FormatSeconds(3599), "59 min 59 s");
  EXPECT_EQ(FormatSeconds(3601), "1 h 1 min");
  EXPECT_EQ(FormatSeconds(100'000), "1 d 4 h");
  EXPECT_EQ(FormatSeconds(1e300), "for ever");
  EXPECT_EQ(FormatSeconds(std::numeric_limits<double>::quiet_NaN()), "for ever");
}

TEST(FormatNsTest, UnknownIsADash) {
  EXPECT_EQ(FormatNs(0), "-");
  EXPECT_EQ(FormatNs(std::numeric_limits<double>::infinity()), "-");
  EXPECT_EQ(FormatNs(std::numeric_limits<double>::quiet_NaN()), "-");
}

TEST(FormatSpeedupTest, DividesBeforeByAfter) {
  EXPECT_EQ(FormatSpeedup(300, 200), "1.50x");
  EXPECT_EQ(FormatSpeedup(0, 200), "-");
}

TEST(FormatGflopsTest, CountsPerNanosecond) {
  EXPECT_EQ(FormatGflops(2'000'000'000, 1e7), "200.0");
  EXPECT_EQ(FormatGflops(0, 1e7), "-");
}

TEST(FormatCountTest, GroupsThousands) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1'234'567), "1,234,567");
  EXPECT_EQ(FormatCount(absl::Uint128Max()), "340,282,366,920,938,463,463,374,607,431,768,211,455");
}

}  // namespace
}  // namespace seedtune

#include "autotuner/clock.h"

#include <cstdint>
#include <ctime>

#include "autotuner/virtual_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Ge;
using ::testing::Le;

TEST(SystemClockTest, RunsForwards) {
  Clock& clock = SystemClock();
  int64_t last = clock.NowNs();
  for (int i = 0; i < 1000; ++i) {
    const int64_t now = clock.NowNs();
    ASSERT_THAT(now, Ge(last));
    last = now;
  }
  EXPECT_EQ(&SystemClock(), &clock);
}

TEST(SystemClockTest, KnowsWhatTimeItIs) {
  const int64_t before = static_cast<int64_t>(std::time(nullptr));
  const int64_t micros = SystemClock().UnixMicros();
  const int64_t after = static_cast<int64_t>(std::time(nullptr));
  EXPECT_THAT(micros / 1'000'000, AllOf(Ge(before), Le(after + 1)));
}

TEST(VirtualClockTest, StandsStillUntilItIsMoved) {
  VirtualClock clock;
  EXPECT_EQ(clock.NowNs(), 0);
  EXPECT_EQ(clock.NowNs(), 0);
  clock.AdvanceNs(2'000);
  clock.AdvanceToNs(5'000);
  clock.AdvanceToNs(1'000);
  EXPECT_EQ(clock.NowNs(), 5'000);
  EXPECT_EQ(clock.UnixMicros(), 5);
}

}  // namespace
}  // namespace seedtune

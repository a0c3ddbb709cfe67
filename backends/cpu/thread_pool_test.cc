#include "backends/cpu/thread_pool.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

TEST(ThreadPoolTest, RunsEachTaskOnceOnAThreadOfItsOwn) {
  for (const int threads : {1, 2, 5}) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ThreadPool> pool, ThreadPool::Create(threads));
    EXPECT_EQ(pool->threads(), threads);
    for (int count = 1; count <= threads; ++count) {
      std::vector<int> calls(count);
      std::vector<std::thread::id> ids(count);
      pool->Run(count, [&](int i) {
        ++calls[i];
        ids[i] = std::this_thread::get_id();
      });
      EXPECT_THAT(calls, Each(1));
      EXPECT_EQ(std::set<std::thread::id>(ids.begin(), ids.end()).size(),
                static_cast<size_t>(count));
      EXPECT_EQ(ids[0], std::this_thread::get_id());
    }
  }
}

TEST(ThreadPoolTest, ManyRunsInARowLoseNothing) {
  constexpr int kRuns = 3000;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ThreadPool> pool, ThreadPool::Create(3));
  // Plain ints, moved to the next thread by each run: runs must not overlap, and must see each
  // other.
  std::vector<int> values(3);
  std::vector<int> last(3);
  for (int run = 0; run < kRuns; ++run) {
    pool->Run(3, [&](int i) { values[i] = last[(i + 1) % 3] + 1; });
    pool->Run(3, [&](int i) { last[i] = values[i]; });
    pool->Run(run % 3 + 1, [&](int i) { values[i] = -1; });
  }
  EXPECT_THAT(last, Each(kRuns));
}

TEST(ThreadPoolTest, TasksMayWaitForEachOther) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ThreadPool> pool, ThreadPool::Create(4));
  std::atomic<int> arrived = 0;
  pool->Run(4, [&](int) {
    ++arrived;
    while (arrived < 4) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 4);
}

TEST(ThreadPoolTest, WakesWorkersThatSleep) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ThreadPool> pool, ThreadPool::Create(2));
  for (int run = 0; run < 3; ++run) {
    // Far longer than workers spin; and the caller sleeps for a slow worker in its turn.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    int done = 0;
    pool->Run(2, [&](int i) {
      if (i == 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      done = 1;
    });
    EXPECT_EQ(done, 1);
  }
}

TEST(ThreadPoolTest, DestroyedWithoutARun) { EXPECT_THAT(ThreadPool::Create(3), IsOk()); }

TEST(ThreadPoolTest, WantsAtLeastOneThread) {
  EXPECT_THAT(ThreadPool::Create(0), StatusIs(absl::StatusCode::kInvalidArgument,
                                              HasSubstr("threads is 0, want at least 1")));
}

}  // namespace
}  // namespace seedtune

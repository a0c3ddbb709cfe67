#include "autotuner/search/index_shuffle.h"

#include <cstdint>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::Gt;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::UnorderedElementsAreArray;

std::vector<absl::uint128> Draw(IndexShuffle& shuffle, std::mt19937_64& random) {
  std::vector<absl::uint128> drawn;
  while (const std::optional<absl::uint128> next = shuffle.Next(random)) drawn.push_back(*next);
  return drawn;
}

TEST(IndexShuffleTest, GivesEachNumberOnce) {
  std::mt19937_64 random(1);
  for (const int size : {0, 1, 2, 3, 10, 1000}) {
    SCOPED_TRACE(size);
    std::vector<absl::uint128> want(size);
    std::iota(want.begin(), want.end(), 0);
    IndexShuffle shuffle(size);
    EXPECT_THAT(Draw(shuffle, random), UnorderedElementsAreArray(want));
    EXPECT_THAT(Draw(shuffle, random), IsEmpty());
  }
}

TEST(IndexShuffleTest, EveryOrderIsEquallyLikely) {
  constexpr int kRuns = 24'000;
  std::mt19937_64 random(2);
  std::map<std::vector<absl::uint128>, int> count;
  for (int run = 0; run < kRuns; ++run) {
    IndexShuffle shuffle(4);
    ++count[Draw(shuffle, random)];
  }
  ASSERT_EQ(count.size(), 24u);
  // Pearson's chi-squared with 23 degrees of freedom: above 49.7 in one run of a thousand.
  double chi_squared = 0;
  for (const auto& [order, times] : count) {
    chi_squared += (times - kRuns / 24.0) * (times - kRuns / 24.0) / (kRuns / 24.0);
  }
  EXPECT_THAT(chi_squared, Lt(49.7));
}

TEST(IndexShuffleTest, DrawsFromNumbersThatNoListCouldHold) {
  const absl::uint128 size = absl::Uint128Max() - 7;
  std::mt19937_64 random(3);
  IndexShuffle shuffle(size);
  absl::flat_hash_set<absl::uint128> seen;
  absl::uint128 largest = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::optional<absl::uint128> next = shuffle.Next(random);
    ASSERT_TRUE(next.has_value());
    EXPECT_THAT(*next, Lt(size));
    EXPECT_TRUE(seen.insert(*next).second);
    largest = std::max(largest, *next);
  }
  EXPECT_THAT(largest, Gt(size / 10 * 9)) << "the upper tenth is never drawn";
}

TEST(UniformBelowTest, CoversTheRangeAndStaysBelow) {
  std::mt19937_64 random(4);
  for (const absl::uint128 bound :
       {absl::uint128(1), absl::uint128(2), absl::uint128(3), absl::uint128(uint64_t{1} << 63),
        absl::uint128(~uint64_t{0}), absl::uint128(1) << 64, (absl::uint128(1) << 64) + 1,
        absl::Uint128Max()}) {
    absl::uint128 least = bound;
    absl::uint128 most = 0;
    for (int i = 0; i < 200; ++i) {
      const absl::uint128 value = UniformBelow(bound, random);
      ASSERT_THAT(value, Lt(bound));
      least = std::min(least, value);
      most = std::max(most, value);
    }
    EXPECT_TRUE(least <= bound / 10);
    EXPECT_TRUE(most >= bound - 1 - bound / 10);
  }
}

}  // namespace
}  // namespace seedtune

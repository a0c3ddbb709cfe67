#include "autotuner/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <random>
#include <vector>

#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::DoubleEq;
using ::testing::DoubleNear;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Optional;

std::vector<double> UpTo(int n) {
  std::vector<double> values(n);
  std::iota(values.begin(), values.end(), 1.0);
  return values;
}

TEST(MedianTest, IsTheMiddleOneOrTheMeanOfTheMiddleTwo) {
  EXPECT_EQ(Median(std::vector<double>{7}), 7);
  EXPECT_EQ(Median(std::vector<double>{9, 1, 5}), 5);
  EXPECT_EQ(Median(std::vector<double>{9, 1, 5, 6}), 5.5);
  EXPECT_EQ(Median(std::vector<double>{3, 3, 3, 1e9}), 3);
}

TEST(MedianTest, IsWhatAnOutcomeIsRankedBy) {
  std::mt19937_64 random(1);
  for (int n = 1; n <= 20; ++n) {
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    for (int i = 0; i < n; ++i)
      outcome.samples_ns.push_back(1.0 + static_cast<double>(random() % 100));
    EXPECT_THAT(Median(outcome.samples_ns), DoubleEq(outcome.objective_ns()));
  }
}

TEST(QuantileTest, GoesFromTheLeastToTheMostInProportion) {
  const std::vector<double> values = {40, 10, 30, 20, 50};
  EXPECT_EQ(Quantile(values, 0), 10);
  EXPECT_EQ(Quantile(values, 0.25), 20);
  EXPECT_THAT(Quantile(values, 0.6), DoubleNear(34, 1e-12));
  EXPECT_EQ(Quantile(values, 1), 50);
}

TEST(MedianIntervalTest, GivesTheTabulatedOrderStatistics) {
  // Le Boudec's table A.1, for 95%.
  const struct {
    int n;
    double low, high;
  } kTable[] = {{6, 1, 6},   {7, 1, 7},   {8, 1, 8},    {9, 2, 8},    {10, 2, 9},
                {15, 4, 12}, {20, 6, 15}, {30, 10, 21}, {50, 18, 33}, {70, 27, 44}};
  for (const auto& row : kTable) {
    SCOPED_TRACE(row.n);
    EXPECT_THAT(MedianInterval(UpTo(row.n)), Optional(Interval{row.low, row.high}));
  }
}

TEST(MedianIntervalTest, SaysWhenThereAreTooFewValues) {
  EXPECT_EQ(MedianInterval(UpTo(5)), std::nullopt);
  EXPECT_EQ(MedianInterval(UpTo(1), 0.5), std::nullopt);
  EXPECT_EQ(MedianInterval({}), std::nullopt);
  EXPECT_THAT(MedianInterval(UpTo(2), 0.5), Optional(Interval{1, 2}));
}

TEST(MedianIntervalTest, EnclosesTheMedianOfASkewedDistributionAsOftenAsItSays) {
  std::mt19937_64 random(2);
  int inside = 0;
  constexpr int kRuns = 4000;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> values;
    for (int i = 0; i < 25; ++i) {  // exponential: its median is ln 2
      values.push_back(-std::log((static_cast<double>(random() >> 11) + 1) * 0x1p-53));
    }
    const Interval interval = *MedianInterval(values);
    inside += interval.low <= std::log(2.0) && std::log(2.0) <= interval.high;
  }
  EXPECT_THAT(inside, Ge(0.95 * kRuns));
}

// Tries all ways to give out the signs.
double BruteForcePValue(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> size;
  std::vector<bool> is_slower;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    size.push_back(std::abs(std::log(a[i] / b[i])));
    is_slower.push_back(a[i] > b[i]);
  }
  std::vector<double> rank(size.size());
  for (size_t i = 0; i < size.size(); ++i) {
    for (size_t j = 0; j < size.size(); ++j) {
      rank[i] += size[j] < size[i] ? 1 : size[j] == size[i] ? 0.5 : 0;
    }
    rank[i] += 0.5;
  }
  double seen = 0;
  for (size_t i = 0; i < size.size(); ++i) seen += is_slower[i] ? rank[i] : 0;
  int as_small = 0;
  for (uint32_t signs = 0; signs < (1u << size.size()); ++signs) {
    double sum = 0;
    for (size_t i = 0; i < size.size(); ++i) sum += (signs >> i & 1) ? rank[i] : 0;
    as_small += sum <= seen;
  }
  return as_small / std::pow(2.0, static_cast<double>(size.size()));
}

TEST(SignedRankTest, AgreesWithCountingAllSigns) {
  std::mt19937_64 random(3);
  for (int run = 0; run < 300; ++run) {
    std::vector<double> a, b;
    const int n = 1 + static_cast<int>(random() % 11);
    for (int i = 0; i < n; ++i) {
      // Powers of two, whose ratios have exact logarithms: many ties and equal pairs.
      a.push_back(std::exp2(static_cast<double>(random() % 6)));
      b.push_back(std::exp2(static_cast<double>(random() % 6)));
    }
    EXPECT_THAT(SignedRankPValue(a, b), DoubleNear(BruteForcePValue(a, b), 1e-12));
  }
}

TEST(SignedRankTest, GivesTabulatedValues) {
  const auto p = [](int n, std::vector<int> slower_ranks) {
    std::vector<double> a, b;
    for (int rank = 1; rank <= n; ++rank) {
      const bool slower = std::count(slower_ranks.begin(), slower_ranks.end(), rank) > 0;
      a.push_back(slower ? std::exp(rank) : 1);
      b.push_back(slower ? 1 : std::exp(rank));
    }
    return SignedRankPValue(a, b);
  };
  EXPECT_THAT(p(5, {}), DoubleNear(1.0 / 32, 1e-12));
  EXPECT_THAT(p(10, {10}), DoubleNear(0.0420, 5e-5));
  EXPECT_THAT(p(10, {1, 2, 8}), DoubleNear(0.0527, 5e-5));
  EXPECT_THAT(p(20, {20, 19, 18, 3}), DoubleNear(0.0487, 5e-5));
}

TEST(SignedRankTest, KnowsNothingWhereAllPairsAreEqual) {
  EXPECT_EQ(SignedRankPValue({}, {}), 1);
  EXPECT_EQ(SignedRankPValue(UpTo(9), UpTo(9)), 1);
}

TEST(SignedRankTest, GoesOverToTheNormalApproximationWithoutAJump) {
  std::mt19937_64 random(4);
  for (int run = 0; run < 20; ++run) {
    std::vector<double> a, b;
    for (int i = 0; i < 65; ++i) {
      a.push_back(1);
      // The last pair hardly matters: it has the least rank.
      b.push_back(i == 64 ? 1 + 1e-9 : 0.9 + 0.25 * static_cast<double>(random() % 1000) / 1000);
    }
    const double approximate = SignedRankPValue(a, b);
    a.pop_back();
    b.pop_back();
    EXPECT_THAT(approximate, DoubleNear(SignedRankPValue(a, b), 0.012));
  }
}

double LogNormal(double sigma, std::mt19937_64& random) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
  return std::exp(sigma * sum);
}

TEST(IsSeparatedTest, SeldomSeparatesEquals) {
  std::mt19937_64 random(5);
  constexpr int kRuns = 4000;
  int separated = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> a, b;
    for (int round = 0; round < 10; ++round) {
      const double drift = 1 + 0.1 * round;  // hits both alike
      a.push_back(drift * LogNormal(0.05, random));
      b.push_back(drift * LogNormal(0.05, random));
    }
    separated += IsSeparated(a, b);
  }
  EXPECT_THAT(separated, Le(0.06 * kRuns));
}

TEST(IsSeparatedTest, SeesASmallDifferenceThroughDriftAndOutliers) {
  std::mt19937_64 random(6);
  constexpr int kRuns = 500;
  int separated = 0;
  for (int run = 0; run < kRuns; ++run) {
    std::vector<double> a, b;
    for (int round = 0; round < 10; ++round) {
      const double drift = 1 + 0.1 * round;
      a.push_back(drift * LogNormal(0.005, random));
      b.push_back(drift * 1.03 * LogNormal(0.005, random));
    }
    a[random() % 10] *= 100;  // something else ran just then
    separated += IsSeparated(a, b);
  }
  EXPECT_THAT(separated, Ge(0.95 * kRuns));
}

TEST(IsSeparatedTest, NeedsFiveRounds) {
  EXPECT_FALSE(IsSeparated(std::vector<double>(4, 1.0), std::vector<double>(4, 9.0)));
  EXPECT_TRUE(IsSeparated(std::vector<double>(5, 1.0), std::vector<double>(5, 9.0)));
  EXPECT_FALSE(IsSeparated(std::vector<double>(5, 9.0), std::vector<double>(5, 1.0)));
}

}  // namespace
}  // namespace seedtune

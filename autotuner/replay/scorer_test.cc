#include "autotuner/replay/scorer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::DoubleNear;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using ::testing::SizeIs;

constexpr double kFails = std::numeric_limits<double>::infinity();

// Values 1 .. n, a second each.
std::vector<ScoredConfig> OneTo(int n) {
  std::vector<ScoredConfig> configs;
  for (int i = 1; i <= n; ++i) configs.push_back({.value_ns = 1.0 * i, .cost_seconds = 1});
  return configs;
}

// A long tail towards the slow side and costs that differ; one in ten fails.
std::vector<ScoredConfig> Landscape(int n) {
  std::vector<ScoredConfig> configs;
  for (int i = 0; i < n; ++i) {
    const double x = static_cast<double>(i) / n;
    configs.push_back({.value_ns = i % 10 == 3 ? kFails : 100 * (1 + x + 5 * x * x * x),
                       .cost_seconds = 1 + 0.5 * std::sin(i)});
  }
  return configs;
}

ScoredRun RandomRun(const SpaceStatistics& space, std::vector<ScoredConfig> configs, uint64_t seed,
                    const ScoreOptions& options = {}) {
  const RunLength length = RequiredRunLength(space, options);
  std::mt19937_64 random(seed);
  ScoredRun run;
  RunPoint point{.at_seconds = 0, .best_ns = kFails};
  for (size_t i = 0; i < configs.size(); ++i) {
    std::swap(configs[i], configs[i + random() % (configs.size() - i)]);
    point.at_seconds += configs[i].cost_seconds;
    point.best_ns = std::min(point.best_ns, configs[i].value_ns);
    run.push_back(point);
    if (point.at_seconds > length.seconds && std::ssize(run) >= length.evaluations) break;
  }
  return run;
}

// Finds `value_ns` at `found`, the evaluation so numbered, a second each.
ScoredRun StepRun(int evaluations, int found, double value_ns, double before_ns) {
  ScoredRun run;
  for (int i = 1; i <= evaluations; ++i) {
    run.push_back({.at_seconds = 1.0 * i, .best_ns = i < found ? before_ns : value_ns});
  }
  return run;
}

TEST(FitNonIncreasingTest, PoolsWhatAscends) {
  EXPECT_THAT(FitNonIncreasing(std::vector<double>{3, 1, 2}, std::vector<double>{1, 1, 1}),
              ElementsAre(3, 1.5, 1.5));
  EXPECT_THAT(FitNonIncreasing(std::vector<double>{3, 1, 2}, std::vector<double>{1, 3, 1}),
              ElementsAre(3, 1.25, 1.25));
  EXPECT_THAT(FitNonIncreasing(std::vector<double>{1, 2, 6}, std::vector<double>{1, 1, 1}),
              Each(3));
  EXPECT_THAT(FitNonIncreasing(std::vector<double>{4, 4, 1}, std::vector<double>{1, 2, 1}),
              ElementsAre(4, 4, 1));
}

TEST(FitNonIncreasingTest, NoNonIncreasingFitIsCloser) {
  std::mt19937_64 random(1);
  const auto uniform = [&] { return static_cast<double>(random() % 1000) / 100; };
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> y, weight;
    const size_t n = 1 + random() % 8;
    for (size_t i = 0; i < n; ++i) {
      y.push_back(uniform());
      weight.push_back(0.1 + uniform());
    }
    const auto distance = [&](const std::vector<double>& fit) {
      double sum = 0;
      for (size_t i = 0; i < n; ++i) sum += weight[i] * (y[i] - fit[i]) * (y[i] - fit[i]);
      return sum;
    };
    const std::vector<double> fit = FitNonIncreasing(y, weight);
    ASSERT_TRUE(std::is_sorted(fit.rbegin(), fit.rend()));
    for (int other = 0; other < 50; ++other) {
      std::vector<double> moved = fit;
      for (double& value : moved) value += 0.2 * (uniform() - 5);
      std::sort(moved.rbegin(), moved.rend());
      EXPECT_LE(distance(fit), distance(moved) + 1e-9);
    }
  }
}

TEST(MonotoneCubicTest, AgreesWithTheFormulaByHand) {
  // Slopes 1 and 3, so derivatives 0 (the end's parabola is level), 6 / (3/1 + 3/3) = 1.5, and 4.
  EXPECT_THAT(MonotoneCubic(std::vector<double>{0, 1, 2}, std::vector<double>{0, 1, 4},
                            std::vector<double>{0, 0.5, 1, 1.5, 2}),
              Pointwise(DoubleNear(1e-12), {0.0, 0.3125, 1.0, 2.1875, 4.0}));
}

TEST(MonotoneCubicTest, FewPointsAreAConstantAndALine) {
  EXPECT_THAT(
      MonotoneCubic(std::vector<double>{2}, std::vector<double>{7}, std::vector<double>{2, 2}),
      ElementsAre(7, 7));
  EXPECT_THAT(MonotoneCubic(std::vector<double>{2, 6}, std::vector<double>{8, 4},
                            std::vector<double>{2, 3, 6}),
              Pointwise(DoubleNear(1e-12), {8.0, 7.0, 4.0}));
}

TEST(MonotoneCubicTest, NeverTurnsBack) {
  std::mt19937_64 random(2);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<double> x = {1}, y = {1000};
    while (x.size() < 12) {
      x.push_back(x.back() + 1 + static_cast<double>(random() % 5));
      y.push_back(y.back() - static_cast<double>(random() % 100));
    }
    std::vector<double> at;
    for (double point = x.front(); point <= x.back(); point += 0.125) at.push_back(point);
    const std::vector<double> values = MonotoneCubic(x, y, at);
    for (size_t i = 1; i < values.size(); ++i) EXPECT_LE(values[i], values[i - 1] + 1e-9);
  }
}

TEST(SpaceStatisticsTest, CutoffIsWhereRandomSearchGetsThere) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(10)));
  EXPECT_EQ(space.optimum_ns(), 1);
  EXPECT_EQ(space.median_ns(), 5.5);
  // 5 is the first of 10, 9, ... that is at most 5.5: 5 slower ones, ceil(5 / 6).
  EXPECT_EQ(space.CutoffEvaluations(0), 1);
  // 3 is the first that is at most 3.25: ceil(7 / 4).
  EXPECT_EQ(space.CutoffEvaluations(0.5), 2);
  // Only the optimum is at most 1.225, so the one before it counts: ceil(8 / 3), not ceil(9 / 2).
  EXPECT_EQ(space.CutoffEvaluations(0.95), 3);
}

TEST(SpaceStatisticsTest, BaselineIsTheValueAtTheExpectedRank) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(10)));
  // 11 k / (k + 1) slower ones, rounded to even: 6, 7, 8, 9, and never past the optimum.
  EXPECT_EQ(space.BaselineNs(1), 4);
  EXPECT_EQ(space.BaselineNs(2), 3);
  EXPECT_EQ(space.BaselineNs(3), 2);
  EXPECT_EQ(space.BaselineNs(4), 1);
  EXPECT_EQ(space.BaselineNs(1'000'000), 1);
}

TEST(SpaceStatisticsTest, FailuresCostTimeToo) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space,
                       SpaceStatistics::Create(std::vector<ScoredConfig>{
                           {.value_ns = 1, .cost_seconds = 2},
                           {.value_ns = 2, .cost_seconds = 4},
                           {.value_ns = 3, .cost_seconds = 0},  // not recorded
                           {.value_ns = kFails, .cost_seconds = 10},
                           {.value_ns = std::nan(""), .cost_seconds = std::nan("")}}));
  EXPECT_THAT(space.values_ns(), ElementsAre(1, 2, 3));
  EXPECT_EQ(space.num_configs(), 5);
  EXPECT_EQ(space.median_cost_seconds(), 4);
  EXPECT_DOUBLE_EQ(space.mean_cost_seconds(), 3 + 2.0 / 5 * 10);
}

TEST(SpaceStatisticsTest, RanksCountWhatIsFaster) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space,
                       SpaceStatistics::Create(std::vector<ScoredConfig>{{5, 1}, {5, 1}, {7, 1}}));
  EXPECT_EQ(space.Rank(5), 0);
  EXPECT_EQ(space.Rank(7), 2);
  EXPECT_EQ(space.Rank(kFails), 2);
}

TEST(SpaceStatisticsTest, ExpectedRandomFractionIsTheMeanOverAllDraws) {
  std::vector<ScoredConfig> configs = OneTo(6);
  configs[1].value_ns = kFails;
  configs[4].value_ns = configs[3].value_ns;
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(configs));
  for (int k = 1; k <= 6; ++k) {
    double sum = 0;
    int draws = 0;
    for (uint32_t chosen = 0; chosen < 64; ++chosen) {
      if (std::popcount(chosen) != k) continue;
      double best = kFails;
      for (size_t i = 0; i < 6; ++i) {
        if (chosen >> i & 1) best = std::min(best, configs[i].value_ns);
      }
      sum += 1 / best;
      ++draws;
    }
    EXPECT_NEAR(space.ExpectedRandomFraction(k), sum / draws, 1e-12) << k;
  }
  EXPECT_NEAR(space.ExpectedRandomFraction(99), 1, 1e-12);
}

TEST(SpaceStatisticsTest, RefusesWhatNothingCanBeScoredOn) {
  const struct {
    const char* name;
    std::vector<ScoredConfig> configs;
    const char* error;
  } kCases[] = {
      {"empty", {}, "0 of 0 configurations work"},
      {"one works", {{1, 1}, {kFails, 1}}, "1 of 2 configurations work"},
      {"all alike", {{2, 1}, {2, 1}}, "nothing to search for"},
      {"free of cost", {{1, 0}, {2, std::nan("")}}, "no configuration that works has a recorded"},
      {"negative", {{-1, 1}, {2, 1}}, "takes -1 ns"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(SpaceStatistics::Create(c.configs),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(ScoreRunsTest, AnOracleScoresOne) {
  const std::vector<ScoredConfig> configs = Landscape(2000);
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(configs));
  std::vector<ScoredRun> runs;
  for (uint64_t seed = 0; seed < 5; ++seed) {
    runs.push_back(RandomRun(space, configs, seed));
    for (RunPoint& point : runs.back()) point.best_ns = space.optimum_ns();
  }
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  EXPECT_NEAR(score.time.score, 1, 1e-12);
  EXPECT_NEAR(score.time.standard_deviation, 0, 1e-12);
  EXPECT_NEAR(score.evaluations.score, 1, 1e-12);
  EXPECT_THAT(score.mean_fraction, Each(DoubleNear(1, 1e-12)));
  EXPECT_EQ(score.share_near_optimum, 1);
  EXPECT_EQ(score.runs_outside_window, 0);
}

TEST(ScoreRunsTest, RandomSearchScoresAboutZero) {
  const std::vector<ScoredConfig> configs = Landscape(2000);
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(configs));
  std::vector<ScoredRun> runs;
  for (uint64_t seed = 0; seed < 300; ++seed) runs.push_back(RandomRun(space, configs, seed));
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  EXPECT_NEAR(score.time.score, 0, 0.1);
  EXPECT_NEAR(score.evaluations.score, 0, 0.1);
  EXPECT_THAT(score.mean_fraction, Pointwise(DoubleNear(0.02), score.random_fraction));
  EXPECT_THAT(score.time.x, SizeIs(1000));
  EXPECT_THAT(score.time.p, SizeIs(1000));
}

TEST(ScoreRunsTest, WorseThanRandomIsBelowZero) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(1000)));
  const std::vector<ScoredRun> runs(3, StepRun(300, 1, 1000, 1000));
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  EXPECT_LT(score.time.score, -1);
  EXPECT_LT(score.evaluations.score, -1);
  EXPECT_EQ(score.share_near_optimum, 0);
}

TEST(ScoreRunsTest, HalfWayToTheOptimumScoresAHalf) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(9999)));
  // The window ends at 39 evaluations. At each, half way from the baseline.
  ScoredRun run;
  for (int k = 1; k <= 200; ++k) {
    run.push_back({1.0 * k, std::nearbyint((space.BaselineNs(k) + 1) / 2)});
  }
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, std::vector<ScoredRun>(40, run), {}));
  EXPECT_EQ(score.evaluations.x.back(), 39);
  EXPECT_THAT(score.evaluations.p, Each(DoubleNear(0.5, 0.01)));
  EXPECT_NEAR(score.time.score, 0.5, 0.02);
}

TEST(ScoreRunsTest, TheUnitOfTimeDoesNotMatter) {
  std::vector<ScoredConfig> configs = Landscape(500);
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(configs));
  std::vector<ScoredRun> runs;
  for (uint64_t seed = 0; seed < 10; ++seed) runs.push_back(RandomRun(space, configs, seed));
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  for (ScoredConfig& config : configs) config.cost_seconds *= 1024;
  for (ScoredRun& run : runs) {
    for (RunPoint& point : run) point.at_seconds *= 1024;
  }
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics slow, SpaceStatistics::Create(configs));
  ASSERT_OK_AND_ASSIGN(const Score same, ScoreRuns(slow, runs, {}));
  EXPECT_NEAR(same.time.score, score.time.score, 1e-9);
}

TEST(ScoreRunsTest, CurvesFreezeWhereHalfOfTheRunsHaveEnded) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(9999)));
  // Two of three end at 20 s at rank 500; the third finds the optimum at 30 s.
  const std::vector<ScoredRun> runs = {StepRun(20, 1, 501, 501), StepRun(20, 1, 501, 501),
                                       StepRun(300, 30, 1, 501)};
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  ASSERT_GT(score.time.x.back(), 35);
  EXPECT_THAT(score.time.curve_ns, Each(501));
}

TEST(ScoreRunsTest, LateAndShortRunsStillCount) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(9999)));
  // The window ends at 39 s: one run has all its points after it, one has a single point, and one
  // never finds anything that works.
  const std::vector<ScoredRun> runs = {
      {{.at_seconds = 90, .best_ns = 1}, {.at_seconds = 91, .best_ns = 1}},
      {{.at_seconds = 10, .best_ns = 1}},
      StepRun(100, 1, kFails, kFails)};
  ASSERT_OK_AND_ASSIGN(const Score score, ScoreRuns(space, runs, {}));
  EXPECT_EQ(score.runs_outside_window, 3);
  EXPECT_LT(score.time.score, 0);
  EXPECT_THAT(score.mean_fraction, Each(DoubleNear(2.0 / 3, 1e-12)));
}

TEST(ScoreRunsTest, OneSeedOneScore) {
  const std::vector<ScoredConfig> configs = Landscape(500);
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(configs));
  std::vector<ScoredRun> runs;
  for (uint64_t seed = 0; seed < 10; ++seed) runs.push_back(RandomRun(space, configs, seed));
  ASSERT_OK_AND_ASSIGN(const Score a, ScoreRuns(space, runs, {.random_seed = 5}));
  ASSERT_OK_AND_ASSIGN(const Score b, ScoreRuns(space, runs, {.random_seed = 5}));
  EXPECT_EQ(a.time.p, b.time.p);
}

TEST(ScoreRunsTest, RefusesOptionsAndRunsThatMakeNoSense) {
  ASSERT_OK_AND_ASSIGN(const SpaceStatistics space, SpaceStatistics::Create(OneTo(10)));
  const std::vector<ScoredRun> runs = {StepRun(5, 1, 1, 1)};
  const auto error = [&](const ScoreOptions& options) {
    return std::string(ScoreRuns(space, runs, options).status().message());
  };
  EXPECT_THAT(error({.p_start = -1}), HasSubstr("p_start is -1"));
  EXPECT_THAT(error({.p_end = 1}), HasSubstr("p_end is 1"));
  EXPECT_THAT(error({.p_start = 0.9, .p_end = 0.5}), HasSubstr("p_end is 0.5"));
  EXPECT_THAT(error({.num_samples = 1}), HasSubstr("num_samples is 1"));
  EXPECT_THAT(error({.checkpoints = {0}}), HasSubstr("checkpoint is 0"));
  EXPECT_THAT(ScoreRuns(space, {}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no runs")));
  EXPECT_THAT(ScoreRuns(space, std::vector<ScoredRun>{{}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("runs[0] has no points")));
  EXPECT_THAT(ScoreRuns(space, std::vector<ScoredRun>{{{2, 1}, {1, 1}}}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("runs[0][1] is at 1 s")));
}

TEST(AggregateScoresTest, IsTheMeanAtEachPlace) {
  AxisScore a, b;
  a.p = {0, 1};
  b.p = {1, 1, 2, 4};
  const AxisScore* const axes[] = {&a, &b};
  const AxisScore all = AggregateScores(axes);
  EXPECT_THAT(all.p, ElementsAre(0.5, 0.5, 1.5, 2.5));
  EXPECT_DOUBLE_EQ(all.score, 1.25);
  EXPECT_THAT(all.x, ElementsAre(0, 1.0 / 3, 2.0 / 3, 1));
}

}  // namespace
}  // namespace seedtune

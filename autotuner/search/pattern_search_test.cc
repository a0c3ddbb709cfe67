#include "autotuner/search/pattern_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/search/random_search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;
using ::testing::Lt;
using ::testing::SizeIs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kSamples = 10;  // that it draws before its first climb

using Landscape = std::function<double(const Config&)>;  // +infinity: a failure

// A grid of `knobs` knobs with `choices` choices each.
std::shared_ptr<const ConfigSpace> Grid(int knobs, int choices) {
  ConfigSpace::Options options;
  options.name = "grid";
  for (int i = 0; i < knobs; ++i) {
    options.knobs.push_back(*Knob::Integer(absl::StrCat("x", i), 0, choices - 1, 1, 0));
  }
  return *ConfigSpace::Create(std::move(options));
}

Config At(const std::shared_ptr<const ConfigSpace>& space, std::vector<uint16_t> choices) {
  return Config(space, std::move(choices));
}

int Steps(const Config& a, const Config& b) {
  int steps = 0;
  for (size_t i = 0; i < a.choices().size(); ++i)
    steps += std::abs(a.choices()[i] - b.choices()[i]);
  return steps;
}

void Tell(SearchAlgorithm& search, const Candidate& candidate, double objective_ns) {
  search.Tell({.candidate = candidate,
               .kind = std::isfinite(objective_ns) ? OutcomeKind::kOk : OutcomeKind::kLaunchError,
               .objective_ns = objective_ns});
}

// Asks and tells one by one; everything asked, in order.
std::vector<Candidate> RunSearch(SearchAlgorithm& search, const Landscape& landscape,
                                 size_t evaluations) {
  std::vector<Candidate> asked;
  while (asked.size() < evaluations && !search.IsDone()) {
    const std::vector<Candidate> batch = search.Ask(1);
    EXPECT_THAT(batch, SizeIs(1));
    if (batch.empty()) break;
    Tell(search, batch[0], landscape(batch[0].config));
    asked.push_back(batch[0]);
  }
  return asked;
}

double Best(const std::vector<Candidate>& asked, const Landscape& landscape) {
  double best = kInfinity;
  for (const Candidate& candidate : asked) best = std::min(best, landscape(candidate.config));
  return best;
}

TEST(PatternSearchTest, PollsSingleStepsFromTheBestPointFirst) {
  const auto space = Grid(4, 9);
  const Config best = At(space, {4, 4, 4, 4});
  const Landscape peak = [&](const Config& config) { return config == best ? 1.0 : 100.0; };
  PatternSearch search({.space = space, .first = {{.config = best, .origin = "default"}}});
  std::vector<Candidate> asked = RunSearch(search, peak, 1 + kSamples);
  asked = RunSearch(search, peak, 8);
  for (const Candidate& candidate : asked) EXPECT_EQ(Steps(candidate.config, best), 1);
  // Then one knob anywhere, then two knobs by a step each.
  for (const Candidate& candidate : RunSearch(search, peak, 10)) {
    int changed = 0;
    for (size_t i = 0; i < 4; ++i) changed += candidate.config.choices()[i] != 4;
    EXPECT_EQ(changed, 1);
  }
}

TEST(PatternSearchTest, MovesToABetterPointAtOnce) {
  const auto space = Grid(3, 20);
  const Landscape slope = [](const Config& config) {
    return 1000.0 - 10 * (config.choices()[0] + config.choices()[1] + config.choices()[2]);
  };
  PatternSearch search({.space = space, .random_seed = 4});
  std::vector<Candidate> asked = RunSearch(search, slope, kSamples);
  double best_ns = Best(asked, slope);
  // Straight down a slope every other move is a good one: it does not finish polling first.
  int improvements = 0;
  for (int i = 0; i < 20; ++i) {
    const double ns = slope(RunSearch(search, slope, 1)[0].config);
    if (ns < best_ns) ++improvements;
    best_ns = std::min(best_ns, ns);
  }
  EXPECT_THAT(improvements, Ge(6));
}

TEST(PatternSearchTest, NamesTheHeuristicThatAPointDescendsFrom) {
  const auto space = Grid(3, 12);
  const Config seed = At(space, {6, 6, 6});
  const Landscape slope = [&](const Config& config) {
    // Better the further from the seed along one knob; everywhere else it is bad.
    return Steps(config, seed) <= 4 ? 100.0 - 10 * config.choices()[0] : 1000.0;
  };
  PatternSearch search({.space = space,
                        .first = {{.config = At(space, {0, 0, 0}), .origin = "default"},
                                  {.config = seed, .origin = "seed", .heuristic = "expert"}}});
  const std::vector<Candidate> begin = RunSearch(search, slope, 2 + kSamples);
  for (size_t i = 2; i < begin.size(); ++i) EXPECT_EQ(begin[i].heuristic, "") << "a random sample";
  const std::vector<Candidate> climb = RunSearch(search, slope, 20);
  int furthest = 0;
  for (const Candidate& candidate : climb) {
    EXPECT_EQ(candidate.origin, "search");
    EXPECT_EQ(candidate.heuristic, "expert");
    furthest = std::max(furthest, Steps(candidate.config, seed));
  }
  EXPECT_THAT(furthest, Ge(3)) << "the descent is meant to be of several moves";
}

TEST(PatternSearchTest, AddsHeuristicNeighborsToItsOwnMoves) {
  const auto space = Grid(3, 12);
  const Config best = At(space, {6, 6, 6});
  const Landscape peak = [&](const Config& config) { return config == best ? 1.0 : 100.0; };
  const std::vector<Config> jumps = {At(space, {0, 11, 3}), At(space, {11, 0, 3}),
                                     At(space, {3, 3, 11})};
  PatternSearch search({.space = space,
                        .first = {{.config = best, .origin = "default"}},
                        .heuristic_neighbors = [&](const Config& config) {
                          std::vector<Candidate> proposed;
                          if (config != best) return proposed;
                          for (const Config& jump : jumps) {
                            proposed.push_back(
                                {.config = jump, .origin = "neighbor", .heuristic = "expert"});
                          }
                          return proposed;
                        }});
  RunSearch(search, peak, 1 + kSamples);
  std::vector<Config> theirs;
  std::vector<Config> ours;
  std::vector<std::string> order;
  for (const Candidate& candidate : RunSearch(search, peak, 9)) {
    order.push_back(candidate.origin);
    if (candidate.origin == "neighbor") {
      EXPECT_EQ(candidate.heuristic, "expert");
      theirs.push_back(candidate.config);
    } else {
      EXPECT_EQ(candidate.heuristic, "");
      EXPECT_EQ(Steps(candidate.config, best), 1);
      ours.push_back(candidate.config);
    }
  }
  EXPECT_EQ(theirs, jumps) << "all of them, the best first";
  EXPECT_THAT(ours, SizeIs(6)) << "none of the search's own is left out";
  EXPECT_EQ(order, (std::vector<std::string>{"neighbor", "search", "search", "neighbor", "search",
                                             "search", "search", "search", "neighbor"}))
      << "the longer a pause, the less they win";
}

TEST(PatternSearchTest, ClimbsFromNothingThatFailedOrWasDropped) {
  const auto space = Grid(3, 12);
  const Config slow = At(space, {6, 6, 6});
  const Candidate dropped{.config = At(space, {1, 1, 1}), .origin = "seed"};
  const Candidate wrong{.config = At(space, {10, 10, 10}), .origin = "seed"};
  PatternSearch search(
      {.space = space, .first = {{.config = slow, .origin = "default"}, dropped, wrong}});
  ASSERT_THAT(search.Ask(3), SizeIs(3));
  Tell(search, {.config = slow}, 1000);
  search.Tell({.candidate = dropped, .kind = OutcomeKind::kCensored, .objective_ns = 1});
  search.Tell({.candidate = wrong, .kind = OutcomeKind::kWrongResult, .objective_ns = 1});
  RunSearch(
      search, [](const Config&) { return kInfinity; }, kSamples);
  for (const Candidate& candidate : RunSearch(
           search, [](const Config&) { return kInfinity; }, 6)) {
    EXPECT_EQ(Steps(candidate.config, slow), 1);
  }
}

TEST(PatternSearchTest, LooksAroundFailedSeedsWhereNothingWorks) {
  // Of 14,641 configurations only those next to a seed that itself fails work.
  const auto space = Grid(4, 11);
  const Config seed = At(space, {5, 5, 5, 5});
  const Landscape island = [&](const Config& config) {
    return Steps(config, seed) == 1 ? 1.0 : kInfinity;
  };
  for (uint64_t random_seed = 1; random_seed <= 10; ++random_seed) {
    PatternSearch search({.space = space,
                          .random_seed = random_seed,
                          .first = {{.config = seed, .origin = "seed", .heuristic = "expert"}}});
    EXPECT_EQ(Best(RunSearch(search, island, 1 + kSamples + 4), island), 1.0);
  }
}

TEST(PatternSearchTest, ABetterStartThatComesLateIsClimbedFrom) {
  const auto space = Grid(4, 15);
  PatternSearch search({.space = space});
  const std::vector<Candidate> samples = search.Ask(kSamples);
  ASSERT_THAT(samples, SizeIs(kSamples));
  Tell(search, samples[0], 500);
  EXPECT_EQ(Steps(search.Ask(1)[0].config, samples[0].config), 1);
  Tell(search, samples[1], 600);
  EXPECT_EQ(Steps(search.Ask(1)[0].config, samples[0].config), 1);
  Tell(search, samples[2], 400);
  EXPECT_EQ(Steps(search.Ask(1)[0].config, samples[2].config), 1);
}

TEST(PatternSearchTest, NeverKeepsAnybodyWaiting) {
  PatternSearch search({.space = Grid(4, 15)});
  for (const int batch : {1, 8, 500}) {
    EXPECT_THAT(search.Ask(batch), SizeIs(static_cast<size_t>(batch)));
  }
}

TEST(PatternSearchTest, GetsOutOfLocalOptima) {
  // A wide basin, and far from it a narrow and better one.
  const auto space = Grid(3, 12);
  const Config wide = At(space, {2, 2, 2});
  const Config narrow = At(space, {10, 9, 10});
  const Landscape basins = [&](const Config& config) {
    return std::min(100.0 + 10 * Steps(config, wide), 50.0 + 40 * Steps(config, narrow));
  };
  std::vector<size_t> needed;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    PatternSearch search({.space = space, .random_seed = seed});
    const std::vector<Candidate> asked = RunSearch(search, basins, SIZE_MAX);
    for (size_t i = 0; i < asked.size(); ++i) {
      if (asked[i].config == narrow) needed.push_back(i);
    }
  }
  ASSERT_THAT(needed, SizeIs(20));
  std::sort(needed.begin(), needed.end());
  // Random search needs half of the 1,728 on average.
  EXPECT_THAT(needed[10], Lt(400u));
}

TEST(PatternSearchTest, FindsMoreThanRandomSamplingDoes) {
  // Knobs that matter much and little, one that does not, interactions, and regions that fail.
  const auto space = Grid(6, 6);
  const Landscape rugged = [](const Config& config) {
    const auto x = config.choices();
    if ((x[0] * 7 + x[1] * 3 + x[2]) % 11 == 0) return kInfinity;
    return 100 * (1 + 0.3 * std::pow(x[0] - 4.0, 2)) * (1 + 0.1 * std::pow(x[1] - x[0] + 1.0, 2)) *
           (1 + 0.05 * std::abs(x[2] - 2.0)) * (1 + 0.2 * ((x[3] + x[4]) % 3)) * (1 + 0.02 * x[4]);
  };
  double pattern = 0;
  double random = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    PatternSearch search({.space = space, .random_seed = seed});
    pattern += Best(RunSearch(search, rugged, 80), rugged) / 20;
    RandomSearch baseline({.space = space, .random_seed = seed});
    random += Best(RunSearch(baseline, rugged, 80), rugged) / 20;
  }
  double optimum = kInfinity;
  for (int i = 0; i < space->NumValid(); ++i) optimum = std::min(optimum, rugged(space->At(i)));
  EXPECT_THAT(pattern - optimum, Lt(0.4 * (random - optimum)));
}

TEST(PatternSearchTest, GoodSeedsHelpAndBadOnesHardlyHurt) {
  const auto space = Grid(5, 8);
  const Landscape bowl = [](const Config& config) {
    double sum = 100;
    for (const uint16_t x : config.choices()) sum += 10 * std::pow(x - 5.0, 2);
    return sum;
  };
  const auto mean_best = [&](std::vector<Candidate> first, size_t evaluations) {
    double sum = 0;
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      PatternSearch search({.space = space, .random_seed = seed, .first = first});
      sum += Best(RunSearch(search, bowl, evaluations), bowl) / 20;
    }
    return sum;
  };
  const Candidate good{.config = At(space, {5, 4, 5, 6, 5}), .origin = "seed"};
  const Candidate bad{.config = At(space, {0, 0, 0, 0, 0}), .origin = "seed"};
  EXPECT_THAT(mean_best({good}, 20), Lt(mean_best({}, 20)));
  EXPECT_THAT(mean_best({bad}, 101), Le(1.02 * mean_best({}, 100)));
}

}  // namespace
}  // namespace seedtune

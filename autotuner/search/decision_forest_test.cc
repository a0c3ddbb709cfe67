#include "autotuner/search/decision_forest.h"

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::Gt;
using ::testing::Lt;

std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "forest";
  options.knobs = {*Knob::Integer("size", 0, 9, 1, 0), *Knob::Enum("kind", {"a", "b", "c"}, "a"),
                   *Knob::Integer("noise", 0, 9, 1, 0)};
  return *ConfigSpace::Create(std::move(options));
}

TEST(DecisionForestTest, KnowsNothingBeforeItLearns) {
  const auto space = Space();
  const DecisionForest forest(*space, {});
  EXPECT_EQ(forest.Goodness(space->At(0).choices()), 0);
}

TEST(DecisionForestTest, LearnsThresholdsKindsAndBothTogether) {
  const auto space = Space();
  std::mt19937_64 random(1);
  const auto is_good = [](std::span<const uint16_t> choices) {
    return choices[0] >= 6 && choices[1] == 1;
  };
  std::vector<Config> seen;
  std::vector<DecisionForest::Example> examples;
  for (int i = 0; i < 200; ++i) seen.push_back(space->Sample(random));
  for (const Config& config : seen) {
    examples.push_back({config.choices(), is_good(config.choices()), 1});
  }
  DecisionForest forest(*space, {});
  forest.Learn(examples, random);
  int right = 0;
  for (int i = 0; i < 300; ++i) {
    const Config config = space->At(i);
    right += (forest.Goodness(config.choices()) > 0.5) == is_good(config.choices());
  }
  EXPECT_THAT(right, Gt(270));
}

TEST(DecisionForestTest, HeedsWeights) {
  const auto space = Space();
  std::mt19937_64 random(1);
  // The same place, once good and once bad.
  const Config here = space->At(3);
  const auto goodness = [&](double good, double bad) {
    DecisionForest forest(*space, {.trees = 200});
    const std::vector<DecisionForest::Example> examples = {{here.choices(), true, good},
                                                           {here.choices(), false, bad}};
    forest.Learn(examples, random);
    return forest.Goodness(here.choices());
  };
  EXPECT_THAT(goodness(10, 1), Gt(0.55));
  EXPECT_THAT(goodness(1, 10), Lt(0.45));
}

TEST(DecisionForestTest, ForgetsWhenItLearnsOfNothing) {
  const auto space = Space();
  std::mt19937_64 random(1);
  DecisionForest forest(*space, {});
  const Config here = space->At(3);
  forest.Learn(std::vector<DecisionForest::Example>{{here.choices(), true, 1}}, random);
  EXPECT_EQ(forest.Goodness(here.choices()), 1);
  forest.Learn({}, random);
  EXPECT_EQ(forest.Goodness(here.choices()), 0);
}

}  // namespace
}  // namespace seedtune

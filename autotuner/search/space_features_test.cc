#include "autotuner/search/space_features.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;

TEST(SpaceFeaturesTest, PlacesChoicesByTheLogarithmsOfTheirValues) {
  ConfigSpace::Options options;
  options.name = "features";
  options.knobs = {*Knob::PowerOfTwo("tile", 16, 256, 16), *Knob::Integer("zero", 0, 4, 1, 0),
                   *Knob::Enum("kind", {"a", "b", "c"}, "a"), *Knob::Boolean("flag", false),
                   *Knob::Integer("only", 7, 7, 1, 7)};
  const auto space = *ConfigSpace::Create(std::move(options));
  const SpaceFeatures features(*space);
  EXPECT_EQ(features.size(), 4u);  // none for a knob without a choice
  EXPECT_TRUE(features.is_ordered(0));
  EXPECT_TRUE(features.is_ordered(1));
  EXPECT_FALSE(features.is_ordered(2));
  EXPECT_FALSE(features.is_ordered(3));
  EXPECT_THAT(features.Of(Config(space, {1, 3, 2, 1, 0})),
              ElementsAre(FloatEq(0.25), FloatEq(0.75), 2, 1));
  EXPECT_THAT(features.Of(Config(space, {4, 4, 0, 0, 0})), ElementsAre(FloatEq(1), 1, 0, 0));
}

TEST(SpaceFeaturesTest, HowOftenTwoDividesIsACoordinateWhereTheOrderDoesNotSayIt) {
  ConfigSpace::Options options;
  options.name = "features";
  options.knobs = {*Knob::Integer("block", 16, 80, 16, 16), *Knob::PowerOfTwo("tile", 1, 16, 1),
                   *Knob::Integer("zero", 0, 4, 1, 0), *Knob::IntegerChoice("odd", {3, 5, 7}, 3),
                   *Knob::IntegerChoice("two", {4, 7}, 4)};
  const auto space = *ConfigSpace::Create(std::move(options));
  const SpaceFeatures features(*space);
  ASSERT_EQ(features.size(), 6u);  // a second one for the block only
  EXPECT_TRUE(features.is_ordered(1));
  EXPECT_TRUE(features.is_evenness(1));
  EXPECT_FALSE(features.is_evenness(0));
  for (const auto& [choice, evenness] :
       std::vector<std::pair<uint16_t, float>>{{0, 0}, {1, 0.5}, {2, 0}, {3, 1}, {4, 0}}) {
    EXPECT_FLOAT_EQ(features.Of(Config(space, {choice, 0, 0, 0, 0}))[1], evenness) << choice;
  }
}

TEST(SpaceFeaturesTest, ExpectsMoreOfEvenSizesAndOfMiddleOnes) {
  ConfigSpace::Options options;
  options.name = "features";
  options.knobs = {*Knob::Integer("block", 16, 112, 16, 16), *Knob::PowerOfTwo("tile", 16, 64, 16),
                   *Knob::Integer("unroll", 1, 8, 1, 1), *Knob::Boolean("flag", false)};
  const auto space = *ConfigSpace::Create(std::move(options));
  const SpaceFeatures features(*space);
  const auto expected = [&](std::vector<uint16_t> choices) {
    return features.Expected(features.Of(Config(space, std::move(choices))));
  };
  EXPECT_GT(expected({3, 0, 0, 0}), expected({2, 0, 0, 0}));  // 64, 48
  EXPECT_GT(expected({1, 0, 0, 0}), expected({0, 0, 0, 0}));  // 32, 16
  EXPECT_GT(expected({0, 1, 0, 0}), expected({0, 0, 0, 0}));
  EXPECT_EQ(expected({0, 0, 0, 0}), expected({0, 2, 0, 0}));
  // Nothing of what is no size.
  EXPECT_EQ(expected({0, 0, 3, 1}), expected({0, 0, 0, 0}));
}

}  // namespace
}  // namespace seedtune

#include "heuristics/knob_choices.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "fake";
  options.knobs.push_back(*Knob::IntegerChoice("rows", {2, 6, 8, 14}, 6));
  options.knobs.push_back(*Knob::PowerOfTwo("block", 16, 256, 32));
  options.knobs.push_back(*Knob::Enum("order", {"mn", "nm"}, "mn"));
  return *ConfigSpace::Create(std::move(options));
}

TEST(KnobChoicesTest, SaysWhatAKnobTakes) {
  const auto space = Space();
  EXPECT_TRUE(HasChoice(*space, "rows", int64_t{6}));
  EXPECT_FALSE(HasChoice(*space, "rows", int64_t{7}));
  EXPECT_TRUE(HasChoice(*space, "order", std::string("nm")));
  EXPECT_FALSE(HasChoice(*space, "order", int64_t{0}));
  EXPECT_FALSE(HasChoice(*space, "columns", int64_t{6}));
  EXPECT_THAT(IntegerChoices(*space, "rows"), ElementsAre(2, 6, 8, 14));
  EXPECT_THAT(IntegerChoices(*space, "order"), IsEmpty());
  EXPECT_THAT(IntegerChoices(*space, "columns"), IsEmpty());
}

TEST(KnobChoicesTest, RoundsDownUpAndToTheNearest) {
  const auto space = Space();
  const struct {
    int64_t value, at_most, at_least;
  } kCases[] = {{1, 2, 2},   {2, 2, 2},    {3, 2, 6},   {8, 8, 8},
                {13, 8, 14}, {14, 14, 14}, {99, 14, 14}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.value);
    EXPECT_EQ(ChoiceAtMost(*space, "rows", c.value), c.at_most);
    EXPECT_EQ(ChoiceAtLeast(*space, "rows", c.value), c.at_least);
  }
  EXPECT_EQ(NearestChoice(*space, "rows", 13), 14);
  EXPECT_EQ(NearestChoice(*space, "block", 1), 16);
  EXPECT_EQ(NearestChoice(*space, "block", 100), 128);  // by ratio
  EXPECT_EQ(NearestChoice(*space, "block", 5000), 256);
}

TEST(KnobChoicesTest, FindsNothingWhereThereAreNoIntegers) {
  const auto space = Space();
  for (const char* knob : {"order", "columns"}) {
    EXPECT_EQ(NearestChoice(*space, knob, 1), std::nullopt);
    EXPECT_EQ(ChoiceAtMost(*space, knob, 1), std::nullopt);
    EXPECT_EQ(ChoiceAtLeast(*space, knob, 1), std::nullopt);
  }
}

}  // namespace
}  // namespace seedtune

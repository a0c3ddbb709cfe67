#include "autotuner/search/search.h"

#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::shared_ptr<const ConfigSpace> LineSpace(int size) {
  ConfigSpace::Options options;
  options.name = "line";
  options.knobs = {*Knob::Integer("x", 1, size, 1, 1)};
  return *ConfigSpace::Create(std::move(options));
}

TEST(MakeSearchTest, NamesWhatItKnows) {
  EXPECT_THAT(MakeSearch("patern", {.space = LineSpace(3)}),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("no algorithm named \"patern\"; known: auto, bayesian, "),
                             HasSubstr(", random, "), HasSubstr("did you mean \"pattern\""))));
  EXPECT_THAT(MakeSearch("", {.space = LineSpace(3)}),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("no algorithm named \"\"; known: auto, "),
                             Not(HasSubstr("did you mean")))));
}

TEST(MakeSearchTest, RefusesProblemsThatAreNone) {
  EXPECT_THAT(MakeSearch("random", {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no space")));
  const auto space = LineSpace(3);
  const auto elsewhere = LineSpace(4);
  for (const Config& stranger :
       {elsewhere->At(1), Config(), Config(space, {3}), Config(space, {0, 0})}) {
    EXPECT_THAT(MakeSearch("random", {.space = space,
                                      .first = {{.config = space->At(0)}, {.config = stranger}}}),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("first[1]"), HasSubstr(space->id()))));
  }
}

TEST(MakeSearchTest, TakesConfigurationsOfAnEqualSpace) {
  EXPECT_THAT(
      MakeSearch("random", {.space = LineSpace(3), .first = {{.config = LineSpace(3)->At(1)}}}),
      IsOk());
}

}  // namespace
}  // namespace seedtune

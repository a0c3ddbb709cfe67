#include "autotuner/budget.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(BudgetTest, ReadsTimesAndEvaluationsInAnyOrder) {
  const struct {
    const char* text;
    Budget want;
  } kCases[] = {
      {"30s", {.evaluations = 0, .seconds = 30}},
      {"0.25s", {.evaluations = 0, .seconds = 0.25}},
      {"250ms", {.evaluations = 0, .seconds = 0.25}},
      {"1.5m", {.evaluations = 0, .seconds = 90}},
      {"2h", {.evaluations = 0, .seconds = 7200}},
      {"200evals", {.evaluations = 200, .seconds = 0}},
      {"200evals,30s", {.evaluations = 200, .seconds = 30}},
      {"2m, 1evals", {.evaluations = 1, .seconds = 120}},
      {"2.5device-s", {.device_seconds = 2.5}},
      {"50stale", {.stale_evaluations = 50}},
      {"75%roofline,100evals", {.evaluations = 100, .roofline_fraction = 0.75}},
      {"100%roofline,50stale,1device-s,2s,3evals",
       {.evaluations = 3,
        .seconds = 2,
        .device_seconds = 1,
        .stale_evaluations = 50,
        .roofline_fraction = 1}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseBudget(c.text), IsOkAndHolds(c.want));
  }
}

TEST(BudgetTest, PrintsWhatItReads) {
  for (const std::string text : {"30s", "0.1s", "200evals", "7evals,1234567s", "12.5device-s",
                                 "1evals,2s,3device-s,4stale,75%roofline"}) {
    SCOPED_TRACE(text);
    ASSERT_OK_AND_ASSIGN(const Budget budget, ParseBudget(text));
    EXPECT_EQ(BudgetToString(budget), text);
  }
  EXPECT_EQ(BudgetToString({.evaluations = 5, .seconds = 90}), "5evals,90s");
  EXPECT_EQ(BudgetToString({.evaluations = 0, .seconds = 0}), "none");
}

TEST(BudgetTest, SaysWhatIsWrongAndWhatItWants) {
  const struct {
    const char *text, *error;
  } kCases[] = {
      {"", "is empty"},
      {"30", "30 has no unit, want ms, s, m, h, evals, device-s, stale or %roofline"},
      {"s", "\"s\" has no number"},
      {"30sec", "no unit named \"sec\""},
      {"30S", "no unit named \"S\""},
      {"200", "no unit"},
      {"1.5evals", "1.5 evaluations, want a whole number"},
      {"0evals", "want a whole number above 0"},
      {"-5evals", "want a whole number above 0"},
      {"99999999999999999999evals", "want a whole number above 0"},
      {"0s", "want more than 0"},
      {"-1s", "want more than 0"},
      {"1.2.3s", "want more than 0"},
      {"1e9s", "no unit named \"e9s\""},
      {"99999999h", "at most a year"},
      {"nans", "\"nans\" has no number"},
      {"0stale", "stale evaluations, want a whole number above 0"},
      {"5stale,6stale", "stale evaluations are given twice"},
      {"0%roofline", "want more than 0% and at most 100%"},
      {"101%roofline", "want more than 0% and at most 100%"},
      {"50%roofline,60%roofline", "the target is given twice"},
      {"50%", "no unit named \"%\""},
      {"0device-s", "want more than 0"},
      {"1device-s,2device-s", "device time is given twice"},
      {"10s,20s", "time is given twice"},
      {"10s,1m", "time is given twice"},
      {"1evals,2evals", "evaluations are given twice"},
      {"10s,", "is empty"},
      {"10s 5evals", "no unit named \"s 5evals\""},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ParseBudget(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr(std::string("budget \"") + c.text + "\": "),
                               HasSubstr(c.error), HasSubstr("for example 30s"))));
  }
}

TEST(BudgetTest, ATargetAloneIsNoLimit) {
  EXPECT_FALSE(Budget{}.HasLimit());
  EXPECT_FALSE((Budget{.roofline_fraction = 0.9}).HasLimit());
  for (const char* text : {"1evals", "1s", "1device-s", "1stale", "1stale,90%roofline"}) {
    ASSERT_OK_AND_ASSIGN(const Budget budget, ParseBudget(text));
    EXPECT_TRUE(budget.HasLimit()) << text;
  }
}

}  // namespace
}  // namespace seedtune

#include "autotuner/outcome.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

constexpr OutcomeKind kAllKinds[] = {
    OutcomeKind::kOk,          OutcomeKind::kCensored,       OutcomeKind::kCompileError,
    OutcomeKind::kLaunchError, OutcomeKind::kWrongResult,    OutcomeKind::kTimeout,
    OutcomeKind::kCrash,       OutcomeKind::kOutOfResources,
};

Outcome Ok(std::vector<double> samples_ns) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = std::move(samples_ns);
  return outcome;
}

TEST(OutcomeKindTest, NamesAreParsedBackToTheSameKind) {
  for (const OutcomeKind kind : kAllKinds) {
    EXPECT_THAT(ParseOutcomeKind(OutcomeKindName(kind)), IsOkAndHolds(kind));
  }
}

TEST(OutcomeKindTest, NumbersAreThoseOfTheDatabase) {
  int number = 1;
  for (const OutcomeKind kind : kAllKinds) EXPECT_EQ(static_cast<int>(kind), number++);
}

TEST(OutcomeKindTest, AnUnknownNameIsRefusedWithTheKnownOnes) {
  EXPECT_THAT(
      ParseOutcomeKind("compil_error"),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("no outcome kind named \"compil_error\""),
                     HasSubstr("out_of_resources"), HasSubstr("did you mean \"compile_error\""))));
  EXPECT_THAT(ParseOutcomeKind(""), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(ParseOutcomeKind("unknown"), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(OutcomeTest, ObjectiveIsTheMedianOfTheSamples) {
  const struct {
    std::vector<double> samples_ns;
    double median;
  } kCases[] = {
      {{7}, 7},
      {{9, 1}, 5},
      {{3, 100, 1}, 3},
      {{4, 1, 3, 2}, 2.5},
      {{5, 5, 5, 5, 1}, 5},
      {{1e308, 1.5e308}, 1.25e308},  // their sum overflows
      {{kInfinity, 1}, kInfinity},
      {{kInfinity, 1, 2}, 2},
  };
  for (const auto& c : kCases) EXPECT_EQ(Ok(c.samples_ns).objective_ns(), c.median);
}

TEST(OutcomeTest, ObjectiveDoesNotDependOnTheOrderOfSamplesAndLeavesIt) {
  std::vector<double> samples = {3, 1, 4, 1, 5, 9, 2, 6};
  const Outcome outcome = Ok(samples);
  const double objective = outcome.objective_ns();
  EXPECT_EQ(outcome.samples_ns, samples);
  std::sort(samples.begin(), samples.end());
  do {
    ASSERT_EQ(Ok(samples).objective_ns(), objective);
  } while (std::next_permutation(samples.begin(), samples.end()));
}

TEST(OutcomeTest, ObjectiveOfACensoredOneIsItsLowerBound) {
  Outcome outcome = Ok({1, 2, 3});
  outcome.kind = OutcomeKind::kCensored;
  outcome.lower_bound_ns = 42;
  EXPECT_EQ(outcome.objective_ns(), 42);
}

TEST(OutcomeTest, WhatHasNoTimeIsInfinitelySlow) {
  for (const OutcomeKind kind : kAllKinds) {
    if (kind == OutcomeKind::kOk || kind == OutcomeKind::kCensored) continue;
    Outcome outcome = Ok({1, 2, 3});
    outcome.kind = kind;
    EXPECT_EQ(outcome.objective_ns(), kInfinity) << OutcomeKindName(kind);
  }
  EXPECT_EQ(Ok({}).objective_ns(), kInfinity);
  EXPECT_EQ(Ok({1, kNan, 2}).objective_ns(), kInfinity);
  Outcome censored;
  censored.kind = OutcomeKind::kCensored;
  censored.lower_bound_ns = kNan;
  EXPECT_EQ(censored.objective_ns(), kInfinity);
}

TEST(ValidateOutcomeTest, TakesWhatMeasurersSay) {
  EXPECT_THAT(ValidateOutcome(Outcome()), IsOk());
  EXPECT_THAT(ValidateOutcome(Ok({0.5, 1e18})), IsOk());
  Outcome failed;
  failed.kind = OutcomeKind::kWrongResult;
  failed.message = "element 3 is 1.5, want 1";
  failed.samples_ns = {10};
  failed.compile_ns = 1e9;
  EXPECT_THAT(ValidateOutcome(failed), IsOk());
}

TEST(ValidateOutcomeTest, RefusesWhatCannotBe) {
  const auto with = [](auto change) {
    Outcome outcome = Ok({1, 2, 3, 4});
    change(outcome);
    return outcome;
  };
  const struct {
    Outcome outcome;
    const char* error;
  } kCases[] = {
      {Ok({}), "samples_ns is empty"},
      {with([](Outcome& o) { o.samples_ns[3] = kNan; }), "samples_ns[3] is nan, want"},
      {with([](Outcome& o) { o.samples_ns[1] = kInfinity; }), "samples_ns[1] is inf, want"},
      {with([](Outcome& o) { o.samples_ns[0] = 0; }), "samples_ns[0] is 0, want"},
      {with([](Outcome& o) { o.samples_ns[0] = -4; }), "samples_ns[0] is -4, want"},
      {with([](Outcome& o) { o.lower_bound_ns = kInfinity; }), "lower_bound_ns is inf, want"},
      {with([](Outcome& o) { o.compile_ns = -1; }), "compile_ns is -1, want"},
      {with([](Outcome& o) { o.measure_ns = kNan; }), "measure_ns is nan, want"},
      {with([](Outcome& o) { o.kind = static_cast<OutcomeKind>(0); }), "kind is number 0, want"},
      {with([](Outcome& o) { o.kind = static_cast<OutcomeKind>(9); }), "kind is number 9, want"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ValidateOutcome(c.outcome),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

}  // namespace
}  // namespace seedtune

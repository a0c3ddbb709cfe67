#include "autotuner/replay/recorded_measurer.h"

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::DoubleEq;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kMs = 1e6;

// x 0: three runs of 2, 4 and 9 ms; x 1: does not compile; x 2: not recorded.
std::shared_ptr<const RecordedSpace> Space() {
  ConfigSpace::Options options;
  options.name = "line";
  options.knobs = {*Knob::Integer("x", 0, 2, 1, 0)};
  const std::shared_ptr<const ConfigSpace> space = *ConfigSpace::Create(std::move(options));
  RecordedConfig works{.config = space->At(0),
                       .outcome = {},
                       .compile_cost_ns = 100 * kMs,
                       .benchmark_cost_ns = 30 * kMs,
                       .framework_cost_ns = 1 * kMs,
                       .search_cost_ns = 2 * kMs,
                       .verification_cost_ns = 3 * kMs};
  works.outcome.kind = OutcomeKind::kOk;
  works.outcome.samples_ns = {2 * kMs, 4 * kMs, 9 * kMs};
  RecordedConfig fails{.config = space->At(1), .outcome = {}, .compile_cost_ns = 50 * kMs};
  fails.outcome.kind = OutcomeKind::kCompileError;
  fails.outcome.message = "no such register";
  return *RecordedSpace::Create("line", "some GPU", space, {works, fails});
}

class RecordedMeasurerTest : public ::testing::Test {
 protected:
  MeasureRequest Request(int64_t x) const {
    MeasureRequest request;
    request.config = space_->space()->At(static_cast<uint64_t>(x));
    request.min_samples = request.max_samples = 1;
    return request;
  }

  // The outcome; `clock_` is left at what it cost.
  Outcome Measure(RecordedMeasurer::Options options, MeasureRequest request) {
    clock_ = VirtualClock();
    RecordedMeasurer measurer(space_, std::move(options), clock_);
    EXPECT_THAT(measurer.Submit(std::move(request)), IsOk());
    const absl::StatusOr<std::vector<MeasureReply>> replies =
        measurer.Wait(std::numeric_limits<int64_t>::max());
    EXPECT_THAT(replies, IsOkAndHolds(SizeIs(1)));
    return (*replies)[0].outcome;
  }

  std::shared_ptr<const RecordedSpace> space_ = Space();
  VirtualClock clock_;
};

TEST_F(RecordedMeasurerTest, NamesTheDevice) {
  RecordedMeasurer measurer(space_, {.worker_speeds = {1, 1}}, clock_);
  EXPECT_EQ(measurer.info().device.name, "some GPU");
  EXPECT_EQ(measurer.capacity(), 2);
}

TEST_F(RecordedMeasurerTest, WithoutNoiseItAnswersTheMeanAtTheRecordedCost) {
  EXPECT_DOUBLE_EQ(RecordedValueNs(space_->configs()[0]), 5 * kMs);
  EXPECT_THAT(Measure({}, Request(0)).samples_ns, ElementsAre(DoubleEq(5 * kMs)));
  EXPECT_EQ(clock_.NowNs(), 136 * kMs);
}

TEST_F(RecordedMeasurerTest, WithNoiseItDrawsFromTheRecordedSamples) {
  MeasureRequest request = Request(0);
  request.min_samples = request.max_samples = 60;
  const Outcome outcome = Measure({.noise = true}, request);
  EXPECT_THAT(outcome.samples_ns, SizeIs(60));
  EXPECT_THAT(outcome.samples_ns, Each(AnyOf(2 * kMs, 4 * kMs, 9 * kMs)));
  for (const double sample_ns : {2 * kMs, 4 * kMs, 9 * kMs}) {
    EXPECT_THAT(outcome.samples_ns, Contains(sample_ns));
  }
  EXPECT_EQ(clock_.NowNs(), (106 + 60 * 10) * kMs) << "10 ms for each sample";

  EXPECT_EQ(Measure({.noise = true}, request), outcome);
  EXPECT_NE(Measure({.noise = true, .noise_seed = 2}, request), outcome);
  request.id = 1;
  EXPECT_NE(Measure({.noise = true}, request), outcome);
}

TEST_F(RecordedMeasurerTest, StopsSamplingOnceItHasTimedEnough) {
  MeasureRequest request = Request(0);
  request.max_samples = 100;
  request.target_measure_ns = 18 * kMs;
  const std::vector<double> samples_ns = Measure({.noise = true}, request).samples_ns;
  double but_one_ns = -samples_ns.back();
  for (const double sample_ns : samples_ns) but_one_ns += sample_ns;
  EXPECT_LT(but_one_ns, 18 * kMs);
  EXPECT_GE(but_one_ns + samples_ns.back(), 18 * kMs);
}

TEST_F(RecordedMeasurerTest, DropsWhatIsTooSlow) {
  for (const bool noise : {false, true}) {
    MeasureRequest request = Request(0);
    request.drop_above_ns = 1 * kMs;
    const Outcome outcome = Measure({.noise = noise}, request);
    EXPECT_EQ(outcome.kind, OutcomeKind::kCensored);
    EXPECT_EQ(outcome.lower_bound_ns, 1 * kMs);
    EXPECT_THAT(outcome.samples_ns, IsEmpty());
  }
}

TEST_F(RecordedMeasurerTest, GivesUpAtTheTimeOut) {
  for (const bool noise : {false, true}) {
    for (const int64_t x : {0, 1}) {
      MeasureRequest request = Request(x);
      request.timeout_ns = 20 * kMs;
      EXPECT_EQ(Measure({.noise = noise}, request).kind, OutcomeKind::kTimeout);
      EXPECT_EQ(clock_.NowNs(), 20 * kMs);
    }
  }
}

TEST_F(RecordedMeasurerTest, RepeatsFailures) {
  const Outcome outcome = Measure({.noise = true}, Request(1));
  EXPECT_EQ(outcome.kind, OutcomeKind::kCompileError);
  EXPECT_EQ(outcome.message, "no such register");
  EXPECT_EQ(clock_.NowNs(), 50 * kMs);
  EXPECT_EQ(RecordedValueNs(space_->configs()[1]), std::numeric_limits<double>::infinity());
}

TEST_F(RecordedMeasurerTest, WhatWasNotRecordedFailsAtNoCost) {
  const Outcome outcome = Measure({}, Request(2));
  EXPECT_EQ(outcome.kind, OutcomeKind::kLaunchError);
  EXPECT_THAT(outcome.message, HasSubstr("not recorded"));
  EXPECT_EQ(clock_.NowNs(), 0);
}

}  // namespace
}  // namespace seedtune

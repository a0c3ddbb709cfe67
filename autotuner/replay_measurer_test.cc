#include "autotuner/replay_measurer.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/statistics.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr double kMs = 1e6;

std::shared_ptr<const ConfigSpace> Line() {
  ConfigSpace::Options options;
  options.name = "line";
  options.knobs = {*Knob::Integer("x", 0, 99, 1, 0)};
  return *ConfigSpace::Create(std::move(options));
}

Outcome Ok(double time_ns, double compile_ns = 0) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = {time_ns};
  outcome.compile_ns = compile_ns;
  return outcome;
}

MeasureRequest Request(int64_t id, const Config& config) {
  MeasureRequest request;
  request.id = id;
  request.config = config;
  request.min_samples = 1;
  request.max_samples = 1;
  return request;
}

// x milliseconds a run, and as many to compile.
ReplayMeasurer::Options XMilliseconds() {
  ReplayMeasurer::Options options;
  options.outcome = [](const Config& config) {
    return Ok(kMs * static_cast<double>(config.GetInt("x")),
              kMs * static_cast<double>(config.GetInt("x")));
  };
  return options;
}

TEST(ReplayMeasurerTest, AnswersInTheOrderInWhichItsWorkersFinish) {
  const auto space = Line();
  ReplayMeasurer::Options options = XMilliseconds();
  options.workers = 2;
  VirtualClock clock;
  ReplayMeasurer measurer(options, clock);
  EXPECT_EQ(measurer.capacity(), 2);
  // One worker is at 1 for 20 ms; the other at 2 until 2 ms, and then at 3 until 8 ms.
  EXPECT_THAT(measurer.Submit(Request(1, space->At(10))), IsOk());
  EXPECT_THAT(measurer.Submit(Request(2, space->At(1))), IsOk());
  EXPECT_THAT(measurer.Submit(Request(3, space->At(3))), IsOk());
  std::vector<std::pair<int64_t, int64_t>> answers;
  while (true) {
    ASSERT_OK_AND_ASSIGN(const std::vector<MeasureReply> replies, measurer.Wait(1'000'000'000));
    if (replies.empty()) break;
    for (const MeasureReply& reply : replies) answers.emplace_back(reply.id, clock.NowNs());
  }
  EXPECT_THAT(answers,
              ElementsAre(std::pair(2, 2 * kMs), std::pair(3, 8 * kMs), std::pair(1, 20 * kMs)));
}

TEST(ReplayMeasurerTest, TimesOutAndGoesOnWaiting) {
  VirtualClock clock;
  ReplayMeasurer measurer(XMilliseconds(), clock);
  EXPECT_THAT(measurer.Wait(5), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(clock.NowNs(), 0) << "nothing is under way: nothing to wait for";
  ASSERT_THAT(measurer.Submit(Request(1, Line()->At(10))), IsOk());
  EXPECT_THAT(measurer.Wait(15'000'000), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(clock.NowNs(), 15'000'000);
  EXPECT_THAT(measurer.Wait(15'000'000), IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(clock.NowNs(), 20'000'000);
}

Outcome Measure(ReplayMeasurer& measurer, MeasureRequest request) {
  EXPECT_THAT(measurer.Submit(std::move(request)), IsOk());
  absl::StatusOr<std::vector<MeasureReply>> replies = measurer.Wait(INT64_MAX / 2);
  EXPECT_THAT(replies, IsOkAndHolds(SizeIs(1)));
  return (*replies)[0].outcome;
}

TEST(ReplayMeasurerTest, TakesAsManySamplesAsItIsAskedFor) {
  VirtualClock clock;
  ReplayMeasurer measurer(XMilliseconds(), clock);
  MeasureRequest request = Request(1, Line()->At(2));
  request.min_samples = 3;
  request.max_samples = 50;
  request.target_measure_ns = 20 * kMs;
  EXPECT_THAT(Measure(measurer, request).samples_ns, SizeIs(10));
  request.max_samples = 7;
  EXPECT_THAT(Measure(measurer, request).samples_ns, SizeIs(7));
  request.target_measure_ns = 1;
  EXPECT_THAT(Measure(measurer, request).samples_ns, SizeIs(3));
}

TEST(ReplayMeasurerTest, DropsWhatIsTooSlowAfterOneSample) {
  VirtualClock clock;
  ReplayMeasurer measurer(XMilliseconds(), clock);
  MeasureRequest request = Request(1, Line()->At(30));
  request.max_samples = 9;
  request.drop_above_ns = 29 * kMs;
  const Outcome dropped = Measure(measurer, request);
  EXPECT_EQ(dropped.kind, OutcomeKind::kCensored);
  EXPECT_EQ(dropped.lower_bound_ns, 29 * kMs);
  EXPECT_THAT(dropped.samples_ns, IsEmpty());
  EXPECT_EQ(clock.NowNs(), 60 * kMs) << "compiled and run once";
  request.drop_above_ns = 31 * kMs;
  EXPECT_TRUE(Measure(measurer, request).ok());
}

TEST(ReplayMeasurerTest, GivesUpAtTheTimeOut) {
  VirtualClock clock;
  ReplayMeasurer measurer(XMilliseconds(), clock);
  MeasureRequest request = Request(1, Line()->At(30));
  request.timeout_ns = 50 * kMs;
  EXPECT_EQ(Measure(measurer, request).kind, OutcomeKind::kTimeout);
  EXPECT_EQ(clock.NowNs(), 50 * kMs);
}

TEST(ReplayMeasurerTest, RepeatsFailuresAsTheyAre) {
  Outcome failure;
  failure.kind = OutcomeKind::kCompileError;
  failure.message = "no such register";
  failure.compile_ns = 5 * kMs;
  ReplayMeasurer::Options options;
  options.outcome = [&](const Config&) { return failure; };
  VirtualClock clock;
  ReplayMeasurer measurer(options, clock);
  EXPECT_EQ(Measure(measurer, Request(1, Line()->At(0))), failure);
  EXPECT_EQ(clock.NowNs(), 5 * kMs);
}

TEST(ReplayMeasurerTest, ItsNoiseIsOfTheSizeAskedForAndRepeatable) {
  ReplayMeasurer::Options options = XMilliseconds();
  options.sample_noise = 0.01;
  options.request_noise = 0.1;
  VirtualClock clock;
  ReplayMeasurer measurer(options, clock);
  ReplayMeasurer twin(options, clock);
  options.noise_seed = 2;
  ReplayMeasurer stranger(options, clock);

  const Config config = Line()->At(10);
  std::vector<double> medians;
  std::vector<double> spreads;
  for (int64_t id = 0; id < 400; ++id) {
    MeasureRequest request = Request(id, config);
    request.min_samples = request.max_samples = 15;
    const Outcome outcome = Measure(measurer, request);
    EXPECT_EQ(outcome, Measure(twin, request));
    EXPECT_NE(outcome, Measure(stranger, request));
    medians.push_back(outcome.objective_ns() / (10 * kMs));
    spreads.push_back(Quantile(outcome.samples_ns, 0.75) / Quantile(outcome.samples_ns, 0.25));
  }
  // A normal distribution has half of itself within 0.674 standard deviations.
  EXPECT_NEAR(Median(medians), 1, 0.02);
  EXPECT_NEAR(Quantile(medians, 0.75) - Quantile(medians, 0.25), 2 * 0.674 * 0.1, 0.03);
  EXPECT_NEAR(Median(spreads) - 1, 2 * 0.674 * 0.01, 0.004);
}

}  // namespace
}  // namespace seedtune

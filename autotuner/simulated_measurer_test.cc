#include "autotuner/simulated_measurer.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/virtual_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Every request takes 12 seconds of a worker of speed 1.
SimulatedMeasurer::Options TwelveSeconds(std::vector<double> worker_speeds) {
  SimulatedMeasurer::Options options;
  options.answer = [](const MeasureRequest&) {
    SimulatedAnswer answer;
    answer.outcome.kind = OutcomeKind::kOk;
    answer.outcome.samples_ns = {1};
    answer.cost_ns = 12e9;
    return answer;
  };
  options.worker_speeds = std::move(worker_speeds);
  return options;
}

// Which requests are answered when, in seconds.
std::vector<std::pair<int64_t, double>> Answers(SimulatedMeasurer& measurer, VirtualClock& clock,
                                                int requests) {
  for (int id = 1; id <= requests; ++id) {
    MeasureRequest request;
    request.id = id;
    EXPECT_THAT(measurer.Submit(request), IsOk());
  }
  std::vector<std::pair<int64_t, double>> answers;
  while (true) {
    const absl::StatusOr<std::vector<MeasureReply>> replies = measurer.Wait(INT64_MAX / 2);
    EXPECT_THAT(replies, IsOk());
    if (replies->empty()) return answers;
    for (const MeasureReply& reply : *replies) {
      answers.emplace_back(reply.id, static_cast<double>(clock.NowNs()) * 1e-9);
    }
  }
}

TEST(SimulatedMeasurerTest, FastWorkersTakeMoreRequests) {
  VirtualClock clock;
  SimulatedMeasurer measurer(TwelveSeconds({1, 3}), clock);
  EXPECT_EQ(measurer.capacity(), 2);
  // The second worker is free again at 4, 8 and 12 seconds; then the first one takes the next.
  EXPECT_THAT(Answers(measurer, clock, 5),
              ElementsAre(std::pair(2, 4.0), std::pair(3, 8.0), std::pair(1, 12.0),
                          std::pair(4, 12.0), std::pair(5, 24.0)));
}

TEST(SimulatedMeasurerTest, OneWorkerAnswersInOrder) {
  VirtualClock clock;
  SimulatedMeasurer measurer(TwelveSeconds({0.5}), clock);
  EXPECT_THAT(Answers(measurer, clock, 2), ElementsAre(std::pair(1, 24.0), std::pair(2, 48.0)));
  EXPECT_THAT(measurer.Wait(1), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace seedtune

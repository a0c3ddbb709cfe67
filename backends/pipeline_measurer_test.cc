#include "backends/pipeline_measurer.h"

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/virtual_clock.h"
#include "backends/adaptive_limit.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kLongNs = 60'000'000'000;

Outcome Ok(double ns, double compile_ns = 0) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = {ns};
  outcome.compile_ns = compile_ns;
  return outcome;
}

class PipelineMeasurerTest : public ::testing::Test {
 protected:
  PipelineMeasurerTest() {
    ConfigSpace::Options options;
    options.name = "test";
    options.knobs = {*Knob::Integer("x", 0, 99, /*step=*/1, /*default_value=*/0)};
    space_ = *ConfigSpace::Create(std::move(options));
  }

  // A pipeline of fakes; tests look into them by `prepare_` and `measure_`.
  std::unique_ptr<Measurer> Make(int compilers,
                                 std::function<Outcome(const MeasureRequest&)> prepare) {
    auto preparer = std::make_unique<FakeMeasurer>(
        FakeMeasurer::Options{.info = {}, .capacity = compilers, .outcome = std::move(prepare)});
    MeasurerInfo info;
    info.backend = "fake";
    auto measurer = std::make_unique<FakeMeasurer>(
        FakeMeasurer::Options{.info = info, .capacity = 1, .outcome = [](const MeasureRequest& r) {
                                return Ok(100 + static_cast<double>(r.id), /*compile_ns=*/1);
                              }});
    prepare_ = preparer.get();
    measure_ = measurer.get();
    return std::make_unique<PipelineMeasurer>(std::move(preparer), std::move(measurer), clock_,
                                              AdaptiveLimit::Options{.first_ns = 7e9});
  }

  MeasureRequest Request(int64_t id, int64_t x) const {
    MeasureRequest request;
    request.id = id;
    request.kernel = kernel_;
    request.config = space_->At(static_cast<uint64_t>(x));
    request.timeout_ns = 3e9;
    return request;
  }

  std::vector<MeasureReply> All(Measurer& measurer, size_t count) {
    std::vector<MeasureReply> all;
    while (all.size() < count) {
      const auto replies = measurer.Wait(kLongNs);
      EXPECT_THAT(replies.status(), IsOk());
      if (!replies.ok() || replies->empty()) return all;
      all.insert(all.end(), replies->begin(), replies->end());
    }
    return all;
  }

  VirtualClock clock_;
  std::shared_ptr<const Kernel> kernel_ = std::make_shared<const Kernel>();
  std::shared_ptr<const ConfigSpace> space_;
  FakeMeasurer* prepare_ = nullptr;
  FakeMeasurer* measure_ = nullptr;
};

TEST_F(PipelineMeasurerTest, PreparesThenMeasures) {
  const auto measurer = Make(2, [](const MeasureRequest&) { return Ok(5, /*compile_ns=*/5); });
  EXPECT_EQ(measurer->info().backend, "fake");
  ASSERT_THAT(measurer->Submit(Request(1, 10)), IsOk());
  const std::vector<MeasureReply> replies = All(*measurer, 1);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].id, 1);
  EXPECT_THAT(replies[0].outcome.samples_ns, ElementsAre(101));
  EXPECT_EQ(replies[0].outcome.compile_ns, 6) << "of both steps";
  ASSERT_THAT(prepare_->requests(), SizeIs(1));
  ASSERT_THAT(measure_->requests(), SizeIs(1));
  EXPECT_EQ(prepare_->requests()[0].timeout_ns, 7e9) << "the limit's, not the candidate's";
  EXPECT_EQ(measure_->requests()[0].timeout_ns, 3e9);
}

TEST_F(PipelineMeasurerTest, WhatCannotBePreparedIsNotMeasured) {
  const auto measurer = Make(2, [](const MeasureRequest&) {
    Outcome outcome;
    outcome.kind = OutcomeKind::kCompileError;
    outcome.message = "no";
    return outcome;
  });
  ASSERT_THAT(measurer->Submit(Request(1, 10)), IsOk());
  const std::vector<MeasureReply> replies = All(*measurer, 1);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].outcome.kind, OutcomeKind::kCompileError);
  EXPECT_THAT(measure_->requests(), IsEmpty());
}

// A budget in device seconds, and the share of time that the device was busy, count measure_ns.
TEST_F(PipelineMeasurerTest, WhatACutPreparationTookIsNoTimeOfTheDevice) {
  const auto measurer = Make(1, [](const MeasureRequest&) {
    Outcome cut;
    cut.kind = OutcomeKind::kTimeout;
    cut.measure_ns = 4e9;
    return cut;
  });
  ASSERT_THAT(measurer->Submit(Request(1, 10)), IsOk());
  const std::vector<MeasureReply> replies = All(*measurer, 1);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].outcome.measure_ns, 0);
  EXPECT_EQ(replies[0].outcome.compile_ns, 4e9);
}

TEST_F(PipelineMeasurerTest, ManyUnderWayAreAllAnsweredOnce) {
  const auto measurer = Make(3, [](const MeasureRequest&) { return Ok(5); });
  std::set<int64_t> answered;
  int64_t next = 0;
  while (answered.size() < 50) {
    for (; next < 50; ++next) {
      const absl::Status status = measurer->Submit(Request(next, next));
      if (!status.ok()) {
        EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("taken")));
        break;
      }
    }
    const auto replies = measurer->Wait(kLongNs);
    ASSERT_THAT(replies.status(), IsOk());
    ASSERT_FALSE(replies->empty());
    for (const MeasureReply& reply : *replies) {
      EXPECT_TRUE(answered.insert(reply.id).second) << reply.id;
      EXPECT_THAT(reply.outcome.samples_ns, ElementsAre(100 + static_cast<double>(reply.id)));
    }
  }
  EXPECT_GT(prepare_->most_under_way(), 1u);
  EXPECT_EQ(measure_->most_under_way(), 1u) << "one at a time on the device";
}

TEST_F(PipelineMeasurerTest, WhatIsPreparedIsNotPreparedAgain) {
  const auto measurer = Make(2, [](const MeasureRequest&) { return Ok(5); });
  for (int64_t id = 0; id < 3; ++id) {
    ASSERT_THAT(measurer->Submit(Request(id, 10)), IsOk());
    ASSERT_THAT(All(*measurer, 1), SizeIs(1));
  }
  EXPECT_THAT(prepare_->requests(), SizeIs(1));
  EXPECT_THAT(measure_->requests(), SizeIs(3));
  kernel_ = std::make_shared<const Kernel>();  // another kernel's candidate is another one
  ASSERT_THAT(measurer->Submit(Request(3, 10)), IsOk());
  ASSERT_THAT(All(*measurer, 1), SizeIs(1));
  EXPECT_THAT(prepare_->requests(), SizeIs(2));
}

TEST_F(PipelineMeasurerTest, ABrokenStepIsAnError) {
  auto preparer = std::make_unique<FakeMeasurer>(
      FakeMeasurer::Options{.info = {},
                            .outcome = [](const MeasureRequest&) { return Ok(5); },
                            .on_wait = [] { return absl::UnavailableError("gone"); }});
  auto measurer = std::make_unique<FakeMeasurer>(
      FakeMeasurer::Options{.info = {}, .outcome = [](const MeasureRequest&) { return Ok(5); }});
  PipelineMeasurer pipeline(std::move(preparer), std::move(measurer), clock_);
  ASSERT_THAT(pipeline.Submit(Request(1, 10)), IsOk());
  EXPECT_THAT(pipeline.Wait(kLongNs).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("gone")));
}

TEST_F(PipelineMeasurerTest, WhatIsGivenUpIsNotAnswered) {
  const auto measurer = Make(2, [](const MeasureRequest&) { return Ok(5); });
  for (int64_t id = 1; id <= 3; ++id) ASSERT_THAT(measurer->Submit(Request(id, id)), IsOk());
  ASSERT_THAT(prepare_->requests(), SizeIs(2));
  const std::vector<int64_t> ids = {2, 3, 4};
  EXPECT_THAT(measurer->GiveUp(ids), ElementsAre(2, 3)) << "being prepared, waiting, unknown";
  EXPECT_THAT(measurer->GiveUp(ids), IsEmpty());
  std::vector<MeasureReply> replies = All(*measurer, 1);
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].id, 1);
  EXPECT_THAT(*measurer->Wait(kLongNs), IsEmpty());

  // What is still being prepared is not taken for another of its id, and takes no place.
  for (int64_t id = 2; id <= 4; ++id) ASSERT_THAT(measurer->Submit(Request(id, 90)), IsOk());
  replies = All(*measurer, 3);
  ASSERT_THAT(replies, SizeIs(3));
  EXPECT_THAT(*measurer->Wait(kLongNs), IsEmpty());
  for (const MeasureRequest& request : measure_->requests()) {
    EXPECT_EQ(request.config.GetInt("x"), request.id == 1 ? 1 : 90);
  }
}

TEST_F(PipelineMeasurerTest, NothingUnderWayReturnsAtOnce) {
  const auto measurer = Make(2, [](const MeasureRequest&) { return Ok(5); });
  EXPECT_THAT(*measurer->Wait(kLongNs), IsEmpty());
}

TEST(AdaptiveLimitTest, FollowsBothWays) {
  AdaptiveLimit limit({.first_ns = 60, .min_ns = 10, .max_ns = 1000, .factor = 5});
  EXPECT_EQ(limit.limit_ns(), 60);
  limit.Took(40);
  EXPECT_EQ(limit.limit_ns(), 200) << "a slow one raises it at once";
  limit.Took(1);
  EXPECT_LT(limit.limit_ns(), 200) << "quick ones lower it";
  EXPECT_GT(limit.limit_ns(), 100) << "but little by little";
  for (int i = 0; i < 100; ++i) limit.Took(1);
  EXPECT_EQ(limit.limit_ns(), 10);
  limit.Cut();
  EXPECT_EQ(limit.limit_ns(), 15) << "so that a limit too low cuts but a few";
  for (int i = 0; i < 100; ++i) limit.Cut();
  EXPECT_EQ(limit.limit_ns(), 1000);
}

}  // namespace
}  // namespace seedtune

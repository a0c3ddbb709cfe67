#include "autotuner/replay/recorded_run.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class RecordedRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ConfigSpace::Options options;
    options.name = "small";
    ASSERT_OK_AND_ASSIGN(Knob x, Knob::PowerOfTwo("x", 1, 8, 1));
    options.knobs = {x};
    ASSERT_OK_AND_ASSIGN(space_, ConfigSpace::Create(std::move(options)));
  }

  void Ask(const std::string& config_json) {
    RunEvent event;
    event.sequence = static_cast<int64_t>(log_.size());
    event.config_json = config_json;
    log_.push_back(std::move(event));
  }
  void Answer(RunEvent::Kind kind, int64_t ask, Outcome outcome) {
    RunEvent event;
    event.sequence = static_cast<int64_t>(log_.size());
    event.kind = kind;
    event.ask_sequence = ask;
    event.outcome = std::move(outcome);
    log_.push_back(std::move(event));
  }
  static Outcome Ok(std::vector<double> samples_ns) {
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    outcome.samples_ns = std::move(samples_ns);
    outcome.compile_ns = 70;
    outcome.measure_ns = 30;
    return outcome;
  }

  static Outcome Failed(OutcomeKind kind, std::string message) {
    Outcome outcome;
    outcome.kind = kind;
    outcome.message = std::move(message);
    return outcome;
  }

  std::shared_ptr<const ConfigSpace> space_;
  std::vector<RunEvent> log_;
};

TEST_F(RecordedRunTest, GivesEachAnswerOnceInTheOrderAsked) {
  Ask(R"({"x":4})");
  Ask(R"({"x":2})");
  Ask(R"({"x":8})");
  Answer(RunEvent::Kind::kTell, 1, Failed(OutcomeKind::kCrash, "signal 11"));
  Answer(RunEvent::Kind::kTell, 0, Ok({5, 6}));
  Answer(RunEvent::Kind::kRetime, 0, Ok({7}));
  ASSERT_OK_AND_ASSIGN(const std::vector<RecordedConfig> results, ResultsOfRun(log_, space_));
  ASSERT_EQ(results.size(), 2u);  // nobody answered the third
  EXPECT_EQ(results[0].config.GetInt("x"), 4);
  EXPECT_THAT(results[0].outcome.samples_ns, ElementsAre(5, 6, 7));
  EXPECT_EQ(results[0].total_cost_ns(), 100);  // of the search, not of re-timing
  EXPECT_EQ(results[1].outcome.message, "signal 11");
  EXPECT_THAT(RecordedSpace::Create("k", "d", space_, results), IsOk());
}

TEST_F(RecordedRunTest, ARetimingThatFailsTakesNothingBack) {
  Ask(R"({"x":4})");
  Answer(RunEvent::Kind::kTell, 0, Ok({5}));
  Answer(RunEvent::Kind::kRetime, 0, Failed(OutcomeKind::kTimeout, "20 s"));
  ASSERT_OK_AND_ASSIGN(const std::vector<RecordedConfig> results, ResultsOfRun(log_, space_));
  EXPECT_EQ(results[0].outcome, Ok({5}));
}

TEST_F(RecordedRunTest, SaysWhatIsNotOfTheSpace) {
  Ask(R"({"x":3})");
  EXPECT_THAT(std::string(ResultsOfRun(log_, space_).status().message()),
              HasSubstr("event 0: x is 3"));
  log_.clear();
  Answer(RunEvent::Kind::kTell, 5, Ok({1}));
  EXPECT_THAT(std::string(ResultsOfRun(log_, space_).status().message()),
              HasSubstr("event 0: answers 5"));
}

}  // namespace
}  // namespace seedtune

#include "autotuner/database/check_records.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr char kNotUtf8[] = "a\xff";

auto IsInvalid(const std::string& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
}

TEST(CheckRunTest, TakesAGoodOne) {
  EXPECT_THAT(CheckRun(ExampleRun(1)), IsOk());
  EXPECT_THAT(CheckRun(ExampleDocument(1).run), IsOk());
}

TEST(CheckRunTest, NamesTheFieldThatCannotBe) {
  const struct {
    void (*change)(RunInfo&);
    const char* error;
  } kCases[] = {
      {[](RunInfo& r) { r.id = ""; }, "id is \"\", want 32 digits"},
      {[](RunInfo& r) { r.id.back() = 'G'; }, "want 32 digits"},
      {[](RunInfo& r) { r.id += "0"; }, "want 32 digits"},
      {[](RunInfo& r) { r.key.kernel_fingerprint = ""; }, "key.kernel_fingerprint is empty"},
      {[](RunInfo& r) { r.key.backend = ""; }, "key.backend is empty"},
      {[](RunInfo& r) { r.key.space_id = ""; }, "key.space_id is empty"},
      {[](RunInfo& r) { r.key.device_key = ""; }, "key.device_key is empty"},
      {[](RunInfo& r) { r.key.driver_version = kNotUtf8; },
       "key.driver_version is not UTF-8 from byte 1"},
      {[](RunInfo& r) { r.settings.algorithm = ""; }, "settings.algorithm is empty"},
      {[](RunInfo& r) { r.settings.budget_evaluations = -1; },
       "settings.budget_evaluations is -1, want at least 0"},
      {[](RunInfo& r) { r.settings.budget_seconds = kNan; }, "settings.budget_seconds is nan"},
      {[](RunInfo& r) { r.settings.budget_seconds = kInfinity; }, "settings.budget_seconds is inf"},
      {[](RunInfo& r) { r.seconds_spent = -0.5; }, "seconds_spent is -0.5"},
      {[](RunInfo& r) { r.kernel_text = kNotUtf8; }, "kernel_text is not UTF-8"},
      {[](RunInfo& r) { r.state = static_cast<RunState>(3); }, "state is number 3"},
  };
  for (const auto& c : kCases) {
    RunInfo run = ExampleRun(1);
    c.change(run);
    EXPECT_THAT(CheckRun(run), IsInvalid(c.error));
  }
}

TEST(CheckEventTest, TakesGoodOnes) {
  for (const RunEvent& event : ExampleDocument(1).events) EXPECT_THAT(CheckEvent(event), IsOk());
}

TEST(CheckEventTest, NamesTheFieldThatCannotBe) {
  const RunEvent ask = Ask(0, "{}");
  const RunEvent tell = Tell(1, ask, OkOutcome({1, 2}));
  const struct {
    RunEvent event;
    void (*change)(RunEvent&);
    const char* error;
  } kCases[] = {
      {ask, [](RunEvent& e) { e.config_json = ""; }, "config_json is \"\", want a JSON object"},
      {ask, [](RunEvent& e) { e.config_json = "[1]"; }, "config_json is \"[1]\""},
      {ask, [](RunEvent& e) { e.config_json = "{\"a\":1"; }, "want a JSON object"},
      {ask, [](RunEvent& e) { e.config_json = "{\"a\":1}}"; }, "want a JSON object"},
      {ask, [](RunEvent& e) { e.config_json = "{\"a\":\"\xff\"}"; }, "is not UTF-8 from byte 6"},
      {ask, [](RunEvent& e) { e.origin = ""; }, "origin is empty"},
      {ask, [](RunEvent& e) { e.heuristic = kNotUtf8; }, "heuristic is not UTF-8"},
      {ask, [](RunEvent& e) { e.outcome = OkOutcome({1}); }, "outcome is set on an ask"},
      {ask, [](RunEvent& e) { e.at_seconds = -1; }, "at_seconds is -1"},
      {ask, [](RunEvent& e) { e.kind = static_cast<RunEvent::Kind>(4); }, "kind is number 4"},
      {tell, [](RunEvent& e) { e.at_seconds = kNan; }, "at_seconds is nan"},
      {tell, [](RunEvent& e) { e.outcome.samples_ns[1] = kNan; }, "outcome.samples_ns[1] is nan"},
      {tell, [](RunEvent& e) { e.outcome.compile_ns = kInfinity; }, "outcome.compile_ns is inf"},
      {tell, [](RunEvent& e) { e.outcome.message = kNotUtf8; }, "outcome.message is not UTF-8"},
  };
  for (const auto& c : kCases) {
    RunEvent event = c.event;
    c.change(event);
    EXPECT_THAT(CheckEvent(event), IsInvalid(c.error));
  }
}

TEST(CheckBestTest, NamesTheFieldThatCannotBe) {
  const BestRecord good = ExampleBest(ExampleRun(1), ExampleConfig(1), OkOutcome({1}));
  EXPECT_THAT(CheckBest(good), IsOk());
  const struct {
    void (*change)(BestRecord&);
    const char* error;
  } kCases[] = {
      {[](BestRecord& b) { b.config_json = "64"; }, "config_json is \"64\""},
      {[](BestRecord& b) { b.origin = ""; }, "origin is empty"},
      {[](BestRecord& b) { b.outcome.samples_ns.clear(); }, "outcome.samples_ns is empty"},
      {[](BestRecord& b) { b.outcome.kind = OutcomeKind::kTimeout; },
       "outcome.kind is \"timeout\", want \"ok\""},
      {[](BestRecord& b) { b.untuned_config_json = "x"; }, "untuned_config_json is \"x\""},
      {[](BestRecord& b) { b.untuned_outcome.measure_ns = -1; },
       "untuned_outcome.measure_ns is -1"},
      {[](BestRecord& b) { b.evaluations = -1; }, "evaluations is -1"},
      {[](BestRecord& b) { b.seconds = kInfinity; }, "seconds is inf"},
      {[](BestRecord& b) { b.heuristics_json = kNotUtf8; }, "heuristics_json is not UTF-8"},
  };
  for (const auto& c : kCases) {
    BestRecord best = good;
    c.change(best);
    EXPECT_THAT(CheckBest(best), IsInvalid(c.error));
  }
}

TEST(CheckAnswersAskTest, LetsATellRepeatItsAskOrSayNothing) {
  RunEvent ask = Ask(0, "{\"a\":1}");
  ask.heuristic = "h";
  RunEvent tell = Tell(1, ask, OkOutcome({1}));
  EXPECT_THAT(CheckAnswersAsk(tell, ask), IsOk());
  tell.origin = ask.origin;
  tell.heuristic = ask.heuristic;
  EXPECT_THAT(CheckAnswersAsk(tell, ask), IsOk());
  tell.config_json = "";
  EXPECT_THAT(CheckAnswersAsk(tell, ask), IsOk());
  tell.config_json = "{\"a\":2}";
  EXPECT_THAT(CheckAnswersAsk(tell, ask), IsInvalid("config_json is \"{\"a\":2}\", want that of"));
  tell = Tell(1, ask, OkOutcome({1}));
  tell.origin = "seed";
  EXPECT_THAT(CheckAnswersAsk(tell, ask), IsInvalid("origin is \"seed\""));
}

TEST(LogStateTest, TakesALogInOrder) {
  LogState log;
  for (const RunEvent& event : ExampleDocument(1).events) {
    ASSERT_THAT(log.CheckNext(event), IsOk());
    log.Add(event);
  }
  EXPECT_EQ(log.next_sequence(), static_cast<int64_t>(ExampleDocument(1).events.size()));
}

TEST(LogStateTest, RefusesWhatDoesNotFollow) {
  const RunEvent ask = Ask(0, "{}");
  const RunEvent pending = Ask(2, "{}");
  LogState log;
  for (const RunEvent& event : {ask, Tell(1, ask, OkOutcome({1})), pending}) {
    ASSERT_THAT(log.CheckNext(event), IsOk());
    log.Add(event);
  }
  const auto answer_to = [](int64_t ask_sequence) {
    RunEvent event = Tell(3, Ask(0, "{}"), OkOutcome({1}));
    event.ask_sequence = ask_sequence;
    return event;
  };
  EXPECT_THAT(log.CheckNext(Ask(2, "{}")), IsInvalid("sequence is 2, want 3"));
  EXPECT_THAT(log.CheckNext(Ask(4, "{}")), IsInvalid("sequence is 4, want 3"));
  EXPECT_THAT(log.CheckNext(Ask(-1, "{}")), IsInvalid("sequence is -1, want 3"));
  EXPECT_THAT(log.CheckNext(answer_to(0)),
              IsInvalid("ask_sequence is 0, want an ask that was not"));
  EXPECT_THAT(log.CheckNext(answer_to(1)), IsInvalid("ask_sequence is 1, want that of an ask"));
  EXPECT_THAT(log.CheckNext(answer_to(3)), IsInvalid("ask_sequence is 3, want that of an ask"));
  EXPECT_THAT(log.CheckNext(answer_to(-1)), IsInvalid("ask_sequence is -1, want that of an ask"));
  EXPECT_THAT(log.CheckNext(answer_to(int64_t{1} << 62)), IsInvalid("want that of an ask"));
  EXPECT_THAT(log.CheckNext(answer_to(2)), IsOk());
  EXPECT_THAT(log.CheckNext(Retime(3, ask, OkOutcome({1}))), IsOk());
  EXPECT_THAT(log.CheckNext(Retime(3, pending, OkOutcome({1}))),
              IsInvalid("ask_sequence is 2, want an ask that was told before"));
}

TEST(ToValidUtf8Test, ReplacesOnlyWhatIsNoCharacter) {
  const struct {
    const char* text;
    const char* valid;
  } kCases[] = {
      {"", ""},
      {"plain", "plain"},
      {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xb1", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xb1"},
      {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},  // the last character
      {"a\xff"
       "b",
       "a\xef\xbf\xbd"
       "b"},
      {"\xc3", "\xef\xbf\xbd"},                                                  // cut short
      {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},                                  // cut short
      {"\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd"},                                  // overlong
      {"\xe0\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                  // overlong
      {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},                  // a surrogate
      {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},  // beyond the last
  };
  for (const auto& c : kCases) EXPECT_EQ(ToValidUtf8(c.text), c.valid);
  const std::string nul("a\0b", 3);
  EXPECT_EQ(ToValidUtf8(nul), nul);
}

}  // namespace
}  // namespace seedtune

#include "autotuner/database/json_lines.h"

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

auto IsInvalid(const std::string& message) {
  return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
}

RunDocument SmallDocument() {
  RunDocument document;
  document.run = ExampleRun(1);
  const RunEvent ask = Ask(0, "{\"a\":1}");
  document.events = {ask, Tell(1, ask, OkOutcome({10, 20.5}))};
  document.run.state = RunState::kFinished;
  document.best = ExampleBest(document.run, ask.config_json, OkOutcome({10, 20.5}));
  document.run.heuristics_json = document.best->heuristics_json;
  return document;
}

TEST(JsonLinesTest, ARunComesBackAsItWas) {
  for (const RunDocument& document : {ExampleDocument(1), SmallDocument()}) {
    const std::string line = FormatRunLine(document);
    EXPECT_THAT(line, Not(HasSubstr("\n")));
    ASSERT_OK_AND_ASSIGN(const RunDocument parsed, ParseRunLine(line));
    EXPECT_EQ(parsed.run, document.run);
    EXPECT_EQ(parsed.events, document.events);
    EXPECT_EQ(parsed.best, document.best);
    EXPECT_EQ(FormatRunLine(parsed), line);
    EXPECT_THAT(CheckDocument(parsed), IsOk());
  }
}

TEST(JsonLinesTest, AnUnfinishedRunHasNoBest) {
  RunDocument document = SmallDocument();
  document.best.reset();
  document.run.state = RunState::kUnfinished;
  document.run.heuristics_json = "";
  document.events.clear();
  ASSERT_OK_AND_ASSIGN(const RunDocument parsed, ParseRunLine(FormatRunLine(document)));
  EXPECT_EQ(parsed.run, document.run);
  EXPECT_TRUE(parsed.events.empty());
  EXPECT_FALSE(parsed.best.has_value());
}

TEST(JsonLinesTest, TheHeaderIsChecked) {
  EXPECT_THAT(ParseHeaderLine(FormatHeaderLine()), IsOk());
  EXPECT_THAT(ParseHeaderLine(""), IsInvalid("no JSON"));
  EXPECT_THAT(ParseHeaderLine("{}"), IsInvalid("format is missing"));
  EXPECT_THAT(ParseHeaderLine("[]"), IsInvalid("line is an array, want an object"));
  EXPECT_THAT(ParseHeaderLine(R"({"format":"other","version":1})"),
              IsInvalid("format is \"other\", want"));
  EXPECT_THAT(ParseHeaderLine(R"({"format":"seedtune-tuning-records","version":2})"),
              IsInvalid("version is 2, want 1"));
  EXPECT_THAT(ParseHeaderLine(R"({"format":"seedtune-tuning-records","version":1,"x":0})"),
              IsInvalid("x is unknown"));
  EXPECT_THAT(ParseHeaderLine(FormatRunLine(SmallDocument())), IsInvalid("format is missing"));
}

// Each case replaces a part of a good line.
TEST(JsonLinesTest, ErrorsNameTheField) {
  const struct {
    const char* from;
    const char* to;
    const char* error;
  } kCases[] = {
      {"{\"id\"", "{\"di\"", "id is missing"},
      {"{\"id\"", "{\"misspelt\":1,\"id\"", "misspelt is unknown"},
      {"\"kernel_name\":\"attention_out\"", "\"kernel_name\":7", "kernel_name is 7, want a string"},
      {"\"backend\":\"cpu\"", "\"backend\":\"cpu\",\"backend\":\"cuda\"",
       "\"backend\" is there twice"},
      {"\"backend\":\"cpu\"", "\"backend\":null", "key.backend is null, want a string"},
      {"\"backend\"", "\"backnd\"", "key.backend is missing"},
      {"\"random_seed\":7", "\"random_seed\":-7", "settings.random_seed is -7, want an integer"},
      {"\"random_seed\":7", "\"random_seed\":18446744073709551616",
       "settings.random_seed is 1.8446744073709552e+19, want"},
      {"\"budget_evaluations\":200", "\"budget_evaluations\":200.5",
       "settings.budget_evaluations is 200.5, want an integer"},
      {"\"budget_evaluations\":200", "\"budget_evaluations\":9223372036854775808",
       "settings.budget_evaluations is 9223372036854775808, want an integer of 64 bits"},
      {"\"budget_seconds\":0.0", "\"budget_seconds\":\"0\"",
       "settings.budget_seconds is \"0\", want a number"},
      {"\"budget_seconds\":0.0", "\"budget_seconds\":1e999", "no JSON"},
      {"\"budget_seconds\":0.0", "\"budget_seconds\":NaN", "no JSON: column"},
      {"\"events\":[", "\"events\":[7,", "events[0] is 7, want an object"},
      {"\"kind\":\"ask\"", "\"kind\":\"asks\"",
       "events[0].kind is \"asks\", want \"ask\", \"tell\""},
      {"\"kind\":\"ask\"", "\"kind\":1", "events[0].kind is 1, want"},
      {"\"kind\":\"ask\"", "\"knid\":\"ask\"", "events[0].kind is missing"},
      {"\"kind\":\"ask\"", "\"kind\":\"tell\"", "events[0].ask_sequence is missing"},
      {"\"kind\":\"tell\"", "\"kind\":\"ask\"", "events[1].config_json is missing"},
      {"\"kind\":\"tell\"", "\"kind\":\"tell\",\"origin\":\"x\"", "events[1].origin is unknown"},
      {"[10.0,20.5]", "[10.0,\"20.5\"]",
       "events[1].outcome.samples_ns[1] is \"20.5\", want a number"},
      {"[10.0,20.5]", "10.0", "events[1].outcome.samples_ns is 10.0, want an array of numbers"},
      {"\"kind\":\"ok\"", "\"kind\":\"okay\"",
       "events[1].outcome.kind: no outcome kind named \"okay\""},
      {"\"best\":{", "\"best\":{\"wrost\":0,", "best.wrost is unknown"},
      {"\"best\":{", "\"best\":[{", "no JSON"},
      {"\"evaluations\":12", "\"evaluations\":true", "best.evaluations is true, want an integer"},
      {"\"untuned_origin\":\"default\",", "", "best.untuned_origin is missing"},
  };
  const std::string good = FormatRunLine(SmallDocument());
  ASSERT_THAT(ParseRunLine(good), IsOk());
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.to);
    const size_t at = good.find(c.from);
    ASSERT_NE(at, std::string::npos) << c.from;
    std::string line = good;
    line.replace(at, std::string(c.from).size(), c.to);
    EXPECT_THAT(ParseRunLine(line), IsInvalid(c.error));
  }
}

TEST(JsonLinesTest, EveryCutOfALineIsRefused) {
  const std::string line = FormatRunLine(SmallDocument());
  for (size_t size = 0; size < line.size(); ++size) {
    ASSERT_THAT(ParseRunLine(line.substr(0, size)), IsInvalid("no JSON")) << size;
  }
}

TEST(JsonLinesTest, HostileLinesAreRefusedOnOneLine) {
  const std::string hostile[] = {
      "{\"id\":\"\xff\"}",
      "{\"\xc3\xa9\":1}",
      "{\"id\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}",
      std::string(1'000'000, '{'),
      std::string("{\"id\":\"a\0b\"}", 12),
      "{\"id\":\"a\nb\"}",
  };
  for (const std::string& line : hostile) {
    const absl::StatusOr<RunDocument> document = ParseRunLine(line);
    ASSERT_THAT(document, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(document.status().message()), Not(HasSubstr("\n")));
    EXPECT_LT(document.status().message().size(), 400u);
  }
}

TEST(CheckDocumentTest, ErrorsNameThePlace) {
  const struct {
    void (*change)(RunDocument&);
    const char* error;
  } kCases[] = {
      {[](RunDocument& d) { d.run.id = "7"; }, "id is \"7\""},
      {[](RunDocument& d) { d.events[0].config_json = "7"; }, "events[0].config_json is \"7\""},
      {[](RunDocument& d) { d.events[1].outcome.samples_ns = {0}; },
       "events[1].outcome.samples_ns[0] is 0"},
      {[](RunDocument& d) { d.events[1].ask_sequence = 1; }, "events[1].ask_sequence is 1"},
      {[](RunDocument& d) { d.best->seconds = -1; }, "best.seconds is -1"},
      {[](RunDocument& d) { d.best->config_json = "{\"a\":2}"; },
       "best.config_json is \"{\"a\":2}\", want a configuration that"},
      {[](RunDocument& d) {
         d.events[1].outcome = FailedOutcome(OutcomeKind::kWrongResult, "element 0 differs");
       },
       "best.config_json is \"{\"a\":1}\", want a configuration that"},
  };
  for (const auto& c : kCases) {
    RunDocument document = SmallDocument();
    ASSERT_THAT(CheckDocument(document), IsOk());
    c.change(document);
    EXPECT_THAT(CheckDocument(document), IsInvalid(c.error));
  }
}

TEST(FindWinningAskTest, IsTheFirstThatWasToldATime) {
  const RunEvent failed = Ask(0, "{\"a\":1}");
  const RunEvent won = Ask(1, "{\"a\":1}");
  const RunEvent again = Ask(2, "{\"a\":1}");
  const std::vector<RunEvent> events = {failed,
                                        won,
                                        again,
                                        Tell(3, failed, FailedOutcome(OutcomeKind::kCrash, "")),
                                        Tell(4, won, OkOutcome({2})),
                                        Tell(5, again, OkOutcome({1}))};
  EXPECT_THAT(FindWinningAsk(events, ExampleBest(ExampleRun(1), "{\"a\":1}", OkOutcome({2}))),
              IsOkAndHolds(1));
}

}  // namespace
}  // namespace seedtune

#include "autotuner/replay/t4.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// 24 combinations; x * n <= 8 leaves 20.
std::shared_ptr<const ConfigSpace> MakeSpace() {
  T1Space t1;
  t1.name = "small";
  t1.parameters = {
      {"x", "int", {int64_t{1}, int64_t{2}, int64_t{4}}, {}},
      {"n", "int", {int64_t{2}, int64_t{4}}, {}},
      {"mode", "string", {std::string("row"), std::string("col")}, {}},
      {"scale", "float", {0.5, 1.5}, {}},
      {"fixed", "int", {int64_t{7}}, {}},
  };
  t1.conditions = {"x * n <= 8"};
  return MakeConfigSpace(t1).value();
}

// Two results as other tools write them.
constexpr char kTwo[] = R"json({
  "metadata": {"timeunit": "miliseconds", "device_name": "A100"},
  "results": [
    {"timestamp": "2023-12-22 09:54:05.502007+00:00",
     "configuration": {"x": 2, "n": 4, "mode": "col", "scale": 0.5, "fixed": 7, "other": [1]},
     "times": {"compilation": 918.5, "framework": 105.25, "search_algorithm": 0.5,
               "validation": 2, "runtimes": [3.976191997528076, 3.5, 4]},
     "invalidity": "correct", "correctness": 1,
     "measurements": [{"name": "time", "value": 3.8, "unit": ""}], "objectives": ["time"]},
    {"configuration": {"x": 1, "n": 2, "mode": "row", "scale": 1.5},
     "times": {"compilation": 7, "framework": NaN, "search_algorithm": 0, "validation": 0},
     "invalidity": "runtime", "correctness": 0,
     "measurements": [{"name": "time", "value": "RuntimeFailedConfig", "unit": ""}],
     "objectives": ["time"]}
  ],
  "schema_version": "1.0.0"
})json";

TEST(T4Test, ReadsTimesAndFailures) {
  std::vector<std::string> notes;
  ASSERT_OK_AND_ASSIGN(const auto space, ReadT4(kTwo, MakeSpace(), {.kernel = "conv"}, &notes));
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(space->kernel_name(), "conv");
  EXPECT_EQ(space->device_name(), "A100");
  ASSERT_EQ(space->configs().size(), 2u);
  EXPECT_FALSE(space->is_exhaustive());

  const RecordedConfig& first = space->configs()[0];
  EXPECT_EQ(first.config.GetInt("x"), 2);
  EXPECT_EQ(first.config.GetEnum("mode"), "col");
  EXPECT_EQ(first.config.GetEnum("scale"), "0.5");
  EXPECT_TRUE(first.outcome.ok());
  EXPECT_THAT(first.outcome.samples_ns, ElementsAre(3976191.997528076, 3.5e6, 4e6));
  EXPECT_EQ(first.compile_cost_ns, 918.5e6);
  EXPECT_EQ(first.outcome.compile_ns, 918.5e6);
  EXPECT_EQ(first.framework_cost_ns, 105.25e6);
  EXPECT_EQ(first.search_cost_ns, 0.5e6);
  EXPECT_EQ(first.verification_cost_ns, 2e6);
  EXPECT_DOUBLE_EQ(first.benchmark_cost_ns, 11476191.997528076);
  EXPECT_EQ(first.outcome.measure_ns, first.benchmark_cost_ns);

  const RecordedConfig& second = space->configs()[1];
  EXPECT_EQ(second.config.GetInt("fixed"), 7);
  EXPECT_EQ(second.outcome.kind, OutcomeKind::kLaunchError);
  EXPECT_EQ(second.outcome.message, "RuntimeFailedConfig");
  EXPECT_EQ(second.compile_cost_ns, 7e6);
  EXPECT_EQ(second.framework_cost_ns, 0);
  EXPECT_EQ(second.benchmark_cost_ns, 0);
}

// One result, with this in place of its times, its invalidity, and the file's metadata.
std::string One(const std::string& times, const std::string& invalidity = "\"correct\"",
                const std::string& metadata = "{}") {
  return absl::StrCat(
      R"json({"metadata": )json", metadata,
      R"json(, "results": [{"configuration": {"x": 1, "n": 2, "mode": "row", "scale": 1.5},
      "times": )json",
      times, R"json(, "invalidity": )json", invalidity, "}]}");
}

TEST(T4Test, TakesEitherSpellingOfCompilation) {
  for (const char* name : {"compilation", "compilation_time"}) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(
        const auto space,
        ReadT4(One(absl::StrCat("{\"", name, "\": 5, \"runtimes\": [1]}")), MakeSpace()));
    EXPECT_EQ(space->configs()[0].compile_cost_ns, 5e6);
  }
}

TEST(T4Test, TakesTheFilesUnit) {
  const struct {
    const char* unit;
    double one_ns;  // 0: an error
  } kCases[] = {{"{}", 1e6},
                {"{\"timeunit\": \"miliseconds\"}", 1e6},
                {"{\"timeunit\": \"milliseconds\"}", 1e6},
                {"{\"timeunit\": \"seconds\"}", 1e9},
                {"{\"timeunit\": \"Microseconds\"}", 1e3},
                {"{\"timeunit\": \"ns\"}", 1},
                {"{\"timeunit\": null}", 1e6},
                {"{\"timeunit\": \"fortnights\"}", 0},
                {"{\"timeunit\": 3}", 0}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.unit);
    const auto space = ReadT4(One("{\"runtimes\": [2]}", "\"correct\"", c.unit), MakeSpace());
    if (c.one_ns == 0) {
      EXPECT_THAT(space, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("timeunit is ")));
    } else {
      ASSERT_TRUE(space.ok()) << space.status();
      EXPECT_THAT((*space)->configs()[0].outcome.samples_ns, ElementsAre(2 * c.one_ns));
    }
  }
}

TEST(T4Test, KnowsEveryInvalidity) {
  const struct {
    const char* name;
    OutcomeKind kind;
  } kCases[] = {
      {"correct", OutcomeKind::kOk},          {"compile", OutcomeKind::kCompileError},
      {"runtime", OutcomeKind::kLaunchError}, {"correctness", OutcomeKind::kWrongResult},
      {"timeout", OutcomeKind::kTimeout},     {"constraints", OutcomeKind::kOutOfResources}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    ASSERT_OK_AND_ASSIGN(
        const auto space,
        ReadT4(One("{\"runtimes\": [1]}", absl::StrCat("\"", c.name, "\"")), MakeSpace()));
    EXPECT_EQ(space->configs()[0].outcome.kind, c.kind);
  }
}

TEST(T4Test, CorrectWithoutATimeIsAFailure) {
  ASSERT_OK_AND_ASSIGN(const auto space, ReadT4(One("{\"runtimes\": [0, null]}"), MakeSpace()));
  EXPECT_EQ(space->configs()[0].outcome.kind, OutcomeKind::kLaunchError);
  EXPECT_THAT(space->configs()[0].outcome.message, HasSubstr("without a time"));
}

TEST(T4Test, LeavesOutWhatIsNotValidOrThereBefore) {
  const std::string text =
      absl::StrReplaceAll(kTwo, {{"\"x\": 1, \"n\": 2, \"mode\": \"row\", \"scale\": 1.5",
                                  "\"x\": 4, \"n\": 4, \"mode\": \"row\", \"scale\": 1.5"}});
  std::vector<std::string> notes;
  ASSERT_OK_AND_ASSIGN(const auto space, ReadT4(text, MakeSpace(), {}, &notes));
  EXPECT_EQ(space->configs().size(), 1u);
  EXPECT_THAT(notes, ElementsAre("1 results of configurations that small does not allow are left "
                                 "out, the first at results[1]"));
  notes.clear();
  const std::string twice =
      absl::StrReplaceAll(kTwo, {{"\"x\": 1, \"n\": 2, \"mode\": \"row\", \"scale\": 1.5",
                                  "\"x\": 2, \"n\": 4, \"mode\": \"col\", \"scale\": 0.5"}});
  ASSERT_OK_AND_ASSIGN(const auto once, ReadT4(twice, MakeSpace(), {}, &notes));
  EXPECT_EQ(once->configs().size(), 1u);
  EXPECT_TRUE(once->configs()[0].outcome.ok());
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_THAT(notes[0], HasSubstr("stand there before are left out, the first at results[1]"));
}

TEST(T4Test, SaysWhatIsWrong) {
  const std::string two = kTwo;
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {two.substr(0, two.size() / 2), "the text ends too early"},
      {"[]", "results is missing, want an array; is this a T4 file"},
      {"{\"results\": 3}", "results is 3, want an array"},
      {"{\"results\": []}", "no results"},
      {"{\"results\": [{}]}", "results[0]: no invalidity"},
      {"{\"results\": [3]}", "results[0]: no invalidity"},
      {"{\"results\": [{\"invalidity\": \"correct\"}]}", "results[0]: no configuration"},
      {"{\"results\": [{\"invalidity\": \"compile\", \"seedtune\": {\"outcome\": \"ok\"}}]}",
       "results[0]: seedtune.outcome is \"ok\""},
      {"{\"results\": [{\"invalidity\": \"compile\", \"seedtune\": {\"outcome\": \"odd\"}}]}",
       "results[0]: "},
      {"{\"results\": [{\"invalidity\": \"ok\"}]}", "results[0]: invalidity is \"ok\", want"},
      {absl::StrReplaceAll(two, {{"\"x\": 2", "\"x\": 3"}}), "results[0]: x is 3, want"},
      {absl::StrReplaceAll(two, {{"\"col\"", "\"diag\""}}), "results[0]: mode is \"diag\", want"},
      {absl::StrReplaceAll(two, {{"\"x\": 1,", ""}}), "results[1]: no value of \"x\", want"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text.substr(0, 100));
    EXPECT_THAT(ReadT4(c.text, MakeSpace()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

// Every configuration, with outcomes of every kind and costs that no short decimal gives.
std::vector<RecordedConfig> RecordAll(const std::shared_ptr<const ConfigSpace>& space) {
  std::mt19937_64 random(11);
  const auto cost = [&random] {
    return static_cast<double>(random() % 1'000'000'007u) / 3.0 + 1e-3;
  };
  std::vector<RecordedConfig> records;
  for (uint64_t i = 0; i < static_cast<uint64_t>(space->NumValid()); ++i) {
    RecordedConfig& record = records.emplace_back();
    record.config = space->At(i);
    record.compile_cost_ns = cost();
    record.benchmark_cost_ns = cost();
    record.framework_cost_ns = cost();
    record.search_cost_ns = i % 3 == 0 ? 0 : cost();
    record.verification_cost_ns = cost();
    record.outcome.kind = static_cast<OutcomeKind>(1 + i % 8);
    record.outcome.compile_ns = record.compile_cost_ns;
    record.outcome.measure_ns = record.benchmark_cost_ns;
    if (record.outcome.ok()) {
      for (int sample = 0; sample < 5; ++sample) record.outcome.samples_ns.push_back(cost());
    } else if (record.outcome.kind == OutcomeKind::kCensored) {
      record.outcome.lower_bound_ns = cost();
    } else {
      record.outcome.message = absl::StrCat("line ", i, ":\n\t\"x\" \\ \xc3\xa9");
    }
  }
  return records;
}

TEST(T4Test, IsReadBackAsItWasWritten) {
  const auto space = MakeSpace();
  ASSERT_OK_AND_ASSIGN(const auto written,
                       RecordedSpace::Create("my \"kernel\"", "cpu", space, RecordAll(space)));
  std::vector<std::string> notes;
  ASSERT_OK_AND_ASSIGN(const auto read, ReadT4(WriteT4(*written), space, {}, &notes));
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(read->kernel_name(), written->kernel_name());
  EXPECT_EQ(read->device_name(), written->device_name());
  EXPECT_TRUE(read->is_exhaustive());
  ASSERT_EQ(read->configs().size(), written->configs().size());
  for (size_t i = 0; i < read->configs().size(); ++i) {
    SCOPED_TRACE(i);
    const RecordedConfig& a = written->configs()[i];
    const RecordedConfig& b = read->configs()[i];
    EXPECT_EQ(a.config, b.config);
    EXPECT_EQ(a.outcome, b.outcome);
    EXPECT_EQ(a.compile_cost_ns, b.compile_cost_ns);
    EXPECT_EQ(a.benchmark_cost_ns, b.benchmark_cost_ns);
    EXPECT_EQ(a.framework_cost_ns, b.framework_cost_ns);
    EXPECT_EQ(a.search_cost_ns, b.search_cost_ns);
    EXPECT_EQ(a.verification_cost_ns, b.verification_cost_ns);
  }
}

TEST(T4Test, MessagesThatAreNoTextAreStillWritten) {
  const auto space = MakeSpace();
  std::vector<RecordedConfig> records = RecordAll(space);
  records.resize(4);
  records[3].outcome.message = "bad \xff byte";
  ASSERT_OK_AND_ASSIGN(const auto read,
                       ReadT4(WriteT4(records, {"kernel", "cpu", "2026-11-23"}), space));
  EXPECT_EQ(read->configs()[3].outcome.message, "bad \xef\xbf\xbd byte");
}

}  // namespace
}  // namespace seedtune

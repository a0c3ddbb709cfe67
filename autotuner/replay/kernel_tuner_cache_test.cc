#include "autotuner/replay/kernel_tuner_cache.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kHead[] = R"json({
"device_name": "NVIDIA \"}{\" 3090",
"kernel_name": "Xgemm",
"problem_size": [
4096,
4096
],
"tune_params_keys": [
"MWG", "SA", "PRECISION"
],
"tune_params": {"MWG": [16, 32, 64], "SA": [false, true], "PRECISION": ["half", "single"]},
"objective": "time",
"cache": {)json";

constexpr char kFirst[] = R"json(
"16,False,half": {"MWG": 16, "SA": false, "PRECISION": "half", "time": 46.07, "times": [46.49472, 45.699072], "compile_time": 0.6785109871998429, "verification_time": 267.5, "benchmark_time": 1479.5, "GFLOP/s": 2983.8, "strategy_time": 0.25, "framework_time": 276.75, "timestamp": "2023-02-13 19:27:48.129080+00:00"})json";
constexpr char kSecond[] = R"json(
"32,True,half": {"MWG": 32, "SA": true, "PRECISION": "half", "time": "CompilationFailedConfig", "compile_time": 12, "strategy_time": 0, "framework_time": 1})json";
constexpr char kThird[] = R"json(
"64,True,single": {"MWG": 64, "SA": true, "PRECISION": "single", "time": 3.5, "times": [3.25, 3.75], "compile_time": 1, "verification_time": 0, "benchmark_time": 7, "strategy_time": 0, "framework_time": 1})json";

std::string Whole() { return absl::StrCat(kHead, kFirst, ",", kSecond, ",", kThird, "}\n}"); }

TEST(KernelTunerCacheTest, ReadsTimesAndFailures) {
  std::vector<std::string> notes;
  ASSERT_OK_AND_ASSIGN(const auto space, ReadKernelTunerCache(Whole(), {}, &notes));
  EXPECT_THAT(notes, IsEmpty());
  EXPECT_EQ(space->kernel_name(), "Xgemm");
  EXPECT_EQ(space->device_name(), "NVIDIA \"}{\" 3090");
  EXPECT_EQ(space->space()->NumValid(), 12u);
  EXPECT_FALSE(space->is_exhaustive());
  ASSERT_EQ(space->configs().size(), 3u);

  const RecordedConfig& first = space->configs()[0];
  EXPECT_EQ(first.config.GetInt("MWG"), 16);
  EXPECT_FALSE(first.config.GetBool("SA"));
  EXPECT_EQ(first.config.GetEnum("PRECISION"), "half");
  EXPECT_THAT(first.outcome.samples_ns, ElementsAre(46494720.0, 45699072.0));
  EXPECT_EQ(first.compile_cost_ns, 678510.9871998429);
  EXPECT_EQ(first.benchmark_cost_ns, 1479.5e6);
  EXPECT_EQ(first.verification_cost_ns, 267.5e6);
  EXPECT_EQ(first.search_cost_ns, 0.25e6);
  EXPECT_EQ(first.framework_cost_ns, 276.75e6);

  const RecordedConfig& second = space->configs()[1];
  EXPECT_EQ(second.outcome.kind, OutcomeKind::kCompileError);
  EXPECT_EQ(second.outcome.message, "CompilationFailedConfig");
  EXPECT_EQ(second.compile_cost_ns, 12e6);
}

TEST(KernelTunerCacheTest, FailuresAreStrings) {
  const struct {
    const char* error;
    OutcomeKind kind;
  } kCases[] = {{"CompilationFailedConfig", OutcomeKind::kCompileError},
                {"RuntimeFailedConfig", OutcomeKind::kLaunchError},
                {"InvalidConfig", OutcomeKind::kOutOfResources},
                {"IncorrectResult: Verification failed", OutcomeKind::kWrongResult},
                {"SomethingNew", OutcomeKind::kLaunchError}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.error);
    for (const bool newer : {false, true}) {
      const std::string old_field = "\"time\": \"CompilationFailedConfig\"";
      const std::string field =
          absl::StrCat(newer ? "\"__error__\": \"" : "\"time\": \"", c.error, "\"");
      ASSERT_OK_AND_ASSIGN(const auto space, ReadKernelTunerCache(absl::StrReplaceAll(
                                                 Whole(), {{old_field, field}})));
      EXPECT_EQ(space->configs()[1].outcome.kind, c.kind);
      EXPECT_EQ(space->configs()[1].outcome.message, c.error);
    }
  }
}

TEST(KernelTunerCacheTest, RepairsACutOffTail) {
  const struct {
    const char* name;
    std::string tail;  // after the first entry
    size_t entries;
    const char* note;
  } kCases[] = {
      {"whole", "}\n}", 1, nullptr},
      {"no outer brace", "}", 1, "lacks its closing"},
      {"no braces", "", 1, "lacks its closing"},
      {"comma", ",", 1, "lacks its closing"},
      {"comma and blank", ",\n", 1, "lacks its closing"},
      {"half a key", ",\n\"32,Tr", 1, "is dropped"},
      {"half an entry", ",\n\"32,True,half\": {\"MWG\": 32, \"times\": [1.5, 2", 1, "is dropped"},
      {"half a string", absl::StrCat(",", std::string(kSecond).substr(0, 90)), 1, "is dropped"},
      {"two entries", absl::StrCat(",", kSecond), 2, "lacks its closing"},
      {"two and a half", absl::StrCat(",", kSecond, ",\n\"64"), 2, "is dropped"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    std::vector<std::string> notes;
    const auto space = ReadKernelTunerCache(absl::StrCat(kHead, kFirst, c.tail), {}, &notes);
    ASSERT_TRUE(space.ok()) << space.status();
    EXPECT_EQ((*space)->configs().size(), c.entries);
    ASSERT_EQ(notes.size(), c.note == nullptr ? 0u : 1u);
    if (c.note == nullptr) continue;
    EXPECT_THAT(notes[0], HasSubstr(c.note));
  }
}

// Wherever the file is cut, the entries before the cut are read, or the error says what is missing.
TEST(KernelTunerCacheTest, ReadsWhatIsWholeWhereverItIsCut) {
  const std::string whole = Whole();
  const size_t first_ends = std::string(kHead).size() + std::string(kFirst).size();
  const size_t second_ends = first_ends + 1 + std::string(kSecond).size();
  const size_t third_ends = second_ends + 1 + std::string(kThird).size();
  for (size_t size = 0; size < whole.size(); ++size) {
    SCOPED_TRACE(size);
    const auto space = ReadKernelTunerCache(whole.substr(0, size));
    if (size < first_ends) {
      ASSERT_THAT(space, StatusIs(absl::StatusCode::kInvalidArgument));
    } else {
      ASSERT_TRUE(space.ok()) << space.status();
      ASSERT_EQ((*space)->configs().size(), size < second_ends ? 1u : size < third_ends ? 2u : 3u);
    }
  }
}

TEST(KernelTunerCacheTest, TakesConditionsOrASpace) {
  ASSERT_OK_AND_ASSIGN(
      const auto conditioned,
      ReadKernelTunerCache(Whole(), {.conditions = {"SA or MWG == 16", "MWG < 64"}}));
  EXPECT_EQ(conditioned->space()->NumValid(), 6u);
  EXPECT_EQ(conditioned->configs().size(), 2u);
  ASSERT_OK_AND_ASSIGN(const auto given,
                       ReadKernelTunerCache(Whole(), {.space = conditioned->space()}));
  EXPECT_EQ(given->space(), conditioned->space());
  EXPECT_THAT(ReadKernelTunerCache(Whole(), {.conditions = {"MWH > 1"}}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no knob named \"MWH\"")));
}

TEST(KernelTunerCacheTest, SaysWhatIsWrong) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {"", "the text ends too early"},
      {"[]", "cache is missing"},
      {"{\"cache\": 3}", "cache is missing, want an object"},
      {"{\"cache\": {}}", "tune_params is missing"},
      {"{\"tune_params\": {\"x\": 3}, \"cache\": {}}", "tune_params.x is 3, want an array"},
      {"{\"tune_params\": {\"x\": [[1]]}, \"cache\": {}}", "tune_params.x: an array"},
      {"{\"tune_params\": {\"x\": [1, 2]}, \"cache\": {}}", "no results"},
      {"{\"tune_params\": {\"x\": [1, 2]}, \"cache\": {\"3\": {\"x\": 3}}}",
       "cache[\"3\"]: x is 3, want"},
      {"{\"tune_params\": {\"x\": [1, 2]}, \"cache\": {\"3\": 7}}",
       "cache[\"3\"]: is 7, want an object"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(ReadKernelTunerCache(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

}  // namespace
}  // namespace seedtune

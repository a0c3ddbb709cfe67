#include "autotuner/database/database.h"

#include <sqlite3.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/fault_vfs.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::Optional;
using ::testing::SizeIs;

std::unique_ptr<Database> MustOpen(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
  EXPECT_THAT(database, IsOk());
  return *std::move(database);
}

// Starts the run of `document` and appends its log; does not finish it.
void Replay(Database& database, const RunDocument& document) {
  RunInfo run = document.run;
  run.state = RunState::kUnfinished;
  run.heuristics_json = "";
  ASSERT_THAT(database.StartRun(run), IsOkAndHolds(run.id));
  for (const RunEvent& event : document.events) {
    ASSERT_THAT(database.Append(run.id, event), IsOk());
  }
}

// A finished run with one evaluation; `change` is applied to the run before.
template <typename Change>
RunInfo AddFinishedRun(Database& database, int number, double median_ns, Change change) {
  RunInfo run = ExampleRun(number);
  change(run);
  const RunEvent ask = Ask(0, ExampleConfig(number));
  EXPECT_THAT(database.StartRun(run), IsOk());
  EXPECT_THAT(database.Append(run.id, ask), IsOk());
  EXPECT_THAT(database.Append(run.id, Tell(1, ask, OkOutcome({median_ns}))), IsOk());
  EXPECT_THAT(database.FinishRun(run.id, ExampleBest(run, ask.config_json, OkOutcome({median_ns}))),
              IsOk());
  return run;
}

RunInfo AddFinishedRun(Database& database, int number, double median_ns) {
  return AddFinishedRun(database, number, median_ns, [](RunInfo&) {});
}

class DatabaseTest : public ::testing::Test {
 protected:
  std::string Export() {
    absl::StatusOr<std::string> text = database_->ExportJsonLines();
    EXPECT_THAT(text, IsOk());
    return *std::move(text);
  }

  TempDir dir_;
  FaultVfs disk_;  // without faults: a fast one, because nothing is synced
  std::unique_ptr<Database> database_ = MustOpen(dir_.Path("tuning.db"));
};

TEST_F(DatabaseTest, KeepsARunWithItsWholeLog) {
  const RunDocument document = ExampleDocument(1);
  Replay(*database_, document);
  EXPECT_THAT(database_->Events(document.run.id), IsOkAndHolds(document.events));

  database_ = MustOpen(database_->path());
  EXPECT_THAT(database_->Events(document.run.id), IsOkAndHolds(document.events));
  RunInfo run = document.run;
  run.state = RunState::kUnfinished;
  run.heuristics_json = "";
  EXPECT_THAT(database_->ListRuns(), IsOkAndHolds(ElementsAre(run)));

  ASSERT_THAT(database_->FinishRun(run.id, *document.best), IsOk());
  EXPECT_THAT(database_->ListRuns(), IsOkAndHolds(ElementsAre(document.run)));
  EXPECT_THAT(database_->ListBest(), IsOkAndHolds(ElementsAre(*document.best)));
  ASSERT_OK_AND_ASSIGN(const LookupResult found, database_->Lookup(document.run.key));
  EXPECT_THAT(found.record, Optional(*document.best));
  EXPECT_EQ(found.miss_reason, "");
}

TEST_F(DatabaseTest, IsOneFileOnceClosed) {
  const auto names = [&] {
    std::set<std::string> result;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      result.insert(entry.path().filename().string());
    }
    return result;
  };
  Replay(*database_, ExampleDocument(1));
  std::unique_ptr<Database> second = MustOpen(database_->path());
  Replay(*second, ExampleDocument(2));
  database_.reset();
  second.reset();
  EXPECT_THAT(names(), ElementsAre("tuning.db"));
}

TEST_F(DatabaseTest, MakesRunIdsThatDiffer) {
  RunInfo run = ExampleRun(1);
  run.id = "";
  ASSERT_OK_AND_ASSIGN(const std::string first, database_->StartRun(run));
  ASSERT_OK_AND_ASSIGN(const std::string second, database_->StartRun(run));
  EXPECT_THAT(first, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_THAT(second, MatchesRegex("[0-9a-f]{32}"));
  EXPECT_NE(first, second);
}

TEST_F(DatabaseTest, RefusesRunsThatCannotBe) {
  ASSERT_THAT(database_->StartRun(ExampleRun(1)), IsOk());
  EXPECT_THAT(database_->StartRun(ExampleRun(1)),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("leave the id empty")));
  RunInfo run = ExampleRun(2);
  run.state = RunState::kFinished;
  EXPECT_THAT(database_->StartRun(run),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("state is finished")));
  run = ExampleRun(2);
  run.key.backend = "";
  EXPECT_THAT(database_->StartRun(run),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(database_->path()), HasSubstr("key.backend is empty"))));
  EXPECT_THAT(database_->ListRuns(), IsOkAndHolds(SizeIs(1)));
}

TEST_F(DatabaseTest, RefusesEventsThatDoNotFollow) {
  const RunInfo run = ExampleRun(1);
  const RunEvent ask = Ask(0, ExampleConfig(0));
  const RunEvent tell = Tell(1, ask, OkOutcome({1, 2}));
  EXPECT_THAT(database_->Append(run.id, ask),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no run \"" + run.id)));
  ASSERT_THAT(database_->StartRun(run), IsOk());
  EXPECT_THAT(database_->Append(run.id, tell),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("sequence is 1, want 0")));
  ASSERT_THAT(database_->Append(run.id, ask), IsOk());
  EXPECT_THAT(database_->Append(run.id, ask),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("event 0 is there already")));
  RunEvent other = tell;
  other.config_json = ExampleConfig(1);
  EXPECT_THAT(database_->Append(run.id, other),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want that of ask 0")));
  other = tell;
  other.outcome.samples_ns[1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(database_->Append(run.id, other),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(run.id), HasSubstr("samples_ns[1] is nan"))));
  EXPECT_THAT(database_->Append(run.id, Retime(1, ask, OkOutcome({1}))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("told before")));
  ASSERT_THAT(database_->Append(run.id, tell), IsOk());
  EXPECT_THAT(database_->Append(run.id, Tell(2, ask, OkOutcome({1}))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not told yet")));
  EXPECT_THAT(database_->Append(run.id, Retime(2, ask, OkOutcome({1}))), IsOk());
  EXPECT_THAT(database_->Events(run.id), IsOkAndHolds(SizeIs(3)));

  ASSERT_THAT(database_->FinishRun(run.id, ExampleBest(run, ask.config_json, OkOutcome({1, 2, 1}))),
              IsOk());
  EXPECT_THAT(database_->Append(run.id, Ask(3, ExampleConfig(3))),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is finished")));
}

TEST_F(DatabaseTest, FillsInWhatATellLeavesOut) {
  const RunInfo run = ExampleRun(1);
  const RunEvent ask = Ask(0, ExampleConfig(0));
  RunEvent tell = Tell(1, ask, OkOutcome({1}));
  const RunEvent whole = tell;
  tell.config_json = "";
  ASSERT_THAT(database_->StartRun(run), IsOk());
  ASSERT_THAT(database_->Append(run.id, ask), IsOk());
  ASSERT_THAT(database_->Append(run.id, tell), IsOk());
  EXPECT_THAT(database_->Events(run.id), IsOkAndHolds(ElementsAre(ask, whole)));
}

TEST_F(DatabaseTest, KeepsMessagesOfAnyBytes) {
  const RunInfo run = ExampleRun(1);
  const RunEvent ask = Ask(0, ExampleConfig(0));
  ASSERT_THAT(database_->StartRun(run), IsOk());
  ASSERT_THAT(database_->Append(run.id, ask), IsOk());
  ASSERT_THAT(
      database_->Append(run.id, Tell(1, ask, FailedOutcome(OutcomeKind::kCrash, "a\xff z"))),
      IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, database_->Events(run.id));
  EXPECT_EQ(events[1].outcome.message, "a\xef\xbf\xbd z");
}

TEST_F(DatabaseTest, AddsUpSeconds) {
  const RunInfo run = ExampleRun(1);
  EXPECT_THAT(database_->AddSeconds(run.id, 1), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(database_->StartRun(run), IsOk());
  ASSERT_THAT(database_->AddSeconds(run.id, 1.5), IsOk());
  ASSERT_THAT(database_->AddSeconds(run.id, 0.25), IsOk());
  for (const double bad :
       {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THAT(database_->AddSeconds(run.id, bad), StatusIs(absl::StatusCode::kInvalidArgument));
  }
  ASSERT_OK_AND_ASSIGN(const std::optional<RunInfo> found,
                       database_->FindUnfinished(run.key, run.settings));
  EXPECT_THAT(found, Optional(Field(&RunInfo::seconds_spent, 1.75)));
}

TEST_F(DatabaseTest, RefusesAnswersThatTheRunDoesNotBear) {
  const RunInfo run = ExampleRun(1);
  const RunEvent good = Ask(0, ExampleConfig(0));
  const RunEvent bad = Ask(1, ExampleConfig(1));
  const BestRecord best = ExampleBest(run, good.config_json, OkOutcome({1}));
  EXPECT_THAT(database_->FinishRun(run.id, best), StatusIs(absl::StatusCode::kNotFound));
  ASSERT_THAT(database_->StartRun(run), IsOk());
  for (const RunEvent& event : {good, bad, Tell(2, good, OkOutcome({1})),
                                Tell(3, bad, FailedOutcome(OutcomeKind::kWrongResult, "wrong"))}) {
    ASSERT_THAT(database_->Append(run.id, event), IsOk());
  }
  const struct {
    void (*change)(BestRecord&);
    const char* error;
  } kCases[] = {
      {[](BestRecord& b) { b.run_id = ExampleRun(2).id; }, "run_id is"},
      {[](BestRecord& b) { b.kernel_name = "other"; }, "kernel_name is \"other\", want"},
      {[](BestRecord& b) { b.key.driver_version = "7"; }, "the key has driver \"7\", want"},
      {[](BestRecord& b) { b.config_json = ExampleConfig(1); }, "want a configuration that"},
      {[](BestRecord& b) { b.config_json = ExampleConfig(2); }, "want a configuration that"},
      {[](BestRecord& b) { b.outcome.kind = OutcomeKind::kCensored; }, "want \"ok\""},
  };
  for (const auto& c : kCases) {
    BestRecord changed = best;
    c.change(changed);
    EXPECT_THAT(database_->FinishRun(run.id, changed),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  EXPECT_THAT(database_->ListBest(), IsOkAndHolds(IsEmpty()));

  BestRecord brief = best;
  brief.run_id = "";
  brief.kernel_name = "";
  brief.key = RecordKey();
  ASSERT_THAT(database_->FinishRun(run.id, brief), IsOk());
  EXPECT_THAT(database_->ListBest(), IsOkAndHolds(ElementsAre(best)));
  EXPECT_THAT(database_->FinishRun(run.id, best),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("finished already")));
}

TEST_F(DatabaseTest, FindsTheNewestUnfinishedRunOfTheSameQuestion) {
  const RunInfo question = ExampleRun(2);
  const auto find = [&] { return database_->FindUnfinished(question.key, question.settings); };
  EXPECT_THAT(find(), IsOkAndHolds(Eq(std::nullopt)));
  // Each differs from the question in one thing.
  void (*const changes[])(RunInfo&) = {
      [](RunInfo& r) { r.key.kernel_fingerprint += "0"; },
      [](RunInfo& r) { r.key.backend += "0"; },
      [](RunInfo& r) { r.key.space_id += "0"; },
      [](RunInfo& r) { r.key.device_key += "0"; },
      [](RunInfo& r) { r.key.code_generator_version += "0"; },
      [](RunInfo& r) { r.key.compiler_version += "0"; },
      [](RunInfo& r) { r.key.driver_version += "0"; },
      [](RunInfo& r) { r.settings.algorithm += "0"; },
      [](RunInfo& r) { r.settings.random_seed += uint64_t{1} << 63; },
      [](RunInfo& r) { r.settings.budget_evaluations += 1; },
      [](RunInfo& r) { r.settings.budget_seconds += 0.1; },
      [](RunInfo& r) { r.settings.seed_policy += "0"; },
  };
  int number = 100;
  for (const auto change : changes) {
    RunInfo run = ExampleRun(++number);
    change(run);
    ASSERT_THAT(database_->StartRun(run), IsOk());
    EXPECT_THAT(database_->FindUnfinished(run.key, run.settings), IsOkAndHolds(Optional(run)));
  }
  EXPECT_THAT(find(), IsOkAndHolds(Eq(std::nullopt)));
  ASSERT_THAT(database_->StartRun(ExampleRun(2)), IsOk());
  ASSERT_THAT(database_->StartRun(ExampleRun(3)), IsOk());
  ASSERT_THAT(database_->StartRun(ExampleRun(1)), IsOk());
  EXPECT_THAT(find(), IsOkAndHolds(Optional(ExampleRun(3))));
}

TEST_F(DatabaseTest, AFinishedRunIsNotFoundAsUnfinished) {
  const RunInfo run = AddFinishedRun(*database_, 1, 10);
  EXPECT_THAT(database_->FindUnfinished(run.key, run.settings), IsOkAndHolds(Eq(std::nullopt)));
}

TEST_F(DatabaseTest, ListsNewestFirst) {
  const RunInfo second = AddFinishedRun(*database_, 2, 10);
  const RunInfo third = AddFinishedRun(*database_, 3, 10);
  const RunInfo first = AddFinishedRun(*database_, 1, 10);
  ASSERT_OK_AND_ASSIGN(const std::vector<RunInfo> runs, database_->ListRuns());
  EXPECT_THAT(runs, ElementsAre(Field(&RunInfo::id, third.id), Field(&RunInfo::id, second.id),
                                Field(&RunInfo::id, first.id)));
  ASSERT_OK_AND_ASSIGN(const std::vector<BestRecord> answers, database_->ListBest());
  EXPECT_THAT(answers, ElementsAre(Field(&BestRecord::run_id, third.id),
                                   Field(&BestRecord::run_id, second.id),
                                   Field(&BestRecord::run_id, first.id)));
}

TEST_F(DatabaseTest, LookupTakesTheFastestAndOfEqualsTheNewest) {
  AddFinishedRun(*database_, 1, 20);
  const RunInfo old = AddFinishedRun(*database_, 2, 10);
  const RunInfo fresh = AddFinishedRun(*database_, 4, 10);
  AddFinishedRun(*database_, 3, 10);
  AddFinishedRun(*database_, 5, 15);
  AddFinishedRun(*database_, 6, 1, [](RunInfo& run) { run.key.device_key = "other"; });
  ASSERT_OK_AND_ASSIGN(const LookupResult found, database_->Lookup(old.key));
  ASSERT_TRUE(found.record.has_value());
  EXPECT_EQ(found.record->run_id, fresh.id);
}

TEST_F(DatabaseTest, ALooseLookupTakesOtherVersionsAndSaysWhichTheyAre) {
  const RecordKey want = ExampleKey();
  const auto loose = [&] {
    absl::StatusOr<LookupResult> result = database_->LookupLoose(want);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  };
  // Elsewhere, of another backend or of another space: not even loosely.
  AddFinishedRun(*database_, 1, 1, [](RunInfo& r) { r.key.device_key = "other"; });
  AddFinishedRun(*database_, 2, 1, [](RunInfo& r) { r.key.backend = "cuda"; });
  AddFinishedRun(*database_, 3, 1, [](RunInfo& r) { r.key.space_id = "other.v1.0"; });
  AddFinishedRun(*database_, 4, 1, [](RunInfo& r) { r.key.kernel_fingerprint = "other"; });
  EXPECT_FALSE(loose().record.has_value());
  EXPECT_THAT(loose().miss_reason, Not(IsEmpty()));

  // The nearest comes first, however slow; of equally near ones the fastest.
  AddFinishedRun(*database_, 5, 2, [](RunInfo& r) { r.key.code_generator_version = "1"; });
  EXPECT_EQ(loose().difference, "code generator \"1\", want \"3\"");
  AddFinishedRun(*database_, 6, 9, [](RunInfo& r) { r.key.driver_version = "linux 5.10"; });
  const RunInfo fast =
      AddFinishedRun(*database_, 7, 8, [](RunInfo& r) { r.key.driver_version = "linux 6.0"; });
  EXPECT_EQ(loose().record->run_id, fast.id);
  EXPECT_EQ(loose().difference, "driver \"linux 6.0\", want \"linux 6.1\"");
  EXPECT_THAT(loose().miss_reason, IsEmpty());
  EXPECT_FALSE(database_->Lookup(want)->record.has_value());

  const RunInfo exact = AddFinishedRun(*database_, 8, 50);
  EXPECT_EQ(loose().record->run_id, exact.id);
  EXPECT_THAT(loose().difference, IsEmpty());
}

TEST_F(DatabaseTest, AMissSaysWhatDiffers) {
  const RecordKey want = ExampleKey();
  const auto reason = [&](const RecordKey& key) {
    absl::StatusOr<LookupResult> result = database_->Lookup(key);
    EXPECT_THAT(result, IsOk());
    EXPECT_FALSE(result->record.has_value());
    return result->miss_reason;
  };
  EXPECT_EQ(reason(want), "nothing recorded yet");

  AddFinishedRun(*database_, 1, 10, [](RunInfo& r) { r.key.kernel_fingerprint = "other"; });
  EXPECT_EQ(reason(want), "nothing recorded for this kernel; recorded: 1 other kernel");

  AddFinishedRun(*database_, 2, 10, [](RunInfo& r) {
    r.key.backend = "cuda";
    r.key.device_key = "H100";
  });
  EXPECT_EQ(reason(want),
            "recorded for this kernel with backend \"cuda\", want \"cpu\", and device \"H100\", "
            "want \"cpu|AMD EPYC 9454|znver4\"");

  for (int i = 0; i < 5; ++i) {
    AddFinishedRun(*database_, 10 + i, 10, [&](RunInfo& r) {
      r.key.device_key = absl::StrCat("device ", i);
      r.key.driver_version = "linux 5.10";
    });
  }
  EXPECT_EQ(reason(want),
            "nothing recorded for this kernel on this device; recorded on: \"device 4\", "
            "\"device 3\", \"device 2\" and 2 more");

  AddFinishedRun(*database_, 20, 10, [](RunInfo& r) {
    r.key.code_generator_version = "1";
    r.key.driver_version = "linux 5.10";
  });
  EXPECT_EQ(reason(want),
            "recorded for this kernel with code generator \"1\", want \"3\", and driver \"linux "
            "5.10\", want \"linux 6.1\"");

  AddFinishedRun(*database_, 21, 10, [](RunInfo& r) { r.key.code_generator_version = "2"; });
  EXPECT_EQ(reason(want), "recorded for this kernel with code generator \"2\", want \"3\"");
  AddFinishedRun(*database_, 22, 10, [](RunInfo& r) { r.key.compiler_version = "nvrtc 12"; });
  EXPECT_EQ(reason(want), "recorded for this kernel with compiler \"nvrtc 12\", want \"\"");
  AddFinishedRun(*database_, 23, 10, [](RunInfo& r) { r.key.driver_version = "linux 6.0"; });
  EXPECT_EQ(reason(want), "recorded for this kernel with driver \"linux 6.0\", want \"linux 6.1\"");

  const RunInfo run = ExampleRun(30);
  const RunEvent ask = Ask(0, ExampleConfig(0));
  ASSERT_THAT(database_->StartRun(run), IsOk());
  ASSERT_THAT(database_->Append(run.id, ask), IsOk());
  EXPECT_THAT(reason(want), HasSubstr("an unfinished run of 0 evaluations"));
  ASSERT_THAT(database_->Append(run.id, Tell(1, ask, OkOutcome({1}))), IsOk());
  EXPECT_THAT(reason(want), HasSubstr("an unfinished run of 1 evaluation is"));

  AddFinishedRun(*database_, 31, 10);
  EXPECT_THAT(database_->Lookup(want),
              IsOkAndHolds(Field(&LookupResult::record, ::testing::Ne(std::nullopt))));
}

TEST_F(DatabaseTest, ExportAndImportKeepEverything) {
  const RunDocument document = ExampleDocument(1);
  Replay(*database_, document);
  ASSERT_THAT(database_->FinishRun(document.run.id, *document.best), IsOk());
  Replay(*database_, ExampleDocument(2));
  ASSERT_THAT(database_->StartRun(ExampleRun(3)), IsOk());
  const std::string text = Export();

  std::unique_ptr<Database> copy = MustOpen(dir_.Path("copy.db"));
  EXPECT_THAT(copy->ImportJsonLines(text), IsOkAndHolds(3));
  EXPECT_THAT(copy->ExportJsonLines(), IsOkAndHolds(text));
  EXPECT_THAT(copy->ListRuns(), IsOkAndHolds(*database_->ListRuns()));
  EXPECT_THAT(copy->ListBest(), IsOkAndHolds(*database_->ListBest()));
  ASSERT_OK_AND_ASSIGN(const std::vector<RunInfo> runs, database_->ListRuns());
  for (const RunInfo& run : runs) {
    EXPECT_THAT(copy->Events(run.id), IsOkAndHolds(*database_->Events(run.id)));
  }
  EXPECT_THAT(copy->ImportJsonLines(text), IsOkAndHolds(0));
  EXPECT_THAT(database_->ImportJsonLines(text), IsOkAndHolds(0));
  EXPECT_THAT(copy->ExportJsonLines(), IsOkAndHolds(text));
}

TEST_F(DatabaseTest, AnEmptyDatabaseIsExportedToo) {
  const std::string text = Export();
  EXPECT_EQ(text, FormatHeaderLine() + "\n");
  EXPECT_THAT(database_->ImportJsonLines(text), IsOkAndHolds(0));
}

TEST_F(DatabaseTest, MergingBothWaysGivesTheSame) {
  std::unique_ptr<Database> other = MustOpen(dir_.Path("other.db"));
  AddFinishedRun(*database_, 1, 10);
  AddFinishedRun(*database_, 4, 30);
  AddFinishedRun(*other, 2, 5);
  AddFinishedRun(*other, 3, 40);
  const std::string here = Export();
  ASSERT_OK_AND_ASSIGN(const std::string there, other->ExportJsonLines());
  EXPECT_THAT(database_->ImportJsonLines(there), IsOkAndHolds(2));
  EXPECT_THAT(other->ImportJsonLines(here), IsOkAndHolds(2));
  EXPECT_THAT(other->ExportJsonLines(), IsOkAndHolds(Export()));
  ASSERT_OK_AND_ASSIGN(const LookupResult found, database_->Lookup(ExampleKey()));
  EXPECT_EQ(found.record->run_id, ExampleRun(2).id);
}

TEST_F(DatabaseTest, AnImportGoesOnWithWhatWasUnfinishedHere) {
  const RunDocument document = ExampleDocument(1);
  std::unique_ptr<Database> other = MustOpen(dir_.Path("other.db"));
  RunDocument half = document;
  half.events.resize(5);
  Replay(*database_, half);
  Replay(*other, document);
  const std::string early = Export();
  ASSERT_OK_AND_ASSIGN(const std::string later, other->ExportJsonLines());
  ASSERT_THAT(other->FinishRun(document.run.id, *document.best), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string finished, other->ExportJsonLines());

  EXPECT_THAT(database_->ImportJsonLines(later), IsOkAndHolds(1));
  EXPECT_EQ(Export(), later);
  EXPECT_THAT(database_->ImportJsonLines(early), IsOkAndHolds(0));
  EXPECT_EQ(Export(), later);
  EXPECT_THAT(database_->ImportJsonLines(finished), IsOkAndHolds(1));
  EXPECT_EQ(Export(), finished);
  EXPECT_THAT(database_->ImportJsonLines(later), IsOkAndHolds(0));
  EXPECT_THAT(database_->ImportJsonLines(early), IsOkAndHolds(0));
  EXPECT_EQ(Export(), finished);
}

TEST_F(DatabaseTest, AfterAnImportTheLogGoesOnWhereItEnds) {
  const RunDocument document = ExampleDocument(1);
  RunDocument half = document;
  half.events.resize(5);
  Replay(*database_, half);
  std::unique_ptr<Database> other = MustOpen(dir_.Path("other.db"));
  Replay(*other, document);
  ASSERT_OK_AND_ASSIGN(const std::string later, other->ExportJsonLines());
  ASSERT_THAT(database_->ImportJsonLines(later), IsOkAndHolds(1));
  EXPECT_THAT(database_->Append(document.run.id, document.events[5]),
              StatusIs(absl::StatusCode::kAborted));
  const int64_t next = static_cast<int64_t>(document.events.size());
  EXPECT_THAT(database_->Append(document.run.id, Ask(next, ExampleConfig(77))), IsOk());
}

TEST_F(DatabaseTest, AnImportRefusesARunThatWentOnDifferently) {
  RunDocument here = ExampleDocument(1);
  RunDocument there = here;
  there.events[4].config_json = ExampleConfig(99);
  there.events.resize(9);
  Replay(*database_, here);
  std::unique_ptr<Database> other = MustOpen(dir_.Path("other.db"));
  AddFinishedRun(*other, 0, 10);  // the line before, which must not stay either
  Replay(*other, there);
  ASSERT_OK_AND_ASSIGN(const std::string text, other->ExportJsonLines());
  const std::string before = Export();
  EXPECT_THAT(database_->ImportJsonLines(text),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("line 3: run \"" + here.run.id), HasSubstr("differently"))));
  EXPECT_EQ(Export(), before);

  there = ExampleDocument(1);
  there.run.settings.random_seed = 8;
  there.best.reset();
  EXPECT_THAT(database_->ImportJsonLines(FormatHeaderLine() + "\n" + FormatRunLine(there)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("line 2")));
  EXPECT_EQ(Export(), before);
}

TEST_F(DatabaseTest, AnImportIsAllOrNothingAndNamesTheLine) {
  for (int i = 1; i <= 3; ++i) AddFinishedRun(*database_, i, 10 * i);
  const std::vector<std::string> lines = absl::StrSplit(Export(), '\n');
  ASSERT_THAT(lines, SizeIs(5));  // the last is empty
  const struct {
    std::vector<std::string> lines;
    const char* error;
  } kCases[] = {
      {{}, "line 1: no JSON"},
      {{lines[1], lines[2]}, "line 1: format is missing"},
      {{lines[0], lines[1], "", lines[2]}, "line 3: no JSON"},
      {{lines[0], lines[1], lines[2], lines[0]}, "line 4: id is missing"},
      {{lines[0], lines[1], lines[2].substr(0, lines[2].size() / 2)}, "line 3: no JSON"},
      {{lines[0], lines[1], "{\"mispelt\":1," + lines[2].substr(1)}, "line 3: mispelt is unknown"},
      {{lines[0], lines[1], lines[2] + lines[3]}, "line 3: no JSON"},
      {{"\xff\xd8\xff\xe0"}, "line 1: no JSON"},
  };
  std::unique_ptr<Database> fresh = MustOpen(dir_.Path("fresh.db"));
  for (const auto& c : kCases) {
    std::string text;
    for (const std::string& line : c.lines) text += line + "\n";
    EXPECT_THAT(fresh->ImportJsonLines(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_THAT(fresh->ListRuns(), IsOkAndHolds(IsEmpty()));
  }
  // Windows' line ends and a missing last one do no harm; a line twice is there once.
  const std::string text = lines[0] + "\r\n" + lines[1] + "\r\n" + lines[2] + "\n" + lines[1];
  EXPECT_THAT(fresh->ImportJsonLines(text), IsOkAndHolds(2));
}

TEST_F(DatabaseTest, ForReadingOnlyItReadsAndChangesNothing) {
  const RunInfo run = AddFinishedRun(*database_, 1, 10);
  ASSERT_THAT(database_->StartRun(ExampleRun(2)), IsOk());
  const std::string text = Export();
  Database::Options options;
  options.mode = Database::Mode::kReadOnly;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> reader,
                       Database::Open(database_->path(), options));
  EXPECT_THAT(reader->ExportJsonLines(), IsOkAndHolds(text));
  EXPECT_THAT(reader->Lookup(run.key),
              IsOkAndHolds(Field(&LookupResult::record, ::testing::Ne(std::nullopt))));
  const auto is_refused =
      StatusIs(absl::StatusCode::kPermissionDenied,
               AllOf(HasSubstr(database_->path()), HasSubstr("for reading only")));
  EXPECT_THAT(reader->StartRun(ExampleRun(3)), is_refused);
  EXPECT_THAT(reader->Append(ExampleRun(2).id, Ask(0, "{}")), is_refused);
  EXPECT_THAT(reader->AddSeconds(run.id, 1), is_refused);
  EXPECT_THAT(reader->FinishRun(ExampleRun(2).id, ExampleBest(run, "{}", OkOutcome({1}))),
              is_refused);
  EXPECT_THAT(reader->ImportJsonLines(text), is_refused);
  EXPECT_EQ(Export(), text);

  // It sees what others write meanwhile.
  ASSERT_THAT(database_->StartRun(ExampleRun(3)), IsOk());
  EXPECT_THAT(reader->ListRuns(), IsOkAndHolds(SizeIs(3)));
}

TEST_F(DatabaseTest, TwoThatGoOnWithOneRunAreToldApart) {
  const RunInfo run = ExampleRun(1);
  ASSERT_THAT(database_->StartRun(run), IsOk());
  const std::unique_ptr<Database> other = MustOpen(database_->path());
  const RunEvent ask = Ask(0, ExampleConfig(0));
  ASSERT_THAT(database_->Append(run.id, ask), IsOk());
  EXPECT_THAT(other->Append(run.id, Ask(0, ExampleConfig(1))),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("another process goes on with")));
  ASSERT_THAT(other->Append(run.id, Tell(1, ask, OkOutcome({1}))), IsOk());
  EXPECT_THAT(database_->Append(run.id, Tell(2, ask, OkOutcome({1}))),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not told yet")));
  ASSERT_THAT(database_->Append(run.id, Retime(2, ask, OkOutcome({1}))), IsOk());
  EXPECT_THAT(other->Events(run.id), IsOkAndHolds(SizeIs(3)));
}

TEST_F(DatabaseTest, ALockedFileIsWaitedForAndThenNamed) {
  Database::Options options;
  options.busy_timeout_ms = 20;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> second,
                       Database::Open(database_->path(), options));
  ASSERT_THAT(database_->StartRun(ExampleRun(1)), IsOk());
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(database_->path().c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  EXPECT_THAT(second->Append(ExampleRun(1).id, Ask(0, "{}")),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr(database_->path()), HasSubstr("waited 20 ms"))));
  EXPECT_THAT(second->ListRuns(), IsOkAndHolds(SizeIs(1)));  // reading goes on
  ASSERT_EQ(sqlite3_exec(writer, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(writer);
  EXPECT_THAT(second->Append(ExampleRun(1).id, Ask(0, "{}")), IsOk());
}

TEST_F(DatabaseTest, TheFileSaysWhatItHolds) {
  AddFinishedRun(*database_, 1, 10);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(database_->path().c_str(), &reader), SQLITE_OK);
  const auto text = [&](const char* sql) {
    std::string result;
    sqlite3_exec(
        reader, sql,
        [](void* out, int columns, char** values, char**) {
          for (int i = 0; i < columns; ++i) {
            absl::StrAppend(static_cast<std::string*>(out), values[i] ? values[i] : "NULL", "|");
          }
          return 0;
        },
        &result, nullptr);
    return result;
  };
  EXPECT_EQ(text("PRAGMA application_id"), "1399092334|");  // "Sdtn"
  EXPECT_EQ(text("PRAGMA user_version"), "1|");
  EXPECT_EQ(text("PRAGMA journal_mode"), "delete|");
  EXPECT_EQ(text("PRAGMA integrity_check"), "ok|");
  EXPECT_EQ(text("PRAGMA foreign_key_check"), "");
  EXPECT_EQ(text("SELECT j.value FROM events, json_each(samples_ns) AS j"), "10.0|");
  EXPECT_THAT(text("SELECT sql FROM sqlite_schema WHERE name = 'events'"),
              HasSubstr("-- canonical JSON object"));
  sqlite3_close(reader);
}

TEST(DefaultDatabasePathTest, FollowsTheEnvironment) {
  const auto set = [](const char* name, const char* value) {
    if (value == nullptr) {
      unsetenv(name);
    } else {
      setenv(name, value, 1);
    }
  };
  const struct {
    const char* xdg;
    const char* home;
    const char* path;
  } kCases[] = {
      {"/data", "/home/me", "/data/seedtune/tuning.db"},
      {nullptr, "/home/me", "/home/me/.local/share/seedtune/tuning.db"},
      {"", "/home/me", "/home/me/.local/share/seedtune/tuning.db"},
      {"relative", "/home/me", "/home/me/.local/share/seedtune/tuning.db"},
      {nullptr, nullptr, "./seedtune.db"},
      {nullptr, "", "./seedtune.db"},
  };
  for (const auto& c : kCases) {
    set("XDG_DATA_HOME", c.xdg);
    set("HOME", c.home);
    EXPECT_EQ(DefaultDatabasePath(), c.path);
  }
}

}  // namespace
}  // namespace seedtune

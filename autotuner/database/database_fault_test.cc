// What is left of a database when the disk fails, fills up or loses power at any of its operations,
// or the process is killed there.
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/database.h"
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
using ::testing::HasSubstr;

// One change of a database.
using Step = std::function<absl::Status(Database&)>;

// Changes of every kind; together a finished run, an import, and another run that spreads over
// several pages.
std::vector<Step> Scenario() {
  std::vector<Step> steps;
  const RunInfo run = ExampleRun(1);
  const RunEvent ask = Ask(0, ExampleConfig(0));
  steps.push_back([=](Database& d) { return d.StartRun(run).status(); });
  for (const RunEvent& event : {ask, Tell(1, ask, OkOutcome({10, 11})),
                                Retime(2, ask, OkOutcome({10.5})), Ask(3, ExampleConfig(1))}) {
    steps.push_back([=](Database& d) { return d.Append(run.id, event); });
  }
  steps.push_back([=](Database& d) { return d.AddSeconds(run.id, 2.5); });
  steps.push_back([=](Database& d) {
    return d.FinishRun(run.id, ExampleBest(run, ask.config_json, OkOutcome({10, 11, 10.5})));
  });
  const std::string text = absl::StrCat(FormatHeaderLine(), "\n", FormatRunLine(ExampleDocument(2)),
                                        "\n", FormatRunLine(ExampleDocument(3)), "\n");
  steps.push_back([=](Database& d) { return d.ImportJsonLines(text).status(); });
  const RunInfo another = ExampleRun(4);
  steps.push_back([=](Database& d) { return d.StartRun(another).status(); });
  const RunEvent another_ask = Ask(0, ExampleConfig(2));
  steps.push_back([=](Database& d) { return d.Append(another.id, another_ask); });
  steps.push_back([=](Database& d) {
    return d.Append(
        another.id,
        Tell(1, another_ask, FailedOutcome(OutcomeKind::kCompileError, std::string(10'000, 'e'))));
  });
  return steps;
}

// How far the scenario came, and the error that ended it.
struct Progress {
  size_t steps_done = 0;
  absl::Status status;
};

// Opens the database and takes the steps until one fails.
Progress Play(
    const std::string& path, const std::vector<Step>& steps,
    const std::function<void(size_t)>& acknowledge = [](size_t) {}) {
  Progress progress;
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
  progress.status = database.status();
  while (progress.status.ok() && progress.steps_done < steps.size()) {
    progress.status = steps[progress.steps_done](**database);
    if (progress.status.ok()) acknowledge(++progress.steps_done);
  }
  return progress;
}

// What all look-ups say, or the first error of one.
absl::StatusOr<std::string> AskAll(Database& database) {
  const auto describe = [](const LookupResult& result) {
    return absl::StrCat(result.record.has_value() ? result.record->run_id : "none", ", ",
                        result.miss_reason, ", ", result.difference, "\n");
  };
  RecordKey other_versions = ExampleKey();
  other_versions.driver_version = "another";
  std::string said;
  for (const RecordKey& key : {ExampleKey(), other_versions}) {
    for (const auto look_up : {&Database::Lookup, &Database::LookupLoose}) {
      const absl::StatusOr<LookupResult> result = (database.*look_up)(key);
      if (!result.ok()) return result.status();
      said += describe(*result);
    }
  }
  const absl::StatusOr<std::optional<RunInfo>> unfinished =
      database.FindUnfinished(ExampleKey(), ExampleRun(4).settings);
  if (!unfinished.ok()) return unfinished.status();
  absl::StrAppend(&said, unfinished->has_value() ? (*unfinished)->id : "none unfinished", "\n");
  const absl::StatusOr<std::vector<RunInfo>> runs = database.ListRuns();
  if (!runs.ok()) return runs.status();
  for (const RunInfo& run : *runs) {
    const absl::StatusOr<std::vector<RunEvent>> events = database.Events(run.id);
    if (!events.ok()) return events.status();
    absl::StrAppend(&said, run.id, " ", events->size(), "\n");
  }
  const absl::StatusOr<std::vector<BestRecord>> best = database.ListBest();
  if (!best.ok()) return best.status();
  for (const BestRecord& record : *best) absl::StrAppend(&said, record.run_id, "\n");
  const absl::StatusOr<std::string> text = database.ExportJsonLines();
  if (!text.ok()) return text.status();
  return absl::StrCat(said, *text);
}

class DatabaseFaultTest : public ::testing::Test {
 protected:
  // Plays the scenario without faults, noting the contents after every step.
  void SetUp() override {
    const std::string path = dir_.Path("whole.db");
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
    ASSERT_THAT(database, IsOk());
    contents_.push_back(*(*database)->ExportJsonLines());
    for (const Step& step : steps_) {
      ASSERT_THAT(step(**database), IsOk());
      contents_.push_back(*(*database)->ExportJsonLines());
      ASSERT_NE(contents_.back(), contents_[contents_.size() - 2]);
    }
    database->reset();
    const int64_t before = disk_.operations();
    ASSERT_THAT(Play(dir_.Path("counted.db"), steps_).status, IsOk());
    operations_ = disk_.operations() - before;
    ASSERT_GT(operations_, 100);
  }

  // What a database at rest holds, its consistency checked by SQLite itself.
  std::string ContentsOf(const std::string& path) {
    std::string contents;
    {
      absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
      EXPECT_THAT(database, IsOk());
      if (!database.ok()) return "";
      absl::StatusOr<std::string> text = (*database)->ExportJsonLines();
      EXPECT_THAT(text, IsOk());
      if (!text.ok()) return "";
      contents = *std::move(text);
    }
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
    std::string report;
    sqlite3_exec(
        handle, "PRAGMA integrity_check; PRAGMA foreign_key_check",
        [](void* out, int, char** values, char**) {
          absl::StrAppend(static_cast<std::string*>(out), values[0], "\n");
          return 0;
        },
        &report, nullptr);
    sqlite3_close(handle);
    EXPECT_EQ(report, "ok\n");
    return contents;
  }

  // The contents after the steps that were done, or also after the one that failed: nothing
  // between.
  void ExpectWhole(const std::string& path, const Progress& progress) {
    const size_t done = progress.steps_done;
    const std::string contents = ContentsOf(path);
    EXPECT_TRUE(contents == contents_[done] ||
                contents == contents_[std::min(done + 1, steps_.size())])
        << done << " steps, then " << progress.status << "; contents:\n"
        << contents;
  }

  std::string FreshPath() { return dir_.Path(absl::StrCat("fault", next_++, ".db")); }

  TempDir dir_;
  FaultVfs disk_;
  const std::vector<Step> steps_ = Scenario();
  std::vector<std::string> contents_;  // after 0, 1, 2, ... steps
  int64_t operations_ = 0;             // of the whole scenario
  int next_ = 0;
};

TEST_F(DatabaseFaultTest, AnOperationThatFailsIsReportedAndLeavesNothingHalfDone) {
  for (int64_t n = 0; n < operations_; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    const std::string path = FreshPath();
    disk_.FailAt(n, /*for_ever=*/false);
    const Progress progress = Play(path, steps_);
    ASSERT_TRUE(disk_.has_failed());
    disk_.Heal();
    // SQLite passes over some failures of reads and of journals that it can do without.
    if (!progress.status.ok()) {
      EXPECT_THAT(std::string(progress.status.message()), HasSubstr(path));
    } else {
      EXPECT_EQ(progress.steps_done, steps_.size());
    }
    ExpectWhole(path, progress);
    std::filesystem::remove(path);
  }
}

TEST_F(DatabaseFaultTest, ADiskThatIsGoneIsReportedAndLeavesNothingHalfDone) {
  for (int64_t n = 0; n < operations_; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    const std::string path = FreshPath();
    disk_.FailAt(n, /*for_ever=*/true);
    const Progress progress = Play(path, steps_);
    disk_.Heal();
    if (progress.steps_done < steps_.size()) {
      EXPECT_THAT(std::string(progress.status.message()), HasSubstr(path));
    }
    ExpectWhole(path, progress);
    std::filesystem::remove(path);
  }
}

TEST_F(DatabaseFaultTest, AFullDiskIsReportedAsSuchAndLeavesNothingHalfDone) {
  for (int64_t n = 0; n < operations_; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    const std::string path = FreshPath();
    disk_.FillUpAt(n);
    const Progress progress = Play(path, steps_);
    const bool failed = disk_.has_failed();
    disk_.Heal();
    if (failed) {
      EXPECT_THAT(progress.status, StatusIs(absl::StatusCode::kResourceExhausted,
                                            AllOf(HasSubstr(path), HasSubstr("disk is full"))));
    } else {
      EXPECT_THAT(progress.status, IsOk());
    }
    ExpectWhole(path, progress);
    std::filesystem::remove(path);
  }
}

TEST_F(DatabaseFaultTest, AfterAPassingFaultTheSameConnectionGoesOn) {
  for (int64_t n = 0; n < operations_; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    const std::string path = FreshPath();
    {
      absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
      ASSERT_THAT(database, IsOk());
      disk_.Heal();
      disk_.FailAt(n, /*for_ever=*/false);
      size_t done = 0;
      while (done < steps_.size()) {
        const absl::Status status = steps_[done](**database);
        if (status.ok()) {
          ++done;
          continue;
        }
        ASSERT_TRUE(disk_.has_failed()) << status;
        disk_.Heal();
        const absl::StatusOr<std::string> contents = (*database)->ExportJsonLines();
        ASSERT_THAT(contents, IsOk());
        if (*contents == contents_[done]) {
          ASSERT_THAT(steps_[done](**database), IsOk());
        } else {
          ASSERT_TRUE(*contents == contents_[done + 1]) << *contents;
        }
        ++done;
      }
    }
    disk_.Heal();
    EXPECT_TRUE(ContentsOf(path) == contents_.back());
    std::filesystem::remove(path);
  }
}

TEST_F(DatabaseFaultTest, AReadThatFailsIsAnErrorAndNoMiss) {
  const std::string path = dir_.Path("read.db");
  ASSERT_THAT(Play(path, steps_).status, IsOk());
  const auto ask = [&]() -> absl::StatusOr<std::string> {
    Database::Options options;
    options.mode = Database::Mode::kReadOnly;
    const absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path, options);
    if (!database.ok()) return database.status();
    return AskAll(**database);
  };
  const int64_t before = disk_.operations();
  const absl::StatusOr<std::string> want = ask();
  ASSERT_THAT(want, IsOk());
  const int64_t operations = disk_.operations() - before;
  ASSERT_GT(operations, 10);
  int errors = 0;
  for (const bool for_ever : {false, true}) {
    for (int64_t n = 0; n < operations; ++n) {
      SCOPED_TRACE(absl::StrCat("operation ", n, for_ever ? " and all after it" : ""));
      disk_.FailAt(n, for_ever);
      const absl::StatusOr<std::string> said = ask();
      ASSERT_TRUE(disk_.has_failed());
      disk_.Heal();
      if (said.ok()) {
        EXPECT_EQ(*said, *want);
      } else {
        ++errors;
        EXPECT_THAT(std::string(said.status().message()), HasSubstr(path));
      }
    }
  }
  EXPECT_GT(errors, 0);
  EXPECT_EQ(*ask(), *want);
}

TEST_F(DatabaseFaultTest, APowerFailureTakesNothingBack) {
  std::mt19937_64 random(20260601);
  for (int64_t n = 0; n < operations_; ++n) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      SCOPED_TRACE(absl::StrCat("operation ", n, ", repeat ", repeat));
      const std::string path = FreshPath();
      disk_.SwitchOffAt(n);
      const Progress progress = Play(path, steps_);
      disk_.LosePower(random);
      disk_.Heal();
      ExpectWhole(path, progress);
      ASSERT_FALSE(HasFailure());
      std::filesystem::remove(path);
    }
  }
}

TEST_F(DatabaseFaultTest, AProcessKilledAtAnyOperationLosesNothing) {
  for (int64_t n = 0; n < operations_; ++n) {
    SCOPED_TRACE(absl::StrCat("operation ", n));
    const std::string path = FreshPath();
    int acknowledged[2];
    ASSERT_EQ(pipe(acknowledged), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      disk_.CallAt(n, [] { kill(getpid(), SIGKILL); });
      Play(path, steps_, [&](size_t) {
        if (write(acknowledged[1], "", 1) != 1) _exit(1);
      });
      _exit(0);
    }
    close(acknowledged[1]);
    Progress progress;
    char byte;
    while (read(acknowledged[0], &byte, 1) == 1) ++progress.steps_done;
    close(acknowledged[0]);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    ExpectWhole(path, progress);
    std::filesystem::remove(path);
  }
}

}  // namespace
}  // namespace seedtune

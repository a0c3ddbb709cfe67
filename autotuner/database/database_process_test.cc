// Several processes and one file: killed at any moment, and writing at the same time.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/database.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/fault_vfs.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::SizeIs;

// The log that every writer writes: asks and tells by turns, each with what its number says.
RunEvent EventOf(int64_t sequence) {
  const int64_t ask_sequence = sequence - sequence % 2;
  const RunEvent ask = Ask(ask_sequence, ExampleConfig(static_cast<int>(ask_sequence)));
  if (sequence == ask_sequence) return ask;
  const double time = static_cast<double>(sequence) + 0.5;
  if (sequence % 5 == 0) {
    return Tell(sequence, ask, FailedOutcome(OutcomeKind::kCompileError, std::string(3000, 'e')));
  }
  return Tell(sequence, ask, OkOutcome({time, time + 1, time + 2}));
}

// A child process, killed with the object unless it has ended. It sends numbers while it lives.
class Child {
 public:
  // `body` gets a function that sends a number to the parent, and returns the exit status.
  using Body = std::function<int(const std::function<void(int64_t)>& send)>;

  explicit Child(const Body& body) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    EXPECT_GE(pid_, 0);
    if (pid_ == 0) {
      close(ends[0]);
      _exit(body([&](int64_t number) {
        if (write(ends[1], &number, sizeof(number)) != sizeof(number)) _exit(99);
      }));
    }
    close(ends[1]);
    pipe_ = ends[0];
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    Kill();
    close(pipe_);
  }

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    Wait();
  }

  // Its exit status; -1: killed.
  int Wait() {
    int status = 0;
    EXPECT_EQ(waitpid(pid_, &status, 0), pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // The next number it sent; waits for it. nullopt: it has ended.
  std::optional<int64_t> Receive() {
    int64_t number = 0;
    return read(pipe_, &number, sizeof(number)) == sizeof(number) ? std::optional(number)
                                                                  : std::nullopt;
  }

 private:
  pid_t pid_ = 0;
  int pipe_ = -1;
};

// Goes on with the run for ever, or until `end` events are there; sends the number of each event
// once it is kept.
int Write(const std::string& path, RunInfo run, int64_t end,
          const std::function<void(int64_t)>& send) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
  if (!database.ok()) return 1;
  absl::StatusOr<std::optional<RunInfo>> found = (*database)->FindUnfinished(run.key, run.settings);
  if (!found.ok()) return 2;
  if (!found->has_value() && !(*database)->StartRun(run).ok()) return 3;
  const absl::StatusOr<std::vector<RunEvent>> events = (*database)->Events(run.id);
  if (!events.ok()) return 4;
  for (int64_t i = static_cast<int64_t>(events->size()); i < end; ++i) {
    if (!(*database)->Append(run.id, EventOf(i)).ok()) return 5;
    send(i);
  }
  return 0;
}

void ExpectLog(const std::vector<RunEvent>& events) {
  for (size_t i = 0; i < events.size(); ++i) {
    ASSERT_EQ(events[i], EventOf(static_cast<int64_t>(i)));
  }
}

TEST(DatabaseProcessTest, KilledAtAnyMomentItLosesNoEventAndDoublesNone) {
  constexpr int kKills = 150;
  std::mt19937 random(20260602);
  const TempDir dir;
  const std::string path = dir.Path("tuning.db");
  const RunInfo run = ExampleRun(1);
  int64_t kept = 0;
  for (int i = 0; i < kKills; ++i) {
    // Now and then a new file, so that making one is killed, too.
    if (i % 25 == 0) {
      std::filesystem::remove(path);
      std::filesystem::remove(path + "-journal");
      kept = 0;
    }
    std::optional<int64_t> last;
    {
      // No syncing: what a killed process has written is in the file all the same.
      FaultVfs disk;
      Child child([&](const auto& send) { return Write(path, run, int64_t{1} << 40, send); });
      usleep(std::uniform_int_distribution<useconds_t>(0, 12'000)(random));
      child.Kill();
      while (const std::optional<int64_t> acknowledged = child.Receive()) last = acknowledged;
    }
    if (last.has_value()) kept = *last + 1;

    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(path));
    const absl::StatusOr<std::vector<RunEvent>> events = database->Events(run.id);
    if (kept == 0 && !events.ok()) {
      ASSERT_THAT(events, StatusIs(absl::StatusCode::kNotFound));
      continue;
    }
    ASSERT_THAT(events, IsOk());
    const int64_t size = static_cast<int64_t>(events->size());
    ASSERT_GE(size, kept);
    ASSERT_LE(size, kept + 1);  // the one that was under way
    ASSERT_NO_FATAL_FAILURE(ExpectLog(*events));
    kept = size;
  }
}

TEST(DatabaseProcessTest, OnTheRealDiskToo) {
  std::mt19937 random(20260603);
  const TempDir dir;
  const std::string path = dir.Path("tuning.db");
  const RunInfo run = ExampleRun(1);
  int64_t kept = 0;
  for (int i = 0; i < 10; ++i) {
    Child child([&](const auto& send) { return Write(path, run, int64_t{1} << 40, send); });
    // Some events after the first one is kept.
    std::optional<int64_t> last = child.Receive();
    usleep(std::uniform_int_distribution<useconds_t>(0, 12'000)(random));
    child.Kill();
    while (const std::optional<int64_t> acknowledged = child.Receive()) last = acknowledged;
    ASSERT_TRUE(last.has_value());
    ASSERT_GE(*last, kept);
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(path));
    ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, database->Events(run.id));
    kept = static_cast<int64_t>(events.size());
    ASSERT_GE(kept, *last + 1);
    ASSERT_LE(kept, *last + 2);
    ASSERT_NO_FATAL_FAILURE(ExpectLog(events));
  }
}

TEST(DatabaseProcessTest, SeveralWriteIntoOneFileAtTheSameTime) {
  constexpr int kWriters = 4;
  constexpr int64_t kEvents = 60;
  const TempDir dir;
  const FaultVfs disk;
  const std::string path = dir.Path("new folder/tuning.db");
  {
    // They race to make the file, too.
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < kWriters; ++i) {
      children.push_back(std::make_unique<Child>([&, i](const auto& send) {
        RunInfo run = ExampleRun(i);
        run.settings.random_seed = static_cast<uint64_t>(i);
        return Write(path, run, kEvents, send);
      }));
    }
    for (const auto& child : children) EXPECT_EQ(child->Wait(), 0);
  }
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(path));
  EXPECT_THAT(database->ListRuns(), IsOkAndHolds(SizeIs(kWriters)));
  for (int i = 0; i < kWriters; ++i) {
    ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, database->Events(ExampleRun(i).id));
    EXPECT_THAT(events, SizeIs(kEvents));
    ExpectLog(events);
  }
}

TEST(DatabaseProcessTest, AReaderSeesOnlyWholeCommitsWhileAnotherWrites) {
  const TempDir dir;
  const FaultVfs disk;
  const std::string path = dir.Path("tuning.db");
  const RunInfo run = ExampleRun(1);
  Child child([&](const auto& send) { return Write(path, run, 200, send); });
  ASSERT_TRUE(child.Receive().has_value());
  Database::Options options;
  options.mode = Database::Mode::kReadOnly;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> reader, Database::Open(path, options));
  size_t seen = 1;
  while (const std::optional<int64_t> kept = child.Receive()) {
    ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, reader->Events(run.id));
    ASSERT_GE(events.size(), seen);
    ASSERT_GT(events.size(), static_cast<size_t>(*kept));
    seen = events.size();
    ASSERT_NO_FATAL_FAILURE(ExpectLog(events));
  }
  EXPECT_EQ(seen, 200u);
  EXPECT_EQ(child.Wait(), 0);
}

TEST(DatabaseProcessTest, AReaderRollsBackWhatAKilledWriterLeft) {
  const TempDir dir;
  const std::string path = dir.Path("tuning.db");
  const RunInfo run = ExampleRun(1);
  FaultVfs disk;
  {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> database, Database::Open(path));
    ASSERT_THAT(database->StartRun(run), IsOk());
    ASSERT_THAT(database->Append(run.id, EventOf(0)), IsOk());
  }
  int rolled_back = 0;
  for (int64_t n = 0; n < 40; ++n) {
    Child writer([&](const auto&) {
      absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
      if (!database.ok()) return 1;
      disk.CallAt(n, [] { kill(getpid(), SIGKILL); });
      return (*database)->AddSeconds(run.id, 1).ok() ? 0 : 3;
    });
    writer.Wait();
    const bool had_journal = std::filesystem::exists(path + "-journal");
    Database::Options options;
    options.mode = Database::Mode::kReadOnly;
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Database> reader, Database::Open(path, options));
    ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, reader->Events(run.id));
    ASSERT_THAT(events, SizeIs(1));
    // One that the writer had not begun to rely on stays, and is nothing.
    if (had_journal && !std::filesystem::exists(path + "-journal")) ++rolled_back;
  }
  EXPECT_GT(rolled_back, 0);
}

}  // namespace
}  // namespace seedtune

// Tuning processes that are killed (or interrupted) at random moments and started again until they
// finish: nothing that was acknowledged is lost, nothing is doubled, and the end is that of a run
// which nobody disturbed.
#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/database.h"
#include "autotuner/example_tuning.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/hooked_database.h"
#include "autotuner/measurer.h"
#include "autotuner/memory_dir.h"
#include "autotuner/outcome.h"
#include "autotuner/record_key.h"
#include "autotuner/replay_measurer.h"
#include "autotuner/tuner.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/fake_heuristic.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Ge;
using ::testing::Gt;
using ::testing::SizeIs;

std::atomic<bool> interrupted = false;

// What is tuned, the same in every process.
struct Job {
  uint64_t random_seed = 1;
  int64_t evaluations = 25;
  int capacity = 1;  // more than 1: as many under way, answered in order
  HookedDatabase::Hooks hooks = {};
};

absl::StatusOr<TuneResult> RunJob(const std::string& database_path, const Job& job) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(database_path);
  if (!database.ok()) return database.status();
  HookedDatabase hooked(**database, job.hooks);

  const auto kernel = ExampleKernel();
  const auto space = ExampleSpace();
  // As anybody does who wants a kernel tuned: there may be nothing left to do, where the last
  // process was killed between recording its answer and saying so.
  const absl::StatusOr<LookupResult> known =
      hooked.Lookup(MakeRecordKey(*kernel, *space, ExampleMeasurerInfo()));
  if (!known.ok()) return known.status();
  if (known->record.has_value()) {
    TuneResult done;
    done.finished = true;
    return done;
  }
  HeuristicRegistry registry;
  FakeHeuristic::Options expert;
  expert.name = "expert";
  expert.seeds = [&](const TuningContext&) {
    return std::vector<PartialConfig>{space->At(10).ToPartial(), space->At(200).ToPartial()};
  };
  expert.neighbors = [](const TuningContext&, const Config& config) {
    PartialConfig flipped;
    flipped.Set("pack", !config.GetBool("pack"));
    return std::vector<PartialConfig>{flipped};
  };
  if (absl::Status added = registry.Add(std::make_unique<FakeHeuristic>(expert)); !added.ok()) {
    return added;
  }

  VirtualClock clock;
  std::unique_ptr<Measurer> measurer;
  if (job.capacity == 1) {
    ReplayMeasurer::Options options;
    options.info = ExampleMeasurerInfo();
    options.outcome = ExampleOutcome;
    options.sample_noise = 0.01;
    options.request_noise = 0.01;
    measurer = std::make_unique<ReplayMeasurer>(options, clock);
  } else {
    FakeMeasurer::Options options;
    options.info = ExampleMeasurerInfo();
    options.outcome = NoisyExampleOutcome;
    options.capacity = job.capacity;
    measurer = std::make_unique<FakeMeasurer>(options);
  }
  TuneOptions options;
  options.random_seed = job.random_seed;
  options.budget = {.evaluations = job.evaluations, .seconds = 0};
  options.stop = &interrupted;
  return Tune(kernel, /*facts=*/{}, space, registry, *measurer, &hooked, clock, options);
}

// How the process of a job ended.
constexpr int kFinished = 0;
constexpr int kBroken = 1;
constexpr int kStopped = 3;
constexpr int kKilled = -1;

int WaitFor(pid_t process) {
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return kBroken;
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? kKilled : kBroken;
}

// Runs the job in a process of its own. The database must not be open here.
pid_t Fork(const std::string& database_path, const Job& job) {
  // An interrupt that comes before the process can take it waits until it can.
  sigset_t interrupt;
  sigemptyset(&interrupt);
  sigaddset(&interrupt, SIGINT);
  sigprocmask(SIG_BLOCK, &interrupt, nullptr);
  const pid_t process = fork();
  if (process < 0) {
    // Not to be returned: kill() would take it for everybody.
    std::perror("fork");
    std::abort();
  }
  if (process == 0) {
    struct sigaction on_interrupt = {};
    on_interrupt.sa_handler = [](int) { interrupted = true; };
    sigaction(SIGINT, &on_interrupt, nullptr);
  }
  sigprocmask(SIG_UNBLOCK, &interrupt, nullptr);
  if (process != 0) return process;
  const absl::StatusOr<TuneResult> result = RunJob(database_path, job);
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  _exit(!result.ok() ? kBroken : result->finished ? kFinished : kStopped);
}

// An event but for the time, which depends on the interruptions.
std::string Describe(const RunEvent& event) {
  std::string text =
      absl::StrCat(event.sequence, " ", static_cast<int>(event.kind), " ", event.ask_sequence, " ",
                   event.config_json, " ", event.origin, " ", event.heuristic);
  if (event.kind == RunEvent::Kind::kAsk) return text;
  absl::StrAppend(&text, " ", static_cast<int>(event.outcome.kind), " ", event.outcome.message, " ",
                  event.outcome.lower_bound_ns, " ", event.outcome.compile_ns);
  for (const double ns : event.outcome.samples_ns) absl::StrAppend(&text, " ", ns);
  return text;
}

// All that a database with one run says in the end.
struct End {
  std::vector<std::string> log;
  std::string best;
  std::string untuned;
  int64_t evaluations = 0;
};

End ReadEnd(const std::string& database_path) {
  End end;
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(database_path);
  EXPECT_THAT(database, IsOk());
  if (!database.ok()) return end;
  const absl::StatusOr<std::vector<RunInfo>> runs = (*database)->ListRuns();
  EXPECT_THAT(runs, IsOkAndHolds(SizeIs(1)));
  const absl::StatusOr<std::vector<BestRecord>> best = (*database)->ListBest();
  EXPECT_THAT(best, IsOkAndHolds(SizeIs(1)));
  if (!runs.ok() || runs->size() != 1 || !best.ok() || best->size() != 1) return end;
  EXPECT_EQ((*runs)[0].state, RunState::kFinished);
  const absl::StatusOr<std::vector<RunEvent>> events = (*database)->Events((*runs)[0].id);
  EXPECT_THAT(events, IsOk());
  if (!events.ok()) return end;
  for (const RunEvent& event : *events) end.log.push_back(Describe(event));
  const auto outcome = [](const Outcome& outcome) {
    std::string text;
    for (const double ns : outcome.samples_ns) absl::StrAppend(&text, " ", ns);
    return text;
  };
  const BestRecord& winner = (*best)[0];
  end.best = absl::StrCat(winner.config_json, " ", winner.origin, " ", winner.heuristic,
                          outcome(winner.outcome), " ", winner.heuristics_json);
  end.untuned = absl::StrCat(winner.untuned_config_json, outcome(winner.untuned_outcome));
  end.evaluations = winner.evaluations;
  return end;
}

void ExpectSameEnd(const End& end, const End& unbroken) {
  EXPECT_EQ(end.log, unbroken.log);
  EXPECT_EQ(end.best, unbroken.best);
  EXPECT_EQ(end.untuned, unbroken.untuned);
  EXPECT_EQ(end.evaluations, unbroken.evaluations);
}

End Unbroken(const Job& job) {
  const MemoryDir directory;
  EXPECT_EQ(WaitFor(Fork(directory.Path("unbroken.db"), job)), kFinished);
  return ReadEnd(directory.Path("unbroken.db"));
}

// Every event that the database acknowledged, in a file that outlives the process.
class Acknowledgements {
 public:
  explicit Acknowledgements(std::string path) : path_(std::move(path)) {}

  absl::Status Note(const RunEvent& event) const {
    // A kill may tear a write that crosses the border of a page: only a line with an end is one.
    const std::string line = absl::StrCat("\n", Describe(event), kEnd);
    const int file = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const bool written =
        file >= 0 && write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    if (file >= 0) close(file);
    return written ? absl::OkStatus() : absl::InternalError("cannot note it");
  }

  std::vector<std::string> Read() const {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
      if (absl::EndsWith(line, kEnd)) {
        lines.push_back(line.substr(0, line.size() - std::string_view(kEnd).size()));
      }
    }
    return lines;
  }

 private:
  static constexpr char kEnd[] = " end";

  const std::string path_;
};

void ExpectNothingLostOrDoubled(std::vector<std::string> acknowledged,
                                const std::vector<std::string>& log) {
  std::vector<std::string> sorted_log = log;
  std::sort(sorted_log.begin(), sorted_log.end());
  std::sort(acknowledged.begin(), acknowledged.end());
  EXPECT_TRUE(
      std::includes(sorted_log.begin(), sorted_log.end(), acknowledged.begin(), acknowledged.end()))
      << "an acknowledged event is lost, changed, or was acknowledged twice";
}

void Sleep(std::chrono::nanoseconds time) {
  timespec left = {.tv_sec = time.count() / 1'000'000'000, .tv_nsec = time.count() % 1'000'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

// Starts the job again and again, sends each process the signal after a random time, and returns
// how many processes the signal ended.
int Disturb(const std::string& database_path, const Job& job, int signal, int ended_by,
            const Acknowledgements& acknowledged, std::mt19937_64& random) {
  int disturbed = 0;
  std::chrono::nanoseconds longest = std::chrono::milliseconds(2);
  size_t progress = 0;
  while (true) {
    const pid_t process = Fork(database_path, job);
    Sleep(std::chrono::nanoseconds(random() % static_cast<uint64_t>(longest.count())));
    kill(process, signal);
    const int end = WaitFor(process);
    if (end == kFinished) return disturbed;
    EXPECT_EQ(end, ended_by);
    if (end != ended_by) return disturbed;
    ++disturbed;
    // A process that never lives long enough to get on would be killed for ever.
    const size_t now = acknowledged.Read().size();
    if (now == progress) longest += longest / 4;
    progress = now;
  }
}

// SEEDTUNE_KILLS=1000 in the environment is the long way.
int KillsWanted() {
  const char* const wanted = std::getenv("SEEDTUNE_KILLS");
  int kills = 100;
  if (wanted != nullptr) {
    EXPECT_TRUE(absl::SimpleAtoi(wanted, &kills)) << wanted;
  }
  return kills;
}

TEST(KillTest, KillsAtRandomMomentsLoseNothing) {
  const int wanted = KillsWanted();
  std::mt19937_64 random(20261123);
  int kills = 0;
  int runs = 0;
  size_t acknowledged_events = 0;
  while (kills < wanted) {
    Job job{.random_seed = random(), .evaluations = 25, .capacity = runs % 2 == 0 ? 1 : 3};
    SCOPED_TRACE(absl::StrCat("run ", runs, " of seed ", job.random_seed));
    const End unbroken = Unbroken(job);
    ASSERT_THAT(unbroken.log, SizeIs(Ge(2 * 25 + 5 * 2u)));
    ASSERT_EQ(unbroken.evaluations, 25);

    const MemoryDir directory;
    const Acknowledgements acknowledged(directory.Path("acknowledged"));
    job.hooks.after_append = [&](const RunEvent& event) { return acknowledged.Note(event); };
    kills += Disturb(directory.Path("killed.db"), job, SIGKILL, kKilled, acknowledged, random);
    const End end = ReadEnd(directory.Path("killed.db"));
    ExpectSameEnd(end, unbroken);
    ExpectNothingLostOrDoubled(acknowledged.Read(), end.log);
    acknowledged_events += acknowledged.Read().size();
    ASSERT_FALSE(HasFailure());
    ++runs;
    ASSERT_LT(runs, 3 * wanted) << "kills hardly ever hit";
  }
  EXPECT_THAT(acknowledged_events, Gt(static_cast<size_t>(runs) * 50));
  RecordProperty("kills", kills);
  RecordProperty("runs", runs);
}

TEST(KillTest, AKillJustBeforeOrAfterAnyCommitLosesNothing) {
  const Job job{.random_seed = 7, .evaluations = 12};
  const End unbroken = Unbroken(job);
  ASSERT_THAT(unbroken.log, SizeIs(Gt(30u)));

  const MemoryDir directory;
  const std::string path = directory.Path("killed.db");
  const auto die = [] {
    raise(SIGKILL);
    return absl::OkStatus();
  };
  // One run: each process is killed at the next event, first before and then after its commit.
  for (int64_t sequence = 0; sequence < static_cast<int64_t>(unbroken.log.size()); ++sequence) {
    for (const bool before : {true, false}) {
      Job dying = job;
      const auto die_at = [&](const RunEvent& event) {
        return event.sequence == sequence ? die() : absl::OkStatus();
      };
      (before ? dying.hooks.before_append : dying.hooks.after_append) = die_at;
      ASSERT_EQ(WaitFor(Fork(path, dying)), kKilled) << "event " << sequence;
    }
  }
  Job dying = job;
  dying.hooks.before_finish = die;
  ASSERT_EQ(WaitFor(Fork(path, dying)), kKilled);
  dying = job;
  dying.hooks.after_finish = die;
  ASSERT_EQ(WaitFor(Fork(path, dying)), kKilled);
  ExpectSameEnd(ReadEnd(path), unbroken);
}

TEST(KillTest, InterruptsAtRandomMomentsLoseNothing) {
  std::mt19937_64 random(42);
  int interrupts = 0;
  int runs = 0;
  while (interrupts < 60) {
    Job job{.random_seed = random(), .evaluations = 25, .capacity = runs % 2 == 0 ? 1 : 3};
    SCOPED_TRACE(absl::StrCat("run ", runs, " of seed ", job.random_seed));
    const End unbroken = Unbroken(job);
    const MemoryDir directory;
    const Acknowledgements acknowledged(directory.Path("acknowledged"));
    job.hooks.after_append = [&](const RunEvent& event) { return acknowledged.Note(event); };
    interrupts +=
        Disturb(directory.Path("stopped.db"), job, SIGINT, kStopped, acknowledged, random);
    const End end = ReadEnd(directory.Path("stopped.db"));
    ExpectSameEnd(end, unbroken);
    // Nothing was lost on the way: all that is in the log was acknowledged, each once.
    EXPECT_THAT(acknowledged.Read(), SizeIs(end.log.size()));
    ExpectNothingLostOrDoubled(acknowledged.Read(), end.log);
    ASSERT_FALSE(HasFailure());
    ++runs;
    ASSERT_LT(runs, 500) << "interrupts hardly ever hit";
  }
}

}  // namespace
}  // namespace seedtune

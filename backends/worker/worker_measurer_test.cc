#include "backends/worker/worker_measurer.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int64_t kLongNs = 60'000'000'000;

std::string WorkerPath() {
  return std::string(getenv("TEST_SRCDIR")) + "/" + getenv("TEST_WORKSPACE") +
         "/backends/worker/misbehaving_worker";
}

HardwareInfo SomeCpu() {
  HardwareInfo device;
  device.kind = DeviceKind::kCpu;
  device.name = "some CPU";
  device.arch.base = "znver4";
  device.compute_units = 4;
  device.threads_per_unit = 1;
  device.vector_bits = 512;
  device.registers_per_unit = 32;
  device.l1_data_bytes = 32 << 10;
  device.l2_bytes = 1 << 20;
  device.l3_bytes = 32 << 20;
  return device;
}

class WorkerMeasurerTest : public ::testing::Test {
 protected:
  WorkerOptions Options(std::vector<std::string> arguments = {}) {
    WorkerOptions options;
    options.argv = {WorkerPath()};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    options.backend = "cpu";
    options.device = SomeCpu();
    options.setup_timeout_ns = 0;
    return options;
  }

  // A candidate that makes the worker do what `behaviour` says.
  MeasureRequest Request(int64_t id, const std::string& behaviour) {
    MatmulSpec spec;
    spec.name = behaviour;
    spec.m = spec.n = spec.k = Extent::Static(64);
    auto kernel = std::make_shared<const Kernel>(*BuildMatmul(spec));
    const std::vector<MatmulFact> facts = ExtractMatmulFacts(*kernel);
    MeasureRequest request;
    request.id = id;
    request.config = (*BuildConfigSpace("cpu", facts, SomeCpu()))->Default();
    request.kernel = std::move(kernel);
    request.data_seed = 42;
    request.timeout_ns = 30e9;
    return request;
  }

  // The one outcome of one candidate.
  Outcome Measure(Measurer& measurer, MeasureRequest request) {
    const int64_t id = request.id;
    EXPECT_THAT(measurer.Submit(std::move(request)), IsOk());
    const auto replies = measurer.Wait(kLongNs);
    EXPECT_THAT(replies.status(), IsOk());
    EXPECT_THAT(*replies, SizeIs(1));
    EXPECT_EQ(replies->front().id, id);
    return replies->front().outcome;
  }
};

TEST_F(WorkerMeasurerTest, CarriesRequestAndOutcome) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  EXPECT_EQ(measurer->info().code_generator_version, "misbehaving 7");
  const MeasureRequest request = Request(1, "ok");
  const Outcome outcome = Measure(*measurer, request);
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_EQ(outcome.samples_ns[0], request.config.GetInt("unroll[k]"));
  EXPECT_EQ(outcome.samples_ns[1], 42);
  ASSERT_EQ(outcome.samples_ns.size(), 4);
  EXPECT_EQ(outcome.samples_ns[3], 30e9) << "a backend ends what hangs before it is ended itself";
}

TEST_F(WorkerMeasurerTest, NothingUnderWayReturnsAtOnce) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  EXPECT_THAT(*measurer->Wait(kLongNs), IsEmpty());
}

TEST_F(WorkerMeasurerTest, ASpentWorkerAnswersAndIsFollowedByAnother) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  std::set<double> processes;
  for (int i = 0; i < 5; ++i) {
    const Outcome outcome = Measure(*measurer, Request(i, "spent"));
    ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
    EXPECT_TRUE(processes.insert(outcome.samples_ns[2]).second) << "a process of its own each";
  }
  EXPECT_EQ(Measure(*measurer, Request(9, "ok")).kind, OutcomeKind::kOk);
}

TEST_F(WorkerMeasurerTest, EachFaultCostsOneCandidate) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  const struct {
    const char* behaviour;
    double timeout_ns;
    OutcomeKind kind;
    const char* message;
  } kCases[] = {
      {"crash", 30e9, OutcomeKind::kCrash, "killed by signal 6"},
      {"exit", 30e9, OutcomeKind::kCrash, "exited with status 3: out of luck"},
      {"hang", 0.2e9, OutcomeKind::kTimeout, "no answer within 0.2 s"},
      {"garbage", 30e9, OutcomeKind::kCrash, "the worker sent 5 bytes that are no"},
      {"endless", 30e9, OutcomeKind::kCrash, "the worker sent a message of 2147483647 bytes"},
      {"no_samples", 30e9, OutcomeKind::kCrash, "samples_ns is empty"},
  };
  int64_t id = 0;
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.behaviour);
    MeasureRequest request = Request(++id, c.behaviour);
    request.timeout_ns = c.timeout_ns;
    const Outcome outcome = Measure(*measurer, std::move(request));
    EXPECT_EQ(outcome.kind, c.kind);
    EXPECT_THAT(outcome.message, HasSubstr(c.message));
    // The next candidate is none the worse for it.
    EXPECT_EQ(Measure(*measurer, Request(++id, "ok")).kind, OutcomeKind::kOk);
  }
}

TEST_F(WorkerMeasurerTest, FirstCandidateOfAKernelHasTimeToSetUp) {
  WorkerOptions options = Options();
  options.setup_timeout_ns = 60e9;
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(options, SystemClock()));
  MeasureRequest first = Request(1, "ok");
  first.timeout_ns = 0;
  MeasureRequest second = first;
  second.id = 2;
  const Outcome outcome = Measure(*measurer, std::move(first));
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  ASSERT_EQ(kill(static_cast<pid_t>(outcome.samples_ns[2]), SIGSTOP), 0);
  EXPECT_EQ(Measure(*measurer, std::move(second)).kind, OutcomeKind::kTimeout);
}

// The system's clock, which can be set ahead.
class ClockAhead : public Clock {
 public:
  int64_t NowNs() override { return SystemClock().NowNs() + ahead_ns; }
  int64_t UnixMicros() override { return SystemClock().UnixMicros(); }
  int64_t ahead_ns = 0;
};

// As on a machine so busy that the answer, given in time, is read late.
TEST_F(WorkerMeasurerTest, AnAnswerThatIsThereIsNoTimeOut) {
  ClockAhead clock;
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), clock));
  const Outcome first = Measure(*measurer, Request(1, "ok"));
  ASSERT_EQ(first.kind, OutcomeKind::kOk) << first.message;
  // It answers, then ends.
  ASSERT_THAT(measurer->Submit(Request(2, "spent")), IsOk());
  siginfo_t ended = {};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(first.samples_ns[2]), &ended, WEXITED | WNOWAIT), 0);
  clock.ahead_ns = 2 * kLongNs;
  ASSERT_OK_AND_ASSIGN(const auto replies, measurer->Wait(kLongNs));
  ASSERT_THAT(replies, SizeIs(1));
  EXPECT_EQ(replies[0].outcome.kind, OutcomeKind::kOk) << replies[0].outcome.message;
}

TEST_F(WorkerMeasurerTest, OutputNeitherBlocksNorLeaks) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  EXPECT_EQ(Measure(*measurer, Request(1, "chatty")).kind, OutcomeKind::kOk);
}

TEST_F(WorkerMeasurerTest, TimeOutKillsDescendants) {
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  MeasureRequest request = Request(1, "leave_child");
  request.timeout_ns = 0.5e9;
  const Outcome outcome = Measure(*measurer, std::move(request));
  EXPECT_EQ(outcome.kind, OutcomeKind::kTimeout);
  const size_t at = outcome.message.find("child=");
  ASSERT_NE(at, std::string::npos) << outcome.message;
  const pid_t child = atoi(outcome.message.c_str() + at + std::strlen("child="));
  ASSERT_GT(child, 0);
  // Killed at once; its new parent may take a moment to reap it.
  bool gone = false;
  for (int i = 0; i < 2000 && !gone; ++i) {
    gone = kill(child, 0) != 0 && errno == ESRCH;
    if (!gone) {
      // A zombie counts as gone: it runs no more.
      FILE* stat = fopen(("/proc/" + std::to_string(child) + "/stat").c_str(), "r");
      char state = 'Z';
      if (stat != nullptr) {
        if (fscanf(stat, "%*d %*s %c", &state) != 1) state = 'Z';
        fclose(stat);
      }
      gone = state == 'Z';
    }
    if (!gone) usleep(1000);
  }
  EXPECT_TRUE(gone);
}

// As where the driver of a GPU does not let go of a process whose kernel still runs.
TEST_F(WorkerMeasurerTest, GoesOnWhileAKilledWorkerDies) {
  ASSERT_OK_AND_ASSIGN(auto measurer, MakeWorkerMeasurer(Options(), SystemClock()));
  MeasureRequest request = Request(1, "die_slowly");
  request.timeout_ns = 0.5e9;
  Outcome outcome = Measure(*measurer, std::move(request));
  EXPECT_EQ(outcome.kind, OutcomeKind::kTimeout);
  if (outcome.message.find("no tracing") != std::string::npos) {
    GTEST_SKIP() << "ptrace is not allowed here, which makes the worker die slowly";
  }
  EXPECT_THAT(outcome.message, HasSubstr("killed, and has not ended yet"));
  const size_t at = outcome.message.find("pid=");
  ASSERT_NE(at, std::string::npos) << outcome.message;
  const pid_t dying = atoi(outcome.message.c_str() + at + std::strlen("pid="));
  ASSERT_GT(dying, 0);
  outcome = Measure(*measurer, Request(2, "ok"));
  EXPECT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_EQ(kill(dying, 0), 0) << "it was waited for";
  measurer.reset();
  EXPECT_NE(kill(dying, 0), 0) << "it was left behind";
}

TEST_F(WorkerMeasurerTest, CandidatesCanWaitUntilAKilledWorkerHasEnded) {
  WorkerOptions options = Options();
  options.settle_timeout_ns = 60e9;
  ASSERT_OK_AND_ASSIGN(auto measurer, MakeWorkerMeasurer(options, SystemClock()));
  MeasureRequest request = Request(1, "die_slowly");
  request.timeout_ns = 0.5e9;
  Outcome outcome = Measure(*measurer, std::move(request));
  EXPECT_EQ(outcome.kind, OutcomeKind::kTimeout);
  const size_t at = outcome.message.find("pid=");
  ASSERT_NE(at, std::string::npos) << outcome.message;
  const pid_t dying = atoi(outcome.message.c_str() + at + std::strlen("pid="));
  EXPECT_EQ(Measure(*measurer, Request(2, "ok")).kind, OutcomeKind::kOk);
  EXPECT_NE(kill(dying, 0), 0);
}

TEST_F(WorkerMeasurerTest, SeveralWorkersAreSeveralProcesses) {
  WorkerOptions options = Options();
  options.workers = 3;
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(options, SystemClock()));
  EXPECT_EQ(measurer->capacity(), 3);
  for (int id = 0; id < 3; ++id) ASSERT_THAT(measurer->Submit(Request(id, "ok")), IsOk());
  EXPECT_EQ(measurer->Submit(Request(3, "ok")).code(), absl::StatusCode::kFailedPrecondition);
  std::set<double> pids;
  std::set<int64_t> ids;
  while (ids.size() < 3) {
    ASSERT_OK_AND_ASSIGN(const auto replies, measurer->Wait(kLongNs));
    ASSERT_FALSE(replies.empty());
    for (const MeasureReply& reply : replies) {
      ids.insert(reply.id);
      pids.insert(reply.outcome.samples_ns[2]);
    }
  }
  EXPECT_THAT(pids, SizeIs(3));
}

TEST_F(WorkerMeasurerTest, SaysWhyAWorkerDoesNotStart) {
  EXPECT_THAT(
      MakeWorkerMeasurer(Options({"dead"}), SystemClock()).status(),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exited with status 5: no licence")));

  WorkerOptions silent = Options({"silent"});
  silent.start_timeout_ns = 0.2e9;
  EXPECT_THAT(MakeWorkerMeasurer(silent, SystemClock()).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no hello within")));

  WorkerOptions other = Options();
  other.backend = "cuda";
  EXPECT_THAT(MakeWorkerMeasurer(other, SystemClock()).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("only cpu here")));

  WorkerOptions missing = Options();
  missing.argv = {"/nonexistent/worker"};
  EXPECT_THAT(MakeWorkerMeasurer(missing, SystemClock()).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("/nonexistent/worker")));
}

TEST_F(WorkerMeasurerTest, RejectsOptionsWithoutAProgram) {
  EXPECT_THAT(MakeWorkerMeasurer(WorkerOptions(), SystemClock()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("argv")));
}

}  // namespace
}  // namespace seedtune

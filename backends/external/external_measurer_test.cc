#include "backends/external/external_measurer.h"

#include <stdlib.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int64_t kLongNs = 60'000'000'000;

std::string OddWorker(const std::string& arguments = "") {
  return absl::StrCat("exec python3 ", getenv("TEST_SRCDIR"), "/", getenv("TEST_WORKSPACE"),
                      "/backends/external/testdata/odd_worker.py ", arguments);
}

ExternalOptions Options(const std::string& arguments = "") {
  ExternalOptions options;
  options.commands = {OddWorker(arguments)};
  options.detect = [](std::string_view) -> absl::StatusOr<HardwareInfo> {
    return absl::NotFoundError("no such device here");
  };
  options.setup_timeout_ns = 0;
  return options;
}

class ExternalMeasurerTest : public ::testing::Test {
 protected:
  void Start(ExternalOptions options, const std::string& kernel = "external:sleep:n=4") {
    ASSERT_OK_AND_ASSIGN(measurer_, StartExternalMeasurer(std::move(options), SystemClock()));
    ASSERT_OK_AND_ASSIGN(Workload workload, LoadWorkload(kernel));
    kernel_ = std::make_shared<const Kernel>(std::move(workload.entries[0].kernel));
    ASSERT_OK_AND_ASSIGN(const WorkerSpace space,
                         measurer_->SpaceOf(*kernel_, ExtractMatmulFacts(*kernel_)));
    space_ = space.space;
    heuristics_ = space.heuristics;
  }

  MeasureRequest Request(int64_t id, int tile) const {
    MeasureRequest request;
    request.id = id;
    request.kernel = kernel_;
    request.config = *space_->Normalize(PartialConfig().Set("tile", tile), NormalizeMode::kReject);
    request.timeout_ns = 30e9;
    return request;
  }

  Outcome Measure(MeasureRequest request) {
    const int64_t id = request.id;
    EXPECT_THAT(measurer_->Submit(std::move(request)), IsOk());
    const auto replies = measurer_->Wait(kLongNs);
    EXPECT_THAT(replies.status(), IsOk());
    if (!replies.ok() || replies->size() != 1) {
      ADD_FAILURE() << "want one reply";
      return Outcome();
    }
    EXPECT_EQ(replies->front().id, id);
    return replies->front().outcome;
  }

  std::unique_ptr<ExternalMeasurer> measurer_;
  std::shared_ptr<const Kernel> kernel_;
  std::shared_ptr<const ConfigSpace> space_;
  std::string heuristics_;
};

TEST_F(ExternalMeasurerTest, MeasuresWhatTheWorkerSays) {
  Start(Options());
  EXPECT_EQ(measurer_->info().backend, "external");
  EXPECT_EQ(measurer_->info().code_generator_version, "odd 1, none");
  EXPECT_EQ(measurer_->info().device.name, "some CPU");
  EXPECT_EQ(space_->name(), "sleep");
  EXPECT_EQ(space_->knobs().size(), 4u);
  EXPECT_EQ(heuristics_, "");
  const Outcome outcome = Measure(Request(1, 32));
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_THAT(outcome.samples_ns, SizeIs(5));
  EXPECT_EQ(outcome.samples_ns[0], 16000);
  EXPECT_EQ(outcome.compile_ns, 1000);
  EXPECT_GT(outcome.measure_ns, 0);
}

TEST_F(ExternalMeasurerTest, TakesOurSpacesAndNarrowsThem) {
  Start(Options("--use=triton"), "matmul:512x512x512:bf16");
  EXPECT_EQ(heuristics_, "triton");
  EXPECT_EQ(measurer_->info().device.arch.base, "sm90");
  ASSERT_OK_AND_ASSIGN(const auto ours, BuildConfigSpace("triton", ExtractMatmulFacts(*kernel_),
                                                         measurer_->info().device));
  EXPECT_EQ(space_->id(), ours->id());
  EXPECT_LT(space_->NumValid(), ours->NumValid());
  for (absl::uint128 i = 0; i < space_->NumValid(); i += 1 + space_->NumValid() / 100) {
    EXPECT_GE(space_->At(i).GetInt("num_warps"), 4);
  }
}

TEST_F(ExternalMeasurerTest, DropsWhatIsSlow) {
  Start(Options());
  MeasureRequest request = Request(1, 128);
  request.drop_above_ns = 50000;
  const Outcome outcome = Measure(std::move(request));
  EXPECT_EQ(outcome.kind, OutcomeKind::kCensored) << outcome.message;
  EXPECT_EQ(outcome.lower_bound_ns, 80000);
}

TEST_F(ExternalMeasurerTest, ACandidateIsCompiledOnceAndRunAgain) {
  Start(Options());
  EXPECT_GT(Measure(Request(1, 32)).compile_ns, 0);
  const Outcome again = Measure(Request(2, 32));
  EXPECT_EQ(again.kind, OutcomeKind::kOk) << again.message;
  EXPECT_EQ(again.compile_ns, 0);
}

TEST_F(ExternalMeasurerTest, HoldsNoMoreThanTheWorkerCan) {
  Start(Options());
  int64_t id = 0;
  for (int round = 0; round < 4; ++round) {
    for (absl::uint128 i = 0; i < space_->NumValid(); ++i) {
      MeasureRequest request = Request(++id, 32);
      request.config = space_->At(i);
      const Outcome outcome = Measure(std::move(request));
      ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
    }
  }
}

// What strikes one candidate costs that one, and the next is none the worse for it.
TEST_F(ExternalMeasurerTest, EachFaultCostsOneCandidate) {
  const struct {
    const char* fault;
    double timeout_ns;
    OutcomeKind kind;
    const char* message;
  } kCases[] = {
      {"compile_error", 30e9, OutcomeKind::kCompileError, "too many registers"},
      {"wrong_result", 30e9, OutcomeKind::kWrongResult, "out[3] is 1, want 2"},
      {"restart", 30e9, OutcomeKind::kCompileError, "the driver is gone"},
      {"run_restart", 30e9, OutcomeKind::kLaunchError, "illegal address"},
      {"compile_crash", 30e9, OutcomeKind::kCrash, "killed by signal 11"},
      {"compile_exit", 30e9, OutcomeKind::kCrash, "exited with status 1: ran out of disk"},
      {"run_crash", 30e9, OutcomeKind::kCrash, "killed by signal 11"},
      {"run_exit", 30e9, OutcomeKind::kCrash, "exited with status 1"},
      {"run_hang", 0.3e9, OutcomeKind::kTimeout, "no answer to run within 0.3 s"},
      {"child_keeps_pipes", 30e9, OutcomeKind::kCrash, "exited with status 5"},
      {"negative_sample", 30e9, OutcomeKind::kCrash, "run.samples_ns[2] is -1"},
      {"nan_sample", 30e9, OutcomeKind::kCrash, "the worker sent"},
      {"no_samples", 30e9, OutcomeKind::kCrash, "run.samples_ns is empty"},
      {"boasts_of_time", 30e9, OutcomeKind::kCrash, "run.samples_ns adds up to 3 s, but only"},
      {"does_not_check", 30e9, OutcomeKind::kCrash, "run.checked is not true"},
      {"drops_unasked", 30e9, OutcomeKind::kCrash, "drop_above_ns was 0"},
      {"run_wrong_kind", 30e9, OutcomeKind::kCrash,
       "of kind \"compile\" to a request of kind \"run\""},
      {"run_prints", 30e9, OutcomeKind::kCrash, "\"tile = 64\", which is no JSON"},
      {"unknown_error_kind", 30e9, OutcomeKind::kCrash, "error.kind is \"oops\""},
      {"no_message", 30e9, OutcomeKind::kCrash, "error.message is empty"},
      {"negative_compile", 30e9, OutcomeKind::kCrash, "compile.compile_ns is -1"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.fault);
    Start(Options(absl::StrCat("--fault=", c.fault)));
    ASSERT_EQ(Measure(Request(1, 32)).kind, OutcomeKind::kOk);
    MeasureRequest request = Request(2, 64);
    request.timeout_ns = c.timeout_ns;
    const Outcome outcome = Measure(std::move(request));
    EXPECT_EQ(outcome.kind, c.kind) << outcome.message;
    EXPECT_THAT(outcome.message, HasSubstr(c.message));
    const Outcome next = Measure(Request(3, 32));
    EXPECT_EQ(next.kind, OutcomeKind::kOk) << next.message;
  }
}

TEST_F(ExternalMeasurerTest, ACompileThatHangsIsCut) {
  ExternalOptions options = Options("--fault=compile_hang");
  options.compile_limit = {.first_ns = 3e9, .min_ns = 3e9, .max_ns = 10e9};
  Start(std::move(options));
  const Outcome outcome = Measure(Request(1, 64));
  EXPECT_EQ(outcome.kind, OutcomeKind::kTimeout);
  EXPECT_THAT(outcome.message, HasSubstr("no answer to compile within 3 s"));
  EXPECT_EQ(Measure(Request(2, 32)).kind, OutcomeKind::kOk);
}

TEST_F(ExternalMeasurerTest, NobodyWaitsForACompileThatIsGivenUp) {
  ExternalOptions options = Options("--fault=compile_hang");
  options.compile_limit = {.first_ns = 1e9, .min_ns = 1e9, .max_ns = 1e9};
  Start(std::move(options));
  ASSERT_THAT(measurer_->Submit(Request(1, 64)), IsOk());
  const std::vector<int64_t> ids = {1};
  EXPECT_EQ(measurer_->GiveUp(ids), ids);
  ASSERT_OK_AND_ASSIGN(const auto replies, measurer_->Wait(kLongNs));
  EXPECT_THAT(replies, SizeIs(0));
  // The worker hangs all the same, and is started anew when it is needed.
  EXPECT_EQ(Measure(Request(1, 32)).kind, OutcomeKind::kOk);
}

TEST_F(ExternalMeasurerTest, AReplyTooMuchCostsOneCandidateAtMost) {
  Start(Options("--fault=run_twice"));
  EXPECT_EQ(Measure(Request(1, 64)).kind, OutcomeKind::kOk);
  Measure(Request(2, 32));
  EXPECT_EQ(Measure(Request(3, 32)).kind, OutcomeKind::kOk);
}

TEST_F(ExternalMeasurerTest, OnlyTheCulpritOfSeveralCompilesPays) {
  Start(Options("--fault=compile_crash --max-compiles=4 --overlap"));
  ASSERT_GE(measurer_->capacity(), 4);
  const int tiles[] = {16, 32, 64, 128};
  for (int i = 0; i < 4; ++i) ASSERT_THAT(measurer_->Submit(Request(i, tiles[i])), IsOk());
  int answers = 0;
  while (answers < 4) {
    ASSERT_OK_AND_ASSIGN(const auto replies, measurer_->Wait(kLongNs));
    ASSERT_FALSE(replies.empty());
    for (const MeasureReply& reply : replies) {
      EXPECT_EQ(reply.outcome.kind, reply.id == 2 ? OutcomeKind::kCrash : OutcomeKind::kOk)
          << reply.id << ": " << reply.outcome.message;
      ++answers;
    }
  }
}

TEST_F(ExternalMeasurerTest, SeveralWorkersShareTheWork) {
  ExternalOptions options = Options();
  options.commands.push_back(options.commands[0]);
  options.commands.push_back(options.commands[0]);
  Start(std::move(options));
  EXPECT_EQ(measurer_->capacity(), 3);
  const int tiles[] = {16, 32, 64};
  for (int i = 0; i < 3; ++i) ASSERT_THAT(measurer_->Submit(Request(i, tiles[i])), IsOk());
  EXPECT_EQ(measurer_->Submit(Request(3, 16)).code(), absl::StatusCode::kFailedPrecondition);
  std::set<int64_t> ids;
  while (ids.size() < 3) {
    ASSERT_OK_AND_ASSIGN(const auto replies, measurer_->Wait(kLongNs));
    ASSERT_FALSE(replies.empty());
    for (const MeasureReply& reply : replies) ids.insert(reply.id);
  }
}

TEST_F(ExternalMeasurerTest, UncheckedResultsAreAKeyOfTheirOwn) {
  Start(Options("--unchecked"));
  EXPECT_FALSE(measurer_->worker().checks_results);
  EXPECT_THAT(measurer_->info().code_generator_version, HasSubstr("unchecked"));
  EXPECT_EQ(Measure(Request(1, 32)).kind, OutcomeKind::kOk);
}

TEST_F(ExternalMeasurerTest, AWorkerThatNoLongerStartsEndsTheSession) {
  const TempDir dir;
  Start(Options(absl::StrCat(
      "--fault=run_crash --later-fault=exit_at_hello --start-file=", dir.path(), "/started")));
  EXPECT_EQ(Measure(Request(1, 64)).kind, OutcomeKind::kCrash);
  ASSERT_THAT(measurer_->Submit(Request(2, 32)), IsOk());
  EXPECT_THAT(measurer_->Wait(kLongNs).status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("no worker is left"), HasSubstr("no licence"))));
}

TEST_F(ExternalMeasurerTest, SaysWhyAWorkerDoesNotStart) {
  const struct {
    const char *arguments, *message;
  } kCases[] = {
      {"--fault=exit_at_hello", "no hello; it was exited with status 3: no licence"},
      {"--fault=silent", "no answer to hello within 1 s"},
      {"--fault=chatty_stdout", "\"Loading the kernels...\", which is no JSON"},
      {"--fault=cut_json", "which is no JSON"},
      {"--fault=array", "want an object"},
      {"--fault=wrong_id", "whose id, 99, no request has"},
      {"--fault=wrong_kind", "of kind \"space\" to a request of kind \"hello\""},
      {"--fault=no_kind", "which has none of \"hello\""},
      {"--fault=other_version", "hello.protocol_version is 2, want 1"},
      {"--fault=no_name", "hello.name is empty"},
      {"--fault=no_device", "hello.device has none of"},
      {"--fault=unknown_spec", "h1000"},
      {"--fault=text_for_number", "which is no message"},
      {"--fault=huge_line", "a line of more than 1048576 bytes"},
      {"--fault=no_line_end", "no answer to hello within 1 s"},
      {"--fault=cannot_serve", "cannot serve: no device here"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.arguments);
    ExternalOptions options = Options(c.arguments);
    const bool waits = std::string(c.message).find("within") != std::string::npos;
    if (waits) options.start_timeout_ns = 1e9;
    EXPECT_THAT(StartExternalMeasurer(std::move(options), SystemClock()).status(),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("did not start"), HasSubstr(c.message))));
  }
  ExternalOptions missing;
  missing.commands = {"/nonexistent/worker"};
  EXPECT_THAT(StartExternalMeasurer(missing, SystemClock()).status(),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("exited with status 127")));
  EXPECT_THAT(StartExternalMeasurer(ExternalOptions(), SystemClock()).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no worker is named")));
}

TEST_F(ExternalMeasurerTest, WorkersOfOneSessionAreAlike) {
  ExternalOptions options = Options();
  options.commands.push_back(OddWorker("--name=other"));
  EXPECT_THAT(StartExternalMeasurer(std::move(options), SystemClock()).status(),
              StatusIs(absl::StatusCode::kUnavailable, AllOf(HasSubstr("worker"), HasSubstr("of 2"),
                                                             HasSubstr("its code generator is"))));
}

TEST_F(ExternalMeasurerTest, SaysWhatIsWrongWithASpace) {
  const struct {
    const char *fault, *message;
  } kCases[] = {
      {"unsupported", "no kernel of that name"},
      {"no_parameters", "no knobs"},
      {"no_values", "space.parameters[0].values is empty"},
      {"mixed_values", "space.parameters[0].values has strings and others"},
      {"wrong_default", "tile"},
      {"wrong_constraint", "block"},
      {"unknown_use", "space.use is \"cudaa\", want one of"},
      {"exit_at_space", "exited with status 4"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.fault);
    ASSERT_OK_AND_ASSIGN(
        const auto measurer,
        StartExternalMeasurer(Options(absl::StrCat("--fault=", c.fault)), SystemClock()));
    const Kernel kernel = LoadWorkload("external:sleep:n=4")->entries[0].kernel;
    const absl::Status status = measurer->SpaceOf(kernel, {}).status();
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("worker odd 1, asked for the space of \"external:sleep:n=4\""),
                      HasSubstr(c.message)));
  }
}

TEST_F(ExternalMeasurerTest, ChatterOnStandardErrorIsNobodysBusiness) {
  Start(Options("--fault=chatty_stderr"));
  EXPECT_EQ(Measure(Request(1, 32)).kind, OutcomeKind::kOk);
}

TEST_F(ExternalMeasurerTest, WhoDoesNotGoIsKilled) {
  for (const char* fault : {"ignores_goodbye", "stays_after_goodbye", "child_outlives"}) {
    ExternalOptions options = Options(absl::StrCat("--fault=", fault));
    options.goodbye_timeout_ns = 0.3e9;
    Start(std::move(options));
    measurer_.reset();  // returns
  }
}

}  // namespace
}  // namespace seedtune

// What the worker protocol costs a candidate, and how busy it keeps several devices.
//
//   bazel run //benchmarks:external_worker_benchmark
//
// A worker that answers at once stands in for somebody else's program: what is left is ours, and
// the pipes'. Its peer, in the same run, is a measurer in this process that answers at once. Each
// candidate is another configuration, compiled, run and in the end released: three requests.
// `busy_share`: of eight devices, each with a worker process that compiles four candidates at once
// while one runs, both by sleeping for unequal times: what the devices spent running, of the time
// that passed.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/clock.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "backends/external/external_measurer.h"
#include "benchmark/benchmark.h"
#include "config/config_space.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kLongNs = 60'000'000'000;
constexpr char kOpaque[] = "external:echo:n=4096";
constexpr char kMatmul[] = "matmul:4096x4096x4096:bf16:bias:gelu:residual";

struct Case {
  std::shared_ptr<const Kernel> kernel;
  std::unique_ptr<ExternalMeasurer> measurer;
  std::shared_ptr<const ConfigSpace> space;
};

absl::StatusOr<Case> MakeCase(const std::string& kernel, const std::string& command, int workers) {
  Case made;
  SEEDTUNE_ASSIGN_OR_RETURN(Workload workload, LoadWorkload(kernel));
  made.kernel = std::make_shared<const Kernel>(std::move(workload.entries[0].kernel));
  ExternalOptions options;
  options.commands.assign(workers, command);
  options.detect = [](std::string_view) { return absl::NotFoundError("not asked for"); };
  SEEDTUNE_ASSIGN_OR_RETURN(made.measurer, StartExternalMeasurer(options, SystemClock()));
  SEEDTUNE_ASSIGN_OR_RETURN(const WorkerSpace space,
                            made.measurer->SpaceOf(*made.kernel, ExtractMatmulFacts(*made.kernel)));
  made.space = space.space;
  return made;
}

// Candidates one after the other, each through `measurer`.
void MeasureOneByOne(benchmark::State& state, const Case& c, Measurer& measurer) {
  MeasureRequest request;
  request.kernel = c.kernel;
  absl::uint128 next = 0;
  for (auto _ : state) {
    ++request.id;
    request.config = c.space->At(next++ % c.space->NumValid());
    absl::Status status = measurer.Submit(request);
    absl::StatusOr<std::vector<MeasureReply>> replies = std::vector<MeasureReply>();
    if (status.ok()) {
      replies = measurer.Wait(kLongNs);
      status = replies.status();
    }
    if (!status.ok() || replies->size() != 1 || !replies->front().outcome.ok()) {
      state.SkipWithError("a candidate was not measured");
      return;
    }
  }
}

void InProcess(benchmark::State& state, const std::string& kernel, const std::string& worker) {
  absl::StatusOr<Case> made = MakeCase(kernel, worker, 1);
  if (!made.ok()) return state.SkipWithError(std::string(made.status().message()).c_str());
  const auto answer = [](const MeasureRequest&) {
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    outcome.samples_ns = {1, 2, 3, 4, 5};
    return outcome;
  };
  FakeMeasurer measurer({.info = made->measurer->info(), .outcome = answer});
  MeasureOneByOne(state, *made, measurer);
}

void Worker(benchmark::State& state, const std::string& kernel, const std::string& worker) {
  absl::StatusOr<Case> made = MakeCase(kernel, worker, 1);
  if (!made.ok()) return state.SkipWithError(std::string(made.status().message()).c_str());
  MeasureOneByOne(state, *made, *made->measurer);
}

void EightDevices(benchmark::State& state, const std::string& worker) {
  constexpr int kDevices = 8, kCandidates = 60 * kDevices;
  absl::StatusOr<Case> made = MakeCase("external:echo:sleeps=1", worker + " --sleep", kDevices);
  if (!made.ok()) return state.SkipWithError(std::string(made.status().message()).c_str());
  ExternalMeasurer& measurer = *made->measurer;
  for (auto _ : state) {
    double running_ns = 0;
    int64_t submitted = 0, answered = 0;
    const int64_t begin_ns = SystemClock().NowNs();
    while (answered < kCandidates) {
      while (submitted < kCandidates && submitted - answered < measurer.capacity()) {
        MeasureRequest request;
        request.id = ++submitted;
        request.kernel = made->kernel;
        request.config = made->space->At(submitted);
        request.min_samples = request.max_samples = 1;
        if (!measurer.Submit(std::move(request)).ok()) {
          return state.SkipWithError("a candidate was not taken");
        }
      }
      const auto replies = measurer.Wait(kLongNs);
      if (!replies.ok()) return state.SkipWithError("the workers are gone");
      for (const MeasureReply& reply : *replies) {
        if (!reply.outcome.ok()) return state.SkipWithError(reply.outcome.message.c_str());
        running_ns += reply.outcome.samples_ns[0];
        ++answered;
      }
    }
    const auto passed_ns = static_cast<double>(SystemClock().NowNs() - begin_ns);
    state.SetIterationTime(passed_ns / 1e9);
    state.counters["busy_share"] = running_ns / passed_ns / kDevices;
  }
}

int Main(int argc, char** argv) {
  const std::string worker =
      (std::filesystem::absolute(argv[0]).parent_path() / "echo_worker").string();
  benchmark::Initialize(&argc, argv);
  for (const char* kernel : {kOpaque, kMatmul}) {
    const auto by = [&](const char* who) { return absl::StrCat(who, "/", kernel); };
    benchmark::RegisterBenchmark(by("in_process").c_str(), InProcess, std::string(kernel), worker)
        ->UseRealTime();
    benchmark::RegisterBenchmark(by("worker").c_str(), Worker, std::string(kernel), worker)
        ->UseRealTime();
  }
  benchmark::RegisterBenchmark("eight_devices", EightDevices, worker)
      ->UseManualTime()
      ->Iterations(1);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) { return seedtune::Main(argc, argv); }

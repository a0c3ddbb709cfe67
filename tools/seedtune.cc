// The program: makes the real world and hands it to the command line.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "autotuner/clock.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/cuda_measurer.h"
#include "backends/worker/worker_loop.h"
#include "backends/worker/worker_measurer.h"
#include "backends/worker/worker_process.h"
#include "hardware/real_system_reader.h"
#include "heuristics/builtin.h"
#include "tools/cli.h"
#include "tools/environment.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// How this program is started as a worker of itself.
constexpr char kWorkerArgument[] = "--run-as-worker";

std::atomic<bool> stop_requested = false;

// The first Ctrl-C asks the tuning loop to end; the second one ends the process (what is recorded
// stays recorded).
void RequestStop(int signal_number) {
  stop_requested = true;
  signal(signal_number, SIG_DFL);
}

absl::StatusOr<std::unique_ptr<Backend>> MakeBackend(std::string_view backend,
                                                     const HardwareInfo& device) {
  if (backend == "cpu") return MakeCpuBackend(device);
  if (backend == "cuda") return MakeCudaBackend(device);
  return absl::UnimplementedError(absl::StrCat(
      "the ", std::string(backend),
      " backend cannot measure, want --backend=cpu, --backend=cuda, or --backend=external "
      "with a --worker that builds its kernels; `seedtune explain` shows its seeds"));
}

absl::StatusOr<std::unique_ptr<Backend>> MakeWorkerBackend(std::string_view role,
                                                           const HardwareInfo& device) {
  if (role.substr(0, 4) == "cuda") return MakeCudaWorkerBackend(role, device);
  return MakeBackend(role, device);
}

absl::StatusOr<std::unique_ptr<Measurer>> MakeMeasurer(const std::string& backend,
                                                       const HardwareInfo& device) {
  const std::vector<std::string> worker_argv = {"/proc/self/exe", kWorkerArgument};
  if (backend == "cuda") {
    return MakeCudaMeasurer({.worker_argv = worker_argv, .device = device}, SystemClock());
  }
  WorkerOptions options;
  options.argv = worker_argv;
  options.backend = backend;
  options.device = device;
  return MakeWorkerMeasurer(std::move(options), SystemClock());
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == kWorkerArgument)
    return RunWorker(kWorkerSocket, MakeWorkerBackend);
  signal(SIGINT, RequestStop);
  signal(SIGTERM, RequestStop);
  const std::unique_ptr<SystemReader> reader = NewRealSystemReader();
  const HeuristicRegistry heuristics = BuiltinHeuristics();
  const Environment environment{
      .out = std::cout,
      .err = std::cerr,
      .reader = *reader,
      .clock = SystemClock(),
      .heuristics = heuristics,
      .make_measurer = MakeMeasurer,
      .measurer_info = [](const std::string& backend,
                          const HardwareInfo& device) -> absl::StatusOr<MeasurerInfo> {
        SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> made,
                                  MakeBackend(backend, device));
        return made->info();
      },
      .supports = [](const std::string& backend, const HardwareInfo& device,
                     const Kernel& kernel) -> absl::Status {
        SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Backend> made,
                                  MakeBackend(backend, device));
        return made->Supports(kernel);
      },
      .stop = &stop_requested,
      .progress = DetectProgressOptions(),
  };
  return RunCli(std::vector<std::string>(argv + 1, argv + argc), environment);
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) { return seedtune::Main(argc, argv); }

#include "backends/cuda/cuda_measurer.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/cuda_backend.h"
#include "backends/pipeline_measurer.h"
#include "backends/worker/worker_measurer.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr char kMeasureRole[] = "cuda", kCompileRole[] = "cuda_compile";
constexpr int kMaxCompileWorkers = 16;
// The driver of an H200 takes 0.1 s to end a process whose kernel still runs.
constexpr double kSettleNs = 10e9;

}  // namespace

absl::StatusOr<std::unique_ptr<Measurer>> MakeCudaMeasurer(CudaMeasurerOptions options,
                                                           Clock& clock) {
  CubinCache::Options cache;
  cache.folder = DefaultCubinCacheFolder();
  CubinCache(std::move(cache)).Trim();
  WorkerOptions measure;
  measure.argv = options.worker_argv;
  measure.backend = kMeasureRole;
  measure.device = options.device;
  WorkerOptions compile = measure;
  compile.backend = kCompileRole;
  compile.setup_timeout_ns = 0;
  measure.settle_timeout_ns = kSettleNs;
  compile.workers = options.compile_workers;
  if (compile.workers == 0) {
    const int cores = static_cast<int>(std::thread::hardware_concurrency());
    compile.workers = std::clamp(cores - 1, 1, kMaxCompileWorkers);
  }
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<Measurer> measurer,
                            MakeWorkerMeasurer(std::move(measure), clock));
  if (!options.overlap) return measurer;
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<Measurer> compilers,
                            MakeWorkerMeasurer(std::move(compile), clock));
  return std::make_unique<PipelineMeasurer>(std::move(compilers), std::move(measurer), clock,
                                            options.compile_limit);
}

absl::StatusOr<std::unique_ptr<Backend>> MakeCudaWorkerBackend(std::string_view role,
                                                               const HardwareInfo& device) {
  if (role == kCompileRole) return MakeCudaCompileBackend(device);
  if (role == kMeasureRole) {
    CudaBackendOptions backend;
    backend.open_now = true;
    return MakeCudaBackend(device, std::move(backend));
  }
  return absl::NotFoundError(absl::StrCat("no cuda worker of role \"", std::string(role), "\""));
}

}  // namespace seedtune

// Measures on a CUDA device in worker processes: several compile while one, alone on the device,
// runs what is ready. A crash of the compiler, a fault or a hang of a kernel costs one candidate.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUDA_MEASURER_H_
#define SEEDTUNE_BACKENDS_CUDA_CUDA_MEASURER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "backends/adaptive_limit.h"
#include "backends/backend.h"
#include "hardware/hardware_info.h"

namespace seedtune {

struct CudaMeasurerOptions {
  // How a worker is started: a program that calls RunWorker with MakeCudaWorkerBackend.
  std::vector<std::string> worker_argv;
  HardwareInfo device;
  int compile_workers = 0;  // 0: all cores but one, 16 at most
  // False: whoever measures compiles, too, one candidate after the other. To compare with.
  bool overlap = true;
  AdaptiveLimit::Options compile_limit = {};  // of a candidate, where compilers work ahead
};

// `clock` must outlive it. Errors: those of MakeWorkerMeasurer.
absl::StatusOr<std::unique_ptr<Measurer>> MakeCudaMeasurer(CudaMeasurerOptions options,
                                                           Clock& clock);

// What a worker of that measurer serves: `role` is "cuda" or "cuda_compile". kNotFound: no such
// role, or what the role needs (the device, NVRTC) is not here.
absl::StatusOr<std::unique_ptr<Backend>> MakeCudaWorkerBackend(std::string_view role,
                                                               const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUDA_MEASURER_H_

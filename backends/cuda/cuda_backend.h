// The CUDA backend: matmuls generated as CUDA C++ (kernels/), compiled by NVRTC, checked and timed
// on a GPU.
//
// Two backends share the work, so that compiling, on the host's cores, goes on while the GPU
// measures: `cuda_compile` generates and compiles a candidate into the cubin cache, and `cuda`
// finds it there (or compiles it itself), checks and times it. PipelineMeasurer puts them together.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUDA_BACKEND_H_
#define SEEDTUNE_BACKENDS_CUDA_CUDA_BACKEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "backends/backend.h"
#include "backends/cuda/cubin_cache.h"
#include "hardware/hardware_info.h"

namespace seedtune {

struct CudaBackendOptions {
  std::string cache_folder = DefaultCubinCacheFolder();
  // Written between timed runs, so that each meets a cold L2; at least twice the device's.
  int64_t flush_bytes = int64_t{256} << 20;
  // Opens the device at once, so that what is wrong with it is an error here; else when Measure()
  // is first called: info() and Supports() need no GPU.
  bool open_now = false;
};

// `device` is one of this machine's: of those of its name, the first that CUDA_VISIBLE_DEVICES
// shows. Each run
// that is timed comes after a flush of the L2, between two events; the first run of a candidate
// writes into poison and is checked in full (matmul_check.h). spent() after an error of the device
// that stays, or a kernel that does not end.
// Errors: those of Nvrtc::Open; with `open_now`, kNotFound, kUnavailable or kFailedPrecondition:
// why the device cannot be used.
absl::StatusOr<std::unique_ptr<Backend>> MakeCudaBackend(const HardwareInfo& device,
                                                         CudaBackendOptions options = {});

// What its measurements are filed under; `compiler_version` is Nvrtc::version().
MeasurerInfo CudaMeasurerInfo(const HardwareInfo& device, std::string compiler_version);

// Compiles and does not run: an ok outcome's one sample is how long it took.
absl::StatusOr<std::unique_ptr<Backend>> MakeCudaCompileBackend(const HardwareInfo& device,
                                                                CudaBackendOptions options = {});

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUDA_BACKEND_H_

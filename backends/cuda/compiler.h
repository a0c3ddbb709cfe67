// CUDA C++ to machine code for one architecture, each source once.
#ifndef SEEDTUNE_BACKENDS_CUDA_COMPILER_H_
#define SEEDTUNE_BACKENDS_CUDA_COMPILER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/nvrtc.h"
#include "backends/cuda/ptxas_log.h"
#include "hardware/arch.h"

namespace seedtune {

struct CompiledCuda {
  std::string cubin;
  std::vector<CudaKernelResources> kernels;  // in the source's order
  bool from_cache = false;
};

// "sm_90a" for sm90: from sm90 on with the instructions that only that architecture has.
// kInvalidArgument: no CUDA architecture.
absl::StatusOr<std::string> CudaTargetName(const Arch& arch);

// Thread-safe.
class CudaCompiler {
 public:
  CudaCompiler(std::unique_ptr<const Nvrtc> nvrtc, CubinCache::Options cache)
      : nvrtc_(std::move(nvrtc)), cache_(std::move(cache)) {}

  const std::string& version() const { return nvrtc_->version(); }
  // Whether a driver of CUDA `driver_version` (13000 for 13.0, as cuDriverGetVersion counts) runs
  // what this compiler makes. kFailedPrecondition: it is of an older major release; what to do.
  absl::Status CheckDriver(int driver_version) const;

  // Errors of Nvrtc::Compile and CudaTargetName. A cache that cannot be written is no error.
  absl::StatusOr<CompiledCuda> Compile(const std::string& source, const Arch& arch) const;

 private:
  const std::unique_ptr<const Nvrtc> nvrtc_;
  const CubinCache cache_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_COMPILER_H_

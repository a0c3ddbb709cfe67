// One candidate on one device: generated, compiled, loaded, its workspace ready.
#ifndef SEEDTUNE_BACKENDS_CUDA_CANDIDATE_H_
#define SEEDTUNE_BACKENDS_CUDA_CANDIDATE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/executable.h"
#include "backends/cuda/kernels/cuda_program.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"

namespace seedtune {

struct CompiledCudaProgram {
  CudaProgram program;
  CompiledCuda compiled;
};

// Needs no GPU. Errors of GenerateCudaProgram and CudaCompiler::Compile; kResourceExhausted: a
// kernel takes more shared memory than a block of `device` may have.
absl::StatusOr<CompiledCudaProgram> CompileCudaCandidate(const CudaCompiler& compiler,
                                                         const Kernel& kernel, const Config& config,
                                                         const HardwareInfo& device);

// Movable; not thread-safe. `device` must outlive it.
class CudaCandidate {
 public:
  // Allocates the workspace and clears the part that starts cleared. Errors of driver.h.
  static absl::StatusOr<CudaCandidate> Load(const CudaDevice& device, const Kernel& kernel,
                                            CompiledCudaProgram compiled,
                                            std::span<const CuDevicePointer> tensors);

  absl::Status Launch(CuStream stream) const { return executable_.Launch(stream); }
  absl::Status Bind(std::span<const CuDevicePointer> tensors) {
    return executable_.Bind(tensors, workspace_.address());
  }

  CuDevicePointer workspace() const { return workspace_.address(); }
  int64_t zeroed_workspace_bytes() const { return executable_.zeroed_workspace_bytes(); }

 private:
  CudaCandidate(CudaExecutable executable, CudaMemory workspace)
      : executable_(std::move(executable)), workspace_(std::move(workspace)) {}

  CudaExecutable executable_;
  CudaMemory workspace_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CANDIDATE_H_

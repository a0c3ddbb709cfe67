// A generated program, loaded: ready to be launched on operands.
#ifndef SEEDTUNE_BACKENDS_CUDA_EXECUTABLE_H_
#define SEEDTUNE_BACKENDS_CUDA_EXECUTABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/kernels/cuda_program.h"
#include "ir/kernel.h"

namespace seedtune {

// Movable; not thread-safe. `device` must outlive it.
class CudaExecutable {
 public:
  // Errors of driver.h; kNotFound: the machine code lacks a kernel that the program launches.
  static absl::StatusOr<CudaExecutable> Load(const CudaDevice& device, const Kernel& kernel,
                                             CudaProgram program, const std::string& cubin);

  int64_t workspace_bytes() const { return program_.workspace_bytes; }
  int64_t zeroed_workspace_bytes() const { return program_.zeroed_workspace_bytes; }

  // Where the operands are: `tensors` by TensorId, and the workspace (0 where there is none).
  // Encodes what depends on them; needed before Launch, and again when they change.
  absl::Status Bind(std::span<const CuDevicePointer> tensors, CuDevicePointer workspace);

  // Puts all launches onto `stream`; returns at once.
  absl::Status Launch(CuStream stream) const;

 private:
  struct BoundLaunch {
    CuFunction function = nullptr;
    CudaLaunchShape shape;
    // Values that `parameters` points to: those vectors' elements stay where they are.
    std::vector<CuDevicePointer> pointers;
    std::vector<CuTensorMap> maps;
    std::vector<void*> parameters;
  };

  CudaExecutable(const CudaDevice& device, CudaProgram program)
      : device_(&device), program_(std::move(program)) {}

  absl::Status BindArgument(const CudaArgument& argument, std::span<const CuDevicePointer> tensors,
                            CuDevicePointer workspace, BoundLaunch& launch) const;
  absl::StatusOr<CuTensorMap> Encode(const CudaTensorMapArgument& argument,
                                     CuDevicePointer address) const;

  const CudaDevice* device_;
  CudaProgram program_;
  std::vector<DType> dtypes_;  // by TensorId
  CudaModule module_;
  std::vector<BoundLaunch> launches_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_EXECUTABLE_H_

// cuBLASLt, NVIDIA's matmul library, opened when the program runs: for comparison only.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUBLASLT_H_
#define SEEDTUNE_BACKENDS_CUDA_CUBLASLT_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/driver.h"
#include "ir/kernel.h"
#include "matmul_ops/simple_matmul.h"

namespace seedtune {

// One matmul with the algorithms that the library suggests for it. Not thread-safe.
class CublasLtMatmul {
 public:
  virtual ~CublasLtMatmul() = default;

  // In the library's order, the one it would take itself first; at least one.
  virtual int algorithms() const = 0;
  virtual absl::Status Launch(int algorithm, CuStream stream) const = 0;
};

// Not thread-safe; must be destroyed before the device.
class CublasLt {
 public:
  // kNotFound: the library is not here. kUnavailable: it does not load. kInternal: it finds no
  // device that it likes. The device's context is the calling thread's.
  static absl::StatusOr<std::unique_ptr<CublasLt>> Open();

  virtual ~CublasLt() = default;

  virtual const std::string& version() const = 0;  // "cublasLt 13.1.0"

  // Operands at `tensors` (by TensorId), `workspace_bytes` of memory for it at `workspace`, at most
  // `max_algorithms`. kUnimplemented: not a form that it has (what of it), or no algorithm.
  virtual absl::StatusOr<std::unique_ptr<CublasLtMatmul>> Plan(
      const SimpleMatmul& matmul, const Kernel& kernel, std::span<const CuDevicePointer> tensors,
      CuDevicePointer workspace, int64_t workspace_bytes, int max_algorithms) = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUBLASLT_H_

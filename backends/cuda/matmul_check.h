// The operands of one matmul in device memory, and the judgement of what a kernel made of them.
//
// Inputs are uniform random in [-1, 1), integers as large as the sums allow; each tensor is aligned
// as its kernel promises and no better where that is less than 16 bytes. Before a checked run the
// output is poison; round every tensor lies a red zone, which reads as NaN and must come back
// unchanged round the output. Results are compared, all of them, with the same matmul in double
// precision (reference.cu).
#ifndef SEEDTUNE_BACKENDS_CUDA_MATMUL_CHECK_H_
#define SEEDTUNE_BACKENDS_CUDA_MATMUL_CHECK_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/driver.h"
#include "hardware/arch.h"
#include "ir/kernel.h"
#include "matmul_ops/simple_matmul.h"

namespace seedtune {

struct CudaCheckResult {
  bool ok = false;
  std::string message;  // not ok: what is wrong
  // The greatest error of the right elements as a share of what is allowed.
  double worst = 0;
  // Of the whole output: the root of the mean square of the errors over that of what is wanted.
  double relative_error = 0;
};

// The source that reference.cu is compiled as for this matmul.
std::string CudaReferenceSource(const SimpleMatmul& matmul, const Kernel& kernel);

// Not thread-safe.
class CudaMatmulCheck {
 public:
  // Fills the inputs and calculates the reference. `device` must outlive it. Errors of driver.h and
  // CudaCompiler::Compile, and those of MatchSimpleMatmul; kResourceExhausted: the operands and the
  // reference do not fit into the device's memory.
  static absl::StatusOr<std::unique_ptr<CudaMatmulCheck>> Create(const CudaDevice& device,
                                                                 const CudaCompiler& compiler,
                                                                 const Arch& arch,
                                                                 const Kernel& kernel,
                                                                 uint64_t seed);

  // By TensorId: where the tensor's first element is.
  std::span<const CuDevicePointer> tensors() const { return tensors_; }
  const SimpleMatmul& matmul() const { return matmul_; }

  // Makes the output what no run leaves.
  absl::Status PoisonOutput() const;
  // Waits for the stream and looks at the output and its red zones.
  absl::StatusOr<CudaCheckResult> Check() const;
  // How many of these bytes are not `value`.
  absl::StatusOr<int64_t> CountOtherBytes(CuDevicePointer at, int64_t bytes, uint8_t value) const;

 private:
  explicit CudaMatmulCheck(const CudaDevice& device) : device_(device) {}
  absl::Status Init(const CudaCompiler& compiler, const Arch& arch, const Kernel& kernel,
                    uint64_t seed);
  absl::Status FillTensor(const Tensor& tensor, TensorId id, int64_t elements, double amplitude,
                          uint64_t seed) const;
  absl::Status CalculateReference() const;

  const CudaDevice& device_;
  SimpleMatmul matmul_;
  int64_t out_bytes_ = 0;
  uint8_t poison_ = 0xff;
  double absolute_ = 0;  // allowed error, see reference.cu
  double relative_ = 0;
  std::vector<CudaMemory> memory_;  // by TensorId, red zones included
  std::vector<CuDevicePointer> tensors_;
  CudaMemory want_;
  CudaMemory result_;
  CudaModule module_;
  CuFunction fill_ = nullptr, reference_ = nullptr, compare_ = nullptr, count_ = nullptr;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_MATMUL_CHECK_H_

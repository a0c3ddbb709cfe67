// Writes the CUDA C++ of a matmul: the templates of templates/ behind constants that this kernel,
// configuration and device decide.
#ifndef SEEDTUNE_BACKENDS_CUDA_KERNELS_GENERATE_H_
#define SEEDTUNE_BACKENDS_CUDA_KERNELS_GENERATE_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/kernels/cuda_program.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"

namespace seedtune {

// Raised whenever the generated code of some configuration changes.
inline constexpr std::string_view kCudaCodeGenerator = "cuda-14";

// kUnimplemented: what of the kernel no generated code does. kFailedPrecondition: no CUDA device of
// sm80 or newer, or a type that it has not, or a symbolic extent. Thread-safe, as all here.
absl::Status SupportsCudaKernel(const Kernel& kernel, const HardwareInfo& device);

// `config` is of the space that CudaMatmulSpace builds of `kernel` and `device`. Errors as above,
// and kInvalidArgument: the configuration asks for what the kernel's layout does not allow.
absl::StatusOr<CudaProgram> GenerateCudaProgram(const Kernel& kernel, const Config& config,
                                                const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_KERNELS_GENERATE_H_

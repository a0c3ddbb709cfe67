// The CPU backend: f32 matmuls with an epilogue, on gemm.h.
#ifndef SEEDTUNE_BACKENDS_CPU_CPU_BACKEND_H_
#define SEEDTUNE_BACKENDS_CPU_CPU_BACKEND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "backends/backend.h"
#include "backends/cpu/gemm.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/simple_matmul.h"

namespace seedtune {

// Raised whenever gemm.h makes other code or another traversal from the same GemmConfig.
inline constexpr int kCpuCodeGeneratorVersion = 3;

// How a kernel and a configuration of CpuMatmulSpace are put to gemm.h.
// kUnimplemented: not f32, a column-major output, ...: says what.
absl::StatusOr<GemmProblem> GemmProblemFromMatmul(const SimpleMatmul& matmul);
GemmConfig GemmConfigFromConfig(const Config& config);

// Measures on this machine. Inputs are uniform random in [-1, 1); the first run of a candidate
// writes into an output full of NaNs and is checked against a reference in double precision
// (reference.h). For timing, runs walk through as many copies of all operands as it takes to exceed
// the last-level cache twice over: a layer meets its weights cold. Keeps the operands of one
// kernel.
std::unique_ptr<Backend> MakeCpuBackend(const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CPU_CPU_BACKEND_H_

#include "backends/cuda/candidate.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/cuda/kernels/generate.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// What a kernel finds in the part of its workspace that does not start cleared: NaNs.
constexpr uint8_t kWorkspacePoison = 0xff;

}  // namespace

absl::StatusOr<CompiledCudaProgram> CompileCudaCandidate(const CudaCompiler& compiler,
                                                         const Kernel& kernel, const Config& config,
                                                         const HardwareInfo& device) {
  SEEDTUNE_ASSIGN_OR_RETURN(CudaProgram program, GenerateCudaProgram(kernel, config, device));
  SEEDTUNE_ASSIGN_OR_RETURN(CompiledCuda compiled, compiler.Compile(program.source, device.arch));
  for (const CudaLaunch& launch : program.launches) {
    for (const CudaKernelResources& used : compiled.kernels) {
      const int64_t shared_bytes = launch.dynamic_shared_bytes + used.static_shared_bytes;
      if (used.entry != launch.entry || device.shared_memory_per_block_bytes == 0 ||
          shared_bytes <= device.shared_memory_per_block_bytes) {
        continue;
      }
      return absl::ResourceExhaustedError(absl::StrCat(
          "kernel \"", launch.entry, "\" takes ", shared_bytes, " bytes of shared memory, ",
          device.shared_memory_per_block_bytes, " are there for a block"));
    }
  }
  return CompiledCudaProgram{std::move(program), std::move(compiled)};
}

absl::StatusOr<CudaCandidate> CudaCandidate::Load(const CudaDevice& device, const Kernel& kernel,
                                                  CompiledCudaProgram compiled,
                                                  std::span<const CuDevicePointer> tensors) {
  SEEDTUNE_ASSIGN_OR_RETURN(
      CudaExecutable executable,
      CudaExecutable::Load(device, kernel, std::move(compiled.program), compiled.compiled.cubin));
  CudaMemory workspace;
  if (executable.workspace_bytes() > 0) {
    SEEDTUNE_ASSIGN_OR_RETURN(workspace, device.Allocate(executable.workspace_bytes()));
    SEEDTUNE_RETURN_IF_ERROR(device.Fill(workspace.address(), kWorkspacePoison, workspace.bytes()));
    if (executable.zeroed_workspace_bytes() > 0) {
      SEEDTUNE_RETURN_IF_ERROR(
          device.Fill(workspace.address(), 0, executable.zeroed_workspace_bytes()));
    }
  }
  CudaCandidate candidate(std::move(executable), std::move(workspace));
  SEEDTUNE_RETURN_IF_ERROR(candidate.Bind(tensors));
  return candidate;
}

}  // namespace seedtune

// A matmul as CUDA C++: source text and how to launch it. What stands between the generators, which
// need no GPU and no toolkit, and whoever compiles and runs.
#ifndef SEEDTUNE_BACKENDS_CUDA_KERNELS_CUDA_PROGRAM_H_
#define SEEDTUNE_BACKENDS_CUDA_KERNELS_CUDA_PROGRAM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/kernel.h"

namespace seedtune {

// The first element of a tensor of the kernel.
struct CudaTensorArgument {
  TensorId tensor = -1;
};

// `CudaProgram::workspace_bytes` of device memory, aligned to 256 bytes; `offset` in bytes.
struct CudaWorkspaceArgument {
  int64_t offset = 0;
};

// A tensor map (CUtensorMap), passed by value: what the bulk tensor copy engine of sm90 and newer
// moves tiles by. Innermost dimension first, as cuTensorMapEncodeTiled takes them; what lies
// outside the sizes reads as 0 and is not written.
struct CudaTensorMapArgument {
  enum class Swizzle { kNone, k32B, k64B, k128B };
  TensorId tensor = -1;  // of the kernel; gives the element type in any case
  // The elements lie in the workspace from this byte on, instead of in the tensor.
  std::optional<int64_t> workspace_offset;
  std::vector<int64_t> sizes;         // elements
  std::vector<int64_t> stride_bytes;  // of every dimension but the innermost
  std::vector<int64_t> box;           // elements that one copy takes
  Swizzle swizzle = Swizzle::k128B;
};

using CudaArgument = std::variant<CudaTensorArgument, CudaWorkspaceArgument, CudaTensorMapArgument>;

struct CudaLaunch {
  std::string entry;  // extern "C"
  std::array<int64_t, 3> grid = {1, 1, 1};
  std::array<int64_t, 3> block = {1, 1, 1};
  std::array<int64_t, 3> cluster = {1, 1, 1};  // all 1: no cluster
  int64_t dynamic_shared_bytes = 0;
  // Its blocks may start while the launch before it ends; they wait by themselves for what that one
  // writes (sm90 and newer: griddepcontrol).
  bool overlaps_previous = false;
  // Its blocks wait for each other: all have to be on the device at the same time.
  bool runs_at_once = false;
  std::vector<CudaArgument> arguments;
};

// A value type; thread-compatible.
struct CudaProgram {
  // Self-contained: includes nothing, so that it compiles where NVRTC is and the toolkit is not.
  std::string source;
  // In order, on one stream.
  std::vector<CudaLaunch> launches;
  int64_t workspace_bytes = 0;
  // The first `zeroed_workspace_bytes` of the workspace are 0 before the first launch of all; every
  // run leaves them so.
  int64_t zeroed_workspace_bytes = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_KERNELS_CUDA_PROGRAM_H_

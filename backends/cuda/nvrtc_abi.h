// The part of nvrtc.h that nvrtc.cc calls.
#ifndef SEEDTUNE_BACKENDS_CUDA_NVRTC_ABI_H_
#define SEEDTUNE_BACKENDS_CUDA_NVRTC_ABI_H_

#include <cstddef>

namespace seedtune {

using NvrtcResult = int;
using NvrtcProgram = struct OpaqueNvrtcProgram*;

inline constexpr NvrtcResult kNvrtcSuccess = 0;
inline constexpr NvrtcResult kNvrtcErrorOutOfMemory = 1;
inline constexpr NvrtcResult kNvrtcErrorCompilation = 6;

struct NvrtcFunctions {
  NvrtcResult (*version)(int* major, int* minor);
  const char* (*get_error_string)(NvrtcResult result);
  NvrtcResult (*create_program)(NvrtcProgram* program, const char* source, const char* name,
                                int headers, const char* const* header_sources,
                                const char* const* header_names);
  NvrtcResult (*destroy_program)(NvrtcProgram* program);
  NvrtcResult (*compile_program)(NvrtcProgram program, int options, const char* const* values);
  NvrtcResult (*get_cubin_size)(NvrtcProgram program, size_t* bytes);
  NvrtcResult (*get_cubin)(NvrtcProgram program, char* cubin);
  NvrtcResult (*get_log_size)(NvrtcProgram program, size_t* bytes);
  NvrtcResult (*get_log)(NvrtcProgram program, char* log);
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_NVRTC_ABI_H_

// What the assembler says that a kernel takes of a multiprocessor.
#ifndef SEEDTUNE_BACKENDS_CUDA_PTXAS_LOG_H_
#define SEEDTUNE_BACKENDS_CUDA_PTXAS_LOG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace seedtune {

struct CudaKernelResources {
  std::string entry;
  int registers = 0;  // of a thread
  int barriers = 0;
  int64_t static_shared_bytes = 0;
  int64_t stack_bytes = 0;  // of a thread: arrays that are no registers
  int64_t spill_store_bytes = 0;
  int64_t spill_load_bytes = 0;
  // Each wgmma waits for the one before, since something touches its registers meanwhile.
  bool wgmma_serialized = false;
  friend bool operator==(const CudaKernelResources&, const CudaKernelResources&) = default;
};

// Reads the log that --ptxas-options=-v leaves: one a kernel, in the log's order. What the log does
// not say stays 0. Thread-safe.
std::vector<CudaKernelResources> ParsePtxasLog(std::string_view log);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_PTXAS_LOG_H_

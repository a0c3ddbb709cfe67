// How long launches take on the device, each meeting a cold L2 cache.
//
// Before each run, a buffer larger than the L2 is read. If it were written, as is common, the cache
// would be full of lines that have to go to memory while the kernel reads its operands: on an H100
// that costs a kernel of 134 MB 10 of 59 us, and hides how fast it is (docs/results/
// h100-portable.md). A layer of a model meets its weights in memory, and little else to be written.
#ifndef SEEDTUNE_BACKENDS_CUDA_TIMER_H_
#define SEEDTUNE_BACKENDS_CUDA_TIMER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/driver.h"
#include "hardware/arch.h"

namespace seedtune {

// Movable; not thread-safe. `device` must outlive it.
class CudaTimer {
 public:
  struct Options {
    Arch arch;                // of the device
    int64_t flush_bytes = 0;  // of the buffer
    bool dirty = false;       // the buffer is written instead, as others do
  };
  // Errors of the compiler and of driver.h.
  static absl::StatusOr<CudaTimer> Create(const CudaDevice& device, const CudaCompiler& compiler,
                                          const Options& options);

  // Puts the work that is timed onto the device's stream.
  using LaunchFunction = std::function<absl::Status(CuStream)>;

  // Nanoseconds of each of `runs` runs, between two events: `runs` at a time are put onto the
  // stream, so that the host is ahead of the device. kDeadlineExceeded: they do not end within
  // `timeout_ns`. Errors of `launch` and of driver.h.
  absl::StatusOr<std::vector<double>> Time(const LaunchFunction& launch, int runs,
                                           double timeout_ns);

  // One run without a flush.
  absl::StatusOr<double> TimeWarm(const LaunchFunction& launch, double timeout_ns);

  // Reads `bytes` from `data` on, a multiple of 16, by plain loads.
  absl::Status Read(CuDevicePointer data, int64_t bytes, CuStream stream) const;

 private:
  explicit CudaTimer(const CudaDevice& device) : device_(&device) {}
  absl::Status NeedEvents(size_t count);
  absl::Status Flush();

  const CudaDevice* device_;
  bool dirty_ = false;
  CudaMemory buffer_;
  CudaModule module_;
  CuFunction read_all_ = nullptr;
  std::vector<CudaEvent> events_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_TIMER_H_

// How long launches take on the device, each meeting a cold L2.
#ifndef SEEDTUNE_BACKENDS_CUDA_TIMER_H_
#define SEEDTUNE_BACKENDS_CUDA_TIMER_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/driver.h"

namespace seedtune {

// Movable; not thread-safe. `device` must outlive it.
class CudaTimer {
 public:
  // Writes `flush_bytes` of memory of its own before each run that is timed.
  static absl::StatusOr<CudaTimer> Create(const CudaDevice& device, int64_t flush_bytes);

  // Puts the work that is timed onto the device's stream.
  using LaunchFunction = std::function<absl::Status(CuStream)>;

  // Nanoseconds of each of `runs` runs, between two events: `runs` at a time are put onto the
  // stream, so that the host is ahead of the device. kDeadlineExceeded: they do not end within
  // `timeout_ns`. Errors of `launch` and of driver.h.
  absl::StatusOr<std::vector<double>> Time(const LaunchFunction& launch, int runs,
                                           double timeout_ns);

  // One run without a flush.
  absl::StatusOr<double> TimeWarm(const LaunchFunction& launch, double timeout_ns);

 private:
  explicit CudaTimer(const CudaDevice& device) : device_(&device) {}
  absl::Status NeedEvents(size_t count);

  const CudaDevice* device_;
  CudaMemory flush_;
  std::vector<CudaEvent> events_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_TIMER_H_

#include "backends/cuda/timer.h"

#include <utility>

#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<CudaTimer> CudaTimer::Create(const CudaDevice& device, int64_t flush_bytes) {
  CudaTimer timer(device);
  SEEDTUNE_ASSIGN_OR_RETURN(timer.flush_, device.Allocate(flush_bytes));
  return timer;
}

absl::Status CudaTimer::NeedEvents(size_t count) {
  while (events_.size() < count) {
    SEEDTUNE_ASSIGN_OR_RETURN(CudaEvent event, device_->NewEvent());
    events_.push_back(std::move(event));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<double>> CudaTimer::Time(const LaunchFunction& launch, int runs,
                                                    double timeout_ns) {
  SEEDTUNE_RETURN_IF_ERROR(NeedEvents(2 * static_cast<size_t>(runs)));
  for (int i = 0; i < runs; ++i) {
    SEEDTUNE_RETURN_IF_ERROR(device_->Fill(flush_.address(), 0, flush_.bytes()));
    SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[2 * i]));
    SEEDTUNE_RETURN_IF_ERROR(launch(device_->stream()));
    SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[2 * i + 1]));
  }
  SEEDTUNE_RETURN_IF_ERROR(device_->Wait(events_[2 * runs - 1], timeout_ns));
  std::vector<double> times_ns;
  for (int i = 0; i < runs; ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(const double took_ns,
                              device_->ElapsedNs(events_[2 * i], events_[2 * i + 1]));
    times_ns.push_back(took_ns);
  }
  return times_ns;
}

absl::StatusOr<double> CudaTimer::TimeWarm(const LaunchFunction& launch, double timeout_ns) {
  SEEDTUNE_RETURN_IF_ERROR(NeedEvents(2));
  SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[0]));
  SEEDTUNE_RETURN_IF_ERROR(launch(device_->stream()));
  SEEDTUNE_RETURN_IF_ERROR(device_->Record(events_[1]));
  SEEDTUNE_RETURN_IF_ERROR(device_->Wait(events_[1], timeout_ns));
  return device_->ElapsedNs(events_[0], events_[1]);
}

}  // namespace seedtune

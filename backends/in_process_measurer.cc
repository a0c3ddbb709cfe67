#include "backends/in_process_measurer.h"

namespace seedtune {

absl::Status InProcessMeasurer::Submit(MeasureRequest request) {
  answered_.push_back({request.id, backend_->Measure(request)});
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MeasureReply>> InProcessMeasurer::Wait(int64_t /*timeout_ns*/) {
  return std::exchange(answered_, {});
}

}  // namespace seedtune

#include "autotuner/simulated_measurer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace seedtune {

SimulatedMeasurer::SimulatedMeasurer(Options options, VirtualClock& clock)
    : options_(std::move(options)), clock_(clock), free_at_ns_(options_.worker_speeds.size(), 0) {}

absl::Status SimulatedMeasurer::Submit(MeasureRequest request) {
  SimulatedAnswer answer = options_.answer(request);
  const auto first_free = std::min_element(free_at_ns_.begin(), free_at_ns_.end());
  const double speed =
      options_.worker_speeds[static_cast<size_t>(first_free - free_at_ns_.begin())];
  *first_free = std::max(*first_free, clock_.NowNs()) +
                static_cast<int64_t>(std::llround(answer.cost_ns / speed));
  under_way_.insert({*first_free, submitted_});
  replies_[submitted_] = {.id = request.id, .outcome = std::move(answer.outcome)};
  ++submitted_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MeasureReply>> SimulatedMeasurer::Wait(int64_t timeout_ns) {
  std::vector<MeasureReply> replies;
  if (under_way_.empty()) return replies;
  const int64_t next_ns = under_way_.begin()->first;
  if (next_ns - clock_.NowNs() > timeout_ns) {
    clock_.AdvanceNs(timeout_ns);
    return replies;
  }
  clock_.AdvanceToNs(next_ns);
  while (!under_way_.empty() && under_way_.begin()->first <= clock_.NowNs()) {
    replies.push_back(replies_.extract(under_way_.begin()->second).mapped());
    under_way_.erase(under_way_.begin());
  }
  return replies;
}

}  // namespace seedtune

#include "autotuner/replay_measurer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/virtual_clock.h"
#include "util/stable_hash.h"

namespace seedtune {
namespace {

// Box and Muller's transform; std::normal_distribution differs between standard libraries.
double StandardNormal(std::mt19937_64& random) {
  const auto uniform = [&] {  // above 0, at most 1
    return (static_cast<double>(random() >> 11) + 1) * 0x1p-53;
  };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

}  // namespace

ReplayMeasurer::ReplayMeasurer(Options options, VirtualClock& clock)
    : options_(std::move(options)),
      clock_(clock),
      free_at_ns_(static_cast<size_t>(std::max(1, options_.workers)), 0) {}

absl::Status ReplayMeasurer::Submit(MeasureRequest request) {
  MeasureReply reply{.id = request.id, .outcome = Measure(request)};
  const double cost_ns = reply.outcome.compile_ns + reply.outcome.measure_ns;
  int64_t& free_at_ns = *std::min_element(free_at_ns_.begin(), free_at_ns_.end());
  free_at_ns = std::max(free_at_ns, clock_.NowNs()) + static_cast<int64_t>(std::llround(cost_ns));
  under_way_.insert({free_at_ns, submitted_});
  replies_[submitted_] = std::move(reply);
  ++submitted_;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<MeasureReply>> ReplayMeasurer::Wait(int64_t timeout_ns) {
  std::vector<MeasureReply> replies;
  if (under_way_.empty()) return replies;
  const int64_t next_ns = std::get<0>(*under_way_.begin());
  if (next_ns - clock_.NowNs() > timeout_ns) {
    clock_.AdvanceNs(timeout_ns);
    return replies;
  }
  clock_.AdvanceToNs(next_ns);
  while (!under_way_.empty() && std::get<0>(*under_way_.begin()) <= clock_.NowNs()) {
    replies.push_back(replies_.extract(std::get<1>(*under_way_.begin())).mapped());
    under_way_.erase(under_way_.begin());
  }
  return replies;
}

Outcome ReplayMeasurer::Measure(const MeasureRequest& request) const {
  Outcome outcome = options_.outcome(request.config);
  const auto time_out = [&] {
    Outcome timeout;
    timeout.kind = OutcomeKind::kTimeout;
    timeout.message = "took longer than the time-out";
    timeout.measure_ns = request.timeout_ns;
    return timeout;
  };
  if (!outcome.ok()) {
    return outcome.compile_ns + outcome.measure_ns > request.timeout_ns ? time_out() : outcome;
  }

  CanonicalBytes bytes;
  bytes.Add(static_cast<int64_t>(options_.noise_seed)).Add(request.id);
  bytes.Add(request.config.ToJson());
  std::mt19937_64 random(HashBytes(bytes.bytes()).low);
  const double go_ns =
      outcome.objective_ns() * std::exp(options_.request_noise * StandardNormal(random));
  outcome.samples_ns.clear();
  outcome.measure_ns = 0;
  while (static_cast<int>(outcome.samples_ns.size()) < std::max(1, request.max_samples)) {
    if (static_cast<int>(outcome.samples_ns.size()) >= request.min_samples &&
        outcome.measure_ns >= request.target_measure_ns) {
      break;
    }
    const double sample_ns = go_ns * std::exp(options_.sample_noise * StandardNormal(random));
    outcome.measure_ns += sample_ns;
    if (outcome.compile_ns + outcome.measure_ns > request.timeout_ns) return time_out();
    if (request.drop_above_ns > 0 && sample_ns > request.drop_above_ns &&
        outcome.samples_ns.empty()) {
      outcome.kind = OutcomeKind::kCensored;
      outcome.lower_bound_ns = request.drop_above_ns;
      break;
    }
    outcome.samples_ns.push_back(sample_ns);
  }
  return outcome;
}

}  // namespace seedtune

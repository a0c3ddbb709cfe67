#include "autotuner/replay_measurer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <vector>

#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/simulated_measurer.h"
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

Outcome Measure(const ReplayMeasurer::Options& options, const MeasureRequest& request) {
  Outcome outcome = options.outcome(request.config);
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
  bytes.Add(static_cast<int64_t>(options.noise_seed)).Add(request.id);
  bytes.Add(request.config.ToJson());
  std::mt19937_64 random(HashBytes(bytes.bytes()).low);
  const double go_ns =
      outcome.objective_ns() * std::exp(options.request_noise * StandardNormal(random));
  outcome.samples_ns.clear();
  outcome.measure_ns = 0;
  while (static_cast<int>(outcome.samples_ns.size()) < std::max(1, request.max_samples)) {
    if (static_cast<int>(outcome.samples_ns.size()) >= request.min_samples &&
        outcome.measure_ns >= request.target_measure_ns) {
      break;
    }
    const double sample_ns = go_ns * std::exp(options.sample_noise * StandardNormal(random));
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

}  // namespace

ReplayMeasurer::ReplayMeasurer(Options options, VirtualClock& clock)
    : SimulatedMeasurer({.info = options.info,
                         .answer =
                             [options](const MeasureRequest& request) {
                               SimulatedAnswer answer{.outcome = Measure(options, request)};
                               answer.cost_ns =
                                   answer.outcome.compile_ns + answer.outcome.measure_ns;
                               return answer;
                             },
                         .worker_speeds = std::vector<double>(
                             static_cast<size_t>(std::max(1, options.workers)), 1.0)},
                        clock) {}

}  // namespace seedtune

#include "autotuner/replay/recorded_measurer.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "util/stable_hash.h"

namespace seedtune {
namespace {

SimulatedAnswer Failure(OutcomeKind kind, const char* message, double cost_ns) {
  SimulatedAnswer answer;
  answer.outcome.kind = kind;
  answer.outcome.message = message;
  answer.outcome.measure_ns = cost_ns;
  answer.cost_ns = cost_ns;
  return answer;
}

SimulatedAnswer TimeOut(const MeasureRequest& request) {
  return Failure(OutcomeKind::kTimeout, "took longer than the time-out", request.timeout_ns);
}

SimulatedAnswer Answer(const RecordedSpace& space, const RecordedMeasurer::Options& options,
                       const MeasureRequest& request) {
  const RecordedConfig* recorded = space.Find(request.config);
  if (recorded == nullptr) {
    return Failure(OutcomeKind::kLaunchError, "this configuration was not recorded", 0);
  }
  SimulatedAnswer answer{.outcome = recorded->outcome, .cost_ns = recorded->total_cost_ns()};
  if (!answer.outcome.ok()) {
    return answer.cost_ns > request.timeout_ns ? TimeOut(request) : std::move(answer);
  }
  const auto drop = [&] {
    answer.outcome.kind = OutcomeKind::kCensored;
    answer.outcome.samples_ns.clear();
    answer.outcome.lower_bound_ns = request.drop_above_ns;
  };

  if (!options.noise) {
    const double value_ns = RecordedValueNs(*recorded);
    if (answer.cost_ns > request.timeout_ns) return TimeOut(request);
    answer.outcome.samples_ns = {value_ns};
    if (request.drop_above_ns > 0 && value_ns > request.drop_above_ns) drop();
    return answer;
  }

  CanonicalBytes bytes;
  bytes.Add(static_cast<int64_t>(options.noise_seed)).Add(request.id);
  bytes.Add(request.config.ToJson());
  std::mt19937_64 random(HashBytes(bytes.bytes()).low);
  const std::vector<double>& known_ns = recorded->outcome.samples_ns;
  const double sample_cost_ns = recorded->benchmark_cost_ns / static_cast<double>(known_ns.size());
  answer.cost_ns -= recorded->benchmark_cost_ns;
  answer.outcome.samples_ns.clear();
  answer.outcome.measure_ns = 0;
  double timed_ns = 0;
  while (std::ssize(answer.outcome.samples_ns) < std::max(1, request.max_samples)) {
    if (std::ssize(answer.outcome.samples_ns) >= request.min_samples &&
        timed_ns >= request.target_measure_ns) {
      break;
    }
    const double sample_ns = known_ns[random() % known_ns.size()];
    timed_ns += sample_ns;
    answer.cost_ns += sample_cost_ns;
    answer.outcome.measure_ns += sample_cost_ns;
    if (answer.cost_ns > request.timeout_ns) return TimeOut(request);
    if (request.drop_above_ns > 0 && sample_ns > request.drop_above_ns &&
        answer.outcome.samples_ns.empty()) {
      drop();
      break;
    }
    answer.outcome.samples_ns.push_back(sample_ns);
  }
  return answer;
}

}  // namespace

double RecordedValueNs(const RecordedConfig& config) {
  const std::vector<double>& samples_ns = config.outcome.samples_ns;
  if (!config.outcome.ok() || samples_ns.empty()) return std::numeric_limits<double>::infinity();
  double sum_ns = 0;
  for (const double sample_ns : samples_ns) sum_ns += sample_ns;
  return sum_ns / static_cast<double>(samples_ns.size());
}

RecordedMeasurer::RecordedMeasurer(std::shared_ptr<const RecordedSpace> space, Options options,
                                   VirtualClock& clock)
    : SimulatedMeasurer(
          [&] {
            SimulatedMeasurer::Options simulated;
            simulated.info.backend = "replay";
            simulated.info.device.name = space->device_name();
            simulated.worker_speeds = options.worker_speeds;
            simulated.answer = [space, options](const MeasureRequest& request) {
              return Answer(*space, options, request);
            };
            return simulated;
          }(),
          clock) {}

}  // namespace seedtune

// Workers that measure nothing: who answers when, on a virtual clock. What they answer comes from
// outside: see replay_measurer.h (a formula) and replay/recorded_measurer.h (a recorded space).
#ifndef SEEDTUNE_AUTOTUNER_SIMULATED_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_SIMULATED_MEASURER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/virtual_clock.h"

namespace seedtune {

struct SimulatedAnswer {
  Outcome outcome;
  double cost_ns = 0;  // how long a worker of speed 1 is busy with it; not negative
};

// Each worker handles one request at a time; a request goes, in the order submitted, to the worker
// that is free first. Waiting advances the clock to the next answer. Not thread-safe.
class SimulatedMeasurer : public Measurer {
 public:
  struct Options {
    MeasurerInfo info;
    std::function<SimulatedAnswer(const MeasureRequest&)> answer;
    std::vector<double> worker_speeds = {1};  // at least one, each above 0; 2 takes half the time
  };

  // `clock` is borrowed and must outlive the measurer.
  SimulatedMeasurer(Options options, VirtualClock& clock);

  const MeasurerInfo& info() const override { return options_.info; }
  int capacity() const override { return static_cast<int>(free_at_ns_.size()); }
  // Never fails.
  absl::Status Submit(MeasureRequest request) override;
  // The answers of the next moment at which there are any; never fails.
  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override;

 private:
  Options options_;
  VirtualClock& clock_;
  std::vector<int64_t> free_at_ns_;  // by worker
  int64_t submitted_ = 0;
  // When it will be answered, and the how-manieth request it is.
  std::set<std::pair<int64_t, int64_t>> under_way_;
  absl::flat_hash_map<int64_t, MeasureReply> replies_;  // by the second of these
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SIMULATED_MEASURER_H_

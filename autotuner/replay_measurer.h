// Measures nothing: answers from what is known already, as fast as it can, with the noise and in
// the (virtual) time of real measurements. For comparing searches, and for tests.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <tuple>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"

namespace seedtune {

// Simulates `workers` that each handle one request at a time, in the order submitted: preparing
// takes the outcome's compile_ns, timing takes the sum of the samples. Waiting advances the clock
// to the next answer. The noise of a request hangs on the noise seed, the request's id and its
// configuration alone, so that a repeated request repeats its answer. Not thread-safe.
class ReplayMeasurer final : public Measurer {
 public:
  struct Options {
    MeasurerInfo info;
    // What becomes of a configuration. kOk: the median of its samples is the true time of one run.
    // A failure costs compile_ns + measure_ns. Must be pure.
    std::function<Outcome(const Config&)> outcome;
    int workers = 1;
    // Standard deviations of the logarithm of the time: of one sample, and of all samples of a
    // request together (what a fresh process, memory layout or clock changes).
    double sample_noise = 0;
    double request_noise = 0;
    uint64_t noise_seed = 1;
  };

  // `clock` is borrowed and must outlive the measurer.
  ReplayMeasurer(Options options, VirtualClock& clock);

  const MeasurerInfo& info() const override { return options_.info; }
  int capacity() const override { return static_cast<int>(free_at_ns_.size()); }
  // Never fails.
  absl::Status Submit(MeasureRequest request) override;
  // The answers of the next moment at which there are any; never fails.
  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) override;

 private:
  Outcome Measure(const MeasureRequest& request) const;

  Options options_;
  VirtualClock& clock_;
  std::vector<int64_t> free_at_ns_;  // by worker
  int64_t submitted_ = 0;
  // When it will be answered, and the how-manieth request it is.
  std::set<std::tuple<int64_t, int64_t>> under_way_;
  absl::flat_hash_map<int64_t, MeasureReply> replies_;  // by the second of these
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_

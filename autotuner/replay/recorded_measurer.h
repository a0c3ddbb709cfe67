// Answers from a recorded space: its samples are the noise, its costs the (virtual) time.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_MEASURER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "autotuner/replay/recorded_space.h"
#include "autotuner/simulated_measurer.h"
#include "autotuner/virtual_clock.h"

namespace seedtune {

// What a recorded configuration counts for in scores: the mean of its samples, as all tuners that
// write these records take it (their median would be steadier, and their scores not comparable).
// +infinity: it does not work.
double RecordedValueNs(const RecordedConfig& config);

// The device, as the record names it, is the `name` of info().device; the backend is "replay".
// Not thread-safe.
class RecordedMeasurer final : public SimulatedMeasurer {
 public:
  struct Options {
    // Off: a request is answered with one sample, RecordedValueNs, at the recorded cost. On: with
    // as many samples as it asks for, drawn with replacement from those recorded, at the recorded
    // cost of all but the timing and the timing's share for each sample.
    bool noise = false;
    // The draws hang on this, the request's id and its configuration alone, so that a repeated
    // request repeats its answer.
    uint64_t noise_seed = 1;
    std::vector<double> worker_speeds = {1};  // see SimulatedMeasurer
  };

  // A configuration that was not recorded is answered with kLaunchError, at no cost. `clock` is
  // borrowed and must outlive the measurer.
  RecordedMeasurer(std::shared_ptr<const RecordedSpace> space, Options options,
                   VirtualClock& clock);
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_MEASURER_H_

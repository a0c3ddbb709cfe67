// Measures nothing: answers from what is known already, as fast as it can, with the noise and in
// the (virtual) time of real measurements. For comparing searches, and for tests.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_

#include <cstdint>
#include <functional>

#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/simulated_measurer.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"

namespace seedtune {

// Preparing a candidate takes the outcome's compile_ns, timing it the sum of the samples. The noise
// of a request hangs on the noise seed, the request's id and its configuration alone, so that a
// repeated request repeats its answer. Not thread-safe.
class ReplayMeasurer final : public SimulatedMeasurer {
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
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_MEASURER_H_

// Something to tune, for tests: a kernel, a space of some thousand configurations, and what becomes
// of each.
#ifndef SEEDTUNE_AUTOTUNER_EXAMPLE_TUNING_H_
#define SEEDTUNE_AUTOTUNER_EXAMPLE_TUNING_H_

#include <memory>
#include <string>

#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "ir/kernel.h"

namespace seedtune {

// A small matmul.
std::shared_ptr<const Kernel> ExampleKernel();

// Knobs "block_m", "block_n", "block_k", "stages", "order" and "pack", and a constraint.
std::shared_ptr<const ConfigSpace> ExampleSpace();

// Of backend "fake".
MeasurerInfo ExampleMeasurerInfo();

// Deterministic: a rugged landscape around 100 microseconds with several local optima, slow corners
// and, for about one configuration in nine, failures of several kinds. kOk has one sample. The
// default works, and takes more than twice as long as the best.
Outcome ExampleOutcome(const Config& config);

// The same with noise: some samples, which differ a little from request to request (by its id).
Outcome NoisyExampleOutcome(const MeasureRequest& request);

// What ExampleOutcome makes the fastest of all, and the slowest of those that work.
Config ExampleOptimum(const ConfigSpace& space);
Config ExampleWorst(const ConfigSpace& space);

Outcome ExampleOk(double time_ns);
Outcome ExampleFailure(OutcomeKind kind, std::string message);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_EXAMPLE_TUNING_H_

// Measures with other people's programs, which speak docs/worker-protocol.md: `--backend=external`.
//
// Whatever a worker does is an outcome of the candidate it did it to, and a fresh worker. What is
// known of it before anything is measured (its device, its versions, its config spaces) comes from
// it, too.
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_EXTERNAL_MEASURER_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_EXTERNAL_MEASURER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "backends/adaptive_limit.h"
#include "backends/external/hello.h"
#include "backends/external/worker_space.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

struct ExternalOptions {
  std::vector<std::string> commands;  // of /bin/sh, one a worker
  std::string device;                 // passed on to the workers
  DeviceDetector detect;
  double start_timeout_ns = 60e9;  // until a worker has said hello
  double space_timeout_ns = 60e9;
  // Added to the time-out of a worker's first run of a kernel: it makes inputs and references.
  double setup_timeout_ns = 120e9;
  AdaptiveLimit::Options compile_limit = {};
  double goodbye_timeout_ns = 2e9;  // until workers that were told to go are killed
};

// Not thread-safe. The destructor says goodbye, and kills who stays.
class ExternalMeasurer : public Measurer {
 public:
  // Asks the workers for the space of a kernel. kUnimplemented: they cannot build it (why).
  // kUnavailable: no answer. kInvalidArgument: the answer is wrong.
  virtual absl::StatusOr<WorkerSpace> SpaceOf(const Kernel& kernel,
                                              std::span<const MatmulFact> facts) = 0;
  virtual const ExternalWorkerInfo& worker() const = 0;
};

// Starts the workers and waits until all have said hello. kInvalidArgument: no command, or a hello
// that is wrong, or differs from the first worker's. kUnavailable: a worker cannot be started, or
// says that it cannot serve (why). `clock` must outlive it.
absl::StatusOr<std::unique_ptr<ExternalMeasurer>> StartExternalMeasurer(ExternalOptions options,
                                                                        Clock& clock);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_EXTERNAL_MEASURER_H_

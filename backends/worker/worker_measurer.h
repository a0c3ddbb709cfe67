// Measures in worker processes: a crash, a hang or a leak of a candidate costs that candidate and
// nothing else.
#ifndef SEEDTUNE_BACKENDS_WORKER_WORKER_MEASURER_H_
#define SEEDTUNE_BACKENDS_WORKER_WORKER_MEASURER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "hardware/hardware_info.h"

namespace seedtune {

struct WorkerOptions {
  // The program and its arguments; it finds its socket on descriptor 3 and calls RunWorker.
  std::vector<std::string> argv;
  std::string backend;
  HardwareInfo device;
  int workers = 1;                 // candidates measured at the same time
  double start_timeout_ns = 30e9;  // until a started worker has said hello
  // Added to the time-out of a worker's first candidate of a kernel: it makes inputs and references.
  double setup_timeout_ns = 120e9;
};

// Starts the workers; they are started anew after a crash or a time-out (when they are next
// needed). `clock` must outlive the measurer. kUnavailable: a worker cannot be started, or says
// that it cannot serve (why).
absl::StatusOr<std::unique_ptr<Measurer>> MakeWorkerMeasurer(WorkerOptions options, Clock& clock);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_WORKER_MEASURER_H_

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
  // Added to the time-out of a worker's first candidate of a kernel: it makes inputs and
  // references.
  double setup_timeout_ns = 120e9;
  // How long a candidate waits for a killed worker that takes its time to die (as where a driver
  // waits for its kernel): until it has ended, it may disturb what is timed meanwhile.
  double settle_timeout_ns = 0;
};

// Starts the workers; they are started anew at once after a crash, a time-out or their last
// candidate, and greeted when they are next needed. A killed worker that takes long to die does so
// in the background; the destructor waits for it (dying_processes.h). `clock` must outlive the
// measurer. kUnavailable, here or of Submit: a worker cannot be started, says that it cannot serve
// (why), or too many that were killed do not die.
absl::StatusOr<std::unique_ptr<Measurer>> MakeWorkerMeasurer(WorkerOptions options, Clock& clock);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_WORKER_MEASURER_H_

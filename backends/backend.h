// A backend turns a kernel and a configuration into a timed, checked run on one device, in this
// process.
//
// Tuning calls it inside a worker process (backends/worker), so that a crash or a hang costs one
// candidate.
#ifndef SEEDTUNE_BACKENDS_BACKEND_H_
#define SEEDTUNE_BACKENDS_BACKEND_H_

#include "absl/status/status.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "ir/kernel.h"

namespace seedtune {

// Not thread-safe: one caller at a time.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual const MeasurerInfo& info() const = 0;

  // Whether this backend can run the kernel at all. kUnimplemented: says what of the kernel it
  // cannot.
  virtual absl::Status Supports(const Kernel& kernel) const = 0;

  // Prepares, checks and times one candidate; every failure is an outcome. `request.timeout_ns` is
  // the caller's business. May keep inputs and reference results of the last kernel for the next
  // call.
  virtual Outcome Measure(const MeasureRequest& request) = 0;

  // True: nothing can be measured in this process any more (a device error that stays). The last
  // outcome still counts; a worker then ends without destroying the backend, since that could wait
  // for ever.
  virtual bool spent() const { return false; }
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_BACKEND_H_

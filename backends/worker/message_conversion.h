// Between the messages of worker.proto and the types of autotuner/.
#ifndef SEEDTUNE_BACKENDS_WORKER_MESSAGE_CONVERSION_H_
#define SEEDTUNE_BACKENDS_WORKER_MESSAGE_CONVERSION_H_

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "backends/worker/worker.pb.h"

namespace seedtune {

// Raised whenever a message changes its meaning; both sides must have the same.
inline constexpr int kWorkerProtocolVersion = 3;

OutcomeProto OutcomeToProto(const Outcome& outcome);
// kInvalidArgument: an unknown kind, an "ok" without samples, a sample that is no positive finite
// number.
absl::StatusOr<Outcome> OutcomeFromProto(const OutcomeProto& proto);

WorkerRequest::Measure MeasureRequestToProto(const MeasureRequest& request);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_MESSAGE_CONVERSION_H_

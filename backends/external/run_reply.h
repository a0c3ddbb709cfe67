// Whether what a worker says of a run can be true (docs/worker-protocol.md, section 5).
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_RUN_REPLY_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_RUN_REPLY_H_

#include <span>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/outcome.h"
#include "backends/external/external_worker.pb.h"

namespace seedtune {

struct RunFacts {
  double drop_above_ns = 0;  // as asked
  double elapsed_ns = 0;     // between request and reply
  bool want_check = true;    // asked for, and promised
  bool simulated_time = false;
};

// The outcome: kOk or kCensored. kInvalidArgument: it cannot be true: "run.samples_ns[3] is -1,
// want ...". Thread-safe.
absl::StatusOr<Outcome> ReadRun(const ExternalReply::Run& run, const RunFacts& facts);

// The kinds of error of section 8 that may answer a request of this kind ("compile", "run",
// "hello", "space"); empty: none may.
std::span<const std::string_view> ErrorKinds(std::string_view request_kind);
// kInvalidArgument: `error.kind is "oops", want ...`, or it has no message.
absl::Status CheckError(const ExternalReply::Error& error, std::string_view request_kind);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_RUN_REPLY_H_

// What became of one candidate: data, whatever it was.
#ifndef SEEDTUNE_AUTOTUNER_OUTCOME_H_
#define SEEDTUNE_AUTOTUNER_OUTCOME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seedtune {

// The numbers are part of the database: append, never renumber.
enum class OutcomeKind {
  kOk = 1,        // checked, with samples
  kCensored = 2,  // dropped early: at least lower_bound_ns
  kCompileError = 3,
  kLaunchError = 4,
  kWrongResult = 5,  // never ranked
  kTimeout = 6,
  kCrash = 7,
  kOutOfResources = 8,
};
std::string_view OutcomeKindName(OutcomeKind kind);  // "ok", "censored", ...; else "unknown"
// kInvalidArgument: no such name (the message lists them).
absl::StatusOr<OutcomeKind> ParseOutcomeKind(std::string_view name);

// A value type; thread-compatible. Times are nanoseconds of one run of the kernel.
struct Outcome {
  OutcomeKind kind = OutcomeKind::kCrash;
  std::vector<double> samples_ns;  // kOk: at least one, in the order taken
  double lower_bound_ns = 0;       // kCensored
  std::string message;             // failures: the error's text
  double compile_ns = 0;           // what the candidate cost: preparing it
  double measure_ns = 0;           // and checking and timing it

  // kOk: the median. kCensored: the lower bound. Else, and where these are not numbers, +infinity.
  double objective_ns() const;
  bool ok() const { return kind == OutcomeKind::kOk; }
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Whether this can be true: times are finite numbers, samples above 0, kOk has a sample. For the
// borders where outcomes come in: replies of workers, files, the database. kInvalidArgument:
// "samples_ns[3] is nan, want ...".
absl::Status ValidateOutcome(const Outcome& outcome);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_OUTCOME_H_

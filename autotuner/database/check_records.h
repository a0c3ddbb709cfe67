// What must be true of records before they are kept, and of a file's contents before they are
// believed.
//
// All errors are kInvalidArgument and begin with the field: `settings.budget_evaluations is -1,
// want at least 0`.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_CHECK_RECORDS_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_CHECK_RECORDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/database/records.h"

namespace seedtune {

// Stateless functions are thread-safe.

// Each by itself: ids have 32 digits, keys are filled in, numbers are finite and not negative,
// texts are UTF-8, configurations are JSON objects.
absl::Status CheckRun(const RunInfo& run);
absl::Status CheckEvent(const RunEvent& event);
absl::Status CheckBest(const BestRecord& best);

// A tell or a re-timing may repeat its ask's configuration, origin and heuristic, and says no
// others.
absl::Status CheckAnswersAsk(const RunEvent& event, const RunEvent& ask);

// `text` with every byte that is not part of a UTF-8 character replaced by U+FFFD: error messages
// of compilers and kernels may hold anything.
std::string ToValidUtf8(std::string_view text);

// What a run's log allows next: sequence numbers without gaps; each ask is told at most once, and
// re-timed only after. Thread-compatible; one byte an event.
class LogState {
 public:
  int64_t next_sequence() const { return static_cast<int64_t>(events_.size()); }

  // For an event that CheckEvent takes.
  absl::Status CheckNext(const RunEvent& event) const;
  // Counts one that CheckNext takes.
  void Add(const RunEvent& event);

 private:
  enum class Seen : uint8_t { kAsked, kAskedAndTold, kNoAsk };
  std::vector<Seen> events_;  // by sequence
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_CHECK_RECORDS_H_

// The tuning database as text: JSON Lines, the first a header, then one run a line with its whole
// log. Field names are those of records.h; `sequence` is an event's place in `events`; a run is
// finished if it has a `best`.
//
//   {"format":"seedtune-tuning-records","version":1}
//   {"id":"0f...","key":{...},"settings":{...},...,"events":[{"kind":"ask",...},{"kind":"tell",...}],"best":{...}}
//
// Thread-safe: no state.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_JSON_LINES_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_JSON_LINES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/records.h"

namespace seedtune {

// All that is kept of one run. `best` has the run's id, key, name and heuristics.
struct RunDocument {
  RunInfo run;
  std::vector<RunEvent> events;
  std::optional<BestRecord> best;
};

// Lines, without the line feed. Texts must be UTF-8 and numbers finite, as check_records.h says.
std::string FormatHeaderLine();
std::string FormatRunLine(const RunDocument& document);

// kInvalidArgument: no JSON, unknown, missing, doubled or mistyped fields, another format or
// version; the message begins with the field. Values are not looked into: see CheckDocument.
absl::Status ParseHeaderLine(std::string_view line);
absl::StatusOr<RunDocument> ParseRunLine(std::string_view line);

// Whether the values of a run, its log and its answer can be true and belong together.
// kInvalidArgument: "events[3].outcome.samples_ns[0] is nan, want ...".
absl::Status CheckDocument(const RunDocument& document);

// The ask of `best` in `events`: the first for its configuration that was told a time.
// kInvalidArgument: none.
absl::StatusOr<int64_t> FindWinningAsk(const std::vector<RunEvent>& events, const BestRecord& best);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_JSON_LINES_H_

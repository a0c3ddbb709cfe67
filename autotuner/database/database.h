// The tuning database: one SQLite file. Every outcome is committed when it is known; a run killed
// at any moment loses none, and can be gone on with.
//
// Two kinds of rows. A run holds who asked what and how: kernel, device, versions, algorithm,
// seeds, budget, and its ordered log of asks and tells. An outcome is a tell of a run, found by
// (run id, sequence), and is keyed by all that decides whether it may be used again. Run ids are
// random, so that merging two databases twice changes nothing.
//
// Not thread-safe; several processes may use one file: one writes, a second waits up to
// `busy_timeout_ms` and is then told (kUnavailable).
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/records.h"  // IWYU pragma: export

namespace seedtune {

// A look-up's answer: a record, or the reason for the miss ("recorded for this kernel with code
// generator v1, want v2"; "nothing recorded for this kernel on this device; recorded on: AMD EPYC
// 9454"; "an unfinished run of 12 evaluations").
struct LookupResult {
  std::optional<BestRecord> record;
  std::string miss_reason;
};

class Database {
 public:
  enum class Mode { kReadOnly, kReadWrite };  // kReadWrite creates the file (and its folder)
  struct Options {
    Mode mode = Mode::kReadWrite;
    int busy_timeout_ms = 5000;
  };

  // kNotFound: read-only and no such file. kInvalidArgument: not a database, or not one of ours
  // (nothing is touched). kFailedPrecondition: written by a newer version of the schema (says
  // which). kPermissionDenied: may not be written. kDataLoss: damaged. kResourceExhausted: the disk
  // is full. All with the path and what to do.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const Options& options);
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path) {
    return Open(path, Options());
  }
  virtual ~Database() = default;

  virtual const std::string& path() const = 0;

  virtual absl::StatusOr<std::string> StartRun(RunInfo run) = 0;  // its id
  // Commits. `event.sequence` must be the run's next.
  virtual absl::Status Append(const std::string& run_id, const RunEvent& event) = 0;
  virtual absl::Status AddSeconds(const std::string& run_id, double seconds) = 0;
  // Marks the run finished and its winner as an answer for its key, in one commit.
  virtual absl::Status FinishRun(const std::string& run_id, const BestRecord& best) = 0;

  // The newest unfinished run of this question; nullopt: none.
  virtual absl::StatusOr<std::optional<RunInfo>> FindUnfinished(const RecordKey& key,
                                                                const RunSettings& settings) = 0;
  virtual absl::StatusOr<std::vector<RunEvent>> Events(const std::string& run_id) = 0;

  // The best answer recorded for exactly this key (of several finished runs, the fastest winner).
  virtual absl::StatusOr<LookupResult> Lookup(const RecordKey& key) = 0;

  // Runs, newest first; and answers, newest first.
  virtual absl::StatusOr<std::vector<RunInfo>> ListRuns() = 0;
  virtual absl::StatusOr<std::vector<BestRecord>> ListBest() = 0;

  // All runs with their events as one JSON document a line (a first line names the format and
  // version). Import adds the runs that are not there yet, all or nothing, and returns how many it
  // added; kInvalidArgument: "line 12: ...".
  virtual absl::StatusOr<std::string> ExportJsonLines() = 0;
  virtual absl::StatusOr<int64_t> ImportJsonLines(std::string_view text) = 0;
};

// $XDG_DATA_HOME/seedtune/tuning.db, else ~/.local/share/seedtune/tuning.db, else ./seedtune.db.
std::string DefaultDatabasePath();

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_H_

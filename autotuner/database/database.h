// The tuning database: one SQLite file. Every outcome is committed when it is known; a run killed
// at any moment loses none, and can be gone on with.
//
// Two kinds of rows. A run holds who asked what and how: kernel, device, versions, algorithm,
// seeds, budget, and its ordered log of asks and tells. An outcome is a tell of a run, found by
// (run id, sequence), and is keyed by all that decides whether it may be used again. Run ids are
// random, so that merging two databases twice changes nothing.
//
// Not thread-safe; not to be used in a child process after fork(). Several processes may use one
// file: one writes, a second waits up to `busy_timeout_ms` and is then told (kUnavailable). It is
// one file once nobody has it open for writing; until then, and after a crash, a rollback journal,
// "<path>-journal", stands beside it: never delete that, the next one who opens the file sees to
// it. What a call has returned OK for survives a crash of the process and of the machine. What a
// call has returned an error for has not happened, or, after an error of the disk at the last
// moment, has happened as a whole.
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
  // A loose look-up's: in what the record's key differs; "": in nothing.
  std::string difference;
};

class Database {
 public:
  enum class Mode { kReadOnly, kReadWrite };  // kReadWrite creates the file (and its folder)
  struct Options {
    Mode mode = Mode::kReadWrite;
    int busy_timeout_ms = 5000;
  };

  // An empty file is as good as none. Errors, all with the path and what to do: kNotFound:
  // read-only and no such file, or an empty one. kInvalidArgument: a folder, not a database, or not
  // one of ours (nothing is touched). kFailedPrecondition: written by a newer version of the schema
  // (says which; nothing is touched). kPermissionDenied: may not be read, or not be written where
  // that was asked. kDataLoss: damaged. kResourceExhausted: the disk is full. kUnavailable: another
  // process is writing. kInternal: the disk fails. The calls below give the last five too, and
  // kPermissionDenied where they would write and the database is open for reading only.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path,
                                                        const Options& options);
  static absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path) {
    return Open(path, Options());
  }
  virtual ~Database() = default;

  virtual const std::string& path() const = 0;

  // Its id. kInvalidArgument: a field cannot be (says which). kAlreadyExists: the id is taken.
  virtual absl::StatusOr<std::string> StartRun(RunInfo run) = 0;
  // Commits. An error message's bytes that are not UTF-8 become U+FFFD. kNotFound: no such run.
  // kFailedPrecondition: it is finished. kAborted: an event of this number is there already,
  // because another process goes on with the run. kInvalidArgument: the number is not the next, the
  // outcome cannot be (see ValidateOutcome), the answer to an ask that is none or is told already,
  // a re-timing of what was not told, another configuration than the ask's.
  virtual absl::Status Append(const std::string& run_id, const RunEvent& event) = 0;
  // kNotFound: no such run. kInvalidArgument: not a finite number of at least 0.
  virtual absl::Status AddSeconds(const std::string& run_id, double seconds) = 0;
  // Marks the run finished and its winner as an answer for its key, in one commit. `best.run_id`,
  // `.kernel_name` and
  // `.key` may be left empty and otherwise are the run's. kNotFound, kFailedPrecondition: as above.
  // kInvalidArgument: a field cannot be, or the log has no kOk tell of the winner's configuration.
  virtual absl::Status FinishRun(const std::string& run_id, const BestRecord& best) = 0;

  // The newest unfinished run of this question; nullopt: none.
  virtual absl::StatusOr<std::optional<RunInfo>> FindUnfinished(const RecordKey& key,
                                                                const RunSettings& settings) = 0;
  // kNotFound: no such run.
  virtual absl::StatusOr<std::vector<RunEvent>> Events(const std::string& run_id) = 0;

  // The best answer recorded for exactly this key: of several finished runs, the one whose winner
  // has the lowest median, and of equals the newest.
  virtual absl::StatusOr<LookupResult> Lookup(const RecordKey& key) = 0;
  // The same, and where there is none for exactly this key, the best answer for the same kernel,
  // backend, config space and device, of other versions of the code generator, the compiler or the
  // driver: its configuration still means something, its time may not. Of several, those whose
  // versions differ least (see miss_reason.h) come first.
  virtual absl::StatusOr<LookupResult> LookupLoose(const RecordKey& key) = 0;

  // All runs, newest first; and the answers of all finished runs, newest first.
  virtual absl::StatusOr<std::vector<RunInfo>> ListRuns() = 0;
  virtual absl::StatusOr<std::vector<BestRecord>> ListBest() = 0;

  // All runs with their events as one JSON document a line (a first line names the format and
  // version). The same runs give the same text, whatever file they came by. Import adds the runs
  // that are not there yet, and what a run that was unfinished here has gained elsewhere, all or
  // nothing; it returns how many runs it added or lengthened, so that a second time gives 0.
  // kInvalidArgument: "line 12: ..." (also where a run went on differently here and there).
  virtual absl::StatusOr<std::string> ExportJsonLines() = 0;
  virtual absl::StatusOr<int64_t> ImportJsonLines(std::string_view text) = 0;
};

// $XDG_DATA_HOME/seedtune/tuning.db, else ~/.local/share/seedtune/tuning.db, else ./seedtune.db.
std::string DefaultDatabasePath();

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_H_

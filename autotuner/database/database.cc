#include "autotuner/database/database.h"

#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/check_records.h"
#include "autotuner/database/checksum.h"
#include "autotuner/database/database_file.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/miss_reason.h"
#include "autotuner/database/sqlite.h"
#include "autotuner/outcome.h"
#include "nlohmann/json.hpp"
#include "util/status_macros.h"
#include "util/string_view.h"

// Lists of columns, in the order in which the functions below bind and read them.
#define SEEDTUNE_KEY_COLUMNS                                                                      \
  "kernel_fingerprint, backend, space_id, device_key, code_generator_version, compiler_version, " \
  "driver_version"
#define SEEDTUNE_RUN_COLUMNS                                                                 \
  "id, " SEEDTUNE_KEY_COLUMNS                                                                \
  ", algorithm, random_seed, budget_evaluations, budget_seconds, seed_policy, kernel_name, " \
  "kernel_text, device_text, started_unix_micros, state, seconds_spent, heuristics_json"
#define SEEDTUNE_SELECT_RUN "SELECT run, checksum, " SEEDTUNE_RUN_COLUMNS " FROM runs "
#define SEEDTUNE_OUTCOME_COLUMNS \
  "outcome, samples_ns, lower_bound_ns, message, compile_ns, measure_ns"
#define SEEDTUNE_ANSWER_COLUMNS                                                                   \
  "answers.origin, answers.heuristic, answers.outcome, answers.samples_ns, "                      \
  "answers.lower_bound_ns, answers.message, answers.compile_ns, answers.measure_ns, "             \
  "untuned_config, untuned_origin, untuned_outcome, untuned_samples_ns, untuned_lower_bound_ns, " \
  "untuned_message, untuned_compile_ns, untuned_measure_ns, evaluations, seconds, "               \
  "recorded_unix_micros"
#define SEEDTUNE_SELECT_BEST                                                                 \
  "SELECT id, answers.checksum, answers.ask_sequence, log_size, objective_ns, kernel_name, " \
  "heuristics_json, config, " SEEDTUNE_KEY_COLUMNS ", " SEEDTUNE_ANSWER_COLUMNS              \
  " FROM answers JOIN runs ON runs.run = answers.run JOIN events ON events.run = "           \
  "answers.run AND events.sequence = answers.ask_sequence "
#define SEEDTUNE_WHERE_KEY                                                                 \
  " WHERE kernel_fingerprint = ? AND backend = ? AND space_id = ? AND device_key = ? AND " \
  "code_generator_version = ? AND compiler_version = ? AND driver_version = ? "

namespace seedtune {
namespace {

std::string Quoted(std::string_view text) { return absl::StrCat("\"", ToAbsl(text), "\""); }

absl::StatusOr<std::string> NewRunId() {
  unsigned char bytes[16];
  if (getentropy(bytes, sizeof(bytes)) != 0) {
    return absl::InternalError(
        absl::StrCat("run id: cannot get random bytes (", std::strerror(errno), ")"));
  }
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(bytes), sizeof(bytes)));
}

void Bind(SqliteQuery& query, const RecordKey& key) {
  query.Bind(key.kernel_fingerprint)
      .Bind(key.backend)
      .Bind(key.space_id)
      .Bind(key.device_key)
      .Bind(key.code_generator_version)
      .Bind(key.compiler_version)
      .Bind(key.driver_version);
}

void Bind(SqliteQuery& query, const RunSettings& settings) {
  query.Bind(settings.algorithm)
      .Bind(static_cast<int64_t>(settings.random_seed))
      .Bind(settings.budget_evaluations)
      .Bind(settings.budget_seconds)
      .Bind(settings.seed_policy);
}

void Bind(SqliteQuery& query, const Outcome& outcome) {
  query.Bind(static_cast<int64_t>(outcome.kind))
      .Bind(nlohmann::json(outcome.samples_ns).dump())
      .Bind(outcome.lower_bound_ns)
      .Bind(outcome.message)
      .Bind(outcome.compile_ns)
      .Bind(outcome.measure_ns);
}

// These read from column `c` on, and move it behind what they read.
RecordKey ReadKey(const SqliteQuery& query, int& c) {
  RecordKey key;
  key.kernel_fingerprint = query.Text(c++);
  key.backend = query.Text(c++);
  key.space_id = query.Text(c++);
  key.device_key = query.Text(c++);
  key.code_generator_version = query.Text(c++);
  key.compiler_version = query.Text(c++);
  key.driver_version = query.Text(c++);
  return key;
}

RunInfo ReadRun(const SqliteQuery& query, int c) {
  RunInfo run;
  run.id = query.Text(c++);
  run.key = ReadKey(query, c);
  run.settings.algorithm = query.Text(c++);
  run.settings.random_seed = static_cast<uint64_t>(query.Int(c++));
  run.settings.budget_evaluations = query.Int(c++);
  run.settings.budget_seconds = query.Real(c++);
  run.settings.seed_policy = query.Text(c++);
  run.kernel_name = query.Text(c++);
  run.kernel_text = query.Text(c++);
  run.device_text = query.Text(c++);
  run.started_unix_micros = query.Int(c++);
  run.state = static_cast<RunState>(query.Int(c++));
  run.seconds_spent = query.Real(c++);
  run.heuristics_json = query.Text(c);
  return run;
}

absl::Status CheckSum(int64_t kept, int64_t computed) {
  return kept == computed ? absl::OkStatus()
                          : absl::InvalidArgumentError("a value has changed since it was written");
}

// kInvalidArgument: the samples are no array of numbers.
absl::StatusOr<Outcome> ReadOutcome(const SqliteQuery& query, int& c) {
  Outcome outcome;
  outcome.kind = static_cast<OutcomeKind>(query.Int(c++));
  const nlohmann::json samples =
      nlohmann::json::parse(query.Text(c++), nullptr, /*allow_exceptions=*/false);
  if (!samples.is_array() ||
      !std::all_of(samples.begin(), samples.end(), [](const auto& x) { return x.is_number(); })) {
    return absl::InvalidArgumentError("samples_ns is no array of numbers");
  }
  outcome.samples_ns = samples.get<std::vector<double>>();
  outcome.lower_bound_ns = query.Real(c++);
  outcome.message = query.Text(c++);
  outcome.compile_ns = query.Real(c++);
  outcome.measure_ns = query.Real(c++);
  return outcome;
}

struct BestRow {
  BestRecord best;
  int64_t log_size = 0;
};

// From SEEDTUNE_SELECT_BEST. kInvalidArgument: it cannot be.
absl::StatusOr<BestRow> ReadBest(const SqliteQuery& query) {
  BestRow row;
  BestRecord& best = row.best;
  int c = 0;
  best.run_id = query.Text(c++);
  const int64_t checksum = query.Int(c++);
  const int64_t ask_sequence = query.Int(c++);
  row.log_size = query.Int(c++);
  const double objective_ns = query.Real(c++);
  best.kernel_name = query.Text(c++);
  best.heuristics_json = query.Text(c++);
  best.config_json = query.Text(c++);
  best.key = ReadKey(query, c);
  best.origin = query.Text(c++);
  best.heuristic = query.Text(c++);
  SEEDTUNE_ASSIGN_OR_RETURN(best.outcome, ReadOutcome(query, c));
  best.untuned_config_json = query.Text(c++);
  best.untuned_origin = query.Text(c++);
  SEEDTUNE_ASSIGN_OR_RETURN(best.untuned_outcome, ReadOutcome(query, c));
  best.evaluations = query.Int(c++);
  best.seconds = query.Real(c++);
  best.recorded_unix_micros = query.Int(c++);
  SEEDTUNE_RETURN_IF_ERROR(CheckBest(best));
  SEEDTUNE_RETURN_IF_ERROR(CheckSum(checksum, Checksum(best, ask_sequence, row.log_size)));
  if (objective_ns != best.outcome.objective_ns()) {
    return absl::InvalidArgumentError("objective_ns is not the median of the samples");
  }
  return row;
}

class SqliteDatabase : public Database {
 public:
  SqliteDatabase(std::unique_ptr<SqliteConnection> connection, Mode mode)
      : connection_(std::move(connection)), mode_(mode) {}
  ~SqliteDatabase() override {
    if (mode_ == Mode::kReadWrite) CloseDatabaseFile(std::move(connection_));
  }

  const std::string& path() const override { return connection_->path(); }

  absl::StatusOr<std::string> StartRun(RunInfo run) override {
    if (run.id.empty()) {
      SEEDTUNE_ASSIGN_OR_RETURN(run.id, NewRunId());
    }
    SEEDTUNE_RETURN_IF_ERROR(Here(CheckRun(run)));
    if (run.state != RunState::kUnfinished) {
      return Here(absl::InvalidArgumentError("state is finished, want unfinished"));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginWrite());
    SEEDTUNE_ASSIGN_OR_RETURN(const std::optional<RunRow> present, FindRun(run.id));
    if (present.has_value()) {
      return Here(absl::AlreadyExistsError(
          absl::StrCat("run ", Quoted(run.id), " is there already; leave the id empty")));
    }
    SEEDTUNE_RETURN_IF_ERROR(InsertRun(run).status());
    SEEDTUNE_RETURN_IF_ERROR(transaction.Commit());
    return run.id;
  }

  absl::Status Append(const std::string& run_id, const RunEvent& event) override {
    RunEvent valid = event;
    valid.outcome.message = ToValidUtf8(event.outcome.message);
    SEEDTUNE_RETURN_IF_ERROR(InRun(run_id, CheckEvent(valid)));
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginWrite());
    SEEDTUNE_ASSIGN_OR_RETURN(const int64_t run, UnfinishedRun(run_id));
    SEEDTUNE_ASSIGN_OR_RETURN(LogState* const log, CurrentLog(run_id, run));
    if (event.sequence >= 0 && event.sequence < log->next_sequence()) {
      return InRun(
          run_id, absl::AbortedError(absl::StrCat(
                      "event ", event.sequence, " is there already (next is ", log->next_sequence(),
                      "); another process goes on with this run: wait until it ends")));
    }
    SEEDTUNE_RETURN_IF_ERROR(InRun(run_id, log->CheckNext(valid)));
    if (event.kind != RunEvent::Kind::kAsk) {
      SEEDTUNE_ASSIGN_OR_RETURN(const RunEvent ask, ReadAsk(run, event.ask_sequence));
      SEEDTUNE_RETURN_IF_ERROR(InRun(run_id, CheckAnswersAsk(valid, ask)));
    }
    SEEDTUNE_RETURN_IF_ERROR(InsertEvent(run, run_id, valid));
    SEEDTUNE_RETURN_IF_ERROR(transaction.Commit());
    log->Add(valid);
    return absl::OkStatus();
  }

  absl::Status AddSeconds(const std::string& run_id, double seconds) override {
    if (!(seconds >= 0) || seconds > std::numeric_limits<double>::max()) {
      return InRun(run_id, absl::InvalidArgumentError(absl::StrCat(
                               "seconds is ", seconds, ", want a finite number of at least 0")));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginWrite());
    SEEDTUNE_ASSIGN_OR_RETURN(RunRow row, GetRun(run_id));
    row.info.seconds_spent += seconds;
    SEEDTUNE_RETURN_IF_ERROR(UpdateRun(row));
    return transaction.Commit();
  }

  absl::Status FinishRun(const std::string& run_id, const BestRecord& best) override {
    BestRecord valid = best;
    valid.outcome.message = ToValidUtf8(best.outcome.message);
    valid.untuned_outcome.message = ToValidUtf8(best.untuned_outcome.message);
    SEEDTUNE_RETURN_IF_ERROR(InRun(run_id, CheckBest(valid)));
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginWrite());
    SEEDTUNE_ASSIGN_OR_RETURN(RunRow row, GetRun(run_id));
    if (row.info.state == RunState::kFinished) {
      return InRun(run_id, absl::FailedPreconditionError("is finished already"));
    }
    SEEDTUNE_RETURN_IF_ERROR(InRun(run_id, CheckAnswersRun(valid, row.info)));
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunEvent> events, ReadEvents(row));
    const absl::StatusOr<int64_t> ask = FindWinningAsk(events, valid);
    if (!ask.ok()) return InRun(run_id, ask.status());
    SEEDTUNE_RETURN_IF_ERROR(
        Finish(row, *ask, static_cast<int64_t>(events.size()), std::move(valid)));
    SEEDTUNE_RETURN_IF_ERROR(transaction.Commit());
    logs_.erase(row.run);
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<RunInfo>> FindUnfinished(const RecordKey& key,
                                                        const RunSettings& settings) override {
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_RUN SEEDTUNE_WHERE_KEY
                      "AND algorithm = ? AND random_seed = ? AND budget_evaluations "
                      "= ? AND budget_seconds = ? AND seed_policy = ? AND state = 1 "
                      "ORDER BY started_unix_micros DESC, run DESC LIMIT 1");
    Bind(query, key);
    Bind(query, settings);
    SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<RunInfo>();
    SEEDTUNE_ASSIGN_OR_RETURN(RunRow row, RunOf(query));
    return std::optional<RunInfo>(std::move(row.info));
  }

  absl::StatusOr<std::vector<RunEvent>> Events(const std::string& run_id) override {
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginRead());
    SEEDTUNE_ASSIGN_OR_RETURN(const RunRow row, GetRun(run_id));
    return ReadEvents(row);
  }

  absl::StatusOr<LookupResult> Lookup(const RecordKey& key) override {
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginRead());
    return LookupStrict(key);
  }

  absl::StatusOr<LookupResult> LookupLoose(const RecordKey& key) override {
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginRead());
    SEEDTUNE_ASSIGN_OR_RETURN(LookupResult result, LookupStrict(key));
    if (result.record.has_value()) return result;
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_BEST
                      "WHERE kernel_fingerprint = ? AND backend = ? AND space_id = ? AND "
                      "device_key = ? ORDER BY objective_ns, recorded_unix_micros DESC, id");
    query.Bind(key.kernel_fingerprint).Bind(key.backend).Bind(key.space_id).Bind(key.device_key);
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) break;
      SEEDTUNE_ASSIGN_OR_RETURN(BestRow row, BestOf(query));
      if (!result.record.has_value() ||
          KeyDistance(key, row.best.key) < KeyDistance(key, result.record->key)) {
        result.record = std::move(row.best);
      }
    }
    if (!result.record.has_value()) return result;
    result.difference = DescribeKeyDifference(result.record->key, key);
    result.miss_reason.clear();
    return result;
  }

  absl::StatusOr<std::vector<RunInfo>> ListRuns() override {
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_RUN "ORDER BY started_unix_micros DESC, id");
    std::vector<RunInfo> runs;
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) return runs;
      SEEDTUNE_ASSIGN_OR_RETURN(RunRow row, RunOf(query));
      runs.push_back(std::move(row.info));
    }
  }

  absl::StatusOr<std::vector<BestRecord>> ListBest() override {
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_BEST "ORDER BY recorded_unix_micros DESC, id");
    std::vector<BestRecord> answers;
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) return answers;
      SEEDTUNE_ASSIGN_OR_RETURN(BestRow row, BestOf(query));
      answers.push_back(std::move(row.best));
    }
  }

  absl::StatusOr<std::string> ExportJsonLines() override {
    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginRead());
    std::string text = absl::StrCat(FormatHeaderLine(), "\n");
    // An order that does not depend on which file a run was merged into when.
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_RUN "ORDER BY started_unix_micros, id");
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) return text;
      SEEDTUNE_ASSIGN_OR_RETURN(const RunRow row, RunOf(query));
      SEEDTUNE_ASSIGN_OR_RETURN(const RunDocument document, ReadDocument(row));
      absl::StrAppend(&text, FormatRunLine(document), "\n");
    }
  }

  absl::StatusOr<int64_t> ImportJsonLines(std::string_view text) override {
    // All is read and checked before the file is locked.
    std::vector<std::pair<int, RunDocument>> documents;  // with line numbers
    int line_number = 0;
    while (line_number == 0 || !text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      ++line_number;
      if (line_number == 1) {
        SEEDTUNE_RETURN_IF_ERROR(AtLine(line_number, ParseHeaderLine(line)));
        continue;
      }
      absl::StatusOr<RunDocument> document = ParseRunLine(line);
      SEEDTUNE_RETURN_IF_ERROR(AtLine(line_number, document.status()));
      SEEDTUNE_RETURN_IF_ERROR(AtLine(line_number, CheckDocument(*document)));
      documents.emplace_back(line_number, *std::move(document));
    }

    SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction, BeginWrite());
    int64_t added = 0;
    for (const auto& [number, document] : documents) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool changed, Merge(number, document));
      added += changed ? 1 : 0;
    }
    SEEDTUNE_RETURN_IF_ERROR(transaction.Commit());
    return added;
  }

 private:
  struct RunRow {
    int64_t run = 0;
    RunInfo info;
  };

  absl::Status Here(const absl::Status& status) const {
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat(Quoted(path()), ": ", status.message()));
  }

  absl::Status InRun(const std::string& run_id, const absl::Status& status) const {
    if (status.ok()) return status;
    return Here(
        absl::Status(status.code(), absl::StrCat("run ", Quoted(run_id), ": ", status.message())));
  }

  static absl::Status AtLine(int line, const absl::Status& status) {
    if (status.ok()) return status;
    return absl::Status(status.code(), absl::StrCat("line ", line, ": ", status.message()));
  }

  // What the file holds cannot be.
  absl::Status Damaged(const std::string& run_id, const absl::Status& status) const {
    if (status.ok()) return status;
    return InRun(run_id, absl::DataLossError(absl::StrCat(
                             "damaged (", status.message(),
                             "); put back a copy of the file, or move it away and tune again")));
  }

  absl::StatusOr<SqliteTransaction> BeginRead() {
    return SqliteTransaction::Begin(*connection_, SqliteTransaction::Kind::kRead);
  }

  absl::StatusOr<SqliteTransaction> BeginWrite() {
    if (mode_ == Mode::kReadOnly) {
      return Here(absl::PermissionDeniedError("is open for reading only; open it for writing"));
    }
    return SqliteTransaction::Begin(*connection_, SqliteTransaction::Kind::kWrite);
  }

  // From SEEDTUNE_SELECT_RUN.
  absl::StatusOr<RunRow> RunOf(const SqliteQuery& query) {
    RunRow row;
    row.run = query.Int(0);
    row.info = ReadRun(query, 2);
    SEEDTUNE_RETURN_IF_ERROR(Damaged(row.info.id, CheckRun(row.info)));
    SEEDTUNE_RETURN_IF_ERROR(Damaged(row.info.id, CheckSum(query.Int(1), Checksum(row.info))));
    return row;
  }

  absl::StatusOr<std::optional<RunRow>> FindRun(const std::string& run_id) {
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_RUN "WHERE id = ?");
    query.Bind(run_id);
    SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return std::optional<RunRow>();
    SEEDTUNE_ASSIGN_OR_RETURN(RunRow row, RunOf(query));
    return std::optional<RunRow>(std::move(row));
  }

  absl::StatusOr<RunRow> GetRun(const std::string& run_id) {
    SEEDTUNE_ASSIGN_OR_RETURN(std::optional<RunRow> row, FindRun(run_id));
    if (!row.has_value()) {
      return Here(absl::NotFoundError(
          absl::StrCat("has no run ", Quoted(run_id), "; start it, or give another file")));
    }
    return *std::move(row);
  }

  absl::StatusOr<int64_t> UnfinishedRun(const std::string& run_id) {
    SqliteQuery query(*connection_, "SELECT run, state FROM runs WHERE id = ?");
    query.Bind(run_id);
    SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (!found) return GetRun(run_id).status();
    if (query.Int(1) != static_cast<int64_t>(RunState::kUnfinished)) {
      return InRun(run_id, absl::FailedPreconditionError("is finished; start another run"));
    }
    return query.Int(0);
  }

  // The state of a run's log: what is remembered of it, and what other processes have added since.
  // Valid until the run is finished.
  absl::StatusOr<LogState*> CurrentLog(const std::string& run_id, int64_t run) {
    int64_t next = 0;
    {
      SqliteQuery query(*connection_, "SELECT max(sequence) FROM events WHERE run = ?");
      query.Bind(run);
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (found && !query.IsNull(0)) next = query.Int(0) + 1;
    }
    LogState& log = logs_[run];
    if (log.next_sequence() > next) log = LogState();
    if (log.next_sequence() == next) return &log;
    SqliteQuery query(*connection_,
                      "SELECT sequence, kind, ask_sequence FROM events WHERE run = ? AND sequence "
                      ">= ? ORDER BY sequence");
    query.Bind(run).Bind(log.next_sequence());
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) return &log;
      RunEvent event;
      event.sequence = query.Int(0);
      event.kind = static_cast<RunEvent::Kind>(query.Int(1));
      event.ask_sequence = query.Int(2);
      SEEDTUNE_RETURN_IF_ERROR(Damaged(run_id, log.CheckNext(event)));
      log.Add(event);
    }
  }

  absl::StatusOr<RunEvent> ReadAsk(int64_t run, int64_t sequence) {
    SqliteQuery query(
        *connection_,
        "SELECT config, origin, heuristic FROM events WHERE run = ? AND sequence = ?");
    query.Bind(run).Bind(sequence);
    SEEDTUNE_RETURN_IF_ERROR(query.Step().status());
    RunEvent ask;
    ask.config_json = query.Text(0);
    ask.origin = query.Text(1);
    ask.heuristic = query.Text(2);
    return ask;
  }

  absl::StatusOr<std::vector<RunEvent>> ReadEvents(const RunRow& row) {
    const std::string& run_id = row.info.id;
    SqliteQuery query(*connection_,
                      "SELECT sequence, kind, at_seconds, config, origin, heuristic, "
                      "ask_sequence, " SEEDTUNE_OUTCOME_COLUMNS
                      ", checksum FROM events WHERE run = ? ORDER BY sequence");
    query.Bind(row.run);
    constexpr int kChecksum = 13;  // its column
    std::vector<RunEvent> events;
    LogState log;
    while (true) {
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (!found) return events;
      RunEvent event;
      int column = 0;
      event.sequence = query.Int(column++);
      event.kind = static_cast<RunEvent::Kind>(query.Int(column++));
      event.at_seconds = query.Real(column++);
      event.config_json = query.Text(column++);
      event.origin = query.Text(column++);
      event.heuristic = query.Text(column++);
      event.ask_sequence = query.Int(column++);
      if (event.kind != RunEvent::Kind::kAsk) {
        absl::StatusOr<Outcome> outcome = ReadOutcome(query, column);
        SEEDTUNE_RETURN_IF_ERROR(Damaged(run_id, outcome.status()));
        event.outcome = *std::move(outcome);
      }
      SEEDTUNE_RETURN_IF_ERROR(Damaged(run_id, CheckEvent(event)));
      SEEDTUNE_RETURN_IF_ERROR(Damaged(run_id, log.CheckNext(event)));
      SEEDTUNE_RETURN_IF_ERROR(
          Damaged(run_id, CheckSum(query.Int(kChecksum), Checksum(run_id, event))));
      log.Add(event);
      if (event.kind != RunEvent::Kind::kAsk) {
        event.config_json = events[event.ask_sequence].config_json;
      }
      events.push_back(std::move(event));
    }
  }

  absl::StatusOr<BestRow> BestOf(const SqliteQuery& query) {
    absl::StatusOr<BestRow> row = ReadBest(query);
    SEEDTUNE_RETURN_IF_ERROR(Damaged(query.Text(0), row.status()));
    return row;
  }

  absl::StatusOr<RunDocument> ReadDocument(const RunRow& row) {
    RunDocument document;
    document.run = row.info;
    SEEDTUNE_ASSIGN_OR_RETURN(document.events, ReadEvents(row));
    SqliteQuery query(*connection_, SEEDTUNE_SELECT_BEST "WHERE answers.run = ?");
    query.Bind(row.run);
    SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
    if (found != (row.info.state == RunState::kFinished)) {
      return Damaged(row.info.id, absl::InvalidArgumentError("state and answer disagree"));
    }
    if (!found) return document;
    SEEDTUNE_ASSIGN_OR_RETURN(BestRow answer, BestOf(query));
    const int64_t log_size = static_cast<int64_t>(document.events.size());
    if (log_size != answer.log_size) {
      return Damaged(row.info.id, absl::InvalidArgumentError(
                                      absl::StrCat(log_size, " events, want ", answer.log_size)));
    }
    document.best = std::move(answer.best);
    return document;
  }

  // The run's new number.
  absl::StatusOr<int64_t> InsertRun(const RunInfo& run) {
    SqliteQuery query(*connection_,
                      "INSERT INTO runs (" SEEDTUNE_RUN_COLUMNS
                      ", checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
                      "?, ?, ?) RETURNING run");
    query.Bind(run.id);
    Bind(query, run.key);
    Bind(query, run.settings);
    query.Bind(run.kernel_name)
        .Bind(run.kernel_text)
        .Bind(run.device_text)
        .Bind(run.started_unix_micros)
        .Bind(static_cast<int64_t>(run.state))
        .Bind(run.seconds_spent)
        .Bind(run.heuristics_json)
        .Bind(Checksum(run));
    SEEDTUNE_RETURN_IF_ERROR(query.Step().status());
    const int64_t number = query.Int(0);
    SEEDTUNE_RETURN_IF_ERROR(query.Run());
    return number;
  }

  // Writes what may change of a run.
  absl::Status UpdateRun(const RunRow& row) {
    SqliteQuery query(*connection_,
                      "UPDATE runs SET state = ?, seconds_spent = ?, heuristics_json = ?, checksum "
                      "= ? WHERE run = ?");
    query.Bind(static_cast<int64_t>(row.info.state))
        .Bind(row.info.seconds_spent)
        .Bind(row.info.heuristics_json)
        .Bind(Checksum(row.info))
        .Bind(row.run);
    return query.Run();
  }

  absl::Status InsertEvent(int64_t run, const std::string& run_id, const RunEvent& event) {
    SqliteQuery query(*connection_,
                      "INSERT INTO events (run, checksum, sequence, kind, at_seconds, config, "
                      "origin, heuristic, ask_sequence, " SEEDTUNE_OUTCOME_COLUMNS
                      ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    query.Bind(run)
        .Bind(Checksum(run_id, event))
        .Bind(event.sequence)
        .Bind(static_cast<int64_t>(event.kind))
        .Bind(event.at_seconds);
    if (event.kind == RunEvent::Kind::kAsk) {
      query.Bind(event.config_json).Bind(event.origin).Bind(event.heuristic);  // The rest is NULL.
    } else {
      query.BindNull().BindNull().BindNull().Bind(event.ask_sequence);
      Bind(query, event.outcome);
    }
    return query.Run();
  }

  // Writes the answer and marks the run finished.
  absl::Status Finish(RunRow& row, int64_t ask_sequence, int64_t log_size, BestRecord best) {
    row.info.state = RunState::kFinished;
    row.info.heuristics_json = best.heuristics_json;
    best.run_id = row.info.id;
    best.kernel_name = row.info.kernel_name;
    best.key = row.info.key;
    SqliteQuery query(
        *connection_,
        "INSERT INTO answers (run, ask_sequence, log_size, objective_ns, origin, heuristic, "
        "outcome, samples_ns, lower_bound_ns, message, compile_ns, measure_ns, "
        "untuned_config, untuned_origin, untuned_outcome, untuned_samples_ns, "
        "untuned_lower_bound_ns, untuned_message, untuned_compile_ns, "
        "untuned_measure_ns, evaluations, seconds, recorded_unix_micros, checksum) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
        "?, ?)");
    query.Bind(row.run)
        .Bind(ask_sequence)
        .Bind(log_size)
        .Bind(best.outcome.objective_ns())
        .Bind(best.origin)
        .Bind(best.heuristic);
    Bind(query, best.outcome);
    query.Bind(best.untuned_config_json).Bind(best.untuned_origin);
    Bind(query, best.untuned_outcome);
    query.Bind(best.evaluations)
        .Bind(best.seconds)
        .Bind(best.recorded_unix_micros)
        .Bind(Checksum(best, ask_sequence, log_size));
    SEEDTUNE_RETURN_IF_ERROR(query.Run());
    return UpdateRun(row);
  }

  static absl::Status CheckAnswersRun(const BestRecord& best, const RunInfo& run) {
    if (!best.run_id.empty() && best.run_id != run.id) {
      return absl::InvalidArgumentError(
          absl::StrCat("run_id is ", Quoted(best.run_id), ", want the run's or none"));
    }
    if (!best.kernel_name.empty() && best.kernel_name != run.kernel_name) {
      return absl::InvalidArgumentError(absl::StrCat("kernel_name is ", Quoted(best.kernel_name),
                                                     ", want ", Quoted(run.kernel_name),
                                                     " or none"));
    }
    if (best.key != RecordKey() && best.key != run.key) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the key has ", DescribeKeyDifference(best.key, run.key), " or an empty key"));
    }
    return absl::OkStatus();
  }

  // In a transaction.
  absl::StatusOr<LookupResult> LookupStrict(const RecordKey& key) {
    LookupResult result;
    {
      SqliteQuery query(*connection_, SEEDTUNE_SELECT_BEST SEEDTUNE_WHERE_KEY
                        "ORDER BY objective_ns, recorded_unix_micros DESC, id LIMIT 1");
      Bind(query, key);
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (found) {
        SEEDTUNE_ASSIGN_OR_RETURN(BestRow row, BestOf(query));
        result.record = std::move(row.best);
        return result;
      }
    }
    SEEDTUNE_ASSIGN_OR_RETURN(result.miss_reason, MissReason(key));
    return result;
  }

  absl::StatusOr<std::string> MissReason(const RecordKey& key) {
    {
      SqliteQuery query(*connection_,
                        "SELECT (SELECT count(*) FROM events WHERE events.run = runs.run AND kind "
                        "= 2) FROM runs" SEEDTUNE_WHERE_KEY
                        "AND state = 1 ORDER BY started_unix_micros DESC, run DESC LIMIT 1");
      Bind(query, key);
      SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
      if (found) {
        const int64_t evaluations = query.Int(0);
        return absl::StrCat("only an unfinished run of ", evaluations,
                            evaluations == 1 ? " evaluation" : " evaluations",
                            " is recorded; tune again to go on with it");
      }
    }
    std::vector<RecordKey> recorded;
    {
      SqliteQuery query(*connection_,
                        "SELECT " SEEDTUNE_KEY_COLUMNS
                        " FROM answers JOIN runs ON runs.run = answers.run WHERE "
                        "kernel_fingerprint = ? ORDER BY recorded_unix_micros DESC, id");
      query.Bind(key.kernel_fingerprint);
      while (true) {
        SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
        if (!found) break;
        int column = 0;
        recorded.push_back(ReadKey(query, column));
      }
    }
    if (!recorded.empty()) return DescribeMiss(key, recorded);
    SEEDTUNE_ASSIGN_OR_RETURN(
        const int64_t kernels,
        connection_->QueryInt("SELECT count(DISTINCT kernel_fingerprint) FROM runs WHERE state = "
                              "2"));
    if (kernels == 0) return "nothing recorded yet";
    return absl::StrCat("nothing recorded for this kernel; recorded: ", kernels,
                        kernels == 1 ? " other kernel" : " other kernels");
  }

  // Adds a checked run of line `line`, or what it has more than the run of its id that is here.
  // False: nothing new.
  absl::StatusOr<bool> Merge(int line, const RunDocument& incoming) {
    SEEDTUNE_ASSIGN_OR_RETURN(const std::optional<RunRow> found, FindRun(incoming.run.id));
    RunDocument here;
    RunRow row;
    if (found.has_value()) {
      row = *found;
      SEEDTUNE_ASSIGN_OR_RETURN(here, ReadDocument(row));
      const auto question = [](const RunInfo& run) {
        return std::tie(run.key, run.settings, run.kernel_name, run.kernel_text, run.device_text,
                        run.started_unix_micros);
      };
      const size_t common = std::min(here.events.size(), incoming.events.size());
      const bool same_log =
          std::equal(here.events.begin(), here.events.begin() + static_cast<std::ptrdiff_t>(common),
                     incoming.events.begin());
      const bool here_goes_on = here.events.size() > common || here.best.has_value();
      const bool incoming_goes_on = incoming.events.size() > common ||
                                    (incoming.best.has_value() && incoming.best != here.best);
      if (question(here.run) != question(incoming.run) || !same_log ||
          (here_goes_on && incoming_goes_on)) {
        return AtLine(line, absl::InvalidArgumentError(absl::StrCat(
                                "run ", Quoted(incoming.run.id), " went on differently in ",
                                Quoted(path()), "; drop this line")));
      }
      if (!incoming_goes_on) return false;
      row.info.seconds_spent = incoming.run.seconds_spent;
      SEEDTUNE_RETURN_IF_ERROR(UpdateRun(row));
    } else {
      row.info = incoming.run;
      row.info.state = RunState::kUnfinished;  // until its answer is there
      SEEDTUNE_ASSIGN_OR_RETURN(row.run, InsertRun(row.info));
    }
    for (size_t i = here.events.size(); i < incoming.events.size(); ++i) {
      SEEDTUNE_RETURN_IF_ERROR(InsertEvent(row.run, row.info.id, incoming.events[i]));
    }
    if (incoming.best.has_value()) {
      SEEDTUNE_ASSIGN_OR_RETURN(const int64_t ask, FindWinningAsk(incoming.events, *incoming.best));
      SEEDTUNE_RETURN_IF_ERROR(
          Finish(row, ask, static_cast<int64_t>(incoming.events.size()), *incoming.best));
      logs_.erase(row.run);
    }
    return true;
  }

  std::unique_ptr<SqliteConnection> connection_;
  Mode mode_;
  std::unordered_map<int64_t, LogState> logs_;  // by run number
};

}  // namespace

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path,
                                                         const Options& options) {
  const bool writes = options.mode == Mode::kReadWrite;
  SEEDTUNE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteConnection> connection,
      OpenDatabaseFile(
          path, {.writes = writes, .busy_timeout_ms = std::max(0, options.busy_timeout_ms)}));
  return std::make_unique<SqliteDatabase>(std::move(connection), options.mode);
}

std::string DefaultDatabasePath() {
  constexpr char kName[] = "/seedtune/tuning.db";
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  const char* data_home = std::getenv("XDG_DATA_HOME");
  if (data_home != nullptr && data_home[0] == '/') return absl::StrCat(data_home, kName);
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] != '\0') return absl::StrCat(home, "/.local/share", kName);
  return "./seedtune.db";
}

}  // namespace seedtune

#undef SEEDTUNE_KEY_COLUMNS
#undef SEEDTUNE_RUN_COLUMNS
#undef SEEDTUNE_SELECT_RUN
#undef SEEDTUNE_OUTCOME_COLUMNS
#undef SEEDTUNE_ANSWER_COLUMNS
#undef SEEDTUNE_SELECT_BEST
#undef SEEDTUNE_WHERE_KEY

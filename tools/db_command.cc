#include "tools/db_command.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "autotuner/database/database.h"
#include "hardware/hardware_info.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/record_json.h"
#include "tools/run_curves.h"
#include "tools/subject.h"
#include "tools/svg_chart.h"
#include "tools/t4_files.h"
#include "util/file.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

std::string When(int64_t unix_micros) {
  return absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMicros(unix_micros),
                          absl::LocalTimeZone());
}

nlohmann::ordered_json RunJson(const RunInfo& run) {
  return {{"run", run.id},
          {"kernel", run.kernel_name},
          {"fingerprint", run.key.kernel_fingerprint},
          {"backend", run.key.backend},
          {"algorithm", run.settings.algorithm},
          {"random_seed", run.settings.random_seed},
          {"budget_evaluations", run.settings.budget_evaluations},
          {"budget_seconds", run.settings.budget_seconds},
          {"started_unix_micros", run.started_unix_micros},
          {"finished", run.state == RunState::kFinished},
          {"seconds_spent", run.seconds_spent}};
}

// The run whose id begins so.
absl::StatusOr<RunInfo> FindRun(const Database& database, const std::vector<RunInfo>& runs,
                                const std::string& id) {
  std::vector<const RunInfo*> found;
  for (const RunInfo& run : runs) {
    if (absl::StartsWith(run.id, id)) found.push_back(&run);
  }
  if (found.size() == 1) return *found[0];
  const std::string where =
      id.empty() ? absl::StrCat(database.path(), ": ", runs.size(), " runs")
                 : absl::StrCat("--run=", id, ": ", found.size(), " runs in ", database.path());
  return absl::InvalidArgumentError(
      absl::StrCat(where, id.empty() ? ", want one of them" : " have such an id, want one",
                   runs.empty() ? "" : "; `seedtune db list` lists them and --run=ID chooses"));
}

absl::Status ExportT4(Database& database, const DbCommandOptions& options,
                      const Environment& environment) {
  if (options.file == "-") {
    return absl::InvalidArgumentError(
        "export of T4 to standard output: two files are written, want the name of one");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database.ListRuns());
  SEEDTUNE_ASSIGN_OR_RETURN(const RunInfo run, FindRun(database, runs, options.run));
  SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo device, DeviceOfRun(run));
  SEEDTUNE_ASSIGN_OR_RETURN(const Subject subject, SubjectOfRun(run, device));
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::string wrote,
      WriteRunAsT4(database, run.id, subject.space, run.kernel_name, device.name, options.file));
  environment.err << wrote << "\n";
  return absl::OkStatus();
}

}  // namespace

absl::Status RunDbList(const DbCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Database> database,
      Database::Open(ResolveDatabasePath(options.database), {.mode = Database::Mode::kReadOnly}));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<BestRecord> answers, database->ListBest());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database->ListRuns());
  if (options.json) {
    nlohmann::ordered_json json = {{"schema_version", kJsonSchemaVersion},
                                   {"database", database->path()},
                                   {"answers", nlohmann::ordered_json::array()},
                                   {"runs", nlohmann::ordered_json::array()}};
    for (const BestRecord& answer : answers) json["answers"].push_back(BestRecordToJson(answer));
    for (const RunInfo& run : runs) json["runs"].push_back(RunJson(run));
    environment.out << json.dump(2) << "\n";
    return absl::OkStatus();
  }
  Table table({{"recorded", Align::kLeft},
               {"kernel", Align::kLeft},
               {"backend", Align::kLeft},
               {"best", Align::kRight},
               {"speed-up", Align::kRight},
               {"measured", Align::kRight},
               {"run", Align::kLeft}});
  for (const BestRecord& answer : answers) {
    const double best_ns = answer.outcome.objective_ns();
    table.AddRow({When(answer.recorded_unix_micros), answer.kernel_name, answer.key.backend,
                  FormatNs(best_ns), FormatSpeedup(answer.untuned_outcome.objective_ns(), best_ns),
                  absl::StrCat(answer.evaluations), answer.run_id.substr(0, 8)});
  }
  int64_t unfinished = 0;
  for (const RunInfo& run : runs) unfinished += run.state == RunState::kUnfinished ? 1 : 0;
  environment.out << table.ToString() << "\n"
                  << database->path() << ": " << answers.size() << " answers, " << runs.size()
                  << " runs, " << unfinished << " of them unfinished\n";
  return absl::OkStatus();
}

absl::Status RunDbExport(const DbCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Database> database,
      Database::Open(ResolveDatabasePath(options.database), {.mode = Database::Mode::kReadOnly}));
  if (options.format == "t4") return ExportT4(*database, options, environment);
  if (options.format != "jsonl") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format is \"", options.format, "\", want jsonl or t4"));
  }
  if (!options.run.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--run=", options.run, ": an export as jsonl is of all runs; want --format=t4 with it"));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, database->ExportJsonLines());
  if (options.file == "-") {
    environment.out << text;
    return absl::OkStatus();
  }
  const std::string path = ResolveUserPath(options.file);
  SEEDTUNE_RETURN_IF_ERROR(WriteFileAtomically(path, text));
  environment.err << "wrote " << path << "\n";
  return absl::OkStatus();
}

absl::Status RunDbImport(const DbCommandOptions& options, const Environment& environment) {
  std::string text;
  if (options.file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    SEEDTUNE_ASSIGN_OR_RETURN(text, ReadFile(ResolveUserPath(options.file)));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                            Database::Open(ResolveDatabasePath(options.database)));
  absl::StatusOr<int64_t> added = database->ImportJsonLines(text);
  if (!added.ok()) {
    return absl::Status(added.status().code(),
                        absl::StrCat(options.file, ": ", std::string(added.status().message())));
  }
  environment.err << *added << " runs added to " << database->path() << "\n";
  return absl::OkStatus();
}

absl::Status RunDbMerge(const DbCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                            Database::Open(ResolveDatabasePath(options.database)));
  for (const std::string& file : options.files) {
    std::string text;
    {
      SEEDTUNE_ASSIGN_OR_RETURN(
          const std::unique_ptr<Database> other,
          Database::Open(ResolveUserPath(file), {.mode = Database::Mode::kReadOnly}));
      SEEDTUNE_ASSIGN_OR_RETURN(text, other->ExportJsonLines());
    }
    const absl::StatusOr<int64_t> added = database->ImportJsonLines(text);
    if (!added.ok()) {
      return absl::Status(added.status().code(),
                          absl::StrCat(file, ": ", std::string(added.status().message())));
    }
    environment.err << *added << " runs of " << file << " added to " << database->path() << "\n";
  }
  return absl::OkStatus();
}

absl::Status RunDbPlot(const DbCommandOptions& options, const Environment& environment) {
  SEEDTUNE_RETURN_IF_ERROR(CheckChartPath("the file", options.file));
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::unique_ptr<Database> database,
      Database::Open(ResolveDatabasePath(options.database), {.mode = Database::Mode::kReadOnly}));
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<RunInfo> runs, database->ListRuns());
  if (!options.runs.empty()) {
    std::vector<RunInfo> chosen;
    for (const std::string& id : options.runs) {
      SEEDTUNE_ASSIGN_OR_RETURN(RunInfo run, FindRun(*database, runs, id));
      chosen.push_back(std::move(run));
    }
    runs = std::move(chosen);
  } else {
    std::reverse(runs.begin(), runs.end());  // oldest first
  }
  std::vector<RunLog> logs;
  for (RunInfo& run : runs) {
    SEEDTUNE_ASSIGN_OR_RETURN(std::vector<RunEvent> events, database->Events(run.id));
    SEEDTUNE_ASSIGN_OR_RETURN(const HardwareInfo device, DeviceOfRun(run));
    logs.push_back({std::move(run), device.name, std::move(events)});
  }
  const std::vector<ChartPanel> panels = RunCurves(logs);
  if (panels.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(database->path(), ": ", logs.size(),
                     " runs, none with a time; `seedtune tune` records some"));
  }
  size_t lines = 0;
  for (const ChartPanel& panel : panels) lines += panel.lines.size();
  SEEDTUNE_RETURN_IF_ERROR(WriteChart(
      options.file, absl::StrCat("Best so far, ", lines, lines == 1 ? " run" : " runs"), panels));
  environment.err << lines << (lines == 1 ? " run" : " runs") << " drawn in " << options.file
                  << "\n";
  return absl::OkStatus();
}

}  // namespace seedtune

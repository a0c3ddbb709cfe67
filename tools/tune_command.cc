#include "tools/tune_command.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/database/database.h"
#include "autotuner/record_key.h"
#include "autotuner/tuner.h"
#include "heuristics/outcome_json.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/device.h"
#include "tools/record_json.h"
#include "tools/seed_flags.h"
#include "tools/subject.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

// A kernel's row of the result: an answer from the database, or what a search found.
struct Answer {
  BestRecord record;
  bool recorded_before = false;
  bool finished = true;
};

std::string FromWhom(const BestRecord& record) {
  if (record.heuristic.empty() || record.origin == "search") return record.origin;
  return absl::StrCat(record.heuristic, record.origin == "neighbor" ? " (neighbor)" : "");
}

BestRecord RecordOf(const Subject& subject, const RecordKey& key, const TuneResult& result) {
  BestRecord record;
  record.run_id = result.run_id;
  record.kernel_name = subject.kernel->name;
  record.key = key;
  record.config_json = result.best.config.ToJson();
  record.origin = result.best.origin;
  record.heuristic = result.best.heuristic;
  record.outcome = result.best_outcome;
  record.untuned_config_json = result.untuned.ToJson();
  record.untuned_origin = result.untuned_origin;
  record.untuned_outcome = result.untuned_outcome;
  record.evaluations = result.evaluations;
  record.seconds = result.seconds;
  return record;
}

std::string ResultTable(const std::vector<Subject>& subjects, const std::vector<Answer>& answers) {
  Table table({{"kernel", Align::kLeft},
               {"count", Align::kRight},
               {"untuned", Align::kRight},
               {"best", Align::kRight},
               {"speed-up", Align::kRight},
               {"GFLOP/s", Align::kRight},
               {"best from", Align::kLeft},
               {"measured", Align::kRight},
               {"", Align::kLeft}});
  double untuned_total_ns = 0, best_total_ns = 0;
  for (size_t i = 0; i < answers.size(); ++i) {
    const BestRecord& record = answers[i].record;
    const double untuned_ns = record.untuned_outcome.objective_ns();
    const double best_ns = record.outcome.objective_ns();
    const double count = static_cast<double>(subjects[i].count);
    untuned_total_ns += count * untuned_ns;
    best_total_ns += count * best_ns;
    table.AddRow(
        {record.kernel_name, absl::StrCat(subjects[i].count), FormatNs(untuned_ns),
         FormatNs(best_ns), FormatSpeedup(untuned_ns, best_ns),
         FormatGflops(subjects[i].flops(), best_ns), FromWhom(record),
         absl::StrCat(record.evaluations),
         answers[i].recorded_before ? "recorded" : (answers[i].finished ? "" : "stopped early")});
  }
  std::string text = table.ToString();
  if (answers.size() > 1) {
    absl::StrAppend(&text, "\nall ", answers.size(),
                    " kernels, each times its count: ", FormatNs(untuned_total_ns), " untuned, ",
                    FormatNs(best_total_ns), " tuned, ",
                    FormatSpeedup(untuned_total_ns, best_total_ns), "\n");
  }
  return text;
}

nlohmann::ordered_json ResultJson(const std::vector<Subject>& subjects,
                                  const std::vector<Answer>& answers,
                                  const std::string& database_path, const HardwareInfo& device) {
  nlohmann::ordered_json json;
  json["schema_version"] = kJsonSchemaVersion;
  json["database"] = database_path;
  json["device"] = device.name;
  json["kernels"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < answers.size(); ++i) {
    nlohmann::ordered_json row = BestRecordToJson(answers[i].record);
    row["count"] = subjects[i].count;
    row["flops"] = subjects[i].flops();
    row["recorded_before"] = answers[i].recorded_before;
    row["finished"] = answers[i].finished;
    json["kernels"].push_back(std::move(row));
  }
  return json;
}

// One tuning command: what its kernels share.
class TuneSession {
 public:
  TuneSession(const TuneCommandOptions& options, const Environment& environment,
              HardwareInfo device)
      : options_(options),
        environment_(environment),
        device_(std::move(device)),
        progress_(environment.err, environment.progress) {}

  absl::Status Prepare(size_t kernels) {
    absl::StatusOr<Budget> budget = ParseBudget(options_.budget);
    if (!budget.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--budget: ", std::string(budget.status().message())));
    }
    tune_.algorithm = options_.algorithm;
    tune_.random_seed = options_.random_seed;
    tune_.budget = *budget;
    tune_.budget.seconds /= static_cast<double>(kernels);
    tune_.resume = !options_.retune;
    tune_.stop = environment_.stop;
    SEEDTUNE_ASSIGN_OR_RETURN(tune_.heuristics,
                              MakeConsultOptions(options_.seeds, environment_.heuristics));
    tune_.progress = [this](const TuningProgress& progress) {
      progress_.Update(progress, static_cast<double>(environment_.clock.NowNs()) / 1e9);
    };
    SEEDTUNE_ASSIGN_OR_RETURN(info_, environment_.measurer_info(options_.kernel.backend, device_));
    const std::string path = ResolveDatabasePath(options_.database);
    SEEDTUNE_ASSIGN_OR_RETURN(database_, Database::Open(path));
    return absl::OkStatus();
  }

  absl::StatusOr<Answer> Answered(const Subject& subject, const std::string& label) {
    const RecordKey key = MakeRecordKey(*subject.kernel, *subject.space, info_);
    if (!options_.retune) {
      SEEDTUNE_ASSIGN_OR_RETURN(LookupResult found, database_->Lookup(key));
      if (found.record) {
        // The record may have been made under another name; the user's own is the one to show.
        found.record->kernel_name = subject.kernel->name;
        return Answer{*std::move(found.record), /*recorded_before=*/true};
      }
    }
    if (measurer_ == nullptr) {
      SEEDTUNE_ASSIGN_OR_RETURN(measurer_,
                                environment_.make_measurer(options_.kernel.backend, device_));
    }
    progress_.Start(label);
    absl::StatusOr<TuneResult> result =
        Tune(subject.kernel, subject.facts, subject.space, environment_.heuristics, *measurer_,
             database_.get(), environment_.clock, tune_);
    progress_.Finish();
    if (!result.ok()) return result.status();
    Answer answer{RecordOf(subject, key, *result), /*recorded_before=*/false, result->finished};
    answer.record.heuristics_json = HeuristicOutcomesToJson(result->heuristics);
    return answer;
  }

  const std::string& database_path() const { return database_->path(); }
  const HardwareInfo& device() const { return device_; }

 private:
  const TuneCommandOptions& options_;
  const Environment& environment_;
  const HardwareInfo device_;
  ProgressLine progress_;
  TuneOptions tune_;
  MeasurerInfo info_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Measurer> measurer_;
};

}  // namespace

absl::Status RunTune(const TuneCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(
      const HardwareInfo device,
      ResolveDevice(options.kernel.device, options.kernel.backend, environment.reader));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Subject> subjects,
                            LoadSubjects(options.kernel.kernels, options.kernel.backend, device));
  for (const Subject& subject : subjects) {
    SEEDTUNE_RETURN_IF_ERROR(environment.supports(options.kernel.backend, device, *subject.kernel));
  }
  TuneSession session(options, environment, device);
  SEEDTUNE_RETURN_IF_ERROR(session.Prepare(subjects.size()));
  environment.err << "tuning " << subjects.size() << (subjects.size() == 1 ? " kernel" : " kernels")
                  << " on " << device.name << " (" << options.kernel.backend << ", "
                  << device.arch.ToString() << "), budget " << options.budget
                  << (options.budget == TuneCommandOptions().budget ? " (--budget)" : "") << "\n";

  std::vector<Answer> answers;
  absl::Status status;
  int recorded = 0;
  for (size_t i = 0; i < subjects.size(); ++i) {
    const std::string label =
        absl::StrFormat("[%d/%d] %s", i + 1, subjects.size(), subjects[i].kernel->name);
    absl::StatusOr<Answer> answer = session.Answered(subjects[i], label);
    if (!answer.ok()) {
      status = answer.status();
      break;
    }
    recorded += answer->recorded_before ? 1 : 0;
    const bool stopped = !answer->finished;
    answers.push_back(*std::move(answer));
    if (stopped) {
      status = absl::CancelledError(
          "stopped; what was measured is recorded, and the same command goes on from there");
      break;
    }
  }

  if (options.kernel.json) {
    environment.out << ResultJson(subjects, answers, session.database_path(), device).dump(2)
                    << "\n";
  } else if (!answers.empty()) {
    environment.out << ResultTable(subjects, answers);
    if (recorded > 0) {
      environment.out << recorded << " of " << answers.size()
                      << " answered from the database without measuring; --retune searches again\n";
    }
    environment.out << "recorded in " << session.database_path() << "\n";
  }
  return status;
}

}  // namespace seedtune

#include "tools/tune_command.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "autotuner/database/database.h"
#include "autotuner/measurer.h"
#include "autotuner/record_key.h"
#include "autotuner/tuner.h"
#include "heuristics/consult.h"
#include "heuristics/outcome_json.h"
#include "matmul_ops/matmul_fact.h"
#include "nlohmann/json.hpp"
#include "tools/database_path.h"
#include "tools/record_json.h"
#include "tools/seed_flags.h"
#include "tools/seeds_reached.h"
#include "tools/subject.h"
#include "tools/t4_files.h"
#include "tools/target.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

// From recorded runs of kernels and devices like these, at most: each costs an evaluation.
constexpr int kRecordedSeeds = 3;

// A kernel's row of the result: an answer from the database, or what a search found.
struct Answer {
  BestRecord record;
  bool recorded_before = false;
  bool finished = true;
  std::string run_id;                        // that `--output-t4` writes; "": none
  std::vector<HeuristicOutcome> heuristics;  // of a search: what became of their seeds
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

// What the kernel takes at the least on a device that moves each byte once at full bandwidth, or
// computes at its peak, whichever takes longer; 0: nothing is known of either.
double RooflineNs(const Subject& subject, const HardwareInfo& device, double peak_gflops) {
  double bytes = 0;
  for (const MatmulFact& fact : subject.facts) bytes += static_cast<double>(fact.bytes);
  const auto bandwidth = static_cast<double>(device.memory_bandwidth_bytes_per_s);
  const double moving_ns = bandwidth > 0 ? bytes / bandwidth * 1e9 : 0;
  const double computing_ns =
      peak_gflops > 0 ? static_cast<double>(subject.flops()) / peak_gflops : 0;
  return std::max(moving_ns, computing_ns);
}

// One tuning command: what its kernels share.
class TuneSession {
 public:
  TuneSession(const TuneCommandOptions& options, const Environment& environment, Target& target)
      : options_(options),
        environment_(environment),
        target_(target),
        progress_(environment.err, environment.progress) {}

  absl::Status Prepare(size_t kernels) {
    if (!(options_.peak_gflops >= 0)) {
      return absl::InvalidArgumentError(
          absl::StrCat("--peak-gflops is ", options_.peak_gflops, ", want more than 0"));
    }
    if (options_.exhaustive) {
      tune_.algorithm = "exhaustive";
      // A record of the whole space is no use with slow ones left out.
      tune_.drop_factor = 0;
    } else {
      absl::StatusOr<Budget> budget = ParseBudget(options_.budget);
      if (!budget.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat("--budget: ", std::string(budget.status().message())));
      }
      tune_.algorithm = options_.algorithm;
      tune_.budget = *budget;
      tune_.budget.seconds /= static_cast<double>(kernels);
    }
    tune_.random_seed = options_.random_seed;
    if (!options_.exhaustive && !options_.no_transfer && !options_.seeds.no_seeds) {
      tune_.transfer.max_seeds = kRecordedSeeds;
    }
    tune_.resume = !options_.retune;
    tune_.stop = environment_.stop;
    SEEDTUNE_ASSIGN_OR_RETURN(tune_.heuristics,
                              MakeConsultOptions(options_.seeds, environment_.heuristics));
    tune_.progress = [this](const TuningProgress& progress) {
      progress_.Update(progress, static_cast<double>(environment_.clock.NowNs()) / 1e9);
    };
    SEEDTUNE_ASSIGN_OR_RETURN(info_, target_.Info());
    const std::string path = ResolveDatabasePath(options_.database);
    SEEDTUNE_ASSIGN_OR_RETURN(database_, Database::Open(path));
    return absl::OkStatus();
  }

  absl::StatusOr<Answer> Answered(const Subject& subject, const std::string& label) {
    const RecordKey key = MakeRecordKey(*subject.kernel, *subject.space, info_);
    if (tune_.budget.roofline_fraction > 0) {
      tune_.roofline_ns = RooflineNs(subject, target_.device(), options_.peak_gflops);
      if (tune_.roofline_ns == 0) {
        return absl::InvalidArgumentError(
            absl::StrCat("--budget: kernel \"", subject.kernel->name, "\" has no roofline on ",
                         target_.device().name,
                         ", whose memory bandwidth is not known; --peak-gflops=N gives it one"));
      }
    }
    if (options_.exhaustive) {
      tune_.budget = {.evaluations = static_cast<int64_t>(subject.space->NumValid()), .seconds = 0};
    }
    if (!options_.retune) {
      SEEDTUNE_ASSIGN_OR_RETURN(std::optional<Answer> recorded, RecordedAnswer(subject, key));
      if (recorded.has_value()) return *std::move(recorded);
    }
    SEEDTUNE_ASSIGN_OR_RETURN(Measurer* const measurer, target_.StartedMeasurer());
    tune_.heuristics_backend = subject.heuristics;
    progress_.Start(label);
    absl::StatusOr<TuneResult> result =
        Tune(subject.kernel, subject.facts, subject.space, environment_.heuristics, *measurer,
             database_.get(), environment_.clock, tune_);
    progress_.Finish();
    if (!result.ok()) return result.status();
    Answer answer{RecordOf(subject, key, *result), /*recorded_before=*/false, result->finished,
                  result->run_id, result->heuristics};
    answer.record.heuristics_json = HeuristicOutcomesToJson(result->heuristics);
    return answer;
  }

  // The results and the space of each answer's run, as files. `path` is a user's.
  absl::Status WriteT4(const std::vector<Subject>& subjects, const std::vector<Answer>& answers,
                       const std::string& path) {
    std::set<std::string> taken;  // kernels of several files may have one name
    for (size_t i = 0; i < answers.size(); ++i) {
      const std::string& kernel = subjects[i].kernel->name;
      std::string file = subjects.size() == 1 ? path : PathForKernel(path, kernel);
      if (!taken.insert(file).second) {
        file = PathForKernel(path, absl::StrCat(kernel, "-", i + 1));
        taken.insert(file);
      }
      SEEDTUNE_ASSIGN_OR_RETURN(const std::string wrote,
                                WriteRunAsT4(*database_, answers[i].run_id, subjects[i].space,
                                             kernel, target_.device().name, file));
      environment_.err << wrote << "\n";
    }
    return absl::OkStatus();
  }

  const std::string& database_path() const { return database_->path(); }

 private:
  // nullopt: none, or where all of the space is wanted, none by a search of it all.
  absl::StatusOr<std::optional<Answer>> RecordedAnswer(const Subject& subject,
                                                       const RecordKey& key) {
    SEEDTUNE_ASSIGN_OR_RETURN(LookupResult found, database_->Lookup(key));
    if (!found.record) return std::nullopt;
    std::string run_id = found.record->run_id;
    if (options_.exhaustive) {
      SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<RunInfo> runs, database_->ListRuns());
      const auto whole = std::find_if(runs.begin(), runs.end(), [&](const RunInfo& run) {
        return run.key == key && run.state == RunState::kFinished &&
               run.settings.algorithm == tune_.algorithm &&
               run.settings.budget_evaluations == tune_.budget.evaluations;
      });
      if (whole == runs.end()) return std::nullopt;
      run_id = whole->id;
    }
    // The record may have been made under another name; the user's own is the one to show.
    found.record->kernel_name = subject.kernel->name;
    return Answer{*std::move(found.record),
                  /*recorded_before=*/true,
                  /*finished=*/true,
                  std::move(run_id),
                  {}};
  }

  const TuneCommandOptions& options_;
  const Environment& environment_;
  Target& target_;
  ProgressLine progress_;
  TuneOptions tune_;
  MeasurerInfo info_;
  std::unique_ptr<Database> database_;
};

// What it means to measure everything, for people; an error where that is too much.
absl::StatusOr<std::string> ExhaustiveStatement(const std::vector<Subject>& subjects,
                                                int64_t limit) {
  if (limit < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--exhaustive-limit is ", limit, ", want at least 1"));
  }
  absl::uint128 total = 0;
  const auto about = [](absl::uint128 configurations) {
    return FormatSeconds(static_cast<double>(configurations) * MeasureRequest().target_measure_ns *
                         1e-9);
  };
  const std::string each = FormatNs(MeasureRequest().target_measure_ns);
  for (const Subject& subject : subjects) {
    const absl::uint128 configurations = subject.space->NumValid();
    if (configurations > static_cast<absl::uint128>(limit)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--exhaustive: kernel \"", subject.kernel->name, "\" has ", FormatCount(configurations),
          " configurations, want at most ", FormatCount(static_cast<absl::uint128>(limit)), "; at ",
          each, " of timing each these take about ", about(configurations),
          ", and compiling and checking besides; --exhaustive-limit=N allows it, --restrict "
          "measures a part of them, --budget searches for as long as you like"));
    }
    total += configurations;
  }
  return absl::StrCat(FormatCount(total), " configurations, all of them; at ", each,
                      " of timing each that is about ", about(total),
                      ", and compiling and checking besides; Ctrl-C keeps what is "
                      "measured, and the same command goes on");
}

}  // namespace

absl::Status RunTune(const TuneCommandOptions& options, const Environment& environment) {
  if (!options.output_t4.empty()) SEEDTUNE_RETURN_IF_ERROR(CheckT4Path(options.output_t4));
  SEEDTUNE_ASSIGN_OR_RETURN(Target target, Target::Resolve(options.kernel, environment));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Subject> subjects, target.Subjects());
  for (const Subject& subject : subjects) {
    SEEDTUNE_RETURN_IF_ERROR(target.Supports(*subject.kernel));
  }
  std::string extent =
      absl::StrCat("budget ", options.budget,
                   options.budget == TuneCommandOptions().budget ? " (--budget)" : "");
  if (options.exhaustive) {
    SEEDTUNE_ASSIGN_OR_RETURN(extent, ExhaustiveStatement(subjects, options.exhaustive_limit));
  }
  const HardwareInfo& device = target.device();
  TuneSession session(options, environment, target);
  SEEDTUNE_RETURN_IF_ERROR(session.Prepare(subjects.size()));
  environment.err << "tuning " << subjects.size() << (subjects.size() == 1 ? " kernel" : " kernels")
                  << " on " << device.name << " (" << target.Describe() << "), " << extent << "\n";
  if (target.worker() != nullptr && !target.worker()->checks_results) {
    environment.err << "worker " << target.worker()->title
                    << " does not check its results: wrong ones may win\n";
  }

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

  if (!options.output_t4.empty()) {
    const absl::Status written = session.WriteT4(subjects, answers, options.output_t4);
    if (status.ok()) status = written;
  }
  if (options.kernel.json) {
    environment.out << ResultJson(subjects, answers, session.database_path(), device).dump(2)
                    << "\n";
  } else if (!answers.empty()) {
    environment.out << ResultTable(subjects, answers);
    bool is_first = true;
    for (size_t i = 0; i < answers.size(); ++i) {
      const std::string reached = DescribeWhatSeedsReached(answers[i].heuristics);
      if (reached.empty()) continue;
      environment.out << (std::exchange(is_first, false) ? "what seeds reached\n" : "") << "  "
                      << subjects[i].kernel->name << "\n    "
                      << absl::StrReplaceAll(absl::StripTrailingAsciiWhitespace(reached),
                                             {{"\n", "\n    "}})
                      << "\n";
    }
    if (recorded > 0) {
      environment.out << recorded << " of " << answers.size()
                      << " answered from the database without measuring; --retune searches again\n";
    }
    environment.out << "recorded in " << session.database_path() << "\n";
  }
  return status;
}

}  // namespace seedtune

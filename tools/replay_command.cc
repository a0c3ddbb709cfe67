#include "tools/replay_command.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "autotuner/replay/coupled_moves.h"
#include "autotuner/replay/experiment.h"
#include "autotuner/replay/gzip.h"
#include "autotuner/replay/kernel_tuner_cache.h"
#include "autotuner/replay/recorded_only.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/scorer.h"
#include "autotuner/replay/t4.h"
#include "autotuner/search/search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "nlohmann/json.hpp"
#include "tools/progress.h"
#include "tools/record_json.h"
#include "tools/replay_seeds.h"
#include "tools/svg_chart.h"
#include "tools/t4_files.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

using Json = nlohmann::ordered_json;
using Spaces = std::vector<std::shared_ptr<const ConfigSpace>>;

constexpr char kRandomSearch[] = "random, calculated";

absl::Status In(const std::string& path, const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat(path, ": ", status.message()));
}

absl::StatusOr<std::string> ReadText(const std::string& path) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(ResolveUserPath(path)));
  absl::StatusOr<std::string> text = MaybeGunzip(bytes);
  if (!text.ok()) return In(path, text.status());
  return text;
}

absl::StatusOr<Spaces> ReadSpaces(const std::vector<std::string>& paths) {
  Spaces spaces;
  for (const std::string& path : paths) {
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
    const absl::StatusOr<T1Space> t1 = ReadT1(text);
    if (!t1.ok()) return In(path, t1.status());
    absl::StatusOr<std::shared_ptr<const ConfigSpace>> space = MakeConfigSpace(*t1);
    if (!space.ok()) return In(path, space.status());
    spaces.push_back(*std::move(space));
  }
  return spaces;
}

// A cache names its parameters before its entries; T4 has no such member.
bool IsKernelTunerCache(const std::string& text) {
  return absl::StrContains(text.substr(0, text.find("\"cache\"")), "\"tune_params");
}

absl::StatusOr<std::shared_ptr<const RecordedSpace>> ParseT4(
    const std::string& path, const std::string& text,
    const std::shared_ptr<const ConfigSpace>& space, std::vector<std::string>& notes) {
  std::vector<std::string> found;
  SEEDTUNE_ASSIGN_OR_RETURN(std::shared_ptr<const RecordedSpace> recorded,
                            ReadT4(text, space, {}, &found));
  if (recorded->kernel_name().empty() || recorded->device_name().empty()) {
    // Seeds and headings want names.
    T4Names names;
    if (recorded->kernel_name().empty()) names.kernel = space->name();
    if (recorded->device_name().empty()) names.device = T4Stem(path);
    found.clear();
    SEEDTUNE_ASSIGN_OR_RETURN(recorded, ReadT4(text, space, names, &found));
  }
  notes.insert(notes.end(), found.begin(), found.end());
  return recorded;
}

// Only a whole space can be scored on.
absl::StatusOr<std::shared_ptr<const RecordedSpace>> TakenForWhole(
    const std::string& path, const RecordedSpace& recorded, const std::string& why,
    std::vector<std::string>& notes) {
  notes.push_back(absl::StrCat(why, "the ", recorded.configs().size(),
                               " configurations recorded are taken for the whole space"));
  absl::StatusOr<std::shared_ptr<const RecordedSpace>> whole = RestrictToRecorded(recorded);
  if (!whole.ok()) return In(path, whole.status());
  return whole;
}

absl::StatusOr<std::shared_ptr<const RecordedSpace>> ReadRecord(const std::string& path,
                                                                const Spaces& spaces,
                                                                const ReplayCommandOptions& options,
                                                                std::vector<std::string>& notes) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadText(path));
  const bool is_cache = IsKernelTunerCache(text);
  Spaces candidates = spaces;
  if (const std::string beside = SpacePathBeside(ResolveUserPath(path));
      !is_cache && spaces.empty() && std::filesystem::exists(beside)) {
    SEEDTUNE_ASSIGN_OR_RETURN(candidates, ReadSpaces({beside}));
  }
  std::vector<std::string> misfits;
  for (const std::shared_ptr<const ConfigSpace>& space : candidates) {
    if (is_cache && !options.conditions.empty()) break;
    std::vector<std::string> found;
    absl::StatusOr<std::shared_ptr<const RecordedSpace>> recorded =
        is_cache ? ReadKernelTunerCache(text, {.space = space, .conditions = {}}, &found)
                 : ParseT4(path, text, space, found);
    if (recorded.ok()) {
      notes.insert(notes.end(), found.begin(), found.end());
      if (is_cache || (*recorded)->is_exhaustive()) return recorded;
      return TakenForWhole(path, **recorded, "", notes);
    }
    misfits.push_back(
        absl::StrCat("not of ", space->name(), " (", recorded.status().message(), ")"));
  }
  if (!is_cache && candidates.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path,
        ": T4 results do not say what space they are of; name its T1 file with --space, or "
        "have it beside them as ",
        SpacePathBeside(path)));
  }
  if (!is_cache) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": no --space fits: ", absl::StrJoin(misfits, "; ")));
  }

  absl::StatusOr<std::shared_ptr<const RecordedSpace>> recorded =
      ReadKernelTunerCache(text, {.space = nullptr, .conditions = options.conditions}, &notes);
  if (!recorded.ok()) return In(path, recorded.status());
  if ((*recorded)->is_exhaustive() || !options.conditions.empty()) return recorded;
  return TakenForWhole(
      path, **recorded,
      spaces.empty() ? "neither --space nor --condition is given: " : "no --space fits: ", notes);
}

std::vector<std::string> Algorithms(const ReplayCommandOptions& options) {
  std::vector<std::string> algorithms;
  for (const std::string& algorithm : options.algorithms) {
    if (algorithm == "all") {
      for (const std::string_view name : SearchAlgorithmNames()) algorithms.emplace_back(name);
    } else {
      algorithms.push_back(algorithm);
    }
  }
  // Each once, where it was first named.
  std::vector<std::string> distinct;
  for (const std::string& algorithm : algorithms) {
    if (std::find(distinct.begin(), distinct.end(), algorithm) == distinct.end()) {
      distinct.push_back(algorithm);
    }
  }
  return distinct;
}

std::string Signed(double value) { return absl::StrFormat("%+.3f", value); }
std::string Share(double value) { return absl::StrFormat("%.3f", value); }
std::string Percent(double share) { return absl::StrFormat("%.1f%%", 100 * share); }

std::string Name(const ExperimentSpace& space) {
  return absl::StrCat(space.kernel_name, " on ", space.device_name);
}

std::string ResultTable(const ExperimentResult& result, const ScoreOptions& score) {
  std::vector<Table::Column> columns = {{"space", Align::kLeft},     {"algorithm", Align::kLeft},
                                        {"P(time)", Align::kRight},  {"+-", Align::kRight},
                                        {"P(evals)", Align::kRight}, {"+-", Align::kRight}};
  for (const int64_t checkpoint : score.checkpoints) {
    columns.push_back({absl::StrCat("@", checkpoint), Align::kRight});
  }
  columns.push_back({"within 5%", Align::kRight});
  columns.push_back({"regret", Align::kRight});
  columns.push_back({"worst", Align::kRight});
  Table table(columns);
  for (const ExperimentSpace& space : result.spaces) {
    std::vector<std::string> random = {Name(space), kRandomSearch, "", "", "", ""};
    for (const double fraction : space.cells.front().score.random_fraction) {
      random.push_back(Share(fraction));
    }
    random.resize(columns.size());
    table.AddRow(std::move(random));
    for (const ExperimentCell& cell : space.cells) {
      std::vector<std::string> row = {"",
                                      cell.algorithm,
                                      Signed(cell.score.time.score),
                                      Share(cell.score.time.standard_deviation),
                                      Signed(cell.score.evaluations.score),
                                      Share(cell.score.evaluations.standard_deviation)};
      for (const double fraction : cell.score.mean_fraction) row.push_back(Share(fraction));
      row.push_back(Percent(cell.score.share_near_optimum));
      row.push_back(Percent(cell.mean_regret));
      row.push_back(Percent(cell.max_regret));
      table.AddRow(std::move(row));
    }
  }
  if (result.spaces.size() > 1) {
    for (const ExperimentTotal& total : result.totals) {
      std::vector<std::string> row = {&total == &result.totals.front() ? "all spaces" : "",
                                      total.algorithm,
                                      Signed(total.time.score),
                                      Share(total.time.standard_deviation),
                                      Signed(total.evaluations.score),
                                      Share(total.evaluations.standard_deviation)};
      row.resize(columns.size());
      table.AddRow(std::move(row));
    }
  }
  return absl::StrCat(
      table.ToString(),
      "\nP: 0 is random search as calculated, 1 the optimum found at once; +- is its standard "
      "deviation over the axis\n@k: optimum / best after k evaluations, mean of the runs; regret: "
      "of picking the winner by one sample\n");
}

Json AxisJson(const AxisScore& axis) {
  return {{"score", axis.score}, {"standard_deviation", axis.standard_deviation}};
}

Json FractionsJson(const std::vector<int64_t>& checkpoints, const std::vector<double>& fractions) {
  Json json = Json::object();
  for (size_t i = 0; i < checkpoints.size(); ++i) {
    json[absl::StrCat(checkpoints[i])] = fractions[i];
  }
  return json;
}

Json ResultJson(const ExperimentResult& result, const ExperimentOptions& experiment,
                const std::vector<std::string>& notes) {
  Json json = {{"schema_version", kJsonSchemaVersion},
               {"repeats", experiment.repeats},
               {"random_seed", experiment.seed},
               {"samples", experiment.samples},
               {"worker_speeds", experiment.worker_speeds},
               {"max_share", experiment.max_share},
               {"p_start", experiment.score.p_start},
               {"p_end", experiment.score.p_end},
               {"notes", notes},
               {"spaces", Json::array()},
               {"totals", Json::array()}};
  for (const ExperimentSpace& space : result.spaces) {
    const SpaceStatistics& statistics = space.statistics;
    Json rows = Json::array();
    for (const ExperimentCell& cell : space.cells) {
      rows.push_back(
          {{"algorithm", cell.algorithm},
           {"time", AxisJson(cell.score.time)},
           {"evaluations", AxisJson(cell.score.evaluations)},
           {"mean_fraction", FractionsJson(experiment.score.checkpoints, cell.score.mean_fraction)},
           {"share_near_optimum", cell.score.share_near_optimum},
           {"mean_regret", cell.mean_regret},
           {"max_regret", cell.max_regret},
           {"mean_evaluations", cell.mean_evaluations},
           {"runs_outside_window", cell.score.runs_outside_window}});
    }
    Json seeds = Json::array();
    if (!experiment.first.empty()) {
      for (const Candidate& seed : experiment.first[json["spaces"].size()]) {
        seeds.push_back(Json::parse(seed.config.ToJson()));
      }
    }
    json["spaces"].push_back(
        {{"kernel", space.kernel_name},
         {"device", space.device_name},
         {"configurations", statistics.num_configs()},
         {"working", statistics.values_ns().size()},
         {"optimum_ns", statistics.optimum_ns()},
         {"median_ns", statistics.median_ns()},
         {"seeds", std::move(seeds)},
         {"cutoff_evaluations", space.cutoff_evaluations},
         {"random_fraction",
          FractionsJson(experiment.score.checkpoints, space.cells.front().score.random_fraction)},
         {"algorithms", std::move(rows)}});
  }
  for (const ExperimentTotal& total : result.totals) {
    json["totals"].push_back({{"algorithm", total.algorithm},
                              {"time", AxisJson(total.time)},
                              {"evaluations", AxisJson(total.evaluations)}});
  }
  return json;
}

// How far each algorithm has come, in percent of the best possible speed, over time.
std::vector<ChartPanel> Charts(const ExperimentResult& result) {
  std::vector<ChartPanel> panels;
  for (const ExperimentSpace& space : result.spaces) {
    ChartPanel panel{.title = Name(space),
                     .x_label = "tuning time (s)",
                     .y_label = "best so far (% of the optimum's speed)",
                     .lines = {}};
    const auto add = [&](const std::string& name, const std::vector<double>& x,
                         const std::vector<double>& best_ns, bool dashed) {
      ChartLine line{.name = name, .x = x, .y = {}, .dashed = dashed};
      for (const double ns : best_ns) line.y.push_back(100 * space.statistics.optimum_ns() / ns);
      panel.lines.push_back(std::move(line));
    };
    const AxisScore& first = space.cells.front().score.time;
    add(kRandomSearch, first.x, first.baseline_ns, /*dashed=*/true);
    for (const ExperimentCell& cell : space.cells) {
      add(cell.algorithm, cell.score.time.x, cell.score.time.curve_ns, /*dashed=*/false);
    }
    panels.push_back(std::move(panel));
  }
  return panels;
}

}  // namespace

absl::Status RunReplay(const ReplayCommandOptions& options, const Environment& environment) {
  if (!options.plot.empty()) SEEDTUNE_RETURN_IF_ERROR(CheckChartPath("--plot", options.plot));
  SEEDTUNE_ASSIGN_OR_RETURN(const Spaces spaces, ReadSpaces(options.spaces));
  if (options.max_seeds < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("--max-seeds is ", options.max_seeds, ", want at least 1"));
  }
  std::vector<std::string> notes;
  const auto read = [&](const std::vector<std::string>& paths, Records& records) -> absl::Status {
    for (const std::string& path : paths) {
      std::vector<std::string> found;
      SEEDTUNE_ASSIGN_OR_RETURN(std::shared_ptr<const RecordedSpace> record,
                                ReadRecord(path, spaces, options, found));
      records.push_back(std::move(record));
      for (const std::string& note : found) notes.push_back(absl::StrCat(path, ": ", note));
    }
    return absl::OkStatus();
  };
  Records recorded;
  Records sources;
  SEEDTUNE_RETURN_IF_ERROR(read(options.records, recorded));
  SEEDTUNE_RETURN_IF_ERROR(read(options.seed_records, sources));
  ExperimentOptions experiment;
  std::vector<RecordHeuristics> heuristics;
  for (const std::shared_ptr<const RecordedSpace>& record : recorded) {
    if (sources.empty() && !options.heuristics) break;
    std::vector<Candidate>& first = experiment.first.emplace_back();
    if (options.heuristics) {
      SEEDTUNE_ASSIGN_OR_RETURN(RecordHeuristics asked,
                                RecordHeuristics::Create(record, options.device, environment));
      first = asked.Seeds(notes);
      heuristics.push_back(std::move(asked));
    }
    if (sources.empty()) continue;
    for (Candidate& mined : SeedsFromRecords(*record, sources, options.max_seeds, notes)) {
      const bool is_new = std::none_of(first.begin(), first.end(), [&](const Candidate& other) {
        return other.config == mined.config;
      });
      if (is_new) first.push_back(std::move(mined));
    }
  }
  for (const std::string& note : notes) environment.err << "note: " << note << "\n";
  std::vector<CoupledKnobs> coupled;
  for (const std::string& text : options.coupled) {
    absl::StatusOr<CoupledKnobs> pair = ParseCoupledKnobs(text);
    if (!pair.ok()) return In("--coupled", pair.status());
    coupled.push_back(*std::move(pair));
  }
  for (const auto& record : recorded) {
    if (const absl::Status status = CheckCoupledKnobs(*record->space(), coupled); !status.ok()) {
      return In("--coupled", status);
    }
  }
  if (!coupled.empty() || !heuristics.empty()) {
    experiment.neighbors = [&coupled, &heuristics](const Config& config) {
      std::vector<Candidate> moves = CoupledMoves(config, coupled);
      for (const RecordHeuristics& asked : heuristics) {
        if (asked.space() != config.shared_space().get()) continue;
        for (Candidate& move : asked.Neighbors(config)) moves.push_back(std::move(move));
      }
      return moves;
    };
  }

  experiment.algorithms = Algorithms(options);
  experiment.repeats = options.repeats;
  experiment.seed = options.random_seed;
  experiment.samples = options.samples;
  experiment.worker_speeds = options.worker_speeds;
  experiment.max_share = options.max_share;
  experiment.threads = options.threads;
  experiment.stop = environment.stop;
  ProgressLine progress(environment.err, environment.progress);
  progress.Start("replaying");
  const int64_t begin_ns = environment.clock.NowNs();
  experiment.progress = [&](const ExperimentProgress& done) {
    const double seconds = static_cast<double>(environment.clock.NowNs() - begin_ns) * 1e-9;
    progress.Show(absl::StrFormat("%d of %d runs, %.1f s", done.runs_done, done.runs, seconds),
                  seconds);
  };
  const absl::StatusOr<ExperimentResult> result = RunExperiment(recorded, experiment);
  progress.Finish();
  if (!result.ok()) return result.status();

  if (!options.plot.empty()) {
    const std::string title = absl::StrCat("Best so far on recorded spaces, ", options.repeats,
                                           options.repeats == 1 ? " run" : " runs", " each");
    SEEDTUNE_RETURN_IF_ERROR(WriteChart(options.plot, title, Charts(*result)));
  }
  if (options.json) {
    environment.out << ResultJson(*result, experiment, notes).dump(2) << "\n";
  } else {
    environment.out << ResultTable(*result, experiment.score);
    if (!options.plot.empty()) environment.out << "drawn in " << options.plot << "\n";
  }
  return absl::OkStatus();
}

}  // namespace seedtune

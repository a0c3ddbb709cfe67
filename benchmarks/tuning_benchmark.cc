// What tuning costs and what it reaches, with seeds, without, and with nothing of the heuristics
// but their neighbours (from the space's default, a poor start): on real kernels, measured on this
// machine's CPU.
//
//   bazel run //benchmarks:tuning_benchmark                  # some minutes
//   bazel run //benchmarks:tuning_benchmark -- --shape=matmul:16x4096x4096:f32 --budget=300evals
//
// Each repetition is a whole tuning run with another random seed, runs of each kind taking turns.
// The goal of a shape is the fastest median that any of its runs found; the table at the end says,
// in medians over repetitions, how many evaluations and how much time it took to come within 5% of
// the goal, and how far runs that never came there ended from it. All of Google Benchmark's flags
// work.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/clock.h"
#include "autotuner/statistics.h"
#include "autotuner/tuner.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/in_process_measurer.h"
#include "benchmark/benchmark.h"
#include "benchmarks/initialize.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "hardware/cpu_detector.h"
#include "hardware/real_system_reader.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/builtin.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

constexpr const char* kShapes[] = {
    "matmul:16x6144x4096:f32",
    "matmul:384x3072x768:f32",
    "matmul:196x256x2304:f32",
    "matmul:512x512x512:f32:nt",
};
constexpr double kClose = 1.05;

// One tuning run, as far as the table needs it.
struct RunRecord {
  struct Point {
    double objective_ns;  // of one candidate
    double
        at_seconds;  // when it was known: compiling, checking and timing of all candidates up to it
  };
  std::vector<Point> points;
  double best_ns = 0;  // of the winner, re-timed
  double untuned_ns = 0;
  double seconds = 0;           // the whole run by the clock
  double measured_seconds = 0;  // of which candidates took
};

enum class Kind { kSeeds, kNoSeeds, kMoves };
constexpr struct {
  Kind kind;
  const char *name, *in_table;
} kKinds[] = {{Kind::kSeeds, "seeds", "yes"},
              {Kind::kNoSeeds, "no_seeds", "no"},
              {Kind::kMoves, "moves", "no, but moves"}};

// Of a heuristic its neighbours alone. Borrows it.
class MovesAlone : public AutotunerHeuristic {
 public:
  explicit MovesAlone(const AutotunerHeuristic& whole) : whole_(whole) {}
  std::string_view name() const override { return whole_.name(); }
  std::string_view backend() const override { return whole_.backend(); }
  Eligibility IsEligible(const TuningContext& context) const override {
    return whole_.IsEligible(context);
  }
  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& /*context*/) const override {
    return std::vector<PartialConfig>{PartialConfig()};  // the default, which is there anyway
  }
  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    return whole_.Neighbors(context, config);
  }

 private:
  const AutotunerHeuristic& whole_;
};

struct Case {
  std::string shape;
  std::shared_ptr<const Kernel> kernel;
  std::vector<MatmulFact> facts;
  std::shared_ptr<const ConfigSpace> space;
  std::map<Kind, std::vector<RunRecord>> runs;
};

struct World {
  HardwareInfo device;
  HeuristicRegistry heuristics;
  HeuristicRegistry moves;  // of those
  TuneOptions options;
};

absl::StatusOr<std::unique_ptr<Case>> MakeCase(const std::string& shape, const World& world) {
  auto made = std::make_unique<Case>();
  made->shape = shape;
  SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(shape));
  SEEDTUNE_ASSIGN_OR_RETURN(Kernel kernel, BuildMatmul(spec));
  made->kernel = std::make_shared<const Kernel>(std::move(kernel));
  made->facts = ExtractMatmulFacts(*made->kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(made->space, BuildConfigSpace("cpu", made->facts, world.device));
  return made;
}

RunRecord MakeRecord(const TuneResult& result) {
  RunRecord record;
  for (const Trial& trial : result.trials) {
    record.measured_seconds += (trial.outcome.compile_ns + trial.outcome.measure_ns) / 1e9;
    const double objective_ns =
        trial.outcome.ok() ? trial.outcome.objective_ns() : std::numeric_limits<double>::infinity();
    record.points.push_back({objective_ns, record.measured_seconds});
  }
  record.best_ns = result.best_outcome.objective_ns();
  record.untuned_ns = result.untuned_outcome.objective_ns();
  record.seconds = result.seconds;
  return record;
}

void RunTuning(benchmark::State& state, Case& c, const World& world, Kind kind) {
  std::vector<RunRecord>& records = c.runs[kind];
  const HeuristicRegistry& heuristics = kind == Kind::kMoves ? world.moves : world.heuristics;
  for (auto _ : state) {
    TuneOptions options = world.options;
    options.random_seed = records.size() + 1;
    options.heuristics.enabled = kind != Kind::kNoSeeds;
    InProcessMeasurer measurer(MakeCpuBackend(world.device));
    absl::StatusOr<TuneResult> result = Tune(c.kernel, c.facts, c.space, heuristics, measurer,
                                             /*database=*/nullptr, SystemClock(), options);
    if (!result.ok()) {
      state.SkipWithError(std::string(result.status().message()).c_str());
      return;
    }
    records.push_back(MakeRecord(*result));
    state.SetIterationTime(result->seconds);
    state.counters["evaluations"] = static_cast<double>(result->evaluations);
    state.counters["best_us"] = records.back().best_ns / 1e3;
  }
}

// A row of medians over the runs of one kind. A run that never comes close counts as never.
std::vector<std::string> Row(const Case& c, const char* kind, const std::vector<RunRecord>& runs,
                             double goal_ns) {
  std::vector<double> evaluations, seconds, slowdowns, untuned, total_seconds;
  int reached = 0;
  for (const RunRecord& run : runs) {
    const auto close = std::find_if(
        run.points.begin(), run.points.end(),
        [&](const RunRecord::Point& point) { return point.objective_ns <= kClose * goal_ns; });
    const bool came = close != run.points.end();
    reached += came ? 1 : 0;
    const double never = std::numeric_limits<double>::infinity();
    evaluations.push_back(came ? static_cast<double>(close - run.points.begin() + 1) : never);
    seconds.push_back(came ? close->at_seconds : never);
    slowdowns.push_back(run.best_ns / goal_ns);
    untuned.push_back(run.untuned_ns / goal_ns);
    total_seconds.push_back(run.seconds);
  }
  const auto or_never = [](double value, int digits) {
    return std::isfinite(value) ? absl::StrFormat("%.*f", digits, value) : std::string("never");
  };
  return {c.shape,
          kind,
          absl::StrFormat("%.2f", Median(untuned)),
          absl::StrFormat("%.2f", Median(slowdowns)),
          absl::StrCat(reached, "/", runs.size()),
          or_never(Median(evaluations), 0),
          or_never(Median(seconds), 1),
          absl::StrFormat("%.1f", Median(total_seconds))};
}

std::string ResultTable(const std::vector<std::unique_ptr<Case>>& cases) {
  Table table({{"kernel", Align::kLeft},
               {"seeds", Align::kLeft},
               {"untuned/goal", Align::kRight},
               {"best/goal", Align::kRight},
               {"within 5%", Align::kRight},
               {"evaluations to 5%", Align::kRight},
               {"seconds to 5%", Align::kRight},
               {"seconds in all", Align::kRight}});
  for (const auto& c : cases) {
    double goal_ns = std::numeric_limits<double>::infinity();
    for (const auto& [kind, runs] : c->runs) {
      for (const RunRecord& run : runs) goal_ns = std::min(goal_ns, run.best_ns);
    }
    for (const auto& kind : kKinds) {
      const auto runs = c->runs.find(kind.kind);
      if (runs == c->runs.end()) continue;
      table.AddRow(Row(*c, kind.in_table, runs->second, goal_ns));
    }
  }
  return table.ToString();
}

absl::Status Run(const std::string& budget, const std::string& algorithm,
                 const std::vector<std::string>& shapes) {
  World world;
  SEEDTUNE_ASSIGN_OR_RETURN(world.device, DetectCpu(*NewRealSystemReader()));
  world.heuristics = BuiltinHeuristics();
  for (const AutotunerHeuristic* heuristic : world.heuristics.ForBackend("cpu")) {
    SEEDTUNE_RETURN_IF_ERROR(world.moves.Add(std::make_unique<MovesAlone>(*heuristic)));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(world.options.budget, ParseBudget(budget));
  world.options.algorithm = algorithm;

  std::vector<std::unique_ptr<Case>> cases;
  for (const std::string& shape : shapes) {
    SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<Case> made, MakeCase(shape, world));
    cases.push_back(std::move(made));
    for (const auto& kind : kKinds) {
      benchmark::RegisterBenchmark(
          absl::StrCat(shape, "/", kind.name).c_str(),
          [&c = *cases.back(), &world, kind = kind.kind](benchmark::State& state) {
            RunTuning(state, c, world, kind);
          })
          ->Iterations(1)
          ->UseManualTime()
          ->Unit(benchmark::kSecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  std::cout << "\n"
            << DescribeHardware(world.device) << "\n"
            << algorithm << " search, " << BudgetToString(world.options.budget)
            << " a run, medians over runs; goal: the fastest that any run of the kernel found\n\n"
            << ResultTable(cases);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  std::vector<char*> arguments = seedtune::InitializeBenchmark(
      {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5"}, argc, argv);

  CLI::App app{
      "Measure what tuning costs and reaches, with and without seeds, and with heuristics' moves\n"
      "alone.\n"
      "  e.g.  tuning_benchmark --shape=matmul:16x4096x4096:f32 --budget=300evals\n"};
  std::string budget = "150evals", algorithm = "auto";
  std::vector<std::string> shapes(std::begin(seedtune::kShapes), std::end(seedtune::kShapes));
  app.add_option("--budget", budget, "of each run: 150evals, 20s")->capture_default_str();
  app.add_option("--algorithm", algorithm, "how to search")->capture_default_str();
  app.add_option("--shape", shapes, "instead of the fixed list; may be repeated")
      ->allow_extra_args(false);
  CLI11_PARSE(app, static_cast<int>(arguments.size()), arguments.data());

  if (const absl::Status status = seedtune::Run(budget, algorithm, shapes); !status.ok()) {
    std::cerr << "tuning_benchmark: " << std::string(status.message()) << "\n";
    return 1;
  }
  return 0;
}

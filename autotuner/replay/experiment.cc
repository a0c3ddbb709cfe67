#include "autotuner/replay/experiment.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_measurer.h"
#include "autotuner/transfer.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "util/stable_hash.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Job {
  size_t space = 0;
  size_t algorithm = 0;
  int repeat = 0;
};

struct Run {
  ScoredRun points;
  double regret = kInfinity;  // +infinity: nothing worked
};

uint64_t RunSeed(std::string_view purpose, const ExperimentOptions& options,
                 const RecordedSpace& space, std::string_view algorithm, int repeat) {
  CanonicalBytes bytes;
  bytes.Add(purpose).Add(static_cast<int64_t>(options.seed)).Add(space.kernel_name());
  bytes.Add(space.device_name()).Add(algorithm).Add(repeat);
  return HashBytes(bytes.bytes()).low;
}

int64_t LastCheckpoint(const ScoreOptions& options) {
  int64_t last = 0;
  for (const int64_t checkpoint : options.checkpoints) last = std::max(last, checkpoint);
  return last;
}

// Picks among `evaluated` by one sample each.
double RegretOfOneSample(std::span<const RecordedConfig* const> evaluated, uint64_t seed) {
  std::mt19937_64 random(seed);
  double best_ns = kInfinity;
  double best_sample_ns = kInfinity;
  double picked_ns = kInfinity;
  for (const RecordedConfig* recorded : evaluated) {
    if (!recorded->outcome.ok()) continue;
    const std::vector<double>& samples_ns = recorded->outcome.samples_ns;
    const double sample_ns = samples_ns[random() % samples_ns.size()];
    const double median_ns = recorded->outcome.objective_ns();
    best_ns = std::min(best_ns, median_ns);
    if (sample_ns < best_sample_ns) {
      best_sample_ns = sample_ns;
      picked_ns = median_ns;
    }
  }
  return picked_ns == kInfinity ? kInfinity : picked_ns / best_ns - 1;
}

absl::StatusOr<Run> RunOnce(const std::shared_ptr<const RecordedSpace>& space,
                            const RunLength& length, std::string_view algorithm, int repeat,
                            const std::vector<Candidate>& first, const ExperimentOptions& options) {
  SEEDTUNE_ASSIGN_OR_RETURN(
      const std::unique_ptr<SearchAlgorithm> search,
      options.make_search(algorithm, SearchProblem{.space = space->space(),
                                                   .random_seed = RunSeed("search", options, *space,
                                                                          algorithm, repeat),
                                                   .first = first,
                                                   .has_own_seeds = HasOwnSeeds(first),
                                                   .heuristic_neighbors = options.neighbors}));
  VirtualClock clock;
  RecordedMeasurer measurer(space,
                            {.noise = options.samples > 0,
                             .noise_seed = RunSeed("noise", options, *space, algorithm, repeat),
                             .worker_speeds = options.worker_speeds},
                            clock);
  const auto most = static_cast<int64_t>(
      std::ceil(options.max_share * static_cast<double>(space->configs().size())));

  Run run;
  std::vector<Candidate> asked;  // by request id
  std::vector<const RecordedConfig*> evaluated;
  const size_t last_checkpoint = static_cast<size_t>(LastCheckpoint(options.score));
  int64_t told = 0;
  double best_observed_ns = kInfinity;
  RunPoint point{.at_seconds = 0, .best_ns = kInfinity};
  while (options.stop == nullptr || !options.stop->load(std::memory_order_relaxed)) {
    const bool is_long_enough =
        point.at_seconds > length.seconds && std::ssize(run.points) >= length.evaluations;
    while (!is_long_enough && std::ssize(asked) < most &&
           std::ssize(asked) - told < measurer.capacity()) {
      std::vector<Candidate> candidates = search->Ask(1);
      if (candidates.empty()) break;
      MeasureRequest request;
      request.id = std::ssize(asked);
      request.config = candidates[0].config;
      request.min_samples = request.max_samples = std::max(1, options.samples);
      request.timeout_ns = kInfinity;
      asked.push_back(std::move(candidates[0]));
      SEEDTUNE_RETURN_IF_ERROR(measurer.Submit(std::move(request)));
    }
    if (told == std::ssize(asked)) break;
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<MeasureReply> replies,
                              measurer.Wait(std::numeric_limits<int64_t>::max()));
    for (const MeasureReply& reply : replies) {
      const Candidate& candidate = asked[static_cast<size_t>(reply.id)];
      const double observed_ns = reply.outcome.objective_ns();
      search->Tell(
          {.candidate = candidate, .kind = reply.outcome.kind, .objective_ns = observed_ns});
      ++told;
      const RecordedConfig* recorded = space->Find(candidate.config);
      point.at_seconds = static_cast<double>(clock.NowNs()) * 1e-9;
      if (reply.outcome.ok() && observed_ns < best_observed_ns) {
        best_observed_ns = observed_ns;
        point.best_ns = RecordedValueNs(*recorded);
      }
      run.points.push_back(point);
      if (recorded != nullptr && evaluated.size() < last_checkpoint) evaluated.push_back(recorded);
    }
  }
  run.regret = RegretOfOneSample(evaluated, RunSeed("regret", options, *space, algorithm, repeat));
  return run;
}

// Calls `work(i)` for i below `count` on several threads; the first error in the order of i, if
// any.
absl::Status ParallelFor(int64_t count, int threads,
                         const std::function<absl::Status(int64_t)>& work) {
  std::vector<absl::Status> statuses(static_cast<size_t>(count));
  std::atomic<int64_t> next = 0;
  std::atomic<bool> has_failed = false;
  const auto loop = [&] {
    while (!has_failed.load(std::memory_order_relaxed)) {
      const int64_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= count) return;
      absl::Status status = work(i);
      if (!status.ok()) has_failed.store(true, std::memory_order_relaxed);
      statuses[static_cast<size_t>(i)] = std::move(status);
    }
  };
  std::vector<std::thread> others;
  for (int64_t i = 1; i < std::min<int64_t>(threads, count); ++i) others.emplace_back(loop);
  loop();
  for (std::thread& other : others) other.join();
  for (absl::Status& status : statuses) SEEDTUNE_RETURN_IF_ERROR(std::move(status));
  return absl::OkStatus();
}

absl::Status CheckOptions(const ExperimentOptions& options) {
  const auto wrong = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("experiment: ", what...));
  };
  if (options.algorithms.empty()) return wrong("no algorithm, want at least one");
  if (options.repeats < 1) return wrong("repeats is ", options.repeats, ", want at least 1");
  if (options.samples < 0) return wrong("samples is ", options.samples, ", want at least 0");
  if (options.threads < 0) return wrong("threads is ", options.threads, ", want at least 0");
  if (!(options.max_share > 0 && options.max_share <= 1)) {
    return wrong("max_share is ", options.max_share, ", want above 0 and at most 1");
  }
  if (options.worker_speeds.empty()) return wrong("no worker, want the speed of at least one");
  for (const double speed : options.worker_speeds) {
    if (!(speed > 0 && std::isfinite(speed))) {
      return wrong("a worker's speed is ", speed, ", want above 0");
    }
  }
  return absl::OkStatus();
}

std::string Where(const RecordedSpace& space) {
  return absl::StrCat(space.kernel_name(), " on ", space.device_name(), ": ");
}

absl::StatusOr<ExperimentSpace> DescribeSpace(const RecordedSpace& space,
                                              const ScoreOptions& options) {
  if (!space.is_exhaustive()) {
    return absl::FailedPreconditionError(absl::StrCat(
        Where(space), "only ", space.configs().size(),
        " configurations were recorded, want every valid one: the optimum is not known"));
  }
  std::vector<ScoredConfig> configs;
  for (const RecordedConfig& config : space.configs()) {
    configs.push_back(
        {.value_ns = RecordedValueNs(config), .cost_seconds = config.total_cost_ns() * 1e-9});
  }
  absl::StatusOr<SpaceStatistics> statistics = SpaceStatistics::Create(configs);
  if (!statistics.ok()) {
    return absl::Status(statistics.status().code(),
                        absl::StrCat(Where(space), statistics.status().message()));
  }
  return ExperimentSpace{.kernel_name = space.kernel_name(),
                         .device_name = space.device_name(),
                         .statistics = *statistics,
                         .cutoff_evaluations = statistics->CutoffEvaluations(options.p_end),
                         .cells = {}};
}

absl::StatusOr<ExperimentCell> ScoreCell(const SpaceStatistics& statistics,
                                         const std::string& algorithm, std::vector<Run> runs,
                                         const ScoreOptions& options) {
  ExperimentCell cell;
  cell.algorithm = algorithm;
  std::vector<ScoredRun> scored;
  double regretted = 0;
  for (Run& run : runs) {
    cell.mean_evaluations +=
        static_cast<double>(run.points.size()) / static_cast<double>(runs.size());
    if (run.regret != kInfinity) {
      cell.mean_regret += run.regret;
      cell.max_regret = std::max(cell.max_regret, run.regret);
      ++regretted;
    }
    scored.push_back(std::move(run.points));
  }
  if (regretted > 0) cell.mean_regret /= regretted;
  SEEDTUNE_ASSIGN_OR_RETURN(cell.score, ScoreRuns(statistics, scored, options));
  return cell;
}

}  // namespace

absl::StatusOr<ExperimentResult> RunExperiment(
    std::span<const std::shared_ptr<const RecordedSpace>> spaces,
    const ExperimentOptions& options) {
  SEEDTUNE_RETURN_IF_ERROR(CheckOptions(options));
  if (spaces.empty()) return absl::InvalidArgumentError("experiment: no spaces, want at least one");
  if (!options.first.empty() && options.first.size() != spaces.size()) {
    return absl::InvalidArgumentError(absl::StrCat("experiment: first candidates of ",
                                                   options.first.size(), " spaces, want none or ",
                                                   spaces.size()));
  }
  const int threads = options.threads > 0
                          ? options.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  ExperimentResult result;
  for (const std::shared_ptr<const RecordedSpace>& space : spaces) {
    SEEDTUNE_ASSIGN_OR_RETURN(ExperimentSpace described, DescribeSpace(*space, options.score));
    result.spaces.push_back(std::move(described));
  }

  std::vector<Job> jobs;
  for (size_t space = 0; space < spaces.size(); ++space) {
    for (size_t algorithm = 0; algorithm < options.algorithms.size(); ++algorithm) {
      for (int repeat = 0; repeat < options.repeats; ++repeat) {
        jobs.push_back({space, algorithm, repeat});
      }
    }
  }
  std::vector<Run> runs(jobs.size());
  std::mutex progress_mutex;
  ExperimentProgress progress{.runs_done = 0, .runs = std::ssize(jobs)};
  const auto is_stopped = [&] {
    return options.stop != nullptr && options.stop->load(std::memory_order_relaxed);
  };
  SEEDTUNE_RETURN_IF_ERROR(ParallelFor(std::ssize(jobs), threads, [&](int64_t i) -> absl::Status {
    const Job& job = jobs[static_cast<size_t>(i)];
    SEEDTUNE_ASSIGN_OR_RETURN(
        runs[static_cast<size_t>(i)],
        RunOnce(spaces[job.space],
                RequiredRunLength(result.spaces[job.space].statistics, options.score),
                options.algorithms[job.algorithm], job.repeat,
                options.first.empty() ? std::vector<Candidate>() : options.first[job.space],
                options));
    if (is_stopped()) return absl::CancelledError("stopped before the end");
    if (options.progress) {
      const std::lock_guard<std::mutex> lock(progress_mutex);
      ++progress.runs_done;
      options.progress(progress);
    }
    return absl::OkStatus();
  }));

  const size_t num_algorithms = options.algorithms.size();
  for (ExperimentSpace& space : result.spaces) space.cells.resize(num_algorithms);
  SEEDTUNE_RETURN_IF_ERROR(ParallelFor(
      std::ssize(spaces) * std::ssize(options.algorithms), threads, [&](int64_t i) -> absl::Status {
        const size_t space = static_cast<size_t>(i) / num_algorithms;
        const size_t algorithm = static_cast<size_t>(i) % num_algorithms;
        const auto first = runs.begin() + i * options.repeats;
        ScoreOptions score = options.score;
        score.random_seed =
            RunSeed("score", options, *spaces[space], options.algorithms[algorithm], 0);
        SEEDTUNE_ASSIGN_OR_RETURN(
            result.spaces[space].cells[algorithm],
            ScoreCell(result.spaces[space].statistics, options.algorithms[algorithm],
                      std::vector<Run>(std::make_move_iterator(first),
                                       std::make_move_iterator(first + options.repeats)),
                      score));
        return absl::OkStatus();
      }));

  for (size_t algorithm = 0; algorithm < num_algorithms; ++algorithm) {
    std::vector<const AxisScore*> time, evaluations;
    for (const ExperimentSpace& space : result.spaces) {
      time.push_back(&space.cells[algorithm].score.time);
      evaluations.push_back(&space.cells[algorithm].score.evaluations);
    }
    result.totals.push_back({.algorithm = options.algorithms[algorithm],
                             .time = AggregateScores(time),
                             .evaluations = AggregateScores(evaluations)});
  }
  return result;
}

}  // namespace seedtune

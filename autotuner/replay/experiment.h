// Search algorithms against recorded spaces, many times over, and the scores of it: what `seedtune
// replay` runs.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_EXPERIMENT_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_EXPERIMENT_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/replay/scorer.h"
#include "autotuner/search/search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

struct ExperimentProgress {
  int64_t runs_done = 0;
  int64_t runs = 0;
};

struct ExperimentOptions {
  std::vector<std::string> algorithms = {"random"};
  int repeats = 25;  // runs of each algorithm on each space; fewer say little
  // Of everything. A run's own seed is made from it and the names of the space and the algorithm
  // and the run's number, so that results neither hang on threads nor on what else is run.
  uint64_t seed = 1;
  // Samples drawn for each evaluation from those recorded; 0: none, searches see RecordedValueNs,
  // as the field's published scores have it.
  int samples = 0;
  // Of the workers that measure at the same time in one run; see SimulatedMeasurer.
  std::vector<double> worker_speeds = {1};
  // A run ends after this share of its space at the latest, above 0 and at most 1.
  double max_share = 1;
  int threads = 0;  // 0: as many as there are cores
  // Measured first in every run, by space; empty: nothing is, on any. See SearchProblem::first.
  std::vector<std::vector<Candidate>> first = {};
  // See SearchProblem::heuristic_neighbors.
  std::function<std::vector<Candidate>(const Config&)> neighbors = {};
  // How to score. `random_seed` is replaced by one made from `seed`.
  ScoreOptions score = {};
  std::function<absl::StatusOr<std::unique_ptr<SearchAlgorithm>>(std::string_view algorithm,
                                                                 SearchProblem problem)>
      make_search = MakeSearch;
  // May be empty. Called from the threads that do the work, one call at a time.
  std::function<void(const ExperimentProgress&)> progress = {};
  const std::atomic<bool>* stop = nullptr;  // set from outside: end soon, with kCancelled
};

// One algorithm on one space.
struct ExperimentCell {
  std::string algorithm;
  Score score;
  // What it costs to pick the winner by one sample each: how much slower the pick is than the best
  // of what was measured, by their medians, as a share of the latter. Up to the last checkpoint;
  // mean and maximum over the runs that found anything that works.
  double mean_regret = 0;
  double max_regret = 0;
  double mean_evaluations = 0;  // of a run
};

struct ExperimentSpace {
  std::string kernel_name, device_name;
  SpaceStatistics statistics;
  int64_t cutoff_evaluations = 0;     // see SpaceStatistics::CutoffEvaluations, of p_end
  std::vector<ExperimentCell> cells;  // in the order of the algorithms
};

// One algorithm over all spaces.
struct ExperimentTotal {
  std::string algorithm;
  AxisScore time;
  AxisScore evaluations;
};

struct ExperimentResult {
  std::vector<ExperimentSpace> spaces;  // in the order given
  std::vector<ExperimentTotal> totals;  // in the order of the algorithms
};

// Borrows `spaces` and what is in them. The same result for the same seed, whatever the threads.
// kInvalidArgument: options, no spaces, a space that cannot be scored on; kFailedPrecondition: a
// space was not recorded whole, so that its optimum is not known; kNotFound: algorithm;
// kCancelled: stopped.
absl::StatusOr<ExperimentResult> RunExperiment(
    std::span<const std::shared_ptr<const RecordedSpace>> spaces, const ExperimentOptions& options);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_EXPERIMENT_H_

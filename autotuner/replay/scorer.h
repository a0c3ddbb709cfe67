// How good a search algorithm is, from replayed runs over an exhaustively recorded space: the score
// of F.-J. Willemsen et al., "A methodology for comparing optimization algorithms for auto-tuning",
// Future Generation Computer Systems 159 (2024), which is what the field compares itself by, and
// some plainer figures.
//
// The score P of a moment t: 0 is what random search is expected to have found by then, 1 the
// optimum, and there is no lower bound. It is averaged over a window of time (or of evaluations)
// that is chosen for each space so that it ends where random search is expected to have come
// p_end of the way from the median configuration to the optimum. Two choices need care:
//
// - The optimizer's curve is not averaged run by run, since runs do not share moments. The points
//   (time, rank of the best so far) of all runs are pooled, and a decreasing isotonic regression is
//   fitted to bootstrap samples of them: as many as there are runs, each of a share of 1/sqrt(runs)
//   of the points. Their mean, rounded to a rank, is looked up in the list of values.
// - The baseline is calculated, not run: the value at the rank that random search without
//   replacement is expected to have reached after the number of evaluations that fit into t.
//
// On the axis of evaluations all runs share their moments: there the mean rank needs no regression.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_SCORER_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_SCORER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"

namespace seedtune {

// A configuration of a recorded space, as far as scores see it.
struct ScoredConfig {
  double value_ns = 0;      // the recorded time of one run; not finite: it does not work
  double cost_seconds = 0;  // of trying it; 0 or not finite: not recorded
};

// What a space is like. Immutable; thread-safe.
class SpaceStatistics {
 public:
  // kInvalidArgument: fewer than two configurations that work, all of them equal, values that are
  // not positive, or no cost recorded at all.
  static absl::StatusOr<SpaceStatistics> Create(std::span<const ScoredConfig> configs);

  // Of all that work, best first.
  std::span<const double> values_ns() const { return values_ns_; }
  double optimum_ns() const { return values_ns_.front(); }
  double median_ns() const { return median_ns_; }
  int64_t num_configs() const { return num_configs_; }  // with those that do not work
  double failed_share() const {
    return 1 - static_cast<double>(values_ns_.size()) / static_cast<double>(num_configs_);
  }
  // The mean number of configurations that come before `value_ns`; the last rank where it is not
  // finite.
  double Rank(double value_ns) const;

  // Evaluations after which random search is expected to have come `p` of the way from the median
  // to the optimum, 0 <= p < 1; at least 1. Where only the optimum itself is that good, the
  // evaluations for the configuration before it.
  int64_t CutoffEvaluations(double p) const;
  // What an evaluation costs: the median, which the window is made of; and per evaluation that
  // works, failures shared out, which the baseline is made of.
  double median_cost_seconds() const { return median_cost_seconds_; }
  double mean_cost_seconds() const { return mean_cost_seconds_; }

  // The expected best of random search after k >= 1 evaluations: the value at the expected rank.
  double BaselineNs(int64_t k) const;
  // The exact expectation of optimum / best after k >= 1 distinct configurations drawn from all,
  // those that do not work included (0 where none of them works).
  double ExpectedRandomFraction(int64_t k) const;

 private:
  SpaceStatistics() = default;

  std::vector<double> values_ns_;  // ascending
  int64_t num_configs_ = 0;
  double median_ns_ = 0;
  double median_cost_seconds_ = 0;
  double mean_cost_seconds_ = 0;
};

// A run after one of its evaluations.
struct RunPoint {
  double at_seconds = 0;  // ascending within a run
  double best_ns = 0;     // the recorded value of the best so far; not finite: nothing worked yet
};
using ScoredRun = std::vector<RunPoint>;  // one point an evaluation

struct ScoreOptions {
  double p_start = 0.01;
  double p_end = 0.95;
  int num_samples = 1000;    // of the window of time
  uint64_t random_seed = 1;  // of the bootstrap
  // Reported for: after so many evaluations.
  std::vector<int64_t> checkpoints = {10, 20, 50, 100, 200};
  double near_optimum = 0.95;  // optimum / best that counts as close; see Score::share_near_optimum
};

// P over one axis.
struct AxisScore {
  double score = 0;               // the mean of `p`
  double standard_deviation = 0;  // of `p`, over the axis
  std::vector<double> x;          // seconds or evaluations
  std::vector<double> p;
  std::vector<double> curve_ns;     // the optimizer
  std::vector<double> baseline_ns;  // random search, calculated
};

// Of one algorithm on one space.
struct Score {
  AxisScore time;
  AxisScore evaluations;
  // Mean over the runs of optimum / best at each checkpoint (0 where nothing worked yet), and the
  // same of random search, calculated.
  std::vector<double> mean_fraction;
  std::vector<double> random_fraction;
  // Runs that were close to the optimum by the last checkpoint.
  double share_near_optimum = 0;
  // Runs with fewer than two points in the window of time: what they had found by its start and by
  // its end stands for them. Many of these: the score on the axis of time says little.
  int64_t runs_outside_window = 0;
};

// What a run needs so that it can be scored. A run that is used up earlier is fine.
struct RunLength {
  double seconds = 0;
  int64_t evaluations = 0;
};
RunLength RequiredRunLength(const SpaceStatistics& space, const ScoreOptions& options);

// At least one run, each with a point. kInvalidArgument: options out of range, no runs, an empty
// run, points that go back in time.
absl::StatusOr<Score> ScoreRuns(const SpaceStatistics& space, std::span<const ScoredRun> runs,
                                const ScoreOptions& options);

// Over several spaces: the mean at each relative place of the axis, then mean and standard
// deviation over the axis. Curves of different lengths (evaluations) are stretched to the longest.
// Of at least one axis, none of them empty; `x` counts from 0 to 1, and there are no curves.
AxisScore AggregateScores(std::span<const AxisScore* const> axes);

// The least-squares non-increasing fit of points that are given in ascending order of x, of weights
// above 0; the fit at each. Pool adjacent violators (M. Ayer et al., 1955).
std::vector<double> FitNonIncreasing(std::span<const double> y, std::span<const double> weight);

// The piecewise cubic Hermite interpolant through (x, y), x strictly ascending, that is monotone
// wherever the data are (F. Fritsch and J. Butland, SIAM J. Sci. Stat. Comput. 5, 1984), at each of
// `at`, which lie within x. One point: a constant; two: a line.
std::vector<double> MonotoneCubic(std::span<const double> x, std::span<const double> y,
                                  std::span<const double> at);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_SCORER_H_

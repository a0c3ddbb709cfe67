#include "autotuner/replay/scorer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/statistics.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Runs go on a little beyond the window, and points a little outside it take part in the fit.
constexpr double kBudgetFactor = 1.1;
constexpr double kWindowMargin = 0.1;
// A window of fewer evaluations holds no curve.
constexpr int64_t kFewestEvaluations = 2;
constexpr int kFewestEstimators = 3;

bool IsCost(double seconds) { return std::isfinite(seconds) && seconds > 0; }

double Mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double StandardDeviation(std::span<const double> values) {
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

struct Window {
  int64_t first_evaluation = 1;
  int64_t last_evaluation = 1;
  double start_seconds = 0;
  double end_seconds = 0;
};

Window MakeWindow(const SpaceStatistics& space, const ScoreOptions& options) {
  Window window;
  window.first_evaluation = space.CutoffEvaluations(options.p_start);
  window.last_evaluation = std::max(space.CutoffEvaluations(options.p_end),
                                    window.first_evaluation + kFewestEvaluations);
  window.start_seconds = static_cast<double>(window.first_evaluation) * space.median_cost_seconds();
  window.end_seconds = static_cast<double>(window.last_evaluation) * space.median_cost_seconds();
  return window;
}

// `p` of the curve over its baseline. Where the baseline itself is at the optimum, so that nothing
// can be better, only the optimum scores.
void FillInScore(double optimum_ns, AxisScore& axis) {
  for (size_t i = 0; i < axis.x.size(); ++i) {
    const double room = axis.baseline_ns[i] - optimum_ns;
    const double gained = axis.baseline_ns[i] - axis.curve_ns[i];
    axis.p.push_back(room > 0 ? gained / room : axis.curve_ns[i] <= optimum_ns ? 1.0 : 0.0);
  }
  axis.score = Mean(axis.p);
  axis.standard_deviation = StandardDeviation(axis.p);
}

double ValueAtRank(const SpaceStatistics& space, double rank) {
  const auto last = static_cast<double>(space.values_ns().size() - 1);
  return space.values_ns()[static_cast<size_t>(std::clamp(std::nearbyint(rank), 0.0, last))];
}

// What `run` had found by then; +infinity: nothing.
double BestAt(const ScoredRun& run, double seconds) {
  const auto after =
      std::upper_bound(run.begin(), run.end(), seconds,
                       [](double at, const RunPoint& point) { return at < point.at_seconds; });
  return after == run.begin() ? std::numeric_limits<double>::infinity() : (after - 1)->best_ns;
}

double BestAfter(const ScoredRun& run, int64_t evaluations) {
  return run[static_cast<size_t>(std::min<int64_t>(evaluations, std::ssize(run))) - 1].best_ns;
}

struct PooledPoint {
  double at_seconds;
  double rank;
};

// The straight line between the fitted points, level before the first and after the last.
// `x` and `fit` hold at least one point; x does not descend.
class FittedLine {
 public:
  void Fit(std::span<const PooledPoint> points, std::span<const double> weights) {
    x_.clear();
    y_.clear();
    weight_.clear();
    for (size_t i = 0; i < points.size(); ++i) {
      if (weights[i] == 0) continue;
      if (!x_.empty() && x_.back() == points[i].at_seconds) {
        // Points at one moment are one point of their mean and their weight.
        y_.back() += (points[i].rank - y_.back()) * weights[i] / (weight_.back() + weights[i]);
        weight_.back() += weights[i];
        continue;
      }
      x_.push_back(points[i].at_seconds);
      y_.push_back(points[i].rank);
      weight_.push_back(weights[i]);
    }
    y_ = FitNonIncreasing(y_, weight_);
  }

  double At(double x) const {
    const auto after = std::upper_bound(x_.begin(), x_.end(), x);
    if (after == x_.begin()) return y_.front();
    if (after == x_.end()) return y_.back();
    const size_t i = static_cast<size_t>(after - x_.begin());
    return y_[i - 1] + (y_[i] - y_[i - 1]) * (x - x_[i - 1]) / (x_[i] - x_[i - 1]);
  }

 private:
  std::vector<double> x_, y_, weight_;
};

// Of all runs, the points in the window and its margins, in order of time.
std::vector<PooledPoint> PoolPoints(const SpaceStatistics& space, std::span<const ScoredRun> runs,
                                    const Window& window, int64_t& runs_outside) {
  // Points past the time that a run is given are not there for the score.
  const auto end_of_run = [&](const ScoredRun& run) {
    const auto past = std::find_if(run.begin(), run.end(), [&](const RunPoint& point) {
      return point.at_seconds > kBudgetFactor * window.end_seconds;
    });
    return past == run.end() ? past : past + 1;
  };
  double num_points = 0;
  for (const ScoredRun& run : runs)
    num_points += static_cast<double>(end_of_run(run) - run.begin());
  // More margin where there are few points a run.
  const double margin = kWindowMargin + 0.25 * static_cast<double>(runs.size()) / num_points;
  const double from = window.start_seconds * (1 - margin);
  const double to = window.end_seconds * (1 + margin);

  std::vector<PooledPoint> pooled;
  for (const ScoredRun& run : runs) {
    const size_t before = pooled.size();
    for (auto point = run.begin(); point != end_of_run(run); ++point) {
      if (point->at_seconds < from || point->at_seconds > to) continue;
      if (!std::isfinite(point->best_ns)) continue;
      pooled.push_back({point->at_seconds, space.Rank(point->best_ns)});
    }
    if (pooled.size() - before > 1) continue;
    ++runs_outside;
    pooled.resize(before);
    for (const double at : {window.start_seconds, window.end_seconds}) {
      pooled.push_back({at, space.Rank(BestAt(run, at))});
    }
  }
  std::stable_sort(pooled.begin(), pooled.end(), [](const PooledPoint& a, const PooledPoint& b) {
    return a.at_seconds < b.at_seconds;
  });
  return pooled;
}

// The time after which half of the runs have ended.
double MedianEnd(std::span<const ScoredRun> runs) {
  std::vector<double> ends;
  for (const ScoredRun& run : runs) ends.push_back(run.back().at_seconds);
  return Median(ends);
}

// Random search at `x`, evenly spaced moments, at so much an evaluation that works.
std::vector<double> Baseline(const SpaceStatistics& space, std::span<const double> x, double cost) {
  std::vector<double> evaluations;  // made by then
  for (const double at : x) evaluations.push_back(std::nearbyint(std::max(1.0, at / cost)));
  // The values at these numbers, with a smooth curve through them.
  std::vector<double> distinct = evaluations;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<double> steps;
  for (const double k : distinct) steps.push_back(space.BaselineNs(static_cast<int64_t>(k)));
  std::vector<double> even;
  for (size_t i = 0; i < x.size(); ++i) {
    even.push_back(evaluations.front() + (evaluations.back() - evaluations.front()) *
                                             static_cast<double>(i) /
                                             static_cast<double>(x.size() - 1));
  }
  return MonotoneCubic(distinct, steps, even);
}

AxisScore ScoreOverTime(const SpaceStatistics& space, std::span<const ScoredRun> runs,
                        const ScoreOptions& options, int64_t& runs_outside) {
  const Window window = MakeWindow(space, options);
  AxisScore axis;
  for (int i = 0; i < options.num_samples; ++i) {
    axis.x.push_back(window.start_seconds +
                     (window.end_seconds - window.start_seconds) * i / (options.num_samples - 1));
  }
  axis.baseline_ns = Baseline(space, axis.x, space.mean_cost_seconds());

  const std::vector<PooledPoint> points = PoolPoints(space, runs, window, runs_outside);
  const int estimators = std::max(static_cast<int>(runs.size()), kFewestEstimators);
  const auto sampled = std::max<size_t>(
      1, static_cast<size_t>(static_cast<double>(points.size()) / std::sqrt(estimators)));
  std::mt19937_64 random(options.random_seed);
  std::vector<double> rank(axis.x.size(), 0);
  std::vector<double> weights(points.size());
  FittedLine line;
  for (int i = 0; i < estimators; ++i) {
    std::fill(weights.begin(), weights.end(), 0);
    for (size_t draw = 0; draw < sampled; ++draw) ++weights[random() % points.size()];
    line.Fit(points, weights);
    for (size_t j = 0; j < rank.size(); ++j) rank[j] += line.At(axis.x[j]);
  }
  for (const double sum : rank) axis.curve_ns.push_back(ValueAtRank(space, sum / estimators));

  // Where fewer than half of the runs go on, those that do are no fair sample.
  const double frozen_from = MedianEnd(runs);
  const auto frozen = static_cast<size_t>(
      std::upper_bound(axis.x.begin(), axis.x.end(), frozen_from) - axis.x.begin());
  for (size_t j = frozen + 1; j < axis.x.size(); ++j) axis.curve_ns[j] = axis.curve_ns[frozen];

  FillInScore(space.optimum_ns(), axis);
  return axis;
}

AxisScore ScoreOverEvaluations(const SpaceStatistics& space, std::span<const ScoredRun> runs,
                               const ScoreOptions& options) {
  const Window window = MakeWindow(space, options);
  AxisScore axis;
  for (int64_t k = window.first_evaluation; k <= window.last_evaluation; ++k) {
    double rank = 0;
    for (const ScoredRun& run : runs) rank += space.Rank(BestAfter(run, k));
    axis.x.push_back(static_cast<double>(k));
    axis.curve_ns.push_back(ValueAtRank(space, rank / static_cast<double>(runs.size())));
  }
  // Every evaluation costs one.
  axis.baseline_ns = Baseline(space, axis.x, 1 + space.failed_share());
  FillInScore(space.optimum_ns(), axis);
  return axis;
}

absl::Status CheckOptions(const ScoreOptions& options) {
  const auto wrong = [](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("score options: ", what...));
  };
  if (!(options.p_start >= 0 && options.p_start < 1)) {
    return wrong("p_start is ", options.p_start, ", want at least 0 and below 1");
  }
  if (!(options.p_end >= options.p_start && options.p_end < 1)) {
    return wrong("p_end is ", options.p_end, ", want at least p_start and below 1");
  }
  if (options.num_samples < 2) {
    return wrong("num_samples is ", options.num_samples, ", want at least 2");
  }
  for (const int64_t checkpoint : options.checkpoints) {
    if (checkpoint < 1) return wrong("a checkpoint is ", checkpoint, ", want at least 1");
  }
  return absl::OkStatus();
}

absl::Status CheckRuns(std::span<const ScoredRun> runs) {
  if (runs.empty()) return absl::InvalidArgumentError("there are no runs, want at least one");
  for (size_t i = 0; i < runs.size(); ++i) {
    if (runs[i].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("runs[", i, "] has no points"));
    }
    for (size_t j = 1; j < runs[i].size(); ++j) {
      if (!(runs[i][j].at_seconds >= runs[i][j - 1].at_seconds)) {
        return absl::InvalidArgumentError(absl::StrCat("runs[", i, "][", j, "] is at ",
                                                       runs[i][j].at_seconds, " s, before ",
                                                       runs[i][j - 1].at_seconds, " s"));
      }
    }
  }
  return absl::OkStatus();
}

// The derivative at the end of a monotone cubic: of the parabola through three points, held to what
// keeps it monotone. `h` are the two intervals, the nearer one first, `slope` their slopes.
double EndDerivative(double h0, double h1, double slope0, double slope1) {
  const double derivative = ((2 * h0 + h1) * slope0 - h0 * slope1) / (h0 + h1);
  if (derivative * slope0 <= 0) return 0;
  if (slope0 * slope1 <= 0 && std::abs(derivative) > 3 * std::abs(slope0)) return 3 * slope0;
  return derivative;
}

}  // namespace

absl::StatusOr<SpaceStatistics> SpaceStatistics::Create(std::span<const ScoredConfig> configs) {
  SpaceStatistics space;
  std::vector<double> costs;
  std::vector<double> costs_of_failures;
  std::vector<double> costs_of_others;
  for (const ScoredConfig& config : configs) {
    const bool works = std::isfinite(config.value_ns);
    if (works && config.value_ns <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("a configuration takes ", config.value_ns, " ns, want more than 0"));
    }
    if (works) space.values_ns_.push_back(config.value_ns);
    if (!IsCost(config.cost_seconds)) continue;
    costs.push_back(config.cost_seconds);
    (works ? costs_of_others : costs_of_failures).push_back(config.cost_seconds);
  }
  if (space.values_ns_.size() < 2) {
    return absl::InvalidArgumentError(
        absl::StrCat(space.values_ns_.size(), " of ", configs.size(),
                     " configurations work, want at least 2 to score a search on"));
  }
  std::sort(space.values_ns_.begin(), space.values_ns_.end());
  if (space.values_ns_.front() == space.values_ns_.back()) {
    return absl::InvalidArgumentError(
        "all configurations take the same time: there is nothing to search for");
  }
  if (costs_of_others.empty()) {
    return absl::InvalidArgumentError("no configuration that works has a recorded cost");
  }
  space.num_configs_ = std::ssize(configs);
  space.median_ns_ = Median(space.values_ns_);
  space.median_cost_seconds_ = Median(costs);
  space.mean_cost_seconds_ = Mean(costs_of_others);
  if (!costs_of_failures.empty()) {
    space.mean_cost_seconds_ += space.failed_share() * Mean(costs_of_failures);
  }
  return space;
}

double SpaceStatistics::Rank(double value_ns) const {
  const auto at = std::lower_bound(values_ns_.begin(), values_ns_.end(), value_ns);
  if (!std::isfinite(value_ns) || at == values_ns_.end()) {
    return static_cast<double>(values_ns_.size() - 1);
  }
  return static_cast<double>(at - values_ns_.begin());
}

int64_t SpaceStatistics::CutoffEvaluations(double p) const {
  const double cutoff_ns = optimum_ns() + (median_ns() - optimum_ns()) * (1 - p);
  const auto n = std::ssize(values_ns_);
  // Slowest first, as random search finds them: the first that is good enough.
  int64_t i =
      n - (std::upper_bound(values_ns_.begin(), values_ns_.end(), cutoff_ns) - values_ns_.begin());
  i = std::min<int64_t>(i, n - 1);  // rounding must not lose the optimum
  if (i > 0 && values_ns_[static_cast<size_t>(n - 1 - i)] == optimum_ns()) --i;
  const int64_t divisor = n + 1 - i;
  return std::max<int64_t>(1, (i + divisor - 1) / divisor);
}

double SpaceStatistics::BaselineNs(int64_t k) const {
  const auto n = static_cast<double>(values_ns_.size());
  const auto evaluations = static_cast<double>(k);
  const double slower = std::nearbyint(evaluations * (n + 1) / (evaluations + 1));
  return values_ns_[static_cast<size_t>(n - 1 - std::min(n - 1, slower))];
}

double SpaceStatistics::ExpectedRandomFraction(int64_t k) const {
  // The chance that the best of k is the configuration of rank j: all k are drawn from those of
  // rank j and later, and j is among them.
  const auto total = static_cast<double>(num_configs_);
  const double draws = std::min(static_cast<double>(k), total);
  double chance = draws / total;
  double expected = 0;
  for (size_t j = 0; j < values_ns_.size() && chance > 0; ++j) {
    expected += chance * optimum_ns() / values_ns_[j];
    const double left = total - 1 - static_cast<double>(j);
    if (left <= 0) break;
    chance *= std::max(0.0, left + 1 - draws) / left;
  }
  return expected;
}

RunLength RequiredRunLength(const SpaceStatistics& space, const ScoreOptions& options) {
  const Window window = MakeWindow(space, options);
  RunLength length{.seconds = kBudgetFactor * window.end_seconds,
                   .evaluations = window.last_evaluation};
  for (const int64_t checkpoint : options.checkpoints) {
    length.evaluations = std::max(length.evaluations, checkpoint);
  }
  return length;
}

absl::StatusOr<Score> ScoreRuns(const SpaceStatistics& space, std::span<const ScoredRun> runs,
                                const ScoreOptions& options) {
  SEEDTUNE_RETURN_IF_ERROR(CheckOptions(options));
  SEEDTUNE_RETURN_IF_ERROR(CheckRuns(runs));
  Score score;
  score.time = ScoreOverTime(space, runs, options, score.runs_outside_window);
  score.evaluations = ScoreOverEvaluations(space, runs, options);

  const auto num_runs = static_cast<double>(runs.size());
  int64_t last_checkpoint = 0;
  for (const int64_t checkpoint : options.checkpoints) {
    double sum = 0;
    for (const ScoredRun& run : runs) {
      const double best_ns = BestAfter(run, checkpoint);
      if (std::isfinite(best_ns)) sum += space.optimum_ns() / best_ns;
    }
    score.mean_fraction.push_back(sum / num_runs);
    score.random_fraction.push_back(space.ExpectedRandomFraction(checkpoint));
    last_checkpoint = std::max(last_checkpoint, checkpoint);
  }
  if (last_checkpoint > 0) {
    const auto near = std::count_if(runs.begin(), runs.end(), [&](const ScoredRun& run) {
      return space.optimum_ns() >= options.near_optimum * BestAfter(run, last_checkpoint);
    });
    score.share_near_optimum = static_cast<double>(near) / num_runs;
  }
  return score;
}

AxisScore AggregateScores(std::span<const AxisScore* const> axes) {
  size_t length = 0;
  for (const AxisScore* axis : axes) length = std::max(length, axis->p.size());
  AxisScore aggregate;
  for (size_t i = 0; i < length; ++i) {
    const double place = length == 1 ? 0 : static_cast<double>(i) / static_cast<double>(length - 1);
    double sum = 0;
    for (const AxisScore* axis : axes) {
      const auto last = static_cast<double>(axis->p.size() - 1);
      sum += axis->p[static_cast<size_t>(std::nearbyint(place * last))];
    }
    aggregate.x.push_back(place);
    aggregate.p.push_back(sum / static_cast<double>(axes.size()));
  }
  aggregate.score = Mean(aggregate.p);
  aggregate.standard_deviation = StandardDeviation(aggregate.p);
  return aggregate;
}

std::vector<double> FitNonIncreasing(std::span<const double> y, std::span<const double> weight) {
  struct Block {
    double mean;
    double weight;
    size_t size;
  };
  std::vector<Block> blocks;
  for (size_t i = 0; i < y.size(); ++i) {
    blocks.push_back({y[i], weight[i], 1});
    while (blocks.size() > 1 && blocks[blocks.size() - 2].mean < blocks.back().mean) {
      const Block last = blocks.back();
      blocks.pop_back();
      Block& into = blocks.back();
      const double total = into.weight + last.weight;
      into.mean += (last.mean - into.mean) * last.weight / total;
      into.weight = total;
      into.size += last.size;
    }
  }
  std::vector<double> fit;
  fit.reserve(y.size());
  for (const Block& block : blocks) fit.insert(fit.end(), block.size, block.mean);
  return fit;
}

std::vector<double> MonotoneCubic(std::span<const double> x, std::span<const double> y,
                                  std::span<const double> at) {
  const size_t n = x.size();
  if (n == 1) return std::vector<double>(at.size(), y[0]);
  std::vector<double> h(n - 1);
  std::vector<double> slope(n - 1);
  for (size_t i = 0; i + 1 < n; ++i) {
    h[i] = x[i + 1] - x[i];
    slope[i] = (y[i + 1] - y[i]) / h[i];
  }
  std::vector<double> derivative(n, slope[0]);
  if (n > 2) {
    for (size_t i = 1; i + 1 < n; ++i) {
      const double before = 2 * h[i] + h[i - 1];
      const double after = h[i] + 2 * h[i - 1];
      derivative[i] = slope[i - 1] * slope[i] <= 0
                          ? 0
                          : (before + after) / (before / slope[i - 1] + after / slope[i]);
    }
    derivative[0] = EndDerivative(h[0], h[1], slope[0], slope[1]);
    derivative[n - 1] = EndDerivative(h[n - 2], h[n - 3], slope[n - 2], slope[n - 3]);
  }

  std::vector<double> values;
  values.reserve(at.size());
  for (const double point : at) {
    const auto after = std::upper_bound(x.begin(), x.end(), point) - x.begin();
    const auto i = static_cast<size_t>(
        std::clamp<std::ptrdiff_t>(after - 1, 0, static_cast<std::ptrdiff_t>(n) - 2));
    const double t = (point - x[i]) / h[i];
    const double s = 1 - t;
    values.push_back((1 + 2 * t) * s * s * y[i] + t * s * s * h[i] * derivative[i] +
                     t * t * (3 - 2 * t) * y[i + 1] - t * t * s * h[i] * derivative[i + 1]);
  }
  return values;
}

}  // namespace seedtune

// Robust statistics of timings: what is typical, how sure of it, and whether one is faster.
//
// Timings are not normal: they are bounded below, skewed, and now and then hit by something else
// that the machine does. So the centre is the median, intervals come from order statistics, and
// comparisons from ranks, none of which an outlier can move far (T. Hoefler and R. Belli,
// "Scientific benchmarking of parallel computing systems", SC 2015, rules 5 to 8).
//
// Samples taken in one go share what the machine was doing just then, and the process, its memory
// layout and its clocks: they vary less than two goes do. Only goes are independent (T. Kalibera
// and R. Jones, "Rigorous benchmarking in reasonable time", ISMM 2013). So two kernels are compared
// by one number a go, taken in turns, and paired: what drifts slowly hits both of a pair.
//
// Thread-safe: no state. Nothing here accepts NaN.
#ifndef SEEDTUNE_AUTOTUNER_STATISTICS_H_
#define SEEDTUNE_AUTOTUNER_STATISTICS_H_

#include <optional>
#include <span>

namespace seedtune {

// Of at least one value; of an even number, the mean of the middle two.
double Median(std::span<const double> values);

// The q-quantile, 0 <= q <= 1, of at least one value; between two values, in proportion (definition
// 7 of R. Hyndman and Y. Fan, "Sample quantiles in statistical packages", 1996).
double Quantile(std::span<const double> values, double q);

struct Interval {
  double low = 0;
  double high = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

// The shortest symmetric pair of order statistics that encloses the median of the distribution with
// at least this probability, whatever the distribution (J.-Y. Le Boudec, "Performance evaluation of
// computer and communication systems", 2010, theorem 2.1). nullopt: too few values for it (fewer
// than 6 for 0.95). 0 < confidence < 1.
std::optional<Interval> MedianInterval(std::span<const double> values, double confidence = 0.95);

// Wilcoxon's signed-rank test (1945), one-sided, for pairs of times above 0: how likely ratios a/b
// as small as these are if a is not faster. Equal pairs are left out, tied ranks are averaged.
// Exact up to 64 pairs, then by the normal approximation. 1 if there is no pair left.
double SignedRankPValue(std::span<const double> a, std::span<const double> b);

// Whether `a` is faster than `b`, both timed once a round in interleaved rounds, at the 5% level.
// Five rounds that all agree are the fewest that can say so.
bool IsSeparated(std::span<const double> a_round_medians, std::span<const double> b_round_medians);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_STATISTICS_H_

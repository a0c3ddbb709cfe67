#include "autotuner/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace seedtune {
namespace {

constexpr double kSignificance = 0.05;
constexpr size_t kMostExactPairs = 64;

std::vector<double> Sorted(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

}  // namespace

double Median(std::span<const double> values) { return Quantile(values, 0.5); }

double Quantile(std::span<const double> values, double q) {
  assert(!values.empty() && q >= 0 && q <= 1);
  const std::vector<double> sorted = Sorted(values);
  const double position = q * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(position);
  const double share = position - static_cast<double>(below);
  if (share == 0) return sorted[below];
  if (share == 0.5) return (sorted[below] + sorted[below + 1]) / 2;
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

std::optional<Interval> MedianInterval(std::span<const double> values, double confidence) {
  assert(confidence > 0 && confidence < 1);
  const size_t n = values.size();
  // The k-th smallest and the k-th largest fail to enclose the median if fewer than k of n fair
  // coins show heads, or fewer than k tails.
  double tail = 0;  // P(heads < k)
  size_t k = 0;
  while (2 * (k + 1) <= n) {
    const double log_ways = std::lgamma(static_cast<double>(n + 1)) -
                            std::lgamma(static_cast<double>(k + 1)) -
                            std::lgamma(static_cast<double>(n - k + 1));
    const double next = tail + std::exp(log_ways - static_cast<double>(n) * std::log(2.0));
    if (1 - 2 * next < confidence) break;
    tail = next;
    ++k;
  }
  if (k == 0) return std::nullopt;
  const std::vector<double> sorted = Sorted(values);
  return Interval{.low = sorted[k - 1], .high = sorted[n - k]};
}

double SignedRankPValue(std::span<const double> a, std::span<const double> b) {
  assert(a.size() == b.size());
  std::vector<double> differences;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = std::log(a[i] / b[i]);
    if (difference != 0) differences.push_back(difference);
  }
  const size_t n = differences.size();
  if (n == 0) return 1;
  std::sort(differences.begin(), differences.end(),
            [](double x, double y) { return std::abs(x) < std::abs(y); });

  // Twice the rank, which is whole even where ties share one.
  std::vector<size_t> ranks(n);
  for (size_t i = 0; i < n;) {
    size_t end = i + 1;
    while (end < n && std::abs(differences[end]) == std::abs(differences[i])) ++end;
    for (size_t tied = i; tied < end; ++tied) ranks[tied] = i + 1 + end;
    i = end;
  }
  size_t slower = 0;  // the rank sum of the pairs in which a is slower
  for (size_t i = 0; i < n; ++i) {
    if (differences[i] > 0) slower += ranks[i];
  }

  if (n <= kMostExactPairs) {
    // How many of the 2^n ways to give out the signs come to each sum, as a share.
    std::vector<double> share(n * (n + 1) + 1, 0.0);
    share[0] = 1;
    for (const size_t rank : ranks) {
      for (size_t sum = share.size(); sum-- > 0;) {
        share[sum] = (share[sum] + (sum >= rank ? share[sum - rank] : 0.0)) / 2;
      }
    }
    return std::min(1.0, std::accumulate(share.begin(), share.begin() + slower + 1, 0.0));
  }
  // The sum of the ranks' signs: each rank counts with probability one half.
  double mean = 0;
  double variance = 0;
  for (const size_t rank : ranks) {
    mean += static_cast<double>(rank) / 2;
    variance += static_cast<double>(rank) * static_cast<double>(rank) / 4;
  }
  const double z = (static_cast<double>(slower) + 1 - mean) / std::sqrt(variance);
  return 0.5 * std::erfc(-z / std::sqrt(2.0));
}

bool IsSeparated(std::span<const double> a_round_medians, std::span<const double> b_round_medians) {
  return SignedRankPValue(a_round_medians, b_round_medians) < kSignificance;
}

}  // namespace seedtune

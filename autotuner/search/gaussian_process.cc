#include "autotuner/search/gaussian_process.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace seedtune {
namespace {

// Lengths are expected to grow with the number of knobs, so that the process neither forgets nor
// knows everything at the distances that there are: Hvarfner et al., "Vanilla Bayesian optimization
// performs great in high dimensions" (ICML 2024).
double LengthMean(size_t num_knobs) {
  return std::numbers::sqrt2 / 2 + 0.5 * std::log(static_cast<double>(num_knobs)) - 1.0;
}
// What the recorded spaces of docs/search.md have in common once much is known of them, relative to
// that: a step along an order tells more than any difference does, but all that a knob of two
// choices has is its difference.
constexpr double kOrderedLength = -0.7;
constexpr double kOrderedJump = 0.9;
constexpr double kUnorderedJump = 0.4;
constexpr double kLogNoiseMean = -6;  // of the noise's variance, as a share of the process's
constexpr double kLogNoiseDeviation = 1.5;
// The process's variance is known beforehand as well as if so many values of variance 1 had been
// seen: a few values that the lengths explain too well make it far too small.
constexpr double kPriorValues = 3;
constexpr double kLeastLogNoise = -9;
constexpr double kMostLogNoise = -1;

// The covariance is a mixture: of a sum over the coordinates, since what a knob is worth whatever
// the others are is what can be learnt first; of a sum over pairs of them; and of what all of them
// make together.
constexpr float kOne = 0.3F;
constexpr float kTwo = 0.3F;
constexpr float kScale = 3;
struct Shares {
  float all, one, two;  // of all together; of each coordinate; of each ordered pair of two
};
Shares MakeShares(size_t num_coordinates) {
  const auto n = static_cast<float>(num_coordinates);
  if (num_coordinates < 2) return {.all = 1 - kOne, .one = kOne, .two = 0};
  return {.all = 1 - kOne - kTwo, .one = kOne / n, .two = kTwo / (n * (n - 1))};
}

double Matern(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

template <typename T>
T Dot(const T* a, const T* b, size_t size) {
  T lanes[8] = {};
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  T sum = 0;
  for (const T lane : lanes) sum += lane;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

GaussianProcess::GaussianProcess(std::vector<bool> is_ordered, double deviation)
    : is_ordered_(std::move(is_ordered)),
      deviation_(deviation),
      parameters_(ExpectedLengths()),
      smooth_(is_ordered_.size()),
      jumps_(is_ordered_.size()) {
  parameters_.push_back(kLogNoiseMean);
  SetWeights();
}

std::vector<double> GaussianProcess::ExpectedLengths() const {
  const double mean = LengthMean(is_ordered_.size());
  std::vector<double> lengths(is_ordered_.size(), mean + kOrderedLength);
  for (const bool is_ordered : is_ordered_) {
    lengths.push_back(mean + (is_ordered ? kOrderedJump : kUnorderedJump));
  }
  return lengths;
}

void GaussianProcess::SetWeights() {
  for (size_t c = 0; c < is_ordered_.size(); ++c) {
    smooth_[c] = is_ordered_[c] ? static_cast<float>(std::exp(-2 * parameters_[c])) : 0;
    jumps_[c] = static_cast<float>(std::exp(-2 * parameters_[is_ordered_.size() + c]));
  }
}

void GaussianProcess::Learn(const Data& data, int steps) {
  Clear();
  const size_t n = data.points.size();
  if (n < 2) return;
  const size_t num_knobs = is_ordered_.size();
  const size_t num_terms = 2 * num_knobs;
  const size_t num_parameters = num_terms + 1;
  const size_t num_pairs = n * (n - 1) / 2;
  // What each term adds to the squared distances of all pairs before it is weighed; empty: nothing.
  std::vector<std::vector<float>> distances(num_terms);
  for (size_t term = 0; term < num_terms; ++term) {
    const bool is_jump = term >= num_knobs;
    const size_t c = is_jump ? term - num_knobs : term;
    if (!is_jump && !is_ordered_[c]) continue;
    std::vector<float>& of_term = distances[term];
    of_term.reserve(num_pairs);
    bool varies = false;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) {
        const float d = data.points[i][c] - data.points[j][c];
        of_term.push_back(is_jump ? (d != 0 ? 1 : 0) : d * d);
        varies |= d != 0;
      }
    }
    if (!varies) of_term.clear();
  }

  const std::vector<double> prior = ExpectedLengths();
  std::vector<double> parameters = parameters_;
  // Resilient backpropagation (M. Riedmiller): only the gradient's signs count.
  std::vector<double> step(num_parameters, 0.2), last_gradient(num_parameters, 0);
  std::vector<double> best = parameters;
  double best_loss = std::numeric_limits<double>::infinity();
  std::vector<double> factor(n * n), inverse(n * n), gradient(num_parameters);
  std::vector<double> solved(n), alpha(n);
  std::vector<float> total(num_pairs), by_pair(num_pairs), weight(num_pairs), slopes(num_pairs);
  std::vector<float> sums(num_pairs), squares(num_pairs);
  std::vector<std::vector<float>> likeness(num_knobs, std::vector<float>(num_pairs, 1));
  const Shares shares = MakeShares(num_knobs);
  for (int iteration = 0; iteration <= steps; ++iteration) {
    const double noise = std::exp(parameters[num_terms]);
    std::fill(total.begin(), total.end(), 0.0F);
    std::fill(sums.begin(), sums.end(), 0.0F);
    std::fill(squares.begin(), squares.end(), 0.0F);
    for (size_t c = 0; c < num_knobs; ++c) {
      std::fill(slopes.begin(), slopes.end(), 0.0F);
      for (const size_t term : {c, c + num_knobs}) {
        const auto w = static_cast<float>(std::exp(-2 * parameters[term]));
        const std::vector<float>& d = distances[term];
        for (size_t p = 0; p < d.size(); ++p) slopes[p] += w * d[p];
      }
      std::vector<float>& like = likeness[c];
      for (size_t p = 0; p < num_pairs; ++p) {
        const float k = 1 / (1 + kScale * slopes[p]);
        like[p] = k;
        total[p] += slopes[p];
        sums[p] += k;
        squares[p] += k * k;
      }
    }
    // Cholesky.
    bool is_definite = true;
    size_t pair = 0;
    for (size_t i = 0; i < n && is_definite; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double covariance = 1 + noise;
        if (i != j) {
          const float r = std::sqrt(5 * total[pair]);
          const float e = std::exp(-r);
          covariance = shares.all * (1 + r + r * r / 3) * e + shares.one * sums[pair] +
                       shares.two * (sums[pair] * sums[pair] - squares[pair]);
          by_pair[pair++] = shares.all * -5.0F / 6 * (1 + r) * e;  // by the squared distance
        }
        const double sum = covariance - Dot(&factor[i * n], &factor[j * n], j);
        if (i != j) {
          factor[i * n + j] = sum / factor[j * n + j];
        } else if (sum > 1e-12) {
          factor[i * n + i] = std::sqrt(sum);
        } else {
          is_definite = false;
        }
      }
    }
    if (!is_definite) break;
    // The factor's inverse, transposed: row j holds column j of L^-1.
    double log_determinant = 0;
    for (size_t i = 0; i < n; ++i) log_determinant += 2 * std::log(factor[i * n + i]);
    for (size_t j = 0; j < n; ++j) {
      inverse[j * n + j] = 1 / factor[j * n + j];
      for (size_t i = j + 1; i < n; ++i) {
        inverse[j * n + i] =
            -Dot(&factor[i * n + j], &inverse[j * n + j], i - j) / factor[i * n + i];
      }
    }
    double fit = 0;
    for (size_t i = 0; i < n; ++i) {
      solved[i] = 0;
      for (size_t j = 0; j <= i; ++j) solved[i] += inverse[j * n + i] * data.values[j];
      fit += solved[i] * solved[i];
    }
    fit = std::max(fit, 1e-9);
    for (size_t j = 0; j < n; ++j) alpha[j] = Dot(&inverse[j * n + j], &solved[j], n - j);
    double loss = 0.5 * static_cast<double>(n) * std::log(fit) + 0.5 * log_determinant;
    for (size_t k = 0; k < num_terms; ++k) {
      const double z = (parameters[k] - prior[k]) / deviation_;
      loss += 0.5 * z * z;
    }
    const double noise_z = (parameters[num_terms] - kLogNoiseMean) / kLogNoiseDeviation;
    loss += 0.5 * noise_z * noise_z;
    if (loss < best_loss) {
      best_loss = loss;
      best = parameters;
    }
    if (iteration == steps) break;

    // d loss / d covariance, for each pair.
    const double amplitude = fit / static_cast<double>(n);
    std::fill(gradient.begin(), gradient.end(), 0.0);
    pair = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        // Of the inverse of the covariances.
        const double entry = Dot(&inverse[i * n + i], &inverse[j * n + i], n - i);
        const double by_entry = 0.5 * (entry - alpha[i] * alpha[j] / amplitude);
        if (i == j) {
          gradient[num_terms] += by_entry * noise;
        } else {
          weight[pair++] = static_cast<float>(2 * by_entry);
        }
      }
    }
    for (size_t c = 0; c < num_knobs; ++c) {
      const std::vector<float>& like = likeness[c];
      for (size_t p = 0; p < num_pairs; ++p) {
        const float k = like[p];
        slopes[p] = weight[p] *
                    (by_pair[p] - kScale * k * k * (shares.one + 2 * shares.two * (sums[p] - k)));
      }
      for (const size_t term : {c, c + num_knobs}) {
        const std::vector<float>& d = distances[term];
        gradient[term] =
            -2 * std::exp(-2 * parameters[term]) * Dot(slopes.data(), d.data(), d.size());
      }
    }
    for (size_t k = 0; k < num_terms; ++k) {
      gradient[k] += (parameters[k] - prior[k]) / (deviation_ * deviation_);
    }
    gradient[num_terms] += noise_z / kLogNoiseDeviation;
    for (size_t p = 0; p < num_parameters; ++p) {
      const double agreement = gradient[p] * last_gradient[p];
      if (agreement > 0) step[p] = std::min(step[p] * 1.3, 1.0);
      if (agreement < 0) step[p] = std::max(step[p] * 0.5, 0.01);
      parameters[p] -= gradient[p] > 0 ? step[p] : (gradient[p] < 0 ? -step[p] : 0);
      last_gradient[p] = gradient[p];
    }
    for (size_t k = 0; k < num_terms; ++k) parameters[k] = std::clamp(parameters[k], -3.0, 5.0);
    parameters[num_terms] = std::clamp(parameters[num_terms], kLeastLogNoise, kMostLogNoise);
  }
  parameters_ = best;
  SetWeights();
}

double GaussianProcess::Covariance(const std::vector<float>& a, const std::vector<float>& b) const {
  float total = 0, sum = 0, square = 0;
  for (size_t c = 0; c < smooth_.size(); ++c) {
    const float d = a[c] - b[c];
    const float t = d * d * smooth_[c] + (d != 0 ? jumps_[c] : 0);
    const float k = 1 / (1 + kScale * t);
    total += t;
    sum += k;
    square += k * k;
  }
  const Shares shares = MakeShares(smooth_.size());
  return shares.all * Matern(total) + shares.one * sum + shares.two * (sum * sum - square);
}

void GaussianProcess::Add(const std::vector<float>& point) {
  View view;
  Extend(point, view);
  std::vector<float> row = std::move(view.v);
  double rest = 1 + std::exp(parameters_.back());
  for (const float entry : row) rest -= static_cast<double>(entry) * entry;
  row.push_back(static_cast<float>(std::sqrt(std::max(rest, 1e-6))));
  rows_.push_back(std::move(row));
  points_.push_back(point);
}

void GaussianProcess::Clear() {
  points_.clear();
  rows_.clear();
  weights_.clear();
}

void GaussianProcess::Shrink(size_t size) {
  if (size >= points_.size()) return;
  points_.resize(size);
  rows_.resize(size);
  weights_.resize(std::min(size, weights_.size()));
}

void GaussianProcess::SetValues(std::span<const double> values) {
  // Of a point without a value, what the others make expected of it: a weight of 0.
  weights_.assign(points_.size(), 0);
  double fit = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double sum = values[i] - Dot(rows_[i].data(), weights_.data(), i);
    weights_[i] = static_cast<float>(sum / rows_[i][i]);
    fit += static_cast<double>(weights_[i]) * weights_[i];
  }
  amplitude_ = (fit + kPriorValues) / (static_cast<double>(values.size()) + kPriorValues);
}

void GaussianProcess::View::Shrink(size_t size) {
  while (v.size() > size) {
    variance += v.back() * v.back();
    v.pop_back();
  }
}

void GaussianProcess::Extend(const std::vector<float>& point, View& view) const {
  for (size_t i = view.v.size(); i < points_.size(); ++i) {
    const auto covariance = static_cast<float>(Covariance(point, points_[i]));
    const float entry = (covariance - Dot(rows_[i].data(), view.v.data(), i)) / rows_[i][i];
    view.v.push_back(entry);
    view.variance -= entry * entry;
  }
}

double GaussianProcess::Mean(const View& view) const {
  return Dot(view.v.data(), weights_.data(), weights_.size());
}

double GaussianProcess::StandardDeviation(const View& view) const {
  return std::sqrt(amplitude_ * std::max(static_cast<double>(view.variance), 1e-8));
}

}  // namespace seedtune

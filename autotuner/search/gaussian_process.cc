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
constexpr double kLengthDeviation = std::numbers::sqrt3;
double LengthMean(size_t num_knobs) {
  return std::numbers::sqrt2 / 2 + 0.5 * std::log(static_cast<double>(num_knobs)) - 1.0;
}
double JumpMean(size_t num_knobs) { return LengthMean(num_knobs) + 0.7; }
constexpr double kLogNoiseMean = -6;  // of the noise's variance, as a share of the process's
constexpr double kLogNoiseDeviation = 1.5;
constexpr double kLeastLogNoise = -9;
constexpr double kMostLogNoise = -1;

// The share of the covariance that is a sum over the coordinates: what a knob is worth whatever the
// others are is what can be learnt first.
constexpr double kAdditive = 0.5;
constexpr double kAdditiveScale = 3;
double Matern(double squared_distance) {
  const double r = std::sqrt(5 * squared_distance);
  return (1 + r + r * r / 3) * std::exp(-r);
}

float Dot(const float* a, const float* b, size_t size) {
  float lanes[8] = {};
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    for (size_t lane = 0; lane < 8; ++lane) lanes[lane] += a[i + lane] * b[i + lane];
  }
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  for (; i < size; ++i) sum += a[i] * b[i];
  return sum;
}

}  // namespace

GaussianProcess::GaussianProcess(std::vector<bool> is_ordered)
    : is_ordered_(std::move(is_ordered)), smooth_(is_ordered_.size()), jumps_(is_ordered_.size()) {
  parameters_.assign(is_ordered_.size(), LengthMean(is_ordered_.size()));
  parameters_.insert(parameters_.end(), is_ordered_.size(), JumpMean(is_ordered_.size()));
  parameters_.push_back(kLogNoiseMean);
  SetWeights();
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
  const size_t num_terms = 2 * is_ordered_.size();
  const size_t num_parameters = num_terms + 1;
  // What each term adds to the squared distances of all pairs before it is weighed.
  std::vector<size_t> varying;
  std::vector<std::vector<double>> distances(num_terms);
  for (size_t term = 0; term < num_terms; ++term) {
    const bool is_jump = term >= is_ordered_.size();
    const size_t c = is_jump ? term - is_ordered_.size() : term;
    if (!is_jump && !is_ordered_[c]) continue;
    std::vector<double>& of_term = distances[term];
    of_term.reserve(n * (n - 1) / 2);
    bool varies = false;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j) {
        const double d = data.points[i][c] - data.points[j][c];
        of_term.push_back(is_jump ? (d != 0 ? 1 : 0) : d * d);
        varies |= d != 0;
      }
    }
    if (varies) varying.push_back(term);
  }

  std::vector<double> prior(is_ordered_.size(), LengthMean(is_ordered_.size()));
  prior.insert(prior.end(), is_ordered_.size(), JumpMean(is_ordered_.size()));
  std::vector<double> parameters = parameters_;
  // Resilient backpropagation (M. Riedmiller): only the gradient's signs count.
  std::vector<double> step(num_parameters, 0.2), last_gradient(num_parameters, 0);
  std::vector<double> best = parameters;
  double best_loss = std::numeric_limits<double>::infinity();
  std::vector<double> factor(n * n), inverse(n * n), covariance(n * n), slope(n * n);
  for (int iteration = 0; iteration <= steps; ++iteration) {
    const double noise = std::exp(parameters[num_terms]);
    std::vector<double> inverse_square(num_terms);
    for (size_t k = 0; k < num_terms; ++k) inverse_square[k] = std::exp(-2 * parameters[k]);
    std::vector<double> total(n * (n - 1) / 2, 0);
    for (const size_t knob : varying) {
      const double w = inverse_square[knob];
      const double* const d = distances[knob].data();
      for (size_t p = 0; p < total.size(); ++p) total[p] += w * d[p];
    }
    const double share = kAdditive / static_cast<double>(is_ordered_.size());
    std::vector<double> additive(total.size(), 0);
    std::vector<std::vector<double>> additive_slopes(is_ordered_.size());
    for (size_t c = 0; c < is_ordered_.size(); ++c) {
      std::vector<double>& slopes = additive_slopes[c];
      slopes.assign(total.size(), 0);
      for (const size_t term : {c, c + is_ordered_.size()}) {
        const double w = inverse_square[term];
        const double* const d = distances[term].data();
        for (size_t p = 0; p < distances[term].size(); ++p) slopes[p] += w * d[p];
      }
      for (size_t p = 0; p < total.size(); ++p) {
        const double k = 1 / (1 + kAdditiveScale * slopes[p]);
        additive[p] += share * k;
        slopes[p] = -share * kAdditiveScale * k * k;
      }
    }
    size_t pair = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < i; ++j, ++pair) {
        const double r = std::sqrt(5 * total[pair]);
        const double e = std::exp(-r);
        covariance[i * n + j] = (1 - kAdditive) * (1 + r + r * r / 3) * e;
        covariance[i * n + j] += additive[pair];
        slope[i * n + j] = (1 - kAdditive) * -5.0 / 6 * (1 + r) * e;  // by the squared distance
      }
      covariance[i * n + i] = 1 + noise;
    }
    // Cholesky.
    bool is_definite = true;
    for (size_t i = 0; i < n && is_definite; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double sum = covariance[i * n + j];
        for (size_t k = 0; k < j; ++k) sum -= factor[i * n + k] * factor[j * n + k];
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
    std::vector<double> solved(n, 0);
    double log_determinant = 0;
    for (size_t i = 0; i < n; ++i) log_determinant += 2 * std::log(factor[i * n + i]);
    for (size_t j = 0; j < n; ++j) {
      inverse[j * n + j] = 1 / factor[j * n + j];
      for (size_t i = j + 1; i < n; ++i) {
        double sum = 0;
        for (size_t k = j; k < i; ++k) sum -= factor[i * n + k] * inverse[j * n + k];
        inverse[j * n + i] = sum / factor[i * n + i];
      }
    }
    std::vector<double> alpha(n, 0);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j <= i; ++j) solved[i] += inverse[j * n + i] * data.values[j];
    }
    double fit = 0;
    for (size_t i = 0; i < n; ++i) fit += solved[i] * solved[i];
    fit = std::max(fit, 1e-9);
    for (size_t j = 0; j < n; ++j) {
      for (size_t i = j; i < n; ++i) alpha[j] += inverse[j * n + i] * solved[i];
    }
    double loss = 0.5 * static_cast<double>(n) * std::log(fit) + 0.5 * log_determinant;
    for (size_t k = 0; k < num_terms; ++k) {
      const double z = (parameters[k] - prior[k]) / kLengthDeviation;
      loss += 0.5 * z * z;
    }
    const double noise_z = (parameters[num_terms] - kLogNoiseMean) / kLogNoiseDeviation;
    loss += 0.5 * noise_z * noise_z;
    if (loss < best_loss) {
      best_loss = loss;
      best = parameters;
    }
    if (iteration == steps) break;

    // d loss / d covariance, for each pair, times the kernel's slope.
    const double amplitude = fit / static_cast<double>(n);
    std::vector<double> weight(total.size());
    std::vector<double> plain(total.size());
    std::vector<double> gradient(num_parameters, 0);
    pair = 0;
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        double entry = 0;  // of the inverse of the covariances
        for (size_t k = i; k < n; ++k) entry += inverse[i * n + k] * inverse[j * n + k];
        const double by_entry = 0.5 * (entry - alpha[i] * alpha[j] / amplitude);
        if (i == j) {
          gradient[num_terms] += by_entry * noise;
        } else {
          plain[pair] = 2 * by_entry;
          weight[pair++] = 2 * by_entry * slope[i * n + j];
        }
      }
    }
    for (const size_t knob : varying) {
      double sum = 0;
      const double* const d = distances[knob].data();
      const double* const slopes = additive_slopes[knob % is_ordered_.size()].data();
      for (size_t p = 0; p < weight.size(); ++p) sum += (weight[p] + plain[p] * slopes[p]) * d[p];
      gradient[knob] = -2 * inverse_square[knob] * sum;
    }
    for (size_t k = 0; k < num_terms; ++k) {
      gradient[k] += (parameters[k] - prior[k]) / (kLengthDeviation * kLengthDeviation);
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
  float sum = 0;
  float additive = 0;
  const auto scale = static_cast<float>(kAdditiveScale);
  for (size_t c = 0; c < smooth_.size(); ++c) {
    const float d = a[c] - b[c];
    const float t = d * d * smooth_[c] + (d != 0 ? jumps_[c] : 0);
    sum += t;
    additive += 1 / (1 + scale * t);
  }
  return (1 - kAdditive) * Matern(sum) + kAdditive * additive / static_cast<float>(smooth_.size());
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

void GaussianProcess::SetValues(std::span<const double> values) {
  weights_.resize(points_.size());
  double fit = 0;
  for (size_t i = 0; i < points_.size(); ++i) {
    const double sum = values[i] - Dot(rows_[i].data(), weights_.data(), i);
    weights_[i] = static_cast<float>(sum / rows_[i][i]);
    fit += static_cast<double>(weights_[i]) * weights_[i];
  }
  amplitude_ = std::max(fit, 1e-9) / static_cast<double>(std::max<size_t>(points_.size(), 1));
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

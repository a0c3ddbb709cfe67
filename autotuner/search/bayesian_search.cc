#include "autotuner/search/bayesian_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numbers>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Chosen on the recorded spaces of docs/search.md, one setting for all of them. None is critical.
constexpr size_t kFirstSamples = 3;
constexpr size_t kFillTries = 16;     // of which a first sample is the one farthest from all known
constexpr double kExpectation = 1.5;  // knobs that differ, a standard deviation's worth there
// The second process: how little its lengths may differ from the usual, and how long it is asked.
constexpr double kUsualDeviation = 0.35;
constexpr size_t kTwoProcesses = 100;
constexpr size_t kMostPoints = 220;  // in the model, which is then cut down to so many:
constexpr size_t kKeptPoints = 160;
constexpr size_t kLearnPoints = 100;  // from which lengths are learnt, in at most so many steps:
constexpr int kLearnSteps = 30;
constexpr size_t kPoolSize = 256;
// Every so often, what heuristics propose from the best goes first.
constexpr size_t kSuggestionPeriod = 3;
constexpr size_t kPoolSamples = 16;  // random ones that join the pool each time
constexpr size_t kElite = 5;         // points whose neighbours join it
constexpr int kMostClimbs = 5;
// The model is sure too early.
constexpr double kExploration = 1.2;
// Less than that above the best is no improvement, in standard deviations of what is known.
constexpr double kLeastGain = 0.2;
// Deviations above the mean that make what a configuration promises, and all to be hoped of it.
constexpr double kPromise = 1;
constexpr double kHope = 4;
// A censored or slow configuration is no more of interest than a failure: squared, speeds of a
// third of the best and less are all about 0.
constexpr double kSpeedPower = 2;

std::vector<bool> IsOrdered(const SpaceFeatures& features) {
  std::vector<bool> is_ordered;
  for (size_t knob = 0; knob < features.size(); ++knob) {
    is_ordered.push_back(features.is_ordered(knob));
  }
  return is_ordered;
}

// How far a normal variable is above `level` in the mean, where it is.
double ExpectedAbove(double level, double mean, double deviation) {
  const double z = (mean - level) / deviation;
  if (z < -8) return 1e-30 * deviation * std::exp(z + 8);
  const double pdf = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
  const double cdf = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  return deviation * (pdf + z * cdf);
}

}  // namespace

BayesianSearch::BayesianSearch(SearchProblem problem, const SearchBase* whole)
    : SearchBase(std::move(problem), whole), features_(space()), best_ns_(kInfinity) {
  processes_.emplace_back(IsOrdered(features_));
  processes_.emplace_back(IsOrdered(features_), kUsualDeviation);
}

double BayesianSearch::Speed(const Record& record) const {
  if (!std::isfinite(record.objective_ns)) return 0;
  return std::pow(best_ns_ / record.objective_ns, kSpeedPower);
}

std::optional<size_t> BayesianSearch::Find(const Config& config) const {
  return record_of_.Find(config, [this](size_t i) -> const Config& { return records_[i].config; });
}

void BayesianSearch::Observe(const Candidate& candidate, double objective_ns) {
  const std::optional<size_t> known = Find(candidate.config);
  if (objective_ns < best_ns_) {
    for (Candidate& suggestion : HeuristicNeighbors(candidate.config)) {
      suggestions_.push_back(std::move(suggestion));
    }
  }
  if (!known.has_value()) {
    records_.push_back({.config = candidate.config,
                        .heuristic = candidate.heuristic,
                        .objective_ns = objective_ns,
                        .is_told = true,
                        .expected = Expected(candidate.config)});
    record_of_.Add(candidate.config, records_.size() - 1);
    AddToModel(records_.size() - 1);
    best_ns_ = std::min(best_ns_, objective_ns);
    return;
  }
  Record& record = records_[*known];
  const bool was_best = record.is_told && record.objective_ns == best_ns_;
  record.objective_ns = objective_ns;
  if (!record.is_told) {
    record.is_told = true;
    std::erase(under_way_, *known);
    AddToModel(*known);
  }
  best_ns_ = std::min(best_ns_, objective_ns);
  if (!was_best) return;
  best_ns_ = kInfinity;
  for (const Record& other : records_) {
    if (other.is_told) best_ns_ = std::min(best_ns_, other.objective_ns);
  }
}

double BayesianSearch::Expected(const Config& config) const {
  return features_.Expected(features_.Of(config));
}

// Beyond its cap, the model is made anew before it is asked.
void BayesianSearch::AddToModel(size_t record) {
  if (modelled_.size() > kMostPoints) return;
  for (GaussianProcess& process : processes_) process.Add(features_.Of(records_[record].config));
  modelled_.push_back(record);
}

std::optional<Candidate> BayesianSearch::Propose() {
  while (records_.size() % kSuggestionPeriod == 0 && !suggestions_.empty()) {
    Candidate suggestion = std::move(suggestions_.front());
    suggestions_.pop_front();
    if (!IsVisited(suggestion.config)) return Remember(std::move(suggestion));
  }
  const bool is_nothing_known = records_.size() == under_way_.size();
  if (is_nothing_known || records_.size() < kFirstSamples) return DrawFarOut();
  if (std::isfinite(best_ns_)) return Pick();
  // Nothing works. What stands near the first candidates may.
  if (records_.size() % 2 == 0) {
    const size_t seeds = std::clamp<size_t>(problem().first.size(), 1, records_.size());
    const Record& seed = records_[RandomBelow(seeds, random())];
    const std::string heuristic = seed.heuristic;
    std::vector<Candidate> proposed = HeuristicNeighbors(seed.config);
    if (!proposed.empty()) return Remember(std::move(proposed[0]));
    std::optional<Config> neighbor = RandomNeighbor(seed.config, NeighborKind::kHamming, random());
    if (neighbor.has_value() && !IsVisited(*neighbor)) {
      return Remember({.config = *std::move(neighbor), .heuristic = heuristic});
    }
  }
  return Draw();
}

std::optional<Candidate> BayesianSearch::Draw() {
  std::optional<Config> config = DrawUnvisited();
  if (!config.has_value()) return std::nullopt;
  return Remember({.config = *std::move(config)});
}

std::optional<Candidate> BayesianSearch::DrawFarOut() {
  std::optional<Config> farthest;
  double greatest_distance = -kInfinity;
  for (size_t attempt = 0; attempt < kFillTries; ++attempt) {
    Config config = space().Sample(random());
    if (IsVisited(config)) continue;
    const std::vector<float> point = features_.Of(config);
    double nearest = kInfinity;
    for (const Record& record : records_) {
      const std::vector<float> known = features_.Of(record.config);
      double distance = 0;
      for (size_t i = 0; i < point.size(); ++i) {
        const double apart = std::abs(point[i] - known[i]);
        if (apart > 0) distance += features_.is_ordered(i) ? 0.5 + 0.5 * apart : 1;
      }
      nearest = std::min(nearest, distance);
    }
    nearest += kExpectation * features_.Expected(point);
    if (nearest <= greatest_distance) continue;
    greatest_distance = nearest;
    farthest = std::move(config);
  }
  if (!farthest.has_value()) return Draw();
  return Remember({.config = *std::move(farthest)});
}

Candidate BayesianSearch::Remember(Candidate candidate) {
  records_.push_back({.config = candidate.config,
                      .heuristic = candidate.heuristic,
                      .objective_ns = kInfinity,
                      .is_told = false,
                      .expected = Expected(candidate.config)});
  record_of_.Add(candidate.config, records_.size() - 1);
  under_way_.push_back(records_.size() - 1);
  return candidate;
}

void BayesianSearch::Rebuild() {
  std::vector<size_t> keep;
  for (size_t i = 0; i < records_.size(); ++i) {
    if (records_[i].is_told) keep.push_back(i);
  }
  if (keep.size() > kMostPoints) {
    // The better half, and the latest.
    std::stable_sort(keep.begin(), keep.end(), [&](size_t a, size_t b) {
      return records_[a].objective_ns < records_[b].objective_ns;
    });
    std::sort(keep.begin() + kKeptPoints / 2, keep.end(), std::greater<>());
    keep.resize(kKeptPoints);
    std::sort(keep.begin(), keep.end());
  }
  modelled_ = keep;
  UpdateScale();
  // Learn from the best and from some of the others.
  std::vector<size_t> sample = keep;
  if (sample.size() > kLearnPoints) {
    std::stable_sort(sample.begin(), sample.end(), [&](size_t a, size_t b) {
      return records_[a].objective_ns < records_[b].objective_ns;
    });
    std::vector<size_t> some(sample.begin(), sample.begin() + kLearnPoints / 2);
    const size_t rest = sample.size() - kLearnPoints / 2;
    for (size_t i = 0; i < kLearnPoints / 2; ++i) {
      some.push_back(sample[kLearnPoints / 2 + i * rest / (kLearnPoints / 2)]);
    }
    sample = std::move(some);
  }
  std::vector<std::vector<float>> points;
  for (const size_t record : sample) {
    points.push_back(features_.Of(records_[record].config));
  }
  const std::vector<double> values = Values(sample);
  if (records_.size() > kTwoProcesses && processes_.size() > 1) processes_.pop_back();
  for (GaussianProcess& process : processes_) {
    process.Learn({.points = points, .values = values}, kLearnSteps);
    for (const size_t record : modelled_) process.Add(features_.Of(records_[record].config));
  }
  for (PoolEntry& entry : pool_) entry.views.clear();
  next_learning_ = records_.size() + 2 + records_.size() / 8;
}

void BayesianSearch::UpdateScale() {
  double sum = 0;
  double square = 0;
  double expected = 0;
  for (const size_t i : modelled_) {
    const double speed = Speed(records_[i]);
    sum += speed;
    square += speed * speed;
    expected += records_[i].expected;
  }
  const double n = static_cast<double>(modelled_.size());
  mean_ = sum / n;
  deviation_ = std::sqrt(std::max(square / n - mean_ * mean_, 1e-8));
  expected_mean_ = expected / n;
  best_value_ = (1 - mean_) / deviation_;
}

std::vector<double> BayesianSearch::Values(const std::vector<size_t>& records) const {
  std::vector<double> values;
  for (const size_t i : records) {
    values.push_back((Speed(records_[i]) - mean_) / deviation_ -
                     (records_[i].expected - expected_mean_));
  }
  return values;
}

void BayesianSearch::AddToPool(Candidate candidate) {
  if (IsVisited(candidate.config) || !in_pool_.insert(candidate.config).second) return;
  pool_.push_back({.candidate = std::move(candidate), .views = {}});
}

void BayesianSearch::FillPool() {
  // Neighbours of the best.
  std::vector<size_t> order = modelled_;
  const size_t elites = std::min(kElite, order.size());
  std::partial_sort(order.begin(), order.begin() + elites, order.end(), [&](size_t a, size_t b) {
    return std::pair(records_[a].objective_ns, a) < std::pair(records_[b].objective_ns, b);
  });
  for (size_t i = 0; i < elites; ++i) {
    Record& record = records_[order[i]];
    if (record.has_neighbors_in_pool || !std::isfinite(record.objective_ns)) continue;
    record.has_neighbors_in_pool = true;
    for (Candidate& candidate : HeuristicNeighbors(record.config)) AddToPool(std::move(candidate));
    for (Config& neighbor : space().Neighbors(record.config, NeighborKind::kHamming)) {
      AddToPool({.config = std::move(neighbor), .heuristic = record.heuristic});
    }
  }
  for (size_t i = 0; i < kPoolSamples; ++i) {
    AddToPool({.config = space().Sample(random())});
  }
}

void BayesianSearch::CutPool() {
  if (pool_.size() <= kPoolSize) return;
  constexpr std::ptrdiff_t kOfEither = kPoolSize * 3 / 8;
  std::stable_sort(pool_.begin(), pool_.end(), [](const PoolEntry& a, const PoolEntry& b) {
    return a.improvement > b.improvement;
  });
  std::stable_sort(pool_.begin() + kOfEither, pool_.end(),
                   [](const PoolEntry& a, const PoolEntry& b) { return a.promise > b.promise; });
  const auto rest = pool_.begin() + 2 * kOfEither;
  for (auto entry = rest; entry != pool_.end(); ++entry) in_pool_.erase(entry->candidate.config);
  pool_.erase(rest, pool_.end());
}

void BayesianSearch::Judge(PoolEntry& entry) const {
  const std::vector<float> point = features_.Of(entry.candidate.config);
  const double usual = features_.Expected(point) - expected_mean_;
  const auto number = static_cast<double>(processes_.size());
  entry.views.resize(processes_.size());
  entry.improvement = 0;
  entry.promise = 0;
  entry.hope = 0;
  for (size_t i = 0; i < processes_.size(); ++i) {
    const GaussianProcess& process = processes_[i];
    GaussianProcess::View& view = entry.views[i];
    process.Extend(point, view);
    const double mean = usual + process.Mean(view);
    const double deviation = process.StandardDeviation(view);
    entry.improvement +=
        ExpectedAbove(best_value_ + kLeastGain, mean, kExploration * deviation) / number;
    entry.promise += (mean + kPromise * deviation) / number;
    entry.hope += (mean + kHope * deviation) / number;
  }
}

std::optional<Candidate> BayesianSearch::Pick() {
  if (records_.size() >= next_learning_ || modelled_.size() > kMostPoints) Rebuild();
  UpdateScale();
  const std::vector<double> values = Values(modelled_);
  for (GaussianProcess& process : processes_) {
    for (const size_t i : under_way_) process.Add(features_.Of(records_[i].config));
    process.SetValues(values);
  }
  FillPool();
  std::optional<Candidate> picked = PickFromPool();
  for (GaussianProcess& process : processes_) process.Shrink(modelled_.size());
  for (PoolEntry& entry : pool_) {
    for (GaussianProcess::View& view : entry.views) view.Shrink(modelled_.size());
  }
  return picked;
}

std::optional<Candidate> BayesianSearch::PickFromPool() {
  size_t kept = 0;
  for (PoolEntry& entry : pool_) {
    if (IsVisited(entry.candidate.config)) {
      in_pool_.erase(entry.candidate.config);
      continue;
    }
    Judge(entry);
    if (&pool_[kept] != &entry) pool_[kept] = std::move(entry);
    ++kept;
  }
  pool_.erase(pool_.begin() + static_cast<std::ptrdiff_t>(kept), pool_.end());
  if (pool_.empty()) return Draw();
  const bool is_hopeless = std::none_of(pool_.begin(), pool_.end(), [&](const PoolEntry& entry) {
    return entry.hope >= best_value_;
  });
  const auto worth = is_hopeless ? &PoolEntry::promise : &PoolEntry::improvement;
  // Climb.
  PoolEntry best = *std::max_element(
      pool_.begin(), pool_.end(),
      [&](const PoolEntry& a, const PoolEntry& b) { return a.*worth < b.*worth; });
  CutPool();
  for (int step = 0; step < kMostClimbs; ++step) {
    const Config from = best.candidate.config;
    bool better = false;
    for (Config& neighbor : space().Neighbors(from, NeighborKind::kHamming)) {
      if (IsVisited(neighbor) || in_pool_.contains(neighbor)) continue;
      PoolEntry entry{.candidate = {.config = std::move(neighbor)}, .views = {}};
      Judge(entry);
      if (entry.*worth > best.*worth) {
        best = std::move(entry);
        better = true;
      }
    }
    if (!better) break;
  }
  return Remember(std::move(best.candidate));
}

}  // namespace seedtune

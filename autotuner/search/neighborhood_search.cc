#include "autotuner/search/neighborhood_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr size_t kPool = 8;
constexpr size_t kElite = 5;
constexpr size_t kNearest = 5;
constexpr size_t kHistory = 300;  // points that the surrogate looks at, the latest
constexpr int kPatience = 100;
constexpr double kTemperature = 0.1;
constexpr double kCooling = 0.995;
constexpr std::array kKinds = {NeighborKind::kStrictlyAdjacent, NeighborKind::kAdjacent,
                               NeighborKind::kHamming};

}  // namespace

NeighborhoodSearch::NeighborhoodSearch(SearchProblem problem, size_t samples,
                                       const SearchBase* whole)
    : MoveSearch(std::move(problem), samples, whole) {}

void NeighborhoodSearch::Arrive(PointId point, int tag) {
  const bool is_best = best_seen_ == kNone || objective(point) < objective(best_seen_);
  if (is_best) {
    best_seen_ = point;
    steps_since_best_ = 0;
  }
  if (std::find(elite_.begin(), elite_.end(), point) == elite_.end()) elite_.push_back(point);
  std::stable_sort(elite_.begin(), elite_.end(),
                   [this](PointId a, PointId b) { return objective(a) < objective(b); });
  if (elite_.size() > kElite) elite_.resize(kElite);  // the worst goes
  if (at_ == kNone || (tag == kNoTag && objective(point) < objective(at_))) {
    at_ = point;
    return;
  }
  if (tag == kNoTag) return;
  ++steps_;
  ++steps_since_best_;
  if (static_cast<size_t>(tag) < kKinds.size()) {
    double& weight = weight_[static_cast<size_t>(tag)];
    weight = std::clamp(weight * (objective(point) < objective(at_) ? 1.1 : 0.99), 0.2, 5.0);
  }
  const double worse = std::isfinite(objective(at_)) ? objective(point) / objective(at_) - 1 : 0;
  const double temperature = kTemperature * std::pow(kCooling, steps_);
  if (RandomUnit(random()) < std::exp(-worse / std::max(temperature, 1e-4))) at_ = point;
  if (steps_since_best_ < kPatience) return;
  steps_since_best_ = 0;
  at_ = kNone;
  Sample(kSamples);
}

// The mean of the nearest points' speeds, relative to the best.
double NeighborhoodSearch::Expected(const Config& candidate) const {
  struct Near {
    int distance;
    PointId point;
  };
  std::array<Near, kNearest> nearest;
  size_t found = 0;
  const auto choices = candidate.choices();
  const size_t first = num_points() - std::min(num_points(), kHistory);
  for (PointId point = first; point < num_points(); ++point) {
    int distance = 0;
    const auto other = config(point).choices();
    for (size_t knob = 0; knob < choices.size(); ++knob) distance += choices[knob] != other[knob];
    if (found == kNearest && distance >= nearest[found - 1].distance) continue;
    size_t place = found < kNearest ? found++ : kNearest - 1;
    for (; place > 0 && nearest[place - 1].distance > distance; --place) {
      nearest[place] = nearest[place - 1];
    }
    nearest[place] = {distance, point};
  }
  double sum = 0;
  double weights = 0;
  for (size_t i = 0; i < found; ++i) {
    const double weight = 1.0 / (1 + nearest[i].distance);
    const double ns = objective(nearest[i].point);
    if (std::isfinite(ns)) sum += weight * objective(best()) / ns;
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}

MoveSearch::Destination NeighborhoodSearch::Move() {
  if (at_ == kNone) at_ = best();
  std::optional<Destination> chosen;
  double chosen_expected = -1;
  for (size_t i = 0; i < kPool; ++i) {
    Destination candidate{.config = {}, .tag = static_cast<int>(kKinds.size())};
    if (i == kPool - 1) {
      candidate.config = RandomConfig();
    } else if (i == kPool - 2) {
      candidate.config = Crossed(config(elite_[RandomBelow(elite_.size(), random())]),
                                 config(elite_[RandomBelow(elite_.size(), random())]));
    } else {
      double draw = RandomUnit(random()) * (weight_[0] + weight_[1] + weight_[2]);
      size_t kind = 0;
      while (kind + 1 < kKinds.size() && draw >= weight_[kind]) draw -= weight_[kind++];
      candidate.config = Neighbor(config(at_), kKinds[kind]);
      candidate.tag = static_cast<int>(kind);
      candidate.parent = at_;
    }
    if (IsVisited(candidate.config)) continue;
    const double expected = Expected(candidate.config);
    if (expected <= chosen_expected) continue;
    chosen_expected = expected;
    chosen = std::move(candidate);
  }
  // All of them known: onwards from here by chance.
  if (!chosen.has_value()) {
    return {.config = Neighbor(config(at_), NeighborKind::kHamming), .tag = 0, .parent = at_};
  }
  return *std::move(chosen);
}

}  // namespace seedtune

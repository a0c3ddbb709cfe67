#include "autotuner/search/forest_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "autotuner/search/decision_forest.h"
#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr size_t kSamples = 10;
constexpr double kGoodShare = 0.2;
constexpr size_t kElite = 6;
constexpr size_t kPool = 60;
constexpr double kRandomShare = 0.1;   // of the pool
constexpr size_t kMostExamples = 400;  // the best, and the latest

}  // namespace

ForestSearch::ForestSearch(SearchProblem problem)
    : MoveSearch(std::move(problem), kSamples), forest_(space(), {}) {}

void ForestSearch::Arrive(PointId point, int /*tag*/) {
  if (std::find(elite_.begin(), elite_.end(), point) == elite_.end()) elite_.push_back(point);
  std::stable_sort(elite_.begin(), elite_.end(),
                   [this](PointId a, PointId b) { return objective(a) < objective(b); });
  if (elite_.size() > kElite) elite_.resize(kElite);
}

void ForestSearch::Learn() {
  learn_at_ = num_points() + 1 + num_points() / 16;
  std::vector<PointId> points(num_points());
  std::iota(points.begin(), points.end(), PointId{0});
  std::stable_sort(points.begin(), points.end(),
                   [this](PointId a, PointId b) { return objective(a) < objective(b); });
  if (points.size() > kMostExamples) {
    std::sort(points.begin() + kMostExamples / 2, points.end(), std::greater<>());
    points.resize(kMostExamples);
    std::stable_sort(points.begin(), points.end(),
                     [this](PointId a, PointId b) { return objective(a) < objective(b); });
  }
  const auto working = static_cast<size_t>(
      std::find_if(points.begin(), points.end(),
                   [this](PointId point) { return !std::isfinite(objective(point)); }) -
      points.begin());
  const auto good = static_cast<size_t>(std::ceil(kGoodShare * static_cast<double>(working)));
  const double threshold = good < working ? objective(points[good]) : 0;
  std::vector<DecisionForest::Example> examples;
  double sum = 0;
  for (size_t i = 0; i < good; ++i) {
    sum += std::max(1e-3, threshold / objective(points[i]) - 1);
  }
  for (size_t i = 0; i < points.size(); ++i) {
    double weight = 1;
    if (i < good) {
      weight =
          std::max(1e-3, threshold / objective(points[i]) - 1) / sum * static_cast<double>(good);
    }
    examples.push_back(
        {.choices = config(points[i]).choices(), .is_good = i < good, .weight = weight});
  }
  forest_.Learn(examples, random());
}

MoveSearch::Destination ForestSearch::Move() {
  if (num_points() >= learn_at_) Learn();
  std::optional<Config> chosen;
  double chosen_goodness = -1;
  for (size_t i = 0; i < kPool; ++i) {
    Config candidate;
    if (RandomUnit(random()) < kRandomShare) {
      candidate = RandomConfig();
    } else {
      const size_t rank =
          std::min(RandomBelow(elite_.size(), random()), RandomBelow(elite_.size(), random()));
      candidate = Neighbor(config(elite_[rank]), NeighborKind::kHamming);
      if (RandomBelow(2, random()) == 0) candidate = Neighbor(candidate, NeighborKind::kHamming);
    }
    if (IsVisited(candidate)) continue;
    const double goodness = forest_.Goodness(candidate.choices());
    if (goodness <= chosen_goodness) continue;
    chosen_goodness = goodness;
    chosen = std::move(candidate);
  }
  if (!chosen.has_value()) return {.config = Neighbor(config(best()), NeighborKind::kAdjacent)};
  return {.config = *std::move(chosen)};
}

}  // namespace seedtune

#include "autotuner/search/genetic_search.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr size_t kMembers = 20;
constexpr int kContestants = 3;    // for a place as a parent
constexpr double kMutation = 0.7;  // the chance of a step more, each time

}  // namespace

GeneticSearch::GeneticSearch(SearchProblem problem) : MoveSearch(std::move(problem), kMembers) {}

void GeneticSearch::Arrive(PointId point, int /*tag*/) {
  if (std::find(members_.begin(), members_.end(), point) != members_.end()) return;
  if (members_.size() < kMembers) {
    members_.push_back(point);
    return;
  }
  const auto worst =
      std::max_element(members_.begin(), members_.end(),
                       [this](PointId a, PointId b) { return objective(a) < objective(b); });
  if (objective(point) <= objective(*worst)) *worst = point;
}

MoveSearch::PointId GeneticSearch::Parent() {
  PointId parent = members_[RandomBelow(members_.size(), random())];
  for (int i = 1; i < kContestants; ++i) {
    const PointId other = members_[RandomBelow(members_.size(), random())];
    if (objective(other) < objective(parent)) parent = other;
  }
  return parent;
}

MoveSearch::Destination GeneticSearch::Move() {
  const PointId mother = Parent();
  Config child = Crossed(config(mother), config(Parent()));
  while (RandomUnit(random()) < kMutation) child = Neighbor(child, NeighborKind::kHamming);
  return {.config = std::move(child)};
}

}  // namespace seedtune

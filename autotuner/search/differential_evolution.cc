#include "autotuner/search/differential_evolution.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

constexpr size_t kMembers = 20;
constexpr double kLeastStep = 0.5;  // the difference is taken from this to 1 times
constexpr double kCrossover = 0.7;

}  // namespace

DifferentialEvolution::DifferentialEvolution(SearchProblem problem)
    : MoveSearch(std::move(problem), kMembers) {}

void DifferentialEvolution::Arrive(PointId point, int tag) {
  if (std::find(members_.begin(), members_.end(), point) != members_.end()) return;
  if (tag == kNoTag || static_cast<size_t>(tag) >= members_.size()) {
    if (members_.size() < kMembers) {
      members_.push_back(point);
      return;
    }
    // From outside: in place of the worst.
    const auto worst =
        std::max_element(members_.begin(), members_.end(),
                         [this](PointId a, PointId b) { return objective(a) < objective(b); });
    if (objective(point) < objective(*worst)) *worst = point;
    return;
  }
  PointId& member = members_[static_cast<size_t>(tag)];
  if (objective(point) <= objective(member)) member = point;
}

MoveSearch::Destination DifferentialEvolution::Move() {
  const size_t count = members_.size();
  next_ = (next_ + 1) % count;
  const auto choices = [this](size_t member) { return config(members_[member]).choices(); };
  const auto from = choices(next_);
  size_t best = 0;
  for (size_t i = 1; i < count; ++i) {
    if (objective(members_[i]) < objective(members_[best])) best = i;
  }
  const auto a = choices(RandomBelow(count, random()));
  const auto b = choices(RandomBelow(count, random()));
  const double step = kLeastStep + (1 - kLeastStep) * RandomUnit(random());
  std::vector<uint16_t> trial(from.begin(), from.end());
  const size_t always = RandomBelow(trial.size(), random());
  for (size_t knob = 0; knob < trial.size(); ++knob) {
    if (knob != always && RandomUnit(random()) >= kCrossover) continue;
    const int last = space().knobs()[knob].num_choices() - 1;
    const double moved = choices(best)[knob] + step * (static_cast<double>(a[knob]) - b[knob]);
    trial[knob] = static_cast<uint16_t>(std::clamp(static_cast<int>(std::lround(moved)), 0, last));
  }
  Config result = Repaired(std::move(trial));
  // Where all are alike, there is no difference to go by.
  if (IsVisited(result)) result = Neighbor(result, NeighborKind::kHamming);
  return {.config = std::move(result), .tag = static_cast<int>(next_)};
}

}  // namespace seedtune

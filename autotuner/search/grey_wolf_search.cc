#include "autotuner/search/grey_wolf_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr size_t kMembers = 8;
constexpr size_t kLeaders = 3;
constexpr std::array<double, kLeaders> kLeaderShare = {0.4, 0.25, 0.15};
constexpr double kOwnShare = 0.15;  // the rest is chance
constexpr double kShaking = 0.3;
constexpr double kTemperature = 0.1;  // of the acceptance of worse ones, at first
constexpr double kCooling = 0.995;
constexpr int kPatience = 60;  // steps without a new best before a part of the pack is replaced

}  // namespace

GreyWolfSearch::GreyWolfSearch(SearchProblem problem) : MoveSearch(std::move(problem), kMembers) {}

void GreyWolfSearch::Arrive(PointId point, int tag) {
  if (best_seen_ == kNone || objective(point) < objective(best_seen_)) {
    best_seen_ = point;
    steps_since_best_ = 0;
  }
  if (std::find(members_.begin(), members_.end(), point) != members_.end()) return;
  if (members_.size() < kMembers) {
    members_.push_back(point);
    return;
  }
  const auto is_better = [this](PointId a, PointId b) { return objective(a) < objective(b); };
  if (tag == kNoTag) {
    const auto worst = std::max_element(members_.begin(), members_.end(), is_better);
    if (objective(point) < objective(*worst)) *worst = point;
    return;
  }
  ++steps_;
  ++steps_since_best_;
  PointId& member = members_[static_cast<size_t>(tag)];
  const double worse =
      std::isfinite(objective(member)) ? objective(point) / objective(member) - 1 : 0;
  const double temperature = kTemperature * std::pow(kCooling, steps_);
  const bool is_best = std::none_of(members_.begin(), members_.end(), [&](PointId other) {
    return objective(other) < objective(member);
  });
  if (worse <= 0 || (!is_best && RandomUnit(random()) < std::exp(-worse / temperature))) {
    member = point;
  }
  if (steps_since_best_ < kPatience) return;
  steps_since_best_ = 0;
  // The worse half makes room.
  std::sort(members_.begin(), members_.end(), is_better);
  members_.resize(kMembers / 2);
  Sample(kMembers / 2);
}

MoveSearch::Destination GreyWolfSearch::Move() {
  std::vector<PointId> leaders = members_;
  const size_t num_leaders = std::min(kLeaders, leaders.size());
  std::partial_sort(leaders.begin(), leaders.begin() + static_cast<std::ptrdiff_t>(num_leaders),
                    leaders.end(),
                    [this](PointId a, PointId b) { return objective(a) < objective(b); });
  next_ = (next_ + 1) % members_.size();
  const Config chance = RandomConfig();
  const auto own = config(members_[next_]).choices();
  std::vector<uint16_t> choices(own.begin(), own.end());
  for (size_t knob = 0; knob < choices.size(); ++knob) {
    double draw = RandomUnit(random());
    bool is_chosen = false;
    for (size_t leader = 0; leader < num_leaders && !is_chosen; ++leader) {
      if (draw < kLeaderShare[leader]) {
        choices[knob] = config(leaders[leader]).choices()[knob];
        is_chosen = true;
      }
      draw -= kLeaderShare[leader];
    }
    if (!is_chosen && draw >= kOwnShare) choices[knob] = chance.choices()[knob];
  }
  Config next = Repaired(std::move(choices));
  if (RandomUnit(random()) < kShaking) next = Neighbor(next, NeighborKind::kAdjacent);
  // Tabu: whatever has been measured.
  for (int i = 0; i < 4 && IsVisited(next); ++i) next = Neighbor(next, NeighborKind::kHamming);
  return {.config = std::move(next), .tag = static_cast<int>(next_)};
}

}  // namespace seedtune

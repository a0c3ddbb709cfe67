#include "autotuner/search/simulated_annealing.h"

#include <cmath>
#include <cstddef>
#include <utility>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {
namespace {

constexpr size_t kSamples = 8;
// At first, a point 30% slower is gone to in one case of e; in the end, one 0.3% slower.
constexpr double kFirstTemperature = 0.3;
constexpr double kLastTemperature = 0.003;
constexpr int kSteps = 120;  // of a walk

}  // namespace

SimulatedAnnealing::SimulatedAnnealing(SearchProblem problem)
    : MoveSearch(std::move(problem), kSamples) {}

void SimulatedAnnealing::Arrive(PointId point, int tag) {
  if (tag == kNoTag) {
    if (at_ == kNone || objective(point) < objective(at_)) at_ = point;
    return;
  }
  if (tag != walks_) return;  // of a walk that is over
  ++steps_;
  const double cooled =
      std::pow(kLastTemperature / kFirstTemperature, static_cast<double>(steps_) / kSteps);
  // Where nothing has worked yet, every step is as good.
  const bool is_lost = !std::isfinite(objective(at_));
  const double worse = is_lost ? 0 : objective(point) / objective(at_) - 1;
  if (RandomUnit(random()) < std::exp(-worse / (kFirstTemperature * cooled))) at_ = point;
  if (steps_ < kSteps) return;
  steps_ = 0;
  ++walks_;
  if (walks_ % 2 == 0) {
    at_ = kNone;
    Sample(kSamples);
  } else {
    at_ = best();
  }
}

MoveSearch::Destination SimulatedAnnealing::Move() {
  if (at_ == kNone) at_ = best();
  const bool is_near = RandomBelow(2, random()) == 0;
  return {
      .config = Neighbor(config(at_), is_near ? NeighborKind::kAdjacent : NeighborKind::kHamming),
      .tag = walks_};
}

}  // namespace seedtune

#include "autotuner/search/dual_annealing.h"

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

constexpr size_t kSamples = 8;
constexpr int kLeaps = 100;              // before it heats up again
constexpr double kFirstTemperature = 1;  // of leaps, in shares of a knob's range
constexpr double kLastTemperature = 0.02;
constexpr double kAcceptance = 0.1;  // of worse ones, relative to the leaps' temperature
constexpr double kGoodLeap = 1.1;    // a descent begins within this of the best

}  // namespace

DualAnnealing::DualAnnealing(SearchProblem problem) : MoveSearch(std::move(problem), kSamples) {}

void DualAnnealing::BeginDescent(PointId from) {
  at_ = from;
  ++descents_;
  descent_ = space().Neighbors(config(from), NeighborKind::kStrictlyAdjacent);
  RandomShuffle(descent_, random());
}

void DualAnnealing::Arrive(PointId point, int tag) {
  if (at_ == kNone || (tag == kNoTag && objective(point) < objective(at_))) {
    at_ = point;
    return;
  }
  if (tag == kNoTag) return;
  if (tag > 0) {  // a step of a descent
    if (tag == descents_ && objective(point) < objective(at_)) BeginDescent(point);
    return;
  }
  ++leaps_;
  const double cooled =
      std::pow(kLastTemperature / kFirstTemperature, (leaps_ % kLeaps) / double{kLeaps});
  if (!descent_.empty()) return;
  if (objective(point) < kGoodLeap * objective(best())) {
    BeginDescent(point);
    return;
  }
  const bool is_lost = !std::isfinite(objective(at_));
  const double worse = is_lost ? 0 : objective(point) / objective(at_) - 1;
  if (RandomUnit(random()) < std::exp(-worse / (kAcceptance * cooled))) at_ = point;
}

MoveSearch::Destination DualAnnealing::Move() {
  while (!descent_.empty()) {
    Config next = std::move(descent_.back());
    descent_.pop_back();
    if (!IsVisited(next)) return {.config = std::move(next), .tag = descents_};
  }
  const double temperature = kFirstTemperature * std::pow(kLastTemperature / kFirstTemperature,
                                                          (leaps_ % kLeaps) / double{kLeaps});
  const auto from = config(at_).choices();
  std::vector<uint16_t> choices(from.begin(), from.end());
  // Cauchy leaps of some knobs.
  const double share = 1.5 / static_cast<double>(choices.size());
  for (size_t knob = 0; knob < choices.size(); ++knob) {
    if (RandomUnit(random()) > std::max(share, 0.5 * temperature)) continue;
    const int last = space().knobs()[knob].num_choices() - 1;
    if (!space().knobs()[knob].is_ordered()) {
      choices[knob] = static_cast<uint16_t>(RandomBelow(static_cast<size_t>(last) + 1, random()));
      continue;
    }
    const double leap = temperature * last * RandomNormal(random()) /
                        std::max(1e-6, std::abs(RandomNormal(random())));
    const double moved = std::clamp(choices[knob] + leap, 0.0, static_cast<double>(last));
    choices[knob] = static_cast<uint16_t>(std::lround(moved));
  }
  Config next = Repaired(std::move(choices));
  if (IsVisited(next)) next = Neighbor(next, NeighborKind::kHamming);
  return {.config = std::move(next)};
}

}  // namespace seedtune

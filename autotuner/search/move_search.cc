#include "autotuner/search/move_search.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
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

constexpr int kTries = 20;  // moves to where it has been already, before something new is measured

}  // namespace

MoveSearch::MoveSearch(SearchProblem problem, size_t samples, const SearchBase* whole)
    : SearchBase(std::move(problem), whole),
      samples_(samples - std::min(samples, this->problem().first.size())) {}

Config MoveSearch::Repaired(std::vector<uint16_t> choices) {
  if (space().IsValid(choices)) return Config(space().shared_from_this(), std::move(choices));
  return *space().Repair(std::move(choices), random());
}

Config MoveSearch::Neighbor(const Config& config, NeighborKind kind) {
  return RandomNeighbor(config, kind, random()).value_or(config);
}

Config MoveSearch::Crossed(const Config& a, const Config& b) {
  std::vector<uint16_t> choices(a.choices().begin(), a.choices().end());
  for (size_t knob = 0; knob < choices.size(); ++knob) {
    if (RandomBelow(2, random()) == 1) choices[knob] = b.choices()[knob];
  }
  return Repaired(std::move(choices));
}

std::optional<Candidate> MoveSearch::Propose() {
  if (samples_ == 0 && !points_.empty()) {
    std::optional<Candidate> suggestion =
        suggestions_.Next([this](const Config& config) { return IsVisited(config); });
    if (suggestion.has_value()) return suggestion;
  }
  std::optional<Candidate> own = ProposeOwn();
  if (own.has_value()) suggestions_.PassTurn();
  return own;
}

std::optional<Candidate> MoveSearch::ProposeOwn() {
  const auto draw = [this]() -> std::optional<Candidate> {
    std::optional<Config> config = DrawUnvisited();
    if (!config.has_value()) return std::nullopt;
    return Candidate{.config = *std::move(config)};
  };
  if (samples_ > 0) {
    --samples_;
    return draw();
  }
  if (points_.empty()) return draw();
  for (int i = 0; i < kTries; ++i) {
    Destination destination = Move();
    if (samples_ > 0) {  // it starts afresh
      --samples_;
      return draw();
    }
    if (!IsVisited(destination.config)) {
      tags_[destination.config] = destination.tag;
      return Candidate{.config = std::move(destination.config),
                       .heuristic = destination.parent == kNone
                                        ? std::string()
                                        : points_[destination.parent].heuristic};
    }
    // Nowhere, as long as it is under way.
    if (const std::optional<PointId> known = Find(destination.config)) {
      Arrive(*known, destination.tag);
    }
  }
  for (int i = 0; i < kTries; ++i) {
    Config neighbor = Neighbor(points_[best_].config, NeighborKind::kHamming);
    if (!IsVisited(neighbor)) {
      return Candidate{.config = std::move(neighbor), .heuristic = points_[best_].heuristic};
    }
  }
  return draw();
}

std::optional<MoveSearch::PointId> MoveSearch::Find(const Config& config) const {
  return point_of_.Find(config, [this](PointId i) -> const Config& { return points_[i].config; });
}

void MoveSearch::Observe(const Candidate& candidate, double objective_ns) {
  const std::optional<PointId> known = Find(candidate.config);
  const bool is_new = !known.has_value();
  const PointId point = known.value_or(points_.size());
  if (is_new) {
    point_of_.Add(candidate.config, point);
    points_.push_back({.config = candidate.config,
                       .objective_ns = objective_ns,
                       .heuristic = candidate.heuristic});
  } else {
    points_[point].objective_ns = objective_ns;
  }
  const bool is_new_best = best_ == kNone || objective_ns < objective(best_);
  suggestions_.Told(candidate.config, is_new_best);
  if (is_new_best) {
    best_ = point;
    suggestions_.Add(HeuristicNeighbors(candidate.config));
  } else if (best_ == point && !is_new) {
    for (PointId other = 0; other < points_.size(); ++other) {
      if (objective(other) < objective(best_)) best_ = other;
    }
  }
  int tag = kNoTag;
  if (const auto under_way = tags_.find(candidate.config); under_way != tags_.end()) {
    tag = under_way->second;
    tags_.erase(under_way);
  }
  Arrive(point, tag);
}

}  // namespace seedtune

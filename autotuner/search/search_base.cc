#include "autotuner/search/search_base.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"

namespace seedtune {

SearchBase::SearchBase(SearchProblem problem, const SearchBase* whole)
    : problem_(std::move(problem)),
      whole_(whole),
      random_(problem_.random_seed),
      num_valid_(problem_.space->NumValid()),
      shuffle_(num_valid_) {
  // Duplicates among the first: the one that stands first is asked.
  absl::flat_hash_set<Config> seen;
  std::vector<Candidate> first;
  for (Candidate& candidate : problem_.first) {
    if (seen.insert(candidate.config).second) first.push_back(std::move(candidate));
  }
  problem_.first = std::move(first);
}

std::vector<Candidate> SearchBase::Ask(int max) {
  std::vector<Candidate> asked;
  while (static_cast<int>(asked.size()) < max && !IsDone()) {
    std::optional<Candidate> candidate;
    if (next_first_ < problem_.first.size()) {
      candidate = problem_.first[next_first_++];
    } else {
      candidate = Propose();
      if (!candidate.has_value()) break;
      assert(!IsVisited(candidate->config));
    }
    if (whole_ == nullptr) {
      visited_[candidate->config] = Visit::kAsked;
      ++under_way_;
    }
    asked.push_back(*std::move(candidate));
  }
  return asked;
}

void SearchBase::Tell(const Observation& observation) {
  const Config& config = observation.candidate.config;
  if (!IsHere(config)) return;
  if (whole_ == nullptr) {
    const auto [it, is_new] = visited_.try_emplace(config, Visit::kForeign);
    if (it->second == Visit::kAsked) {
      it->second = Visit::kTold;
      --under_way_;
    }
  }
  const bool ranked =
      observation.kind == OutcomeKind::kOk && std::isfinite(observation.objective_ns);
  Observe(observation.candidate,
          ranked ? observation.objective_ns : std::numeric_limits<double>::infinity());
}

bool SearchBase::IsDone() const {
  if (whole_ != nullptr) return whole_->IsDone();
  return next_first_ == problem_.first.size() && num_valid_ == visited_.size();
}

std::optional<Config> SearchBase::DrawUnvisited() {
  if (num_valid_ == absl::Uint128Max()) {
    // The count is saturated and the numbering with it; such a space cannot be used up either.
    while (true) {
      Config config = space().Sample(random_);
      if (!IsVisited(config)) return config;
    }
  }
  while (const std::optional<absl::uint128> index = shuffle_.Next(random_)) {
    Config config = space().At(*index);
    if (!IsVisited(config)) return config;
  }
  return std::nullopt;
}

std::vector<Candidate> SearchBase::HeuristicNeighbors(const Config& config) const {
  std::vector<Candidate> neighbors;
  if (!problem_.heuristic_neighbors) return neighbors;
  absl::flat_hash_set<Config> seen;
  for (Candidate& candidate : problem_.heuristic_neighbors(config)) {
    if (!IsHere(candidate.config) || IsVisited(candidate.config)) continue;
    if (seen.insert(candidate.config).second) neighbors.push_back(std::move(candidate));
  }
  return neighbors;
}

bool SearchBase::IsHere(const Config& config) const {
  return config.shared_space() != nullptr && config.space().id() == space().id() &&
         space().IndexOf(config).has_value();
}

}  // namespace seedtune

#include "autotuner/search/auto_search.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "autotuner/outcome.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"

namespace seedtune {
namespace {

// Chosen on the recorded spaces of docs/search.md, one setting for all of them.
constexpr int64_t kPatience = 12;       // evaluations without a new best before moves take turns
constexpr int64_t kLongPatience = 200;  // before they take most
constexpr int64_t kManyEvaluations = 800;
constexpr int64_t kFewConfigurations = 12;
// With other kernels' or devices' seeds, the model is alone for so many evaluations; each so
// manieth of them is a move, unless the model has found something better.
constexpr int64_t kAlone = 64;
constexpr int64_t kRefining = 24;
// After so many turns, the model that knows everything has so many, and one more for each in which
// it finds something better.
constexpr int64_t kUninformedTurns = 3;
constexpr int64_t kInformedTurns = 2;
// Less is noise.
constexpr double kLeastImprovement = 0.001;

// What a member of the portfolio is made from: its own chance, and no first candidates.
SearchProblem Member(SearchProblem problem, uint64_t number) {
  problem.random_seed = problem.random_seed * 0x9e3779b97f4a7c15 + number;
  problem.first.clear();
  return problem;
}

bool IsSeed(const Candidate& candidate) {
  return candidate.origin == "seed" || !candidate.heuristic.empty();
}

}  // namespace

AutoSearch::AutoSearch(SearchProblem problem)
    : SearchBase(problem),
      model_(Member(problem, 1), this),
      moves_(Member(problem, 2), /*samples=*/0, this),
      informed_turns_left_(kInformedTurns) {
  if (space().NumValid() <= kFewConfigurations || problem.has_own_seeds) return;
  if (std::none_of(problem.first.begin(), problem.first.end(), IsSeed)) return;
  informed_.emplace(Member(std::move(problem), 3), this);
}

bool AutoSearch::IsModelsTurn() const {
  if (space().NumValid() <= kFewConfigurations) return false;
  if (informed_.has_value()) return is_best_models_ || turn_ % kRefining != kRefining - 1;
  const int64_t waited = told_ - told_at_best_;
  if (waited >= kLongPatience || told_ >= kManyEvaluations) return turn_ % 4 == 0;
  return waited < kPatience || turn_ % 2 == 0;
}

bool AutoSearch::IsInformedsTurn() const {
  return informed_.has_value() && turn_ >= kUninformedTurns && informed_turns_left_ > 0;
}

std::optional<Candidate> AutoSearch::Propose() {
  const bool is_informeds = IsInformedsTurn();
  SearchBase& asker = IsModelsTurn() ? static_cast<SearchBase&>(model_) : moves_;
  std::vector<Candidate> asked = is_informeds ? informed_->Ask(1) : asker.Ask(1);
  if (asked.empty()) return std::nullopt;
  ++turn_;
  if (is_informeds) --informed_turns_left_;
  return std::move(asked[0]);
}

void AutoSearch::Observe(const Candidate& candidate, double objective_ns) {
  ++told_;
  const bool is_models = model_.Knows(candidate.config);
  const bool is_informeds = informed_.has_value() && informed_->Knows(candidate.config);
  if (is_informeds && objective_ns < best_ns_ * (1 - kLeastImprovement)) ++informed_turns_left_;
  if (objective_ns < best_ns_) is_best_models_ = is_models;
  if (objective_ns < best_ns_ * (1 - kLeastImprovement)) told_at_best_ = told_;
  best_ns_ = objective_ns < best_ns_ ? objective_ns : best_ns_;
  const Observation observation{
      .candidate = candidate,
      .kind = std::isfinite(objective_ns) ? OutcomeKind::kOk : OutcomeKind::kCrash,
      .objective_ns = objective_ns};
  moves_.Tell(observation);
  if (told_ >= kAlone) informed_.reset();
  if (informed_.has_value()) {
    informed_->Tell(observation);
    if (!is_models) {
      held_back_.push_back(observation);
      return;
    }
  }
  model_.Tell(observation);
  if (informed_.has_value()) return;
  for (const Observation& earlier : held_back_) model_.Tell(earlier);
  held_back_.clear();
}

}  // namespace seedtune

#include "autotuner/search/pattern_search.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "autotuner/search/index_shuffle.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Chosen on the recorded spaces, where none of them is critical: halved or doubled, the mean
// fraction of the optimum after 50 to 400 evaluations changes by less than 0.01.
constexpr int kFirstSamples = 10;
constexpr int kRestartSamples = 5;
constexpr int kPatience = 25;  // moves without improvement before a climb is left
constexpr int kStages = 3;
constexpr double kStagePenalty[kStages] = {1.0, 1.05, 1.15};
// Less than this is noise and no reason to go on.
constexpr double kLeastImprovement = 0.001;

// Where a knob has no order, all its choices are as near as each other; of many, this many are
// drawn.
constexpr size_t kMostUnorderedSteps = 16;

// Not std::shuffle, whose result differs between standard libraries.
template <typename T>
void Shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (size_t i = items.size(); i > 1; --i) {
    std::swap(items[i - 1], items[absl::Uint128Low64(UniformBelow(i, random))]);
  }
}

// The valid configurations with two knobs moved by one step each.
std::vector<Config> PairNeighbors(const ConfigSpace& space, const Config& config,
                                  std::mt19937_64& random) {
  std::vector<Config> pairs;
  std::vector<uint16_t> choices(config.choices().begin(), config.choices().end());
  const auto steps = [&](size_t knob) {
    std::vector<uint16_t> next;
    const bool is_ordered = space.knobs()[knob].is_ordered();
    const int present = config.choices()[knob];
    for (int choice = 0; choice < space.knobs()[knob].num_choices(); ++choice) {
      const int distance = std::abs(choice - present);
      if (distance == 1 || (distance > 1 && !is_ordered)) {
        next.push_back(static_cast<uint16_t>(choice));
      }
    }
    if (next.size() > kMostUnorderedSteps) {
      Shuffle(next, random);
      next.resize(kMostUnorderedSteps);
    }
    return next;
  };
  std::vector<std::vector<uint16_t>> all_steps;
  for (size_t knob = 0; knob < choices.size(); ++knob) all_steps.push_back(steps(knob));
  for (size_t a = 0; a < choices.size(); ++a) {
    for (size_t b = a + 1; b < choices.size(); ++b) {
      for (const uint16_t choice_a : all_steps[a]) {
        for (const uint16_t choice_b : all_steps[b]) {
          choices[a] = choice_a;
          choices[b] = choice_b;
          if (space.IsValid(choices)) pairs.emplace_back(space.shared_from_this(), choices);
        }
      }
      choices[a] = config.choices()[a];
      choices[b] = config.choices()[b];
    }
  }
  return pairs;
}

}  // namespace

PatternSearch::PatternSearch(SearchProblem problem)
    : SearchBase(std::move(problem)), samples_to_draw_(kFirstSamples) {}

double PatternSearch::Key(const Node& node) const {
  return node.objective_ns * kStagePenalty[std::clamp(node.stage, 0, kStages - 1)];
}

void PatternSearch::Observe(const Candidate& candidate, double objective_ns) {
  suggestions_.Told(candidate.config, objective_ns < best_ns_);
  best_ns_ = std::min(best_ns_, objective_ns);
  const auto [known, is_new] = node_of_.try_emplace(candidate.config, nodes_.size());
  const NodeId id = known->second;
  if (!is_new) {
    // Told again: the newer answer counts, wherever the point stands.
    Node& node = nodes_[id];
    const double old_key = Key(node);
    node.objective_ns = objective_ns;
    for (Queue* queue : {&open_, &samples_, &frontier_}) {
      if (queue->erase({old_key, id}) > 0) queue->insert({Key(node), id});
    }
    return;
  }

  int64_t climb = 0;
  if (const auto move = climb_of_.find(candidate.config); move != climb_of_.end()) {
    climb = move->second;
    climb_of_.erase(move);
  }
  nodes_.push_back({.candidate = candidate, .objective_ns = objective_ns});
  if (climb == 0) {
    open_.insert({objective_ns, id});
    samples_.insert({objective_ns, id});
    // Answers come in any order: here is a better start than the one that was known.
    if (climbing_ && objective_ns < climb_best_ns_) BeginClimb(id);
    return;
  }
  if (!std::isfinite(objective_ns)) return;  // nothing to climb from
  open_.insert({objective_ns, id});
  if (climb != climbs_) return;
  frontier_.insert({objective_ns, id});
  if (objective_ns < climb_best_ns_ * (1 - kLeastImprovement)) {
    climb_best_ns_ = objective_ns;
    moves_since_best_ = 0;
  }
}

std::optional<Candidate> PatternSearch::Propose() {
  while (true) {
    if (samples_to_draw_ > 0) {
      --samples_to_draw_;
      return Draw();
    }
    if (!climbing_ && !BeginNextClimb()) return Draw();
    if (climb_best_ns_ == kInfinity && std::exchange(draw_next_, !draw_next_)) return Draw();
    if (moves_since_best_ < kPatience) {
      if (std::optional<Candidate> move = NextMove()) return move;
    }
    climbing_ = false;
    samples_to_draw_ = kRestartSamples;
  }
}

std::optional<Candidate> PatternSearch::Draw() {
  std::optional<Config> config = DrawUnvisited();
  if (!config.has_value()) return std::nullopt;
  return Candidate{.config = *std::move(config)};
}

void PatternSearch::BeginClimb(NodeId start) {
  ++climbs_;
  climbing_ = true;
  frontier_ = {{Key(nodes_[start]), start}};
  climb_best_ns_ = nodes_[start].objective_ns;
  moves_since_best_ = 0;
}

bool PatternSearch::BeginNextClimb() {
  if (open_.empty()) return false;
  // The first climb starts from the best sample either way.
  const bool from_sample =
      climbs_ % 2 == 1 && !samples_.empty() && std::isfinite(samples_.begin()->first);
  BeginClimb((from_sample ? samples_ : open_).begin()->second);
  return true;
}

std::optional<Candidate> PatternSearch::NextMove() {
  while (!frontier_.empty()) {
    const NodeId id = frontier_.begin()->second;
    // What heuristics suggest from a point is asked for when it is first polled.
    if (nodes_[id].stage >= 0) {
      std::optional<Candidate> suggestion =
          suggestions_.Next([this](const Config& config) { return IsVisited(config); });
      if (suggestion.has_value()) return Moved(*std::move(suggestion));
    }
    std::vector<Candidate>& moves = nodes_[id].moves;
    while (!moves.empty()) {
      Candidate move = std::move(moves.back());
      moves.pop_back();
      if (IsVisited(move.config)) continue;
      suggestions_.PassTurn();
      return Moved(std::move(move));
    }
    PollNextStage(id);
  }
  return std::nullopt;
}

Candidate PatternSearch::Moved(Candidate move) {
  climb_of_[move.config] = climbs_;
  ++moves_since_best_;
  return move;
}

// Fills the moves of a point of the frontier whose moves have come to an end, or closes it.
void PatternSearch::PollNextStage(NodeId id) {
  Node& node = nodes_[id];
  for (Queue* queue : {&open_, &samples_, &frontier_}) queue->erase({Key(node), id});
  if (++node.stage == kStages) {
    node.moves.shrink_to_fit();
    return;
  }

  const Config& config = node.candidate.config;
  std::vector<Config> neighbors;
  switch (node.stage) {
    case 0:
      neighbors = space().Neighbors(config, NeighborKind::kStrictlyAdjacent);
      suggestions_.Add(HeuristicNeighbors(config));
      break;
    case 1:
      neighbors = space().Neighbors(config, NeighborKind::kHamming);
      break;
    default:
      neighbors = PairNeighbors(space(), config, random());
  }
  node.moves.clear();
  for (Config& neighbor : neighbors) {
    if (IsVisited(neighbor)) continue;
    node.moves.push_back({.config = std::move(neighbor), .heuristic = node.candidate.heuristic});
  }
  Shuffle(node.moves, random());

  open_.insert({Key(node), id});
  frontier_.insert({Key(node), id});
}

}  // namespace seedtune

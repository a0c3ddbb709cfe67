// What every search algorithm has to do besides being clever: plant the first candidates, never ask
// twice, take answers in any order and from anywhere, and know when the space is used up.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_BASE_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_BASE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"
#include "autotuner/search/index_shuffle.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

// An algorithm says where to look next (Propose) and hears what was found (Observe); the rest is
// here. Not thread-safe.
//
// Every candidate goes through Propose one at a time, so that Ask(2) is Ask(1) twice. A Propose
// that returns nothing must leave the algorithm as it was: a resumed run replays only what was
// asked.
class SearchBase : public SearchAlgorithm {
 public:
  std::vector<Candidate> Ask(int max) final;
  void Tell(const Observation& observation) final;
  bool IsDone() const final;

 protected:
  // `problem` has been checked: see MakeSearch. `whole`: null, or the search that this one is a
  // member of, which outlives it, asks it for all that it asks itself, tells it all that it is
  // told, and keeps the account of what is visited for all of its members. A member has no first
  // candidates.
  explicit SearchBase(SearchProblem problem, const SearchBase* whole = nullptr);

  // Called once all first candidates have been asked, while an unvisited configuration is left. A
  // candidate that is not visited; nullopt: wait for the answers under way (never when there are
  // none, or the search would stand still).
  virtual std::optional<Candidate> Propose() = 0;

  // What became of a configuration, asked or told from outside; once more if it is told again.
  // `objective_ns` is finite, or +infinity for whatever may not be ranked: failures, NaN, and
  // censored outcomes (their lower bound only says that they are slow).
  virtual void Observe(const Candidate& /*candidate*/, double /*objective_ns*/) {}

  const ConfigSpace& space() const { return *problem_.space; }
  const SearchProblem& problem() const { return problem_; }
  std::mt19937_64& random() { return random_; }

  // Asked, or told from outside.
  bool IsVisited(const Config& config) const {
    return whole_ != nullptr ? whole_->IsVisited(config) : visited_.contains(config);
  }
  // Asked and not yet told; 0 in a member.
  int64_t under_way() const { return under_way_; }
  // Uniform over the configurations that are not visited. nullopt: there is none. Each is drawn
  // once in a search's life: propose it, or keep it to be proposed.
  std::optional<Config> DrawUnvisited();
  // Heuristic neighbours of `config` that belong to this space and are not visited, each once.
  std::vector<Candidate> HeuristicNeighbors(const Config& config) const;

 private:
  enum class Visit { kAsked, kTold, kForeign };

  bool IsHere(const Config& config) const;

  SearchProblem problem_;
  const SearchBase* whole_;
  std::mt19937_64 random_;
  absl::uint128 num_valid_;
  IndexShuffle shuffle_;
  size_t next_first_ = 0;
  absl::flat_hash_map<Config, Visit> visited_;
  int64_t under_way_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_BASE_H_

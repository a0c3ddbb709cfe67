// What heuristics suggest, waiting for its turns among a search's own proposals.
//
// At first every other proposal is a suggestion, as long as there are any. A heuristic whose
// suggestion was no new best waits twice as long before its next, up to kLongestPause; one whose
// suggestion was one takes every other turn again. So suggestions that never win cost five
// proposals of the first 60 and then one in 33, and none is forgotten.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SUGGESTION_QUEUE_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SUGGESTION_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

// Not thread-safe.
class SuggestionQueue {
 public:
  static constexpr int64_t kLongestPause = 32;  // the search's own proposals between two

  // Best first; they stand before what was added earlier.
  void Add(std::vector<Candidate> suggestions);

  // The next one, where it is a suggestion's turn and there is one that is not visited. Of several
  // heuristics that have a turn, the one that has waited longest.
  std::optional<Candidate> Next(absl::FunctionRef<bool(const Config&)> is_visited);

  // The search proposed something itself.
  void PassTurn() { ++turn_; }

  // Of any configuration that was told; what was no suggestion is passed over.
  void Told(const Config& config, bool is_new_best);

 private:
  struct Source {
    std::string heuristic;
    std::deque<Candidate> waiting = {};
    int64_t pause = 1;
    int64_t last_turn = -kLongestPause - 1;
  };
  std::vector<Source> sources_;                    // in the order in which they were first heard of
  absl::flat_hash_map<Config, size_t> under_way_;  // whose it is
  int64_t turn_ = 0;
  int64_t last_turn_ = -2;  // of any
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SUGGESTION_QUEUE_H_

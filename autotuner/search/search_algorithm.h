// Search is ask/tell: it proposes configurations in batches, and is told what became of them in any
// order. It reads no clock and touches no device; one random seed and one order of answers give one
// trajectory.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_ALGORITHM_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_ALGORITHM_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "autotuner/outcome.h"
#include "config/config_space.h"

namespace seedtune {

// A configuration to measure, and where it came from.
struct Candidate {
  Config config;
  // "default", "seed", "neighbor" (proposed by a heuristic) or "search".
  std::string origin = "search";
  // The heuristic that seeded it, or whose seed it descends from by neighbour moves; "" if none.
  std::string heuristic = {};
};

// Told to the search: one of its candidates (or, from outside, a configuration that it never asked
// for) and its outcome's gist.
struct Observation {
  Candidate candidate;
  OutcomeKind kind = OutcomeKind::kOk;
  // Outcome::objective_ns(): +infinity for failures, a lower bound where censored.
  double objective_ns = 0;
};

// Everything that a search is made from.
struct SearchProblem {
  std::shared_ptr<const ConfigSpace> space = nullptr;
  uint64_t random_seed = 1;
  // Measured first and always: the untuned default, then the seeds in rank order. Then data like
  // all other.
  std::vector<Candidate> first = {};
  // Some of the first were made for this very kernel and device, by a heuristic or the user; none:
  // seeds were the best of others.
  bool has_own_seeds = false;
  // What heuristics propose from a configuration, in addition to the search's own moves; may be
  // empty.
  std::function<std::vector<Candidate>(const Config&)> heuristic_neighbors = {};
};

// Not thread-safe.
class SearchAlgorithm {
 public:
  virtual ~SearchAlgorithm() = default;
  virtual std::string_view name() const = 0;

  // Up to `max` (at least 1) new candidates, never one asked before. Fewer or none: it waits to be
  // told about those under way, or it is done. An Ask that returns nothing changes nothing: a
  // resumed run replays only what was asked.
  virtual std::vector<Candidate> Ask(int max) = 0;
  // Once is enough; told again, the newer answer counts. Configurations of other spaces are
  // ignored.
  virtual void Tell(const Observation& observation) = 0;
  // Nothing more will ever be asked, whatever is told.
  virtual bool IsDone() const = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_ALGORITHM_H_

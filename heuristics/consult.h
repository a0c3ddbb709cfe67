// Asks every heuristic of a backend what it knows about a kernel, and keeps what each answered.
//
// This is the one place that calls heuristics, and so the one place that catches what somebody's
// heuristic throws.
#ifndef SEEDTUNE_HEURISTICS_CONSULT_H_
#define SEEDTUNE_HEURISTICS_CONSULT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"

namespace seedtune {

enum class HeuristicOutcomeKind {
  kSeeded,          // at least one new configuration
  kDeclined,        // detail: why
  kFailed,          // detail: the error (a status, or an exception's text)
  kUntransferable,  // no new configuration, and the space does not take some seed; detail: which
                    // knob, and why
  kDuplicate,       // detail: whose seeds they repeat
  kDisabled,        // switched off by the caller
};
std::string_view HeuristicOutcomeKindName(HeuristicOutcomeKind kind);  // "seeded", ...

// What became of one heuristic's knowledge.
struct HeuristicOutcome {
  std::string heuristic;
  HeuristicOutcomeKind kind = HeuristicOutcomeKind::kDeclined;
  // For kSeeded: why it was eligible, then, after "; ", what became of the seeds that were not
  // planted, and of a promotion that was not the first.
  std::string detail;
  std::vector<Config> seeds;  // that it added, best first
  bool promoted =
      false;  // its primary is the untuned default (which another one may have seeded before)
  // After a search, 0 before: the place of its best seed among all configurations measured (1 is
  // best; those that were timed again at the end stand before those that were not), that seed's
  // median time, whether that is the time it took when timed again, and whether the winner is one of
  // its seeds or descends from one.
  int64_t best_rank = 0;
  double best_median_ns = 0;
  bool best_is_retimed = false;
  bool winner_descends = false;
};

// One seed, planted: valid in the space, different from all before it.
struct Seed {
  Config config;
  std::string heuristic;  // "user" for the caller's own
  int rank = 0;           // within its heuristic; 0 is the primary
};

// Seeds from elsewhere than a heuristic: from what was recorded of kernels and devices like these.
struct SeedSource {
  std::string name;                  // unlike any heuristic's
  std::vector<PartialConfig> seeds;  // best first
  std::string detail;                // why these
};

struct ConsultOptions {
  bool enabled = true;                    // false: every heuristic is kDisabled
  std::vector<std::string> disabled;      // by name
  bool neighbors = true;                  // false: seeds alone, and no moves from a heuristic
  std::vector<PartialConfig> user_seeds;  // stand before the heuristics' own
  std::vector<SeedSource> recorded;       // stand after them; never promoted
};

struct ConsultResult {
  std::vector<HeuristicOutcome> outcomes;  // in registry order, one a heuristic of the backend
                                           // ("user" first, if any; recorded sources last)
  std::vector<Seed> seeds;     // in order of rank over all: user's, registry order, recorded
  Config untuned;              // the first promoting heuristic's primary, else the space's default
  std::string untuned_origin;  // that heuristic's name, else "space default"
};

// Never fails: whatever a heuristic does costs that heuristic's seeds alone. A seed that the space
// rejects costs just that seed; a primary that the space rejects is not promoted, nor is an
// alternate in its place. A heuristic that is eligible and gives no seed has failed. Thread-safe.
ConsultResult ConsultHeuristics(const HeuristicRegistry& registry, std::string_view backend,
                                const TuningContext& context, const ConsultOptions& options = {});

// The untuned default of ConsultHeuristics() and its origin, found without the rest: asks in order
// until one promotes. Thread-safe.
struct UntunedDefault {
  Config config;
  std::string origin;  // the heuristic that it came from, or "space default"
};
UntunedDefault FindUntunedDefault(const HeuristicRegistry& registry, std::string_view backend,
                                  const TuningContext& context, const ConsultOptions& options = {});

// Neighbours of `config` (none where they are switched off) from those eligible heuristics that are
// not disabled, each valid, new and
// not `config`; with the name of the heuristic that proposed it, and its place in that heuristic's
// own list as the rank. A move that a constraint forbids is dropped: the search asks from
// everywhere. What a heuristic throws costs its neighbours alone and is appended to `failures`, if
// not null, as "name: text". Thread-safe.
std::vector<Seed> HeuristicNeighbors(const HeuristicRegistry& registry, std::string_view backend,
                                     const TuningContext& context, const Config& config,
                                     const ConsultOptions& options = {},
                                     std::vector<std::string>* failures = nullptr);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CONSULT_H_

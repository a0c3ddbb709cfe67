// Asks every heuristic of a backend what it knows about a kernel, and keeps what each answered.
#ifndef SEEDTUNE_HEURISTICS_CONSULT_H_
#define SEEDTUNE_HEURISTICS_CONSULT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"

namespace seedtune {

enum class HeuristicOutcomeKind {
  kSeeded,          // at least one new configuration
  kDeclined,        // detail: why
  kFailed,          // detail: the error (a status, or an exception's text)
  kUntransferable,  // detail: which knob of the seed the space does not take, and why
  kDuplicate,       // detail: whose seeds they repeat
  kDisabled,        // switched off by the caller
};
std::string_view HeuristicOutcomeKindName(HeuristicOutcomeKind kind);  // "seeded", ...

// What became of one heuristic's knowledge.
struct HeuristicOutcome {
  std::string heuristic;
  HeuristicOutcomeKind kind = HeuristicOutcomeKind::kDeclined;
  std::string detail;           // for kSeeded: why it was eligible
  std::vector<Config> seeds;    // that it added, best first
  bool promoted = false;        // its primary is the untuned default
  // After a search, 0 before: the place of its best seed among all configurations measured (1 is best), that
  // seed's median time, and whether the winner is one of its seeds or descends from one.
  int64_t best_rank = 0;
  double best_median_ns = 0;
  bool winner_descends = false;
};

// One seed, planted: valid in the space, different from all before it.
struct Seed {
  Config config;
  std::string heuristic;  // "user" for the caller's own
  int rank = 0;           // within its heuristic; 0 is the primary
};

struct ConsultOptions {
  bool enabled = true;                   // false: every heuristic is kDisabled
  std::vector<std::string> disabled;     // by name
  std::vector<PartialConfig> user_seeds;  // stand before the heuristics' own
};

struct ConsultResult {
  std::vector<HeuristicOutcome> outcomes;  // in registry order, one a heuristic of the backend ("user" first, if any)
  std::vector<Seed> seeds;                 // in order of rank over all: user's, then registry order
  Config untuned;                          // the first promoting heuristic's primary, else the space's default
  std::string untuned_origin;              // that heuristic's name, else "space default"
};

// Never fails: whatever a heuristic does costs that heuristic's seeds alone. Thread-safe.
ConsultResult ConsultHeuristics(const HeuristicRegistry& registry, std::string_view backend,
                                const TuningContext& context, const ConsultOptions& options = {});

// Neighbours of `config` from those eligible heuristics that are not disabled, each valid, new and not `config`;
// with the name of the heuristic that proposed it.
std::vector<Seed> HeuristicNeighbors(const HeuristicRegistry& registry, std::string_view backend,
                                     const TuningContext& context, const Config& config,
                                     const ConsultOptions& options = {});

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CONSULT_H_

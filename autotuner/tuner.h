// Tunes one kernel: plants the seeds, drives the search, measures, re-times the leaders, records.
#ifndef SEEDTUNE_AUTOTUNER_TUNER_H_
#define SEEDTUNE_AUTOTUNER_TUNER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/database/database.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/search/search.h"
#include "config/config_space.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Whichever ends first; 0: no limit of that kind. The seeds are measured whatever the budget, except one of 0
// evaluations and 0 seconds, which kInvalidArgument refuses.
struct Budget {
  int64_t evaluations = 0;  // candidates measured; re-timing of leaders is free
  double seconds = 0;       // by the clock, everything included
};
// "30s", "2m", "200evals", "200evals,30s". kInvalidArgument otherwise.
absl::StatusOr<Budget> ParseBudget(std::string_view text);
std::string BudgetToString(const Budget& budget);

// Told while tuning goes on, from the tuning thread.
struct TuningProgress {
  int64_t evaluations = 0;
  int64_t failures = 0;
  double seconds = 0;
  double default_ns = 0;  // median of the untuned default; 0: not yet known
  double best_ns = 0;     // of the best so far; 0: none yet
  std::string best_origin;
  std::string phase;      // "seeds", "search", "re-timing"
};

struct TuneOptions {
  std::string algorithm = "pattern";
  Budget budget{.evaluations = 0, .seconds = 10};
  uint64_t random_seed = 1;
  ConsultOptions heuristics;
  int leaders = 4;           // re-timed in turns at the end
  int leader_rounds = 10;    // at most; ends when the statistics separate the first from the rest
  double drop_factor = 3;    // a candidate slower than this multiple of the best is dropped early
  bool resume = true;        // go on with an unfinished run of the same question, if the database has one
  std::function<void(const TuningProgress&)> progress;  // may be empty
  const std::atomic<bool>* stop = nullptr;              // set from outside: end soon, keep everything (resumable)
};

struct Trial {
  Candidate candidate;
  Outcome outcome;
};

struct TuneResult {
  std::string run_id;
  bool finished = false;     // false: stopped from outside; run again to go on
  bool resumed = false;
  Config untuned;            // the default, its outcome measured in the same run, interleaved with the best
  Outcome untuned_outcome;
  std::string untuned_origin;
  Candidate best;
  Outcome best_outcome;
  int64_t evaluations = 0;
  int64_t failures = 0;
  double seconds = 0;
  std::vector<HeuristicOutcome> heuristics;  // with ranks and the winner's descent filled in
  std::vector<Trial> trials;                 // in the order told
};

// `kernel`, `facts` and `space` belong together. `database` may be null: nothing is kept. Errors: kInvalidArgument
// (options), kNotFound (algorithm), kFailedPrecondition (every candidate failed: the message quotes the commonest
// failure), whatever the measurer or the database says.
absl::StatusOr<TuneResult> Tune(std::shared_ptr<const Kernel> kernel, std::span<const MatmulFact> facts,
                                std::shared_ptr<const ConfigSpace> space, const HeuristicRegistry& registry,
                                Measurer& measurer, Database* database, Clock& clock, const TuneOptions& options);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_TUNER_H_

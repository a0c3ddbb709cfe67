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
#include "autotuner/budget.h"  // IWYU pragma: export
#include "autotuner/clock.h"
#include "autotuner/database/database.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/transfer.h"
#include "config/config_space.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Told while tuning goes on, from the tuning thread.
struct TuningProgress {
  int64_t evaluations = 0;
  int64_t budget_evaluations = 0;  // how many there may be; 0: as many as there is time for
  int64_t failures = 0;
  double seconds = 0;
  double default_ns = 0;    // median of the untuned default; 0: not yet known, or it failed
  double best_ns = 0;       // of the best so far; 0: none yet
  std::string best_origin;  // a heuristic's name, "default" or "search"; "": none yet
  std::string phase;        // "seeds", "search", "re-timing"
};

struct TuneOptions {
  std::string algorithm = "auto";
  Budget budget{.evaluations = 0, .seconds = 10};
  // What the device's limits would let the kernel take; 0: unknown. A budget with a target in
  // shares of it wants it.
  double roofline_ns = 0;
  uint64_t random_seed = 1;
  ConsultOptions heuristics;
  // Whose heuristics are asked, where that is not the measurer's own backend (a worker that
  // measures in a space of ours); "": it is.
  std::string heuristics_backend;
  // Seeds from what the database has recorded of kernels and devices like these; they stand after
  // the heuristics' own. Off unless asked for. Which they were is kept with the run: one that is
  // gone on with keeps its seeds, whatever was recorded meanwhile.
  TransferOptions transfer;
  int leaders = 4;         // re-timed in turns at the end; 0: none
  int leader_rounds = 10;  // at most; ends when the statistics separate the first from the rest
  // A candidate slower than this multiple of the best is dropped early; 0: none is. Above 1. The
  // untuned default and the seeds are always measured in full.
  double drop_factor = 3;
  // Go on with an unfinished run of the same question, if the database has one.
  bool resume = true;
  std::function<void(const TuningProgress&)> progress;  // may be empty
  // Set from outside (a signal handler may): end soon, keep everything; run again to go on.
  const std::atomic<bool>* stop = nullptr;
};

struct Trial {
  Candidate candidate;
  Outcome outcome;
};

struct TuneResult {
  std::string run_id;     // "": no database
  bool finished = false;  // false: stopped from outside; run again to go on
  bool resumed = false;
  // For people: why an unfinished run could not be gone on with.
  std::vector<std::string> notes;
  // The default, its outcome measured in the same run, interleaved with the best. Stopped before it
  // was measured: a kCrash that says so.
  Config untuned;
  Outcome untuned_outcome;
  std::string untuned_origin;
  // The untuned default itself where nothing is faster, and where a stopped run knows nothing yet.
  // Once leaders were re-timed, the outcome holds those samples and no others.
  Candidate best;
  Outcome best_outcome;
  int64_t evaluations = 0;                   // candidates measured, in all sessions of the run
  int64_t failures = 0;                      // of these; what was dropped early is no failure
  double seconds = 0;                        // over all sessions of the run
  std::vector<HeuristicOutcome> heuristics;  // with ranks and the winner's descent filled in
  std::vector<Trial> trials;                 // in the order told
};

// `kernel`, `facts` and `space` belong together. `database` may be null: nothing is kept.
//
// A run killed at any moment is gone on with by the same call: its log is replayed through the
// search, what was under way is measured again, and a budget in evaluations ends where it would
// have ended (exactly so as far as the measurer answers in order). After a stop or an error,
// requests may still be under way: do not give the measurer to another run.
//
// Errors: kInvalidArgument (options), kNotFound (algorithm), kFailedPrecondition (every candidate
// failed: the message quotes the commonest failure), whatever the measurer or the database says.
// All outcomes known by then stay recorded.
absl::StatusOr<TuneResult> Tune(std::shared_ptr<const Kernel> kernel,
                                std::span<const MatmulFact> facts,
                                std::shared_ptr<const ConfigSpace> space,
                                const HeuristicRegistry& registry, Measurer& measurer,
                                Database* database, Clock& clock, const TuneOptions& options);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_TUNER_H_

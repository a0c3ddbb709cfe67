#include "tools/seeds_reached.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "heuristics/consult.h"
#include "util/format.h"

namespace seedtune {

std::string DescribeWhatSeedsReached(std::span<const HeuristicOutcome> outcomes) {
  std::string text;
  for (const HeuristicOutcome& outcome : outcomes) {
    if (outcome.best_rank == 0) continue;
    absl::StrAppend(&text, outcome.heuristic, ": best of its ", outcome.seeds.size(),
                    outcome.seeds.size() == 1 ? " seed" : " seeds", " came in at place ",
                    outcome.best_rank, " of all measured, ", FormatNs(outcome.best_median_ns),
                    outcome.best_is_retimed ? " timed again" : " when first timed",
                    outcome.winner_descends ? "; the winner descends from it" : "", "\n");
  }
  return text;
}

}  // namespace seedtune

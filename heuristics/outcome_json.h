// What became of each heuristic's knowledge, as JSON: for records of runs and for programs.
#ifndef SEEDTUNE_HEURISTICS_OUTCOME_JSON_H_
#define SEEDTUNE_HEURISTICS_OUTCOME_JSON_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "heuristics/consult.h"

namespace seedtune {

// An array in the order given, on one line, of objects
//   {"heuristic":"cpu_skinny_stream","outcome":"seeded","detail":"...","promoted":true,
//    "seeds":[{"block_size[m]":8, ...}, ...],"best_rank":1,"best_median_ns":41200.0,
//    "best_is_retimed":true,"winner_descends":true}
// of which the last four are left out before a search (best_rank is 0), and `seeds` where there
// are none. Text that is no UTF-8 is mended. Thread-safe.
std::string HeuristicOutcomesToJson(std::span<const HeuristicOutcome> outcomes);

// The reverse; `space` is the one that the seeds are of. kInvalidArgument: "outcomes[2].outcome is
// ...", or a seed that the space does not take. Thread-safe.
absl::StatusOr<std::vector<HeuristicOutcome>> HeuristicOutcomesFromJson(std::string_view json,
                                                                        const ConfigSpace& space);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_OUTCOME_JSON_H_

// How much tuning may cost.
#ifndef SEEDTUNE_AUTOTUNER_BUDGET_H_
#define SEEDTUNE_AUTOTUNER_BUDGET_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// Whichever ends first; 0: no limit of that kind. The seeds are measured whatever the budget,
// except one of 0 evaluations and 0 seconds, which kInvalidArgument refuses.
struct Budget {
  int64_t evaluations = 0;  // candidates measured; re-timing of leaders is free
  double seconds = 0;       // by the clock, everything included
  friend bool operator==(const Budget&, const Budget&) = default;
};

// "30s", "1.5m", "2h", "200evals", "200evals,30s": each kind at most once, more than 0.
// kInvalidArgument otherwise: `budget "30": 30 has no unit, want s, m, h or evals, ...`.
absl::StatusOr<Budget> ParseBudget(std::string_view text);

// Reads back as the same budget: "200evals,90s". No limit of either kind: "none".
std::string BudgetToString(const Budget& budget);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_BUDGET_H_

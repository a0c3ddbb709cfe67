// How much tuning may cost, and when it is good enough.
#ifndef SEEDTUNE_AUTOTUNER_BUDGET_H_
#define SEEDTUNE_AUTOTUNER_BUDGET_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// Whichever ends first; 0: no such rule. The seeds are measured whatever the budget, except one
// without any limit, which is refused with kInvalidArgument (a target alone may never be reached).
struct Budget {
  int64_t evaluations = 0;  // candidates measured; re-timing of leaders is free
  double seconds = 0;       // by the clock, everything included
  // What checking and timing candidates took, added up over all workers; re-timing is free here,
  // too.
  double device_seconds = 0;
  // So many candidates since the last that was faster than all before it by 0.1% or more: no
  // improvement is to be expected.
  int64_t stale_evaluations = 0;
  double roofline_fraction = 0;  // enough: the best reaches this share of the roofline's speed
  friend bool operator==(const Budget&, const Budget&) = default;

  // Whether it ends a search that finds nothing.
  bool HasLimit() const {
    return evaluations > 0 || seconds > 0 || device_seconds > 0 || stale_evaluations > 0;
  }
};

// "500ms", "30s", "1.5m", "2h", "200evals", "20device-s", "50stale", "90%roofline", and any of these
// with commas between: each kind at most once, more than 0. kInvalidArgument otherwise: `budget
// "30": 30 has no unit, want ms, s, m, h, evals, ...`.
absl::StatusOr<Budget> ParseBudget(std::string_view text);

// Reads back as the same budget: "200evals,90s". No rule: "none".
std::string BudgetToString(const Budget& budget);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_BUDGET_H_

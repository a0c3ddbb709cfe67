// Constraints in C++ as expressions, for formats that hold text only (t1.h).
#ifndef SEEDTUNE_CONFIG_CONSTRAINT_TABLE_H_
#define SEEDTUNE_CONFIG_CONSTRAINT_TABLE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/constraint.h"

namespace seedtune {

// A knob that a constraint reads.
struct TabulatedKnob {
  std::string name;
  std::vector<int64_t> numerics;      // of each choice, as the constraint is given them
  std::vector<std::string> spelling;  // of each choice, as an expression has it: 64, 'row'
  bool is_ordered = false;            // the spelling may be compared by <=
};

// What `constraint` lets through, found by asking it about every combination of the values of
// `knobs` (those that it reads, in its order): `threads == 1 or threads <= 4 and split != 'k'`.
// "True" and "False" where it lets everything or nothing through. nullopt: more than 2^18
// combinations, or an expression of more than 32 KiB. Thread-safe.
std::optional<std::string> TabulateConstraint(const Constraint& constraint,
                                              std::span<const TabulatedKnob> knobs);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_CONSTRAINT_TABLE_H_

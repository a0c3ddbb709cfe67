// What formulas ask of a space's knobs, so that the values they compute become choices.
#ifndef SEEDTUNE_HEURISTICS_KNOB_CHOICES_H_
#define SEEDTUNE_HEURISTICS_KNOB_CHOICES_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {

// Thread-safe, all of them.

// Whether `space` has the knob, and `value` is one of its choices.
bool HasChoice(const ConfigSpace& space, std::string_view knob, const KnobValue& value);

// The integers that a knob may take, ascending. Empty: no such knob, or not of integers.
std::vector<int64_t> IntegerChoices(const ConfigSpace& space, std::string_view knob);

// The choice nearest to `value` (Knob::FindNearest), the largest choice that is not above it (the
// smallest one if all are), the smallest that is not below it (the largest one if all are).
// nullopt: no such knob, or not of integers.
std::optional<int64_t> NearestChoice(const ConfigSpace& space, std::string_view knob,
                                     int64_t value);
std::optional<int64_t> ChoiceAtMost(const ConfigSpace& space, std::string_view knob, int64_t value);
std::optional<int64_t> ChoiceAtLeast(const ConfigSpace& space, std::string_view knob,
                                     int64_t value);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_KNOB_CHOICES_H_

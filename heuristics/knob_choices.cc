#include "heuristics/knob_choices.h"

#include <algorithm>

#include "absl/status/statusor.h"

namespace seedtune {

bool HasChoice(const ConfigSpace& space, std::string_view knob, const KnobValue& value) {
  const std::optional<int> index = space.FindKnob(knob);
  return index && space.knobs()[*index].IndexOf(value).has_value();
}

std::vector<int64_t> IntegerChoices(const ConfigSpace& space, std::string_view knob) {
  std::vector<int64_t> values;
  const std::optional<int> index = space.FindKnob(knob);
  if (!index || !space.knobs()[*index].is_ordered()) return values;
  for (int i = 0; i < space.knobs()[*index].num_choices(); ++i) {
    values.push_back(space.knobs()[*index].numeric(i));
  }
  return values;
}

std::optional<int64_t> NearestChoice(const ConfigSpace& space, std::string_view knob,
                                     int64_t value) {
  const std::optional<int> index = space.FindKnob(knob);
  if (!index || !space.knobs()[*index].is_ordered()) return std::nullopt;
  const absl::StatusOr<int> choice = space.knobs()[*index].FindNearest(KnobValue(value));
  if (!choice.ok()) return std::nullopt;
  return space.knobs()[*index].numeric(*choice);
}

std::optional<int64_t> ChoiceAtMost(const ConfigSpace& space, std::string_view knob,
                                    int64_t value) {
  const std::vector<int64_t> values = IntegerChoices(space, knob);
  if (values.empty()) return std::nullopt;
  const auto above = std::upper_bound(values.begin(), values.end(), value);
  return above == values.begin() ? values.front() : *(above - 1);
}

std::optional<int64_t> ChoiceAtLeast(const ConfigSpace& space, std::string_view knob,
                                     int64_t value) {
  const std::vector<int64_t> values = IntegerChoices(space, knob);
  if (values.empty()) return std::nullopt;
  const auto found = std::lower_bound(values.begin(), values.end(), value);
  return found == values.end() ? values.back() : *found;
}

}  // namespace seedtune

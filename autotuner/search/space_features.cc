#include "autotuner/search/space_features.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

// How often 2 divides each choice, from 0 to 1; empty: that says nothing that their order does not.
std::vector<float> Evenness(const Knob& knob) {
  std::vector<float> evenness;
  if (!knob.is_ordered() || knob.num_choices() < 3 || knob.numeric(0) <= 0) return evenness;
  for (int choice = 0; choice < knob.num_choices(); ++choice) {
    evenness.push_back(
        static_cast<float>(std::countr_zero(static_cast<uint64_t>(knob.numeric(choice)))));
  }
  if (std::is_sorted(evenness.begin(), evenness.end())) return {};
  const auto [least, most] = std::minmax_element(evenness.begin(), evenness.end());
  const float from = *least;
  const float range = *most - *least;
  for (float& value : evenness) value = (value - from) / range;
  return evenness;
}

}  // namespace

SpaceFeatures::SpaceFeatures(const ConfigSpace& space) {
  for (size_t i = 0; i < space.knobs().size(); ++i) {
    const Knob& knob = space.knobs()[i];
    const int last = knob.num_choices() - 1;
    if (last == 0) continue;
    knobs_.push_back(i);
    std::vector<float> values;
    for (int choice = 0; choice <= last; ++choice) {
      double value = choice;
      if (knob.is_ordered()) {
        value /= last;
        if (knob.numeric(0) > 0) {
          const auto first = static_cast<double>(knob.numeric(0));
          value = std::log(static_cast<double>(knob.numeric(choice)) / first) /
                  std::log(static_cast<double>(knob.numeric(last)) / first);
        }
      }
      values.push_back(static_cast<float>(value));
    }
    values_.push_back(std::move(values));
    is_ordered_.push_back(knob.is_ordered() && last > 1);
    is_evenness_.push_back(false);
    std::vector<float> evenness = Evenness(knob);
    if (evenness.empty()) continue;
    knobs_.push_back(i);
    values_.push_back(std::move(evenness));
    is_ordered_.push_back(true);
    is_evenness_.push_back(true);
  }
}

std::vector<float> SpaceFeatures::Of(const Config& config) const {
  const std::span<const uint16_t> choices = config.choices();
  std::vector<float> point;
  point.reserve(knobs_.size());
  for (size_t i = 0; i < knobs_.size(); ++i) point.push_back(values_[i][choices[knobs_[i]]]);
  return point;
}

}  // namespace seedtune

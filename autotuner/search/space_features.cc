#include "autotuner/search/space_features.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {

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

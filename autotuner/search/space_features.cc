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

constexpr double kEvenWorth = 1.6;  // the most even choice, more than the least
constexpr double kEndsWorth = 0.2;  // the middle, more than the ends
constexpr int kSizeTwos = 4;        // how often 2 divides some choice of a size

// How often 2 divides each choice; empty: not a knob of positive numbers.
std::vector<int> Twos(const Knob& knob) {
  std::vector<int> twos;
  if (!knob.is_ordered() || knob.numeric(0) <= 0) return twos;
  for (int choice = 0; choice < knob.num_choices(); ++choice) {
    twos.push_back(std::countr_zero(static_cast<uint64_t>(knob.numeric(choice))));
  }
  return twos;
}

// `twos` from 0 to 1; empty: they say nothing that their order does not.
std::vector<float> Evenness(const std::vector<int>& twos) {
  std::vector<float> evenness(twos.begin(), twos.end());
  if (twos.size() < 3 || std::is_sorted(twos.begin(), twos.end())) return {};
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
    const std::vector<int> twos = Twos(knob);
    is_size_.push_back(!twos.empty() && *std::max_element(twos.begin(), twos.end()) >= kSizeTwos);
    std::vector<float> evenness = Evenness(twos);
    if (evenness.empty()) continue;
    knobs_.push_back(i);
    values_.push_back(std::move(evenness));
    is_ordered_.push_back(true);
    is_evenness_.push_back(true);
    is_size_.push_back(is_size_.back());
  }
}

std::vector<float> SpaceFeatures::Of(const Config& config) const {
  const std::span<const uint16_t> choices = config.choices();
  std::vector<float> point;
  point.reserve(knobs_.size());
  for (size_t i = 0; i < knobs_.size(); ++i) point.push_back(values_[i][choices[knobs_[i]]]);
  return point;
}

double SpaceFeatures::Expected(const std::vector<float>& point) const {
  double expected = 0;
  for (size_t c = 0; c < point.size(); ++c) {
    if (!is_size_[c] || !is_ordered_[c]) continue;
    const double from_middle = 2 * point[c] - 1;
    expected += is_evenness_[c] ? kEvenWorth * point[c] : -kEndsWorth * from_middle * from_middle;
  }
  return expected;
}

}  // namespace seedtune

// Configurations as points, for models that learn from them.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SPACE_FEATURES_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SPACE_FEATURES_H_

#include <cstddef>
#include <vector>

#include "config/config_space.h"

namespace seedtune {

// One coordinate for each knob that has a choice. An ordered knob's choices lie from 0 to 1 by the
// logarithms of their values (by their ranks where some are not positive); an unordered one's are
// its choices' numbers, of which only equality means something.
//
// An ordered knob of positive values has a second one, how often 2 divides them, from 0 to 1,
// unless that follows from their order, as it does for powers of two: to warps, vectors, cache
// lines and banks, 96 and 160 are more alike than 96 and 97.
//
// Immutable; thread-safe.
class SpaceFeatures {
 public:
  explicit SpaceFeatures(const ConfigSpace& space);

  size_t size() const { return values_.size(); }
  bool is_ordered(size_t coordinate) const { return is_ordered_[coordinate]; }
  // Whether it is how often 2 divides a knob's value.
  bool is_evenness(size_t coordinate) const { return is_evenness_[coordinate]; }
  // `config` is valid in the space.
  std::vector<float> Of(const Config& config) const;
  // What is expected of a point before anything is measured: of its squared speed, in standard
  // deviations, relative to some constant. Sizes of threads and blocks, which are knobs that reach
  // a multiple of 16, are good where 2 divides them often, and seldom best at the ends of their
  // ranges. Of smaller numbers, such as of unrolling, nothing is known. Fitted to recorded spaces
  // (docs/search.md).
  double Expected(const std::vector<float>& point) const;

 private:
  std::vector<size_t> knobs_;               // by coordinate
  std::vector<std::vector<float>> values_;  // by coordinate, then by choice
  std::vector<bool> is_ordered_;
  std::vector<bool> is_evenness_;
  std::vector<bool> is_size_;  // of a knob that reaches a multiple of 16
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SPACE_FEATURES_H_

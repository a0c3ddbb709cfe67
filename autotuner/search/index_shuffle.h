// The numbers 0 .. size-1 in random order, one at a time, for sizes that no list could hold.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_INDEX_SHUFFLE_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_INDEX_SHUFFLE_H_

#include <optional>
#include <random>

#include "absl/container/flat_hash_map.h"
#include "absl/numeric/int128.h"

namespace seedtune {

// A Fisher-Yates shuffle that stores only the entries that differ from their index, so that k draws
// cost O(k) time and memory whatever the size. Every order is equally likely. Thread-compatible.
class IndexShuffle {
 public:
  explicit IndexShuffle(absl::uint128 size) : size_(size) {}

  // The next number; nullopt: all have been given.
  std::optional<absl::uint128> Next(std::mt19937_64& random);

 private:
  absl::uint128 size_;
  absl::uint128 given_ = 0;
  absl::flat_hash_map<absl::uint128, absl::uint128> moved_;  // entries at and after `given_`
};

// Uniform over 0 .. bound-1, the same on every platform (std::uniform_int_distribution is not).
// `bound` is at least 1.
absl::uint128 UniformBelow(absl::uint128 bound, std::mt19937_64& random);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_INDEX_SHUFFLE_H_

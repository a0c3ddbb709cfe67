// Chance, the same on every platform and for every standard library (std::shuffle and std's
// distributions are not), and the random moves that search algorithms share.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_MOVES_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_MOVES_H_

#include <cstddef>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "config/config_space.h"

namespace seedtune {

// 0 .. bound-1; `bound` is at least 1.
size_t RandomBelow(size_t bound, std::mt19937_64& random);
double RandomUnit(std::mt19937_64& random);    // 0 <= x < 1
double RandomNormal(std::mt19937_64& random);  // of mean 0 and variance 1

template <typename T>
void RandomShuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[RandomBelow(i, random)]);
}

// A neighbour of a valid configuration, by chance; nullopt: it has none of that kind. Not kAdjacent
// of any distance: one or two knobs move.
std::optional<Config> RandomNeighbor(const Config& config, NeighborKind kind,
                                     std::mt19937_64& random);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_MOVES_H_

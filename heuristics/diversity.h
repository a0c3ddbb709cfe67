// Which of many ranked seeds to plant: few that differ in structure, instead of many that do not.
//
// The criterion. Two configurations are as far apart as the structure of the programs that they
// make: the sum of
//   |log2| of the ratio of their tiles' rows, and of their columns;
//   |log2| of the ratio of what their pipelines hold along k (block times stages), halved;
//   |log2| of the ratio of the parts of k;
//   2 where one is persistent and the other is not;
//   1 for each other knob of structure that differs (clusters, schedules, orders of loops).
// Seeds are taken best first; one whose distance from any that was taken is below kMinSeedDistance
// is left out. So the primary always stays, the next seeds cover other regions of the space, and
// what is near a seed is left to the search, whose first steps get there anyway.
#ifndef SEEDTUNE_HEURISTICS_DIVERSITY_H_
#define SEEDTUNE_HEURISTICS_DIVERSITY_H_

#include <cstddef>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {

inline constexpr double kMinSeedDistance = 1;

// Of two configurations of one space. Thread-safe.
double StructuralDistance(const Config& a, const Config& b);

// Those of `ranked` (best first) that the space takes and that are far enough from all before them,
// `limit` at most. Thread-safe.
std::vector<PartialConfig> SelectDiverse(const ConfigSpace& space,
                                         const std::vector<PartialConfig>& ranked, size_t limit);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_DIVERSITY_H_

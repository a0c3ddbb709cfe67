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
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {

inline constexpr double kMinSeedDistance = 1;

// Of two configurations of one space. Thread-safe.
double StructuralDistance(const Config& a, const Config& b);

// Those seeds, of all that are added, best first, that the space takes and that are far enough from
// all before them. Not thread-safe.
class DiverseSeeds {
 public:
  // Borrows the space. `limit` seeds at most.
  DiverseSeeds(const ConfigSpace& space, size_t limit) : space_(space), limit_(limit) {}

  bool is_full() const { return seeds_.size() >= limit_; }  // more would change nothing
  void Add(PartialConfig seed);
  std::vector<PartialConfig> Take() && { return std::move(seeds_); }

 private:
  const ConfigSpace& space_;
  const size_t limit_;
  std::vector<PartialConfig> seeds_;
  std::vector<Config> configs_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_DIVERSITY_H_

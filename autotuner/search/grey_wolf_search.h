// A population search with grey-wolf recombination and tabu: each knob of a new point comes from
// one of the three best members, from the member itself, or from a random valid configuration; some
// are shaken by a neighbour move; what was seen lately is avoided. A member gives way to its
// offspring as in simulated annealing, and a pack that has not improved for long is partly
// replaced. After the adaptive tabu grey wolf that F.-J. Willemsen et al. had generated (arXiv
// 2510.17899).
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_GREY_WOLF_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_GREY_WOLF_SEARCH_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class GreyWolfSearch final : public MoveSearch {
 public:
  explicit GreyWolfSearch(SearchProblem problem);
  std::string_view name() const override { return "grey_wolf"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  std::vector<PointId> members_;
  size_t next_ = 0;
  PointId best_seen_ = kNone;
  int steps_ = 0;  // in all
  int steps_since_best_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_GREY_WOLF_SEARCH_H_

// A search led by a forest that tells the fastest share of what is known from the rest: likelihood-
// free Bayesian optimisation (J. Song et al., ICML 2022). Good examples weigh the more the faster
// they are; failures are examples, too, of the other kind.
//
// It asks for the candidate most likely to be good out of neighbours (by one and by two knobs) of
// the best points, and some random ones. What is not asked stays a candidate; labels are made anew
// from all present answers whenever it learns; nothing that is known is forgotten.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_FOREST_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_FOREST_SEARCH_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "autotuner/search/decision_forest.h"
#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class ForestSearch final : public MoveSearch {
 public:
  explicit ForestSearch(SearchProblem problem);
  std::string_view name() const override { return "forest"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  void Learn();

  DecisionForest forest_;
  size_t learn_at_ = 0;         // points
  std::vector<PointId> elite_;  // best first
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_FOREST_SEARCH_H_

// A genetic algorithm in a steady state: two parents, each the best of a few drawn, are crossed
// knob by knob, the child is mutated, and takes the worst member's place if it is better.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_GENETIC_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_GENETIC_SEARCH_H_

#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class GeneticSearch final : public MoveSearch {
 public:
  explicit GeneticSearch(SearchProblem problem);
  std::string_view name() const override { return "genetic"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  PointId Parent();

  std::vector<PointId> members_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_GENETIC_SEARCH_H_

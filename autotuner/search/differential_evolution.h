// Differential evolution (R. Storn and K. Price, J. Global Optimization 11, 1997), best/1/bin, over
// the numbers of the knobs' choices: a member is crossed with the best one moved by the difference
// of two others, and gives way to the result if that is better. A population that has become one
// point is scattered, its best kept.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_DIFFERENTIAL_EVOLUTION_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_DIFFERENTIAL_EVOLUTION_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class DifferentialEvolution final : public MoveSearch {
 public:
  explicit DifferentialEvolution(SearchProblem problem);
  std::string_view name() const override { return "differential_evolution"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  std::vector<PointId> members_;
  size_t next_ = 0;  // the member that breeds next
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_DIFFERENTIAL_EVOLUTION_H_

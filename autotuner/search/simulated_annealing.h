// Simulated annealing (S. Kirkpatrick et al., Science 220, 1983): a walk by neighbours that also
// goes to worse ones, ever less often. What counts is how much worse relatively. It starts from the
// best of a few samples; a walk that has cooled down without an improvement is followed by another
// one, from the best point or from a random one in turns.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SIMULATED_ANNEALING_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SIMULATED_ANNEALING_H_

#include <string_view>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class SimulatedAnnealing final : public MoveSearch {
 public:
  explicit SimulatedAnnealing(SearchProblem problem);
  std::string_view name() const override { return "simulated_annealing"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  PointId at_ = kNone;
  int steps_ = 0;  // of this walk
  int walks_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SIMULATED_ANNEALING_H_

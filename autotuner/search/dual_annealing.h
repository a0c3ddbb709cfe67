// Dual annealing (Y. Xiang et al., Physics Letters A 233, 1997, made discrete): leaps whose length
// has a heavy tail that shrinks as it cools, accepted as in simulated annealing, and a descent by
// single steps from wherever a leap ends well.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_DUAL_ANNEALING_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_DUAL_ANNEALING_H_

#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"

namespace seedtune {

// Never waits. Not thread-safe.
class DualAnnealing final : public MoveSearch {
 public:
  explicit DualAnnealing(SearchProblem problem);
  std::string_view name() const override { return "dual_annealing"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  void BeginDescent(PointId from);

  PointId at_ = kNone;
  int leaps_ = 0;
  std::vector<Config> descent_;  // neighbours of at_ that are left to be tried; empty: it leaps
  int descents_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_DUAL_ANNEALING_H_

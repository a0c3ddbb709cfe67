// Particle swarm optimisation (J. Kennedy and R. Eberhart, 1995) over the numbers of the knobs'
// choices: each particle is drawn to the best point that it has seen and to the best of all, and
// what it measures is the valid configuration nearest to where it is.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_PARTICLE_SWARM_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_PARTICLE_SWARM_H_

#include <cstddef>
#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"

namespace seedtune {

// Never waits. Not thread-safe.
class ParticleSwarm final : public MoveSearch {
 public:
  explicit ParticleSwarm(SearchProblem problem);
  std::string_view name() const override { return "particle_swarm"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  struct Particle {
    std::vector<double> at;
    std::vector<double> velocity;
    PointId best;
  };

  std::vector<Particle> particles_;
  size_t next_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_PARTICLE_SWARM_H_

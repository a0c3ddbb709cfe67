#include "autotuner/search/particle_swarm.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/random_moves.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

constexpr size_t kParticles = 16;
constexpr double kInertia = 0.6;
constexpr double kOwnPull = 1.5;
constexpr double kCommonPull = 1.5;
constexpr double kMostVelocity = 0.5;  // of a knob's range

}  // namespace

ParticleSwarm::ParticleSwarm(SearchProblem problem) : MoveSearch(std::move(problem), kParticles) {}

void ParticleSwarm::Arrive(PointId point, int tag) {
  const auto choices = config(point).choices();
  if (tag == kNoTag || static_cast<size_t>(tag) >= particles_.size()) {
    for (const Particle& particle : particles_) {
      if (particle.best == point) return;
    }
    if (particles_.size() >= kParticles) return;
    particles_.push_back({.at = {choices.begin(), choices.end()},
                          .velocity = std::vector<double>(choices.size(), 0.0),
                          .best = point});
    return;
  }
  Particle& particle = particles_[static_cast<size_t>(tag)];
  if (objective(point) <= objective(particle.best)) particle.best = point;
}

MoveSearch::Destination ParticleSwarm::Move() {
  next_ = (next_ + 1) % particles_.size();
  Particle& particle = particles_[next_];
  const auto own = config(particle.best).choices();
  const auto common = config(best()).choices();
  std::vector<uint16_t> choices(own.size());
  for (size_t knob = 0; knob < choices.size(); ++knob) {
    const double last = space().knobs()[knob].num_choices() - 1;
    double& at = particle.at[knob];
    double& velocity = particle.velocity[knob];
    velocity = kInertia * velocity + kOwnPull * RandomUnit(random()) * (own[knob] - at) +
               kCommonPull * RandomUnit(random()) * (common[knob] - at);
    velocity = std::clamp(velocity, -kMostVelocity * last, kMostVelocity * last);
    at = std::clamp(at + velocity, 0.0, last);
    choices[knob] = static_cast<uint16_t>(std::lround(at));
  }
  Config next = Repaired(std::move(choices));
  if (IsVisited(next)) {
    // It has come to rest: a push.
    next = Neighbor(next, NeighborKind::kHamming);
    const auto pushed = next.choices();
    for (size_t knob = 0; knob < pushed.size(); ++knob) {
      particle.velocity[knob] += pushed[knob] - particle.at[knob];
    }
  }
  return {.config = std::move(next), .tag = static_cast<int>(next_)};
}

}  // namespace seedtune

// What the algorithms without a model share: they remember every point, move somewhere, and learn
// what it is worth there.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_MOVE_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_MOVE_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "autotuner/search/config_index.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "autotuner/search/suggestion_queue.h"
#include "config/config_space.h"

namespace seedtune {

// An algorithm says where to go (Move) and is told what it is worth there (Arrive). Where it has
// been before costs nothing: it arrives at once. It need not care for duplicates, for what is under
// way or for a space that comes to an end: when it finds nothing new, a neighbour of the best
// point, or else a random configuration, is measured in its place. It never waits.
//
// What heuristics suggest from each new best point takes turns with the algorithm's own moves, the
// fewer the less it wins (suggestion_queue.h).
//
// Not thread-safe.
class MoveSearch : public SearchBase {
 protected:
  using PointId = size_t;
  static constexpr PointId kNone = SIZE_MAX;
  // Of a point that no move led to: a first candidate, a sample, told from outside.
  static constexpr int kNoTag = -1;

  // A configuration, valid but perhaps known, and whatever the algorithm wants to be reminded of
  // when it is told (a member's number), at least 0.
  struct Destination {
    Config config;
    int tag = 0;
    // The point that it is a neighbour of, so that its heuristic is credited; kNone: no one's.
    PointId parent = kNone;
  };

  // `samples`: random configurations measured before the first move, the first candidates included.
  MoveSearch(SearchProblem problem, size_t samples, const SearchBase* whole = nullptr);

  // Called when at least one point is known.
  virtual Destination Move() = 0;
  // At a point, by a move or otherwise. May be called for the same point again, also with another
  // objective.
  virtual void Arrive(PointId point, int tag) = 0;

  double objective(PointId point) const { return points_[point].objective_ns; }
  const Config& config(PointId point) const { return points_[point].config; }
  size_t num_points() const { return points_.size(); }
  PointId best() const { return best_; }  // kNone: nothing is known
  // A valid configuration near to `choices`, which are in range.
  Config Repaired(std::vector<uint16_t> choices);
  // A neighbour, or itself where it has none.
  Config Neighbor(const Config& config, NeighborKind kind);
  // Uniform over all, visited or not.
  Config RandomConfig() { return space().Sample(random()); }
  // Of either parent, knob by knob.
  Config Crossed(const Config& a, const Config& b);
  // Measures so many random configurations before the next move.
  void Sample(size_t samples) { samples_ = samples; }

 private:
  struct Point {
    Config config;
    double objective_ns;
    std::string heuristic;  // that it descends from; mostly ""
  };

  std::optional<Candidate> Propose() final;
  std::optional<Candidate> ProposeOwn();
  void Observe(const Candidate& candidate, double objective_ns) final;

  std::vector<Point> points_;
  std::optional<PointId> Find(const Config& config) const;

  ConfigIndex point_of_;
  absl::flat_hash_map<Config, int> tags_;  // of those under way
  PointId best_ = kNone;
  size_t samples_;
  SuggestionQueue suggestions_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_MOVE_SEARCH_H_

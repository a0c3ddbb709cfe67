// Pattern search: climbs from the best points known by small moves, and starts afresh when stuck.
//
// Hooke and Jeeves' direct search (J. ACM 8, 1961) polls the neighbours of one centre and moves
// when one is better. Two things are different here; their parameters were chosen on the recorded
// spaces of the FAIR Benchmark Hub (GEMM, convolution and dedispersion on five GPUs):
//
// - A climb keeps a frontier of all that it has measured and takes its next move from the point
//   with the smallest (time x penalty of the point's stage), as best-first search does. A better
//   point is moved to at once (first improvement); the moves that are left at the old ones are not
//   forgotten, only postponed.
// - Moves are tried in stages: one step of one knob, together with what the heuristics propose;
//   then any other choice of one knob; then steps of two knobs at once. A stage is worth its
//   penalty: a point 5% slower is first polled for single steps before the best one is polled for
//   whatever else one knob may be.
//
// It starts with the first candidates and a few random samples, and climbs from the best of them. A
// climb that has not improved for a while is left, some more samples are drawn, and the next one
// starts from the best sample that was never climbed from and from the best point that has moves
// left, in turns. Where nothing has worked yet, neighbours of what failed (of the seeds first) and
// random samples take turns. It never ends before the space is used up.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_PATTERN_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_PATTERN_SEARCH_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "autotuner/search/suggestion_queue.h"
#include "config/config_space.h"

namespace seedtune {

// Never waits: as long as the space lasts, it has something to ask. Not thread-safe.
class PatternSearch final : public SearchBase {
 public:
  explicit PatternSearch(SearchProblem problem);
  std::string_view name() const override { return "pattern"; }

 protected:
  std::optional<Candidate> Propose() override;
  void Observe(const Candidate& candidate, double objective_ns) override;

 private:
  // A measured point.
  struct Node {
    Candidate candidate;
    double objective_ns;
    int stage = -1;  // of `moves`; -1: never polled; past the last: no moves left
    std::vector<Candidate> moves = {};  // of this stage, last one first
  };
  using NodeId = size_t;                              // index into nodes_
  using Queue = std::set<std::pair<double, NodeId>>;  // by key, then age

  double Key(const Node& node) const;
  std::optional<Candidate> Draw();
  std::optional<Candidate> NextMove();
  Candidate Moved(Candidate move);
  void BeginClimb(NodeId start);
  bool BeginNextClimb();
  void PollNextStage(NodeId id);

  std::vector<Node> nodes_;
  absl::flat_hash_map<Config, NodeId> node_of_;
  absl::flat_hash_map<Config, int64_t> climb_of_;  // of moves under way: the climb that made them
  Queue open_;                                     // all points that have moves left
  Queue samples_;                                  // samples never polled

  int samples_to_draw_;  // before the next climb
  int64_t climbs_ = 0;   // begun so far; the last one's number
  bool climbing_ = false;
  SuggestionQueue suggestions_;
  Queue frontier_;  // points of the present climb that have moves left
  double climb_best_ns_ = std::numeric_limits<double>::infinity();
  int moves_since_best_ = 0;
  bool draw_next_ = false;
  double best_ns_ = std::numeric_limits<double>::infinity();  // of all
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_PATTERN_SEARCH_H_

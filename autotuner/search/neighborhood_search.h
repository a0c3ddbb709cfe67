// A variable neighbourhood search with a nearest-neighbour surrogate: each step makes a small pool
// of candidates from three neighbourhoods (which earn their shares), from crosses of the elite and
// from chance, measures the one whose nearest known points are best, and walks as simulated
// annealing does. After the hybrid_vndx that F.-J. Willemsen et al. had generated (arXiv
// 2510.17899), whose elite drops its best member instead of its worst.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_NEIGHBORHOOD_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_NEIGHBORHOOD_SEARCH_H_

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "autotuner/search/move_search.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "config/config_space.h"

namespace seedtune {

// Never waits. Not thread-safe.
class NeighborhoodSearch final : public MoveSearch {
 public:
  static constexpr size_t kSamples = 8;

  // `samples`: see MoveSearch; `whole`: see SearchBase.
  explicit NeighborhoodSearch(SearchProblem problem, size_t samples = kSamples,
                              const SearchBase* whole = nullptr);
  std::string_view name() const override { return "neighborhood"; }

 protected:
  Destination Move() override;
  void Arrive(PointId point, int tag) override;

 private:
  double Expected(const Config& config) const;

  PointId at_ = kNone;
  std::vector<PointId> elite_;                // best first
  std::array<double, 3> weight_ = {1, 1, 1};  // of the neighbourhoods
  int steps_ = 0;
  int steps_since_best_ = 0;
  PointId best_seen_ = kNone;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_NEIGHBORHOOD_SEARCH_H_

// The default: a portfolio that chooses and switches by the size of the space and by progress. Its
// members learn from each other's measurements.
//
// - While there is progress, Bayesian search asks: on recorded spaces nothing else is as good in
//   the first few hundred evaluations.
// - Where it has not found anything better for a while, neighbourhood search, which sees the space
//   otherwise, takes every other turn, until something better is found. After a long while without,
//   and in any case after many evaluations, when the capped model sees only a part of what is
//   known, it takes three turns in four.
// - Seeds that were made for this very kernel and device are near the optimum: the model is told of
//   them as of all else.
// - Seeds that were the best of other kernels or devices are near to each other, and often far from
//   the optimum: a model that begins with them looks for it around them, and is worse off after 50
//   evaluations than one that never heard of them. So at first the model is told of nothing that it
//   has not asked for itself. What the seeds are good for, a second model makes use of, which knows
//   everything: it has two turns early on, and one more for each in which it finds something
//   better. Neighbourhood search has one now and then, while nothing better than the seeds is
//   known. Then the model is told.
// - A space of a handful of configurations needs no model.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_AUTO_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_AUTO_SEARCH_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "autotuner/search/bayesian_search.h"
#include "autotuner/search/neighborhood_search.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"

namespace seedtune {

// Never waits. Not thread-safe.
class AutoSearch final : public SearchBase {
 public:
  explicit AutoSearch(SearchProblem problem);
  std::string_view name() const override { return "auto"; }

 protected:
  std::optional<Candidate> Propose() override;
  void Observe(const Candidate& candidate, double objective_ns) override;

 private:
  bool IsInformedsTurn() const;
  bool IsModelsTurn() const;

  BayesianSearch model_;
  std::optional<BayesianSearch> informed_;  // while the model is not told all
  NeighborhoodSearch moves_;
  std::vector<Observation> held_back_;  // what the model was not told yet
  int64_t turn_ = 0;
  int64_t informed_turns_left_;
  int64_t told_ = 0;
  int64_t told_at_best_ = 0;     // told_ when the best was found
  bool is_best_models_ = false;  // the model asked for it
  double best_ns_ = std::numeric_limits<double>::infinity();
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_AUTO_SEARCH_H_

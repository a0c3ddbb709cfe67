// Bayesian optimisation: Gaussian processes learn how fast configurations are, and the one with
// the greatest expected improvement is measured next.
//
// - At first there are two processes, and what they expect is averaged: one that takes the knobs to
//   count about as they usually do, and one that learns from what it sees how much each counts.
//   From a few points the latter learns much that is not so; the former is never far wrong, but
//   misses what is unusual.
// - What is learnt is the speed, best time / time, to which all failures are 0: slow ones crowd
//   together near 0, and the model's attention is on the fast ones. Of it, what is usual of kernels
//   is taken as known beforehand: SpaceFeatures::Expected().
// - The expected improvement is looked for in a pool: random configurations and the neighbours of
//   the best points known; from the pool's best it climbs by neighbours.
// - Where the best is far above all that the processes expect of what is left, expected improvement
//   compares the far ends of distributions, and is greatest where nothing is known rather than
//   where much is expected. There the most promising is measured instead: that of the greatest
//   speed if a deviation is added to it.
// - The history is capped: beyond kMostPoints the model keeps the best and the latest.
// - Of those under way nothing is taken as known but that it will be: the processes expect what
// they
//   did before, and are less in doubt about what is like them.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_BAYESIAN_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_BAYESIAN_SEARCH_H_

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "autotuner/search/config_index.h"
#include "autotuner/search/gaussian_process.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"
#include "autotuner/search/space_features.h"
#include "config/config_space.h"

namespace seedtune {

// Never waits. Not thread-safe.
class BayesianSearch final : public SearchBase {
 public:
  // `whole`: see SearchBase.
  explicit BayesianSearch(SearchProblem problem, const SearchBase* whole = nullptr);
  std::string_view name() const override { return "bayesian"; }

  // Whether it asked for it, or was told of it.
  bool Knows(const Config& config) const { return Find(config).has_value(); }

 protected:
  std::optional<Candidate> Propose() override;
  void Observe(const Candidate& candidate, double objective_ns) override;

 private:
  struct Record {
    Config config;
    std::string heuristic;
    double objective_ns;  // +infinity: failed
    bool is_told;
    double expected;  // SpaceFeatures::Expected()
    bool has_neighbors_in_pool = false;
  };
  struct PoolEntry {
    Candidate candidate;
    std::vector<GaussianProcess::View> views;  // by process
    // What the processes expect of it in the mean: how far its speed is above the best, and the
    // speed itself with some deviations added, few and many.
    double improvement = 0;
    double promise = 0;
    double hope = 0;
  };

  std::optional<size_t> Find(const Config& config) const;  // in records_
  // Uniform over what is not visited.
  std::optional<Candidate> Draw();
  // The one of a few that is farthest from all that is known, or whose values 2 divides often: such
  // sizes are seldom bad ones.
  std::optional<Candidate> DrawFarOut();
  // The one of the greatest expected improvement, or the most promising.
  std::optional<Candidate> Pick();
  std::optional<Candidate> PickFromPool();
  // It is under way.
  Candidate Remember(Candidate candidate);
  void AddToModel(size_t record);
  void Rebuild();      // the model, with what it is to keep and with lengths learnt anew
  void UpdateScale();  // mean_, deviation_, expected_mean_ and best_value_
  void FillPool();
  void AddToPool(Candidate candidate);
  void CutPool();  // down to the best of either kind
  // What the processes expect of it; brings its views up to date.
  void Judge(PoolEntry& entry) const;
  double Speed(const Record& record) const;  // of one that it was told of
  // What the processes learn of records: how much better they are than expected.
  std::vector<double> Values(const std::vector<size_t>& records) const;
  double Expected(const Config& config) const;

  SpaceFeatures features_;
  std::vector<GaussianProcess> processes_;  // at least one, all of the same points
  std::vector<Record> records_;
  ConfigIndex record_of_;
  std::vector<size_t> under_way_;      // in records_: all that it was not told of
  std::deque<Candidate> suggestions_;  // of heuristics, from each new best
  std::vector<size_t> modelled_;       // records that the processes hold, in their order
  double best_ns_;
  size_t next_learning_ = 0;  // records
  // Of the speeds of the modelled; the model's values are relative to them, best_value_ is the
  // best. expected_mean_ is the mean of what was expected of them.
  double mean_ = 0, deviation_ = 1, expected_mean_ = 0, best_value_ = 0;
  std::vector<PoolEntry> pool_;
  absl::flat_hash_set<Config> in_pool_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_BAYESIAN_SEARCH_H_

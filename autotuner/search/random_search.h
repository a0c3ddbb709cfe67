// Configurations drawn uniformly, none twice: the baseline that every other algorithm has to beat.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_SEARCH_H_

#include <optional>
#include <string_view>
#include <utility>

#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"

namespace seedtune {

// Not thread-safe.
class RandomSearch final : public SearchBase {
 public:
  explicit RandomSearch(SearchProblem problem) : SearchBase(std::move(problem)) {}
  std::string_view name() const override { return "random"; }

 protected:
  std::optional<Candidate> Propose() override;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_RANDOM_SEARCH_H_

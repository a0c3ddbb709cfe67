// Every configuration, in the order of the space's numbering.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_EXHAUSTIVE_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_EXHAUSTIVE_SEARCH_H_

#include <optional>
#include <string_view>
#include <utility>

#include "absl/numeric/int128.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/search/search_base.h"

namespace seedtune {

// Not thread-safe.
class ExhaustiveSearch final : public SearchBase {
 public:
  explicit ExhaustiveSearch(SearchProblem problem) : SearchBase(std::move(problem)) {}
  std::string_view name() const override { return "exhaustive"; }

 protected:
  std::optional<Candidate> Propose() override;

 private:
  absl::uint128 next_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_EXHAUSTIVE_SEARCH_H_

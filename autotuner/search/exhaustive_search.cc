#include "autotuner/search/exhaustive_search.h"

#include <optional>
#include <utility>

#include "config/config_space.h"

namespace seedtune {

std::optional<Candidate> ExhaustiveSearch::Propose() {
  const absl::uint128 size = space().NumValid();
  while (next_ < size) {
    Config config = space().At(next_++);
    if (!IsVisited(config)) return Candidate{.config = std::move(config)};
  }
  return std::nullopt;
}

}  // namespace seedtune

#include "autotuner/search/random_search.h"

#include <optional>
#include <utility>

#include "config/config_space.h"

namespace seedtune {

std::optional<Candidate> RandomSearch::Propose() {
  std::optional<Config> config = DrawUnvisited();
  if (!config.has_value()) return std::nullopt;
  return Candidate{.config = *std::move(config)};
}

}  // namespace seedtune

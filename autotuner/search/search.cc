#include "autotuner/search/search.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "autotuner/search/auto_search.h"
#include "autotuner/search/bayesian_search.h"
#include "autotuner/search/differential_evolution.h"
#include "autotuner/search/dual_annealing.h"
#include "autotuner/search/exhaustive_search.h"
#include "autotuner/search/forest_search.h"
#include "autotuner/search/genetic_search.h"
#include "autotuner/search/grey_wolf_search.h"
#include "autotuner/search/neighborhood_search.h"
#include "autotuner/search/particle_swarm.h"
#include "autotuner/search/pattern_search.h"
#include "autotuner/search/random_search.h"
#include "autotuner/search/simulated_annealing.h"
#include "config/config_space.h"
#include "util/edit_distance.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

using Maker = std::unique_ptr<SearchAlgorithm> (*)(SearchProblem problem);

template <typename Algorithm>
std::unique_ptr<SearchAlgorithm> Make(SearchProblem problem) {
  return std::make_unique<Algorithm>(std::move(problem));
}

// All of them, by name.
constexpr struct {
  std::string_view name;
  Maker make;
} kAlgorithms[] = {
    {"auto", Make<AutoSearch>},
    {"bayesian", Make<BayesianSearch>},
    {"exhaustive", Make<ExhaustiveSearch>},
    {"differential_evolution", Make<DifferentialEvolution>},
    {"dual_annealing", Make<DualAnnealing>},
    {"forest", Make<ForestSearch>},
    {"genetic", Make<GeneticSearch>},
    {"grey_wolf", Make<GreyWolfSearch>},
    {"neighborhood", Make<NeighborhoodSearch>},
    {"particle_swarm", Make<ParticleSwarm>},
    {"simulated_annealing", Make<SimulatedAnnealing>},
    {"pattern", Make<PatternSearch>},
    {"random", Make<RandomSearch>},
};

}  // namespace

std::vector<std::string_view> SearchAlgorithmNames() {
  std::vector<std::string_view> names;
  for (const auto& algorithm : kAlgorithms) names.push_back(algorithm.name);
  return names;
}

absl::StatusOr<std::unique_ptr<SearchAlgorithm>> MakeSearch(std::string_view algorithm,
                                                            SearchProblem problem) {
  Maker make = nullptr;
  for (const auto& known : kAlgorithms) {
    if (known.name == algorithm) make = known.make;
  }
  if (make == nullptr) {
    const std::vector<std::string_view> names = SearchAlgorithmNames();
    std::string message = absl::StrCat(
        "no algorithm named \"", ToAbsl(algorithm),
        "\"; known: ", absl::StrJoin(names, ", ", [](std::string* out, std::string_view name) {
          out->append(name);
        }));
    if (const std::optional<std::string> near = NearestName(algorithm, names)) {
      absl::StrAppend(&message, ", did you mean \"", *near, "\"");
    }
    return absl::NotFoundError(message);
  }

  if (problem.space == nullptr) {
    return absl::InvalidArgumentError("search: the problem has no space, want one");
  }
  for (size_t i = 0; i < problem.first.size(); ++i) {
    const Config& config = problem.first[i].config;
    if (config.shared_space() == nullptr || config.space().id() != problem.space->id() ||
        !problem.space->IndexOf(config).has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("search: first[", i, "] is no configuration of ", problem.space->id(),
                       ", want one; normalise it to that space"));
    }
  }
  return make(std::move(problem));
}

}  // namespace seedtune

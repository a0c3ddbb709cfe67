// The search algorithms, by name.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/search/search_algorithm.h"  // IWYU pragma: export

namespace seedtune {

std::vector<std::string_view> SearchAlgorithmNames();  // "exhaustive", "pattern", "random"

// kNotFound: `no algorithm named "patern"; known: ..., did you mean "pattern"`.
// kInvalidArgument: the problem has no space, or a first candidate of another space.
absl::StatusOr<std::unique_ptr<SearchAlgorithm>> MakeSearch(std::string_view algorithm,
                                                            SearchProblem problem);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_SEARCH_H_

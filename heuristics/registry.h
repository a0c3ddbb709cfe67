// The heuristics that a program uses, in order. The search engine knows heuristics through this and
// no other way.
#ifndef SEEDTUNE_HEURISTICS_REGISTRY_H_
#define SEEDTUNE_HEURISTICS_REGISTRY_H_

#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Owns heuristics in the order given: order is rank. main() or a test makes one, fills it and
// shares it const. Thread-compatible: fill it in one thread.
class HeuristicRegistry {
 public:
  HeuristicRegistry() = default;
  HeuristicRegistry(HeuristicRegistry&&) = default;
  HeuristicRegistry& operator=(HeuristicRegistry&&) = default;

  // kInvalidArgument: null, or a name or backend that is not lower_snake_case. kAlreadyExists: the
  // name is taken.
  absl::Status Add(std::unique_ptr<const AutotunerHeuristic> heuristic);

  // Those of one backend, in order. Empty for an unknown one. Valid while the registry lives.
  std::vector<const AutotunerHeuristic*> ForBackend(std::string_view backend) const;
  // nullptr: no such name.
  const AutotunerHeuristic* Find(std::string_view name) const;
  std::vector<std::string_view> Names() const;

 private:
  std::vector<std::unique_ptr<const AutotunerHeuristic>> heuristics_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_REGISTRY_H_

// From the seed flags of the command line to what the heuristics are asked with.
#ifndef SEEDTUNE_TOOLS_SEED_FLAGS_H_
#define SEEDTUNE_TOOLS_SEED_FLAGS_H_

#include "absl/status/statusor.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "tools/command_options.h"

namespace seedtune {

// kNotFound: a disabled heuristic that does not exist. kInvalidArgument: a user seed that is no
// configuration. Those of ReadFile() for a file of seeds.
absl::StatusOr<ConsultOptions> MakeConsultOptions(const SeedOptions& options,
                                                  const HeuristicRegistry& registry);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_SEED_FLAGS_H_

// The only list of all heuristics that come with Seedtune.
#ifndef SEEDTUNE_HEURISTICS_BUILTIN_H_
#define SEEDTUNE_HEURISTICS_BUILTIN_H_

#include <vector>

#include "heuristics/registry.h"
#include "util/embedded_file.h"

namespace seedtune {

// A registry with every built-in heuristic, in rank order within each backend.
HeuristicRegistry BuiltinHeuristics();

// The seed tables among them, as they were written; all valid.
std::vector<EmbeddedFile> BuiltinSeedTables();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_BUILTIN_H_

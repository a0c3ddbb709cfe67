// The only list of all heuristics that come with Seedtune.
#ifndef SEEDTUNE_HEURISTICS_BUILTIN_H_
#define SEEDTUNE_HEURISTICS_BUILTIN_H_

#include "heuristics/registry.h"

namespace seedtune {

// A registry with every built-in heuristic, in rank order within each backend.
HeuristicRegistry BuiltinHeuristics();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_BUILTIN_H_

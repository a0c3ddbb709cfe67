// A heuristic of one's own, whole: docs/heuristics.md walks through it.
#ifndef SEEDTUNE_HEURISTICS_EXAMPLE_TALL_TILES_H_
#define SEEDTUNE_HEURISTICS_EXAMPLE_TALL_TILES_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace my_compiler {

// Matmuls on Hopper with many rows and few columns, by tiles that are tall as well.
std::unique_ptr<const seedtune::AutotunerHeuristic> MakeTallTiles();

}  // namespace my_compiler

#endif  // SEEDTUNE_HEURISTICS_EXAMPLE_TALL_TILES_H_

// triton_several_dots: kernels of two matmuls and more, such as attention and fused perceptrons.
#ifndef SEEDTUNE_HEURISTICS_TRITON_SEVERAL_DOTS_H_
#define SEEDTUNE_HEURISTICS_TRITON_SEVERAL_DOTS_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: two dots or more, of which the first has an m that can be blocked, on a GPU with matrix
// units. The intermediate stays in registers, so its tile is what decides: rows of the first dot by
// what the second one takes at a time, 128 x 64 first, then smaller and wider ones; what the loops
// do not walk is covered whole. Never promoted. Neighbours: rows with warps, stages with tile.
//
// Source of the sizes: Triton's tutorial of fused attention (128 x 64 and 128 x 128, 4 and 8
// warps).
std::unique_ptr<const AutotunerHeuristic> MakeTritonSeveralDots();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_SEVERAL_DOTS_H_

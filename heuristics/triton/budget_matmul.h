// triton_hopper_matmul and triton_blackwell_matmul: matmuls by the budget formula of tile_budget.h.
#ifndef SEEDTUNE_HEURISTICS_TRITON_BUDGET_MATMUL_H_
#define SEEDTUNE_HEURISTICS_TRITON_BUDGET_MATMUL_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one matmul, batched or not, whose m, n and k can be blocked and are known or hinted at,
// on an architecture of the family; on Hopper not of two operands of 1 byte, where Triton's
// accumulation of fp8 loses bits (see triton_fp8_matmul).
//
// The primary is the formula's, but for what the formula was measured to be slow at. On both: with
// a deep k and few tiles, k is split so that the parts fill the device. On Hopper, for one product
// of operands of 2 bytes, as measured on an H100 with the Triton worker
// (docs/results/triton-h100.md): where tiles make several waves, persistent programs by tensor
// descriptors, whose loads go on while a tile is stored, of 128 x 256 tiles or of square ones,
// whichever fill the last wave. The others, as far as they differ in structure (diversity.h): the
// formula's own tile; long pipelines of shallow blocks; smaller tiles, two of which share a compute
// unit; the aspect turned.
//
// Promoted on exactly sm90 and sm100, where the formula was validated; what follows them along the
// lineage gets seeds and no default. Neighbours: stages with the tile, aspect, persistence.
//
// Source: the heuristics triton_h100_matmul and triton_b200_formula_matmul of pytorch/helion.
std::unique_ptr<const AutotunerHeuristic> MakeTritonHopperMatmul();
std::unique_ptr<const AutotunerHeuristic> MakeTritonBlackwellMatmul();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_BUDGET_MATMUL_H_

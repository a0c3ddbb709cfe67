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
// The primary is the formula's, but for what the formula was measured to be slow at (on an H100,
// against cuBLAS): with a deep k and few tiles, where it reached 0.21, k is split so that the parts
// fill the device. The others, as far as they differ in structure (diversity.h): persistent
// programs by tensor descriptors, which overlap the epilogue (0.84 where k is short); smaller
// tiles, two of which share a compute unit; the aspect turned.
//
// Promoted on exactly sm90 and sm100, where the formula was validated; what follows them along the
// lineage gets seeds and no default. Neighbours: stages with the tile, aspect, persistence.
//
// Source: the heuristics triton_h100_matmul and triton_b200_formula_matmul of pytorch/helion.
std::unique_ptr<const AutotunerHeuristic> MakeTritonHopperMatmul();
std::unique_ptr<const AutotunerHeuristic> MakeTritonBlackwellMatmul();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_BUDGET_MATMUL_H_

// Matmuls by the model of tile_model.h: what the budget formulas of Hopper and Blackwell do not
// cover.
//
// All of them want one matmul whose m, n and k can be blocked and are known or hinted at, and
// matrix units that the model knows. Their seeds are the model's best tiles that differ in
// structure (diversity.h); figures of pipelines and warps are those that each vendor's documents
// start from.
#ifndef SEEDTUNE_HEURISTICS_TRITON_MODELLED_MATMUL_H_
#define SEEDTUNE_HEURISTICS_TRITON_MODELLED_MATMUL_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// triton_decode: m or n at most 16, any GPU: the weights are read once and decide. Deep blocks,
// long pipelines, k split until the device is full.
std::unique_ptr<const AutotunerHeuristic> MakeTritonDecode();
// triton_split_k: k so deep and the output so small that tiles alone leave most of the device idle.
// Neighbours: parts of k with their block.
std::unique_ptr<const AutotunerHeuristic> MakeTritonSplitK();
// triton_fp8_matmul: two operands of fp8, where the device multiplies them. Never promoted: how
// many bits Triton's accumulation keeps differs between architectures, and an untuned default is
// never checked, while seeds of a search are.
std::unique_ptr<const AutotunerHeuristic> MakeTritonFp8Matmul();
// triton_batched_matmul: tiles for many small products at once, and orders of the grid's axes.
std::unique_ptr<const AutotunerHeuristic> MakeTritonBatchedMatmul();
// triton_fused_epilogue: work after the dot, which wants registers and bandwidth of its own:
// smaller tiles, stores in parts, persistent programs.
std::unique_ptr<const AutotunerHeuristic> MakeTritonFusedEpilogue();
// triton_ampere_matmul: mma.sync with cp.async: Ampere, Ada, consumer Blackwell. Source of the
// pipelines: Triton's matmul tutorial.
std::unique_ptr<const AutotunerHeuristic> MakeTritonAmpereMatmul();
// triton_cdna_matmul: MFMA on MI100 to MI350: its shapes, waves per execution unit, local memory of
// 64 or 160 KiB, dies. Neighbours: waves with warps, warps with tile. Source: AMD, MI300X workload
// optimization guide, "Triton kernel performance optimization" (ROCm documentation).
std::unique_ptr<const AutotunerHeuristic> MakeTritonCdnaMatmul();
// triton_rdna_matmul: WMMA on RDNA 3 and 4: 16 x 16 instructions, waves of 32, 64 KiB.
std::unique_ptr<const AutotunerHeuristic> MakeTritonRdnaMatmul();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_MODELLED_MATMUL_H_

// triton_skinny_gemm: matmuls that are much longer one way than the other, on Hopper and CDNA 4.
#ifndef SEEDTUNE_HEURISTICS_TRITON_SKINNY_GEMM_H_
#define SEEDTUNE_HEURISTICS_TRITON_SKINNY_GEMM_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: exactly one matmul without batch, static extents, each of m, n and k a tunable axis,
// max(m, n) >= 8 min(m, n), on sm90 or gfx950 (whatever its features).
//
// The seed: blocks of 64 x 64 x 256 by axis role, none larger than its extent. Such a kernel is
// bound by the traffic of its large operand. Large output tiles would leave most of the GPU idle;
// deep blocks of k keep long loads in flight. Where 256 deep does not fit the device with the
// space's default pipeline, k is halved until it does. Never promoted: a good start, not measured
// as a default.
//
// Source: the heuristic of the same name in pytorch/helion (its figures; see docs there).
std::unique_ptr<const AutotunerHeuristic> MakeTritonSkinnyGemm();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_SKINNY_GEMM_H_

// cpu_blis_blocking: register tile and cache blocks from the processor's registers and caches.
#ifndef SEEDTUNE_HEURISTICS_CPU_BLIS_BLOCKING_H_
#define SEEDTUNE_HEURISTICS_CPU_BLIS_BLOCKING_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one f32 matmul whose extents are known, or have hints, on a CPU.
//
// Seeds: the model's choice (blis_model.h), then ones of other structure, as far as the space takes
// them: B packed or not the other way, a tile of another width, the paper's own blocks with both
// operands packed, C swept once for each k block, work split another way (along k where C is
// small).
//
// Neighbours are moves that leave what was balanced in balance, of several knobs at once:
//   * a tile wider or taller with about as many accumulators, and k rescaled so that its slivers
//     take the same space;
//   * k blocks doubled (halved), m and n blocks halved (doubled): the packed blocks stay as large;
//   * packing of an operand switched, with the loop order that keeps the other one (or C) in place;
//   * work split along the other of m and n, the blocks' sizes changing places.
//
// Promoted where vector width and cache sizes are known.
std::unique_ptr<const AutotunerHeuristic> MakeCpuBlisBlocking();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CPU_BLIS_BLOCKING_H_

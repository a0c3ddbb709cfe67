// cute_tcgen05_cluster_m2: matmuls on datacenter Blackwell by pairs of CTAs, each pair making one
// tile of 256 rows (cta_group::2 of tcgen05).
#ifndef SEEDTUNE_HEURISTICS_CUTE_TCGEN05_CLUSTER_M2_H_
#define SEEDTUNE_HEURISTICS_CUTE_TCGEN05_CLUSTER_M2_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible, in one of three families, each with its own seed:
//   full tile   m, n and k are multiples of the largest tile, which is 256 x 256 deep as k allows;
//   edge        m, n, k >= 4096, m and n no multiples of 256, k none of 128, no batch;
//   small grid  f8e4m3, tiles of 128 x 128 cover m and n, and there are few of them for the SMs
//               (or 256 x 256 does not).
// All of them: one static matmul, operands bf16, f16 or f8e4m3 and of one type, m >= 64, n >= 8 (16
// for one byte), k >= 16 (32 for one byte), a device with tensor memory, tunable m, n and k,
// clusters for at least a quarter of the SMs, at most 256 steps of k, and a space that has what the
// seed needs. Declines name the first that fails.
//
// Never promoted: what it needs of the kernel beyond this is the compiler's to know.
//
// Source: the heuristic of the same name in pytorch/helion (conditions and figures).
std::unique_ptr<const AutotunerHeuristic> MakeCuteTcgen05ClusterM2();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUTE_TCGEN05_CLUSTER_M2_H_

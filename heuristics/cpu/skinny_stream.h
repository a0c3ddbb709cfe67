// cpu_skinny_stream: few rows, so that the time is that of reading B once.
#ifndef SEEDTUNE_HEURISTICS_CPU_SKINNY_STREAM_H_
#define SEEDTUNE_HEURISTICS_CPU_SKINNY_STREAM_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one f32 matmul of at most 32 rows (by their hint, if need be) on a CPU, with a
// row-major B, or with another one where the space can compute the product of the transposes. It is
// the decoding step of a language model: B is the weights.
//
// Seeds: the register tile with the least modelled cycles for exactly these rows, B read in place
// (a copy would be used once or a few times), n in blocks whose part of C stays in a quarter of the
// L2 cache while k blocks pass, columns dealt out to the threads. Then: half as deep, B prefetched,
// another tile, and, where there are threads, k dealt out.
//
// With a B that is not row-major the product is transposed: rows of its transpose are read in
// place, a few at a time, prefetched, all of k at once as far as the packed transpose of A stays in
// half of the L2 cache. Then: prefetched less far, or not, more rows at a time, less deep, and k
// dealt out.
//
// Promoted where vector width and cache sizes are known.
std::unique_ptr<const AutotunerHeuristic> MakeCpuSkinnyStream();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CPU_SKINNY_STREAM_H_

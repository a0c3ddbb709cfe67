// cuda_skinny_stream: matmuls of few rows or columns, which take as long as their large operand
// takes to arrive.
#ifndef SEEDTUNE_HEURISTICS_CUDA_SKINNY_STREAM_H_
#define SEEDTUNE_HEURISTICS_CUDA_SKINNY_STREAM_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one matmul whose extents are known, at least by hints, m or n at most 16 (4 where
// tensor cores do not take the operands), on sm80 or newer, whose large operand is contiguous one
// way or the other; up to 32, where tensor cores take the operands as they lie and the large one
// takes more than a quarter of the L2 cache.
//
// The seed, where n is the long side and tensor cores take the operands as they lie: an mma kernel
// of 64 columns and five stages of 256 bytes of k, which an H200 streams best, or of 128 columns and
// 128 bytes where that many blocks do not run at once. Then, and first
// elsewhere: every warp on its own, with enough bytes under way to hide the latency of memory
// (Little's law: bandwidth times about a microsecond, shared out over the multiprocessors), in
// blocks small enough that every multiprocessor gets its share; k split over warps, then over
// blocks, until all multiprocessors are full, as far as each still has turns to take. Then: the
// sums of parts added up by a second launch or not at all, rings half and twice as deep, and twice
// the rows a warp.
//
// Above 16, mma kernels alone: 64 rows or columns and four stages of 256 bytes of k, or eight of
// 128, or five, or k in twice as many parts.
//
// Neighbours: rows from warps to blocks and back, warps from k to rows and back, fewer and longer
// stages.
//
// Promoted.
std::unique_ptr<const AutotunerHeuristic> MakeCudaSkinnyStream();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUDA_SKINNY_STREAM_H_

// cuda_mma_tiles and cuda_simt_tiles: which tile of the output a thread block should compute.
#ifndef SEEDTUNE_HEURISTICS_CUDA_TILES_H_
#define SEEDTUNE_HEURISTICS_CUDA_TILES_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one matmul whose extents are known, at least by hints, on sm80 or newer, that tensor
// cores take (cuda_mma_tiles), or that they do not take (cuda_simt_tiles).
//
// Every tile of a short list (blocks of 16 to 256, a few warp tiles that fit the registers, all
// splits of k) is given the cycles of CudaTileCycles(), with as many stages as fit beside the
// blocks that share a multiprocessor. The primary is the one with the fewest. Then: the best of
// another block size, of another split, the primary one stage less deep (or deeper), and under
// stream-k. Operands whose rows are aligned to less than 4 bytes are packed: no asynchronous copy
// takes less.
//
// Neighbours move what belongs together: the block and its warps from one side to the other; half
// the stages, each twice as deep; twice the tile, split twice as often; twice the block and twice
// the warps' part of it.
//
// Promoted.
std::unique_ptr<const AutotunerHeuristic> MakeCudaMmaTiles();
std::unique_ptr<const AutotunerHeuristic> MakeCudaSimtTiles();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUDA_TILES_H_

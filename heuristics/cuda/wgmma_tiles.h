// cuda_wgmma_tiles: Hopper's tensor cores at full rate.
#ifndef SEEDTUNE_HEURISTICS_CUDA_WGMMA_TILES_H_
#define SEEDTUNE_HEURISTICS_CUDA_WGMMA_TILES_H_

#include <memory>

#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Eligible: one matmul whose extents are known, at least by hints, that wgmma takes, more than 32
// rows and columns, on sm90.
//
// A few tiles are worth having there (kTiles in the source); each of them, in clusters of one and of
// two blocks, at each split of k that leaves no multiprocessor idle, gets the cycles of a model:
// rounds of tiles over the multiprocessors, each a tile's stages at the slowest of the tensor cores,
// the copies, what neighbours read from the L2 cache and the ring's latency, and its epilogue, unless
// another tile is multiplied meanwhile; no faster than memory gives the operands. How tiles are
// walked is chosen so that neighbours read little. The seeds are the best of these, the best of other
// shapes and schedules, and the best walked in other orders.
//
// Neighbours move what belongs together: the tile and its cluster from one side to the other; two
// warpgroups that share a large tile, against two that take small ones in turns, the stages going
// with them; a tile of half the size for twice the parts of k.
//
// Promoted on sm90, where the output is more than a few tiles, unless operands whose rows are not
// aligned would first be packed, in memory, for longer than wgmma then saves.
std::unique_ptr<const AutotunerHeuristic> MakeCudaWgmmaTiles();

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUDA_WGMMA_TILES_H_

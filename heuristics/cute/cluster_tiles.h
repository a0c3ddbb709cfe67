// cute_tcgen05_tiles and cute_wgmma_clusters: tiles and clusters for whatever fits the instruction.
#ifndef SEEDTUNE_HEURISTICS_CUTE_CLUSTER_TILES_H_
#define SEEDTUNE_HEURISTICS_CUTE_CLUSTER_TILES_H_

#include <memory>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/autotuner_heuristic.h"

namespace seedtune {

// Both want one matmul of extents that are known or hinted at; operand types and layouts are the
// space's to judge. Tiles are ranked by how well they fill the device's last wave times how much of
// what they load they use again; those that differ in structure (diversity.h) are seeds. Neither is
// promoted: no target has been measured.

// What cute_tcgen05_cluster_m2 declines, edges and small grids among it, and other tiles for what
// it takes: one CTA or two, wide tiles and narrow ones.
std::unique_ptr<const AutotunerHeuristic> MakeCuteTcgen05Tiles();
// Hopper: two warpgroups that share a tile of 128 rows or take tiles of 64 rows in turns, clusters
// of two that share the operand that is larger. Source: the defaults of CUTLASS 3's sm90 kernels.
std::unique_ptr<const AutotunerHeuristic> MakeCuteWgmmaClusters();

// Moves that no single step makes: two CTAs with twice the rows and back; clusters turned;
// schedules with the rows they want; stages with the block of k. Values are choices of the space,
// whether or not its constraints take them together. Thread-safe.
std::vector<PartialConfig> ClusterMoves(const Config& config);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUTE_CLUSTER_TILES_H_

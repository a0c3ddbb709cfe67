// How long a grid of tiles would take, by a model of three rates: what a compute unit multiplies a
// cycle, what it loads from the L2 cache, what the device loads from memory. Coarse on purpose: it
// ranks tiles, it predicts no times.
#ifndef SEEDTUNE_HEURISTICS_TRITON_TILE_MODEL_H_
#define SEEDTUNE_HEURISTICS_TRITON_TILE_MODEL_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "hardware/hardware_info.h"
#include "heuristics/triton/triton_seed.h"
#include "ir/dtype.h"

namespace seedtune {

struct TileRates {
  int64_t compute_units = 0;
  double macs_per_cycle = 0;          // of one unit, dense, for the operands' type
  double l2_bytes_per_cycle = 0;      // of one unit
  double memory_bytes_per_cycle = 0;  // of the device; 0: unknown
};
// nullopt: an architecture without matrix units that the table knows. Thread-safe.
std::optional<TileRates> TileRatesOf(const HardwareInfo& device, DType operand);

struct ModelledTile {
  int64_t block_m = 0, block_n = 0, split_k = 1;
  double cycles = 0;
};
struct TileLimits {
  int64_t min_m = 32, max_m = 256;
  int64_t min_n = 32, max_n = 256;
  int64_t max_elements = 256 * 256;
  int64_t max_split = 1;
};
// All tiles of powers of two within the limits that are not twice as large as what they cover, best
// first; among equals the larger first. Never empty. Thread-safe.
std::vector<ModelledTile> RankTiles(const TileRates& rates, const PlannedMatmul& matmul,
                                    const TileLimits& limits);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_TILE_MODEL_H_

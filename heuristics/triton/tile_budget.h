// Tiles by budget: the largest output tile that accumulators, shared memory and tensor memory leave
// room for, cut until the grid fills the device's last wave.
//
// This reproduces, figure for figure, the formula that pytorch/helion ships for H100 and B200
// (facts read at commit ef091f41; tile_budget_test.cc holds its executed rows). What we do
// otherwise stands in budget_matmul.cc, never here.
#ifndef SEEDTUNE_HEURISTICS_TRITON_TILE_BUDGET_H_
#define SEEDTUNE_HEURISTICS_TRITON_TILE_BUDGET_H_

#include <cstdint>

namespace seedtune {

struct TileBudget {
  int64_t accumulator_elements = 32768;
  int64_t shared_memory_bytes = 0;
  bool enforces_shared_memory = false;
  int64_t shared_memory_slack_bytes = 0;
  int64_t tensor_memory_bytes = 0;  // 0: there is none
  // A grid that is filled many times over by axes other than m and n takes smaller tiles.
  int64_t saturated_block_m = 64;
  int64_t saturated_block_n = 128;
  int64_t saturated_num_warps = 0;   // 0: by the tile's size
  bool wave_fill_is_strict = false;  // cuts a tile only where that fills the wave better
};
TileBudget HopperTileBudget();
TileBudget BlackwellTileBudget();

struct BudgetedTile {
  int64_t block_m = 0, block_n = 0, block_k = 0;
  int64_t num_warps = 0, num_stages = 0, l2_grouping = 1;
  friend bool operator==(const BudgetedTile&, const BudgetedTile&) = default;
};

// `m`, `n`, `k`, `itemsize` (bytes of the wider operand's elements) and `compute_units` are at
// least 1; `other_programs` is the product of the grid's other extents, 1 where there are none.
// Thread-safe.
BudgetedTile TileByBudget(const TileBudget& budget, int64_t m, int64_t n, int64_t k,
                          int64_t itemsize, int64_t compute_units, int64_t other_programs);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_TILE_BUDGET_H_

// What the heuristics of Triton share: how a plan becomes a seed that the space takes, and the
// moves that no single step makes.
#ifndef SEEDTUNE_HEURISTICS_TRITON_TRITON_SEED_H_
#define SEEDTUNE_HEURISTICS_TRITON_TRITON_SEED_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/tuning_context.h"

namespace seedtune {

// Thread-safe, all of it.

// A matmul that a formula can plan for: extents to plan with, whichever are hints.
struct PlannedMatmul {
  int64_t m = 0, n = 0, k = 0;
  int64_t batch = 1;
  int64_t itemsize = 0;     // bytes of the wider operand's elements
  bool is_planned = false;  // some extent is a hint: a wrong guess costs speed and no more
  std::string shape;        // for people: "4096x4096x4096 bf16", "16 (hint)x4096x4096 bf16"
};
// What keeps a kernel from being one matmul, all of whose dimensions can be blocked: in `why_not`.
std::optional<PlannedMatmul> PlanOneMatmul(const TuningContext& context, std::string& why_not);

// A plan. 0: the knob keeps the space's default. What the space has no knob for is left out.
struct TritonPlan {
  int64_t block_m = 0, block_n = 0, block_k = 0;
  int64_t num_warps = 0, num_stages = 0;
  int64_t l2_grouping = 0;
  int64_t split_k = 0;
  bool persistent = false;
  // Where the layouts allow them.
  bool loads_by_descriptor = false, stores_by_descriptor = false;
  bool flattens_grid = false;  // the loop over tiles with that over k; persistent programs only
  int64_t epilogue_subtile = 0;
  int64_t waves_per_eu = 0, matrix_instr_nonkdim = 0;
  bool xcd_remap = false;
  bool streams_rhs = false;  // rhs is read once: the first to leave the caches
};

// The plan with each value clamped to what the space has, then made smaller where the device wants
// it: fewer stages, a shallower block, fewer warps, a smaller tile. nullopt: not even that helps.
std::optional<PartialConfig> FitSeed(const ConfigSpace& space, const TritonPlan& plan);

enum class TritonMove {
  kAspect,           // the tile's rows and columns swapped, or one doubled and the other halved
  kStagesWithTile,   // one more stage of half the block of k, and the reverse; with the tile, too
  kSplitWithBlockK,  // twice the parts of k of half the block, and the reverse
  kWarpsWithTile,    // twice the tile and twice the warps, and the reverse
  kPersistence,      // persistent programs with their flattened loop, and back
  kWavesWithWarps,   // AMD: occupancy asked for, with the warps and the tile that allow it
};
// The moves of these kinds from `config`, each of two knobs or more; values are choices, whether or
// not the constraints take them together.
std::vector<PartialConfig> CoupledMoves(const Config& config,
                                        std::initializer_list<TritonMove> kinds);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TRITON_TRITON_SEED_H_

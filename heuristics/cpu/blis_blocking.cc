#include "heuristics/cpu/blis_blocking.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/cpu/blis_model.h"
#include "heuristics/cpu/gemm_seed.h"
#include "heuristics/knob_choices.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kFloatBytes = 4;

// Times that a packed block must be used, in tiles, to repay the copying: columns of tiles for A,
// rows for B. Measured on one core of an AMD EPYC of family 26 (Zen 5), operands cold; copies of A
// hardly ever gain.
constexpr int64_t kLhsReuse = 16;
constexpr int64_t kRhsReuse = 24;
// Rows this far apart fall into one set of a virtually indexed L1 cache, so that it holds as many
// of them as it has pages.
constexpr int64_t kPageBytes = 4096;
// Tiles side by side in a packed panel of B: the fewer, the nearer it stays to the multipliers
// while it is packed and used; but A passes once for each panel, from the L2 cache, or from behind
// it. On the same core two gained 2 to 8% over whole rows (333x555x777, 200x333x400), and of
// 640x1024x1024 and 384x3072x768 one to four were the same.
constexpr int64_t kPanelTiles = 2;
constexpr int64_t kPanelTilesFarLhs = 4;

// Whether copies of A's blocks repay. In place, a tile reads one element of each of its rows for a
// step of k (one column's elements where A is column-major).
bool PackLhs(const GemmShape& shape, const CpuMachine& machine, RegisterTile tile) {
  if (CeilDiv(shape.n, tile.vectors * machine.lanes) < kLhsReuse) return false;
  const int64_t stride_bytes = shape.lhs_stride * kFloatBytes;
  if (!shape.lhs_is_row_major) return stride_bytes == 0 || stride_bytes >= kPageBytes;
  return stride_bytes % kPageBytes == 0 && tile.rows + tile.vectors > machine.l1_bytes / kPageBytes;
}

// Whether copies of B's blocks repay: where they are used often, and the caches do not hold in
// place what they would hold packed. Measured on the same core, reading in place wins by 3 to 9%
// where the L2 cache holds the rows (256x256x256, 196x256x2304, 384x768x768, 1024x512x512), and
// loses by 10 to 20% where it does not (640x1024x1024, 384x3072x768), or by 8% where the L1 cache
// would hold packed slivers (3136x256x64).
bool PackRhs(const GemmShape& shape, const CpuMachine& machine, RegisterTile tile) {
  if (shape.must_pack_rhs) return true;
  if (CeilDiv(shape.m, tile.rows) < kRhsReuse) return false;
  if (shape.k * shape.n * kFloatBytes <= machine.l1_bytes) return false;
  const int64_t apart = std::max(shape.rhs_stride, shape.n) * kFloatBytes;
  const int64_t depth =
      std::min(shape.k, PlanCacheBlocks(machine, tile, {.pack_rhs = false, .threads = 1}).k);
  if (RowsHeld(machine.l2_bytes, apart) < depth) return true;
  const int64_t slivers = depth * (tile.rows + tile.vectors * machine.lanes) * kFloatBytes;
  return slivers <= machine.l1_bytes && RowsHeld(machine.l1_bytes, apart) < depth;
}

// Sets the blocks; all else is set.
void PlanBlocks(const GemmShape& shape, const CpuMachine& machine, GemmSeed& seed) {
  seed.blocks =
      PlanCacheBlocks(machine, seed.tile, {.pack_rhs = seed.pack_rhs, .threads = seed.threads});
  if (!seed.pack_rhs) return;
  const int64_t lhs_bytes = shape.m * std::min(shape.k, seed.blocks.k) * kFloatBytes;
  const int64_t tiles = lhs_bytes <= machine.l2_bytes ? kPanelTiles : kPanelTilesFarLhs;
  seed.blocks.n = std::min(seed.blocks.n, tiles * seed.tile.vectors * machine.lanes);
}

GemmSeed Compute(const GemmShape& shape, const CpuMachine& machine, RegisterTile tile,
                 const TuningContext& context) {
  GemmSeed seed;
  seed.tile = tile;
  seed.pack_lhs = PackLhs(shape, machine, tile);
  seed.pack_rhs = PackRhs(shape, machine, tile);
  const MatmulFact& fact = context.facts[0];
  const int64_t threads =
      WorthwhileThreads(machine, static_cast<double>(fact.flops), static_cast<double>(fact.bytes));
  DivideAmongThreads(shape, machine, {.max_threads = threads}, context.space, seed);
  PlanBlocks(shape, machine, seed);
  return seed;
}

// The value `factor` times `value` as a choice of the knob.
std::optional<int64_t> Scaled(const ConfigSpace& space, std::string_view knob, int64_t value,
                              double factor) {
  return NearestChoice(
      space, knob,
      std::max<int64_t>(1, static_cast<int64_t>(static_cast<double>(value) * factor + 0.5)));
}

class CpuBlisBlocking : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "cpu_blis_blocking"; }
  std::string_view backend() const override { return "cpu"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<GemmShape> shape = GemmShapeOf(context, why_not);
    if (!shape) return Eligibility::No(why_not);
    const CpuMachine machine = CpuMachineOf(context.device);
    return Eligibility::Yes(absl::StrCat(machine.registers, " registers of ", machine.lanes,
                                         " f32, L1 ", machine.l1_bytes / 1024, " KiB, L2 ",
                                         machine.l2_bytes / 1024, " KiB",
                                         machine.is_complete ? "" : ", in part guessed",
                                         shape->by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    const std::optional<GemmShape> shape = GemmShapeOf(context, why_not);
    if (!shape) return absl::FailedPreconditionError(why_not);
    const CpuMachine machine = CpuMachineOf(context.device);
    const ConfigSpace& space = context.space;
    const std::vector<RegisterTile> tiles = RankedTiles(space, machine, *shape);
    if (tiles.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(space.name(), " has no register tile of ", machine.registers, " registers"));
    }

    const auto compute = [&](RegisterTile tile) { return Compute(*shape, machine, tile, context); };
    SeedList seeds(*shape, space, context.max_seeds);
    SEEDTUNE_ASSIGN_OR_RETURN(const RegisterTile best, seeds.AddPrimary(tiles, compute));
    if (seeds.is_full()) return std::move(seeds).Take();
    const GemmSeed primary = compute(best);

    GemmSeed other_packing = primary;
    other_packing.pack_rhs = !primary.pack_rhs;
    PlanBlocks(*shape, machine, other_packing);
    seeds.Add(other_packing);

    const auto other_width = std::find_if(tiles.begin(), tiles.end(), [&](RegisterTile tile) {
      return tile.vectors != primary.tile.vectors;
    });
    if (other_width != tiles.end()) seeds.Add(compute(*other_width));

    GemmSeed paper = primary;
    paper.pack_lhs = paper.pack_rhs = true;
    paper.blocks =
        PlanCacheBlocks(machine, primary.tile, {.threads = primary.threads, .l1_depth = true});
    seeds.Add(paper);

    GemmSeed one_sweep = primary;
    one_sweep.loop_order = "knm";
    seeds.Add(one_sweep);

    // Another way to split the work; along k before others where C is small.
    const bool deep = shape->k > shape->m && shape->k > shape->n;
    for (const char* split : {deep ? "k" : "mn", "n", "m", deep ? "mn" : "k"}) {
      if (primary.threads == 1 || split == primary.thread_split) continue;
      GemmSeed other_split = primary;
      other_split.thread_split = split;
      if (seeds.Add(other_split)) break;
    }
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    const ConfigSpace& space = context.space;
    const CpuMachine machine = CpuMachineOf(context.device);
    const RegisterTile tile = {config.GetInt("register_tile[m]"),
                               config.GetInt("register_tile[n]")};
    const CacheBlocks blocks = {config.GetInt("block_size[m]"), config.GetInt("block_size[n]"),
                                config.GetInt("block_size[k]")};
    std::vector<PartialConfig> moves;
    const auto set_scaled = [&](PartialConfig& move, std::string_view knob, int64_t value,
                                double factor) {
      if (const auto choice = Scaled(space, knob, value, factor)) {
        move.Set(knob, KnobValue(*choice));
      }
    };

    // Another aspect of the tile: of each other width the height that comes nearest to as many
    // accumulators within the registers.
    const auto slivers = [&](RegisterTile t) {
      return static_cast<double>(t.rows + t.vectors * machine.lanes);
    };
    for (const int64_t vectors : IntegerChoices(space, "register_tile[n]")) {
      if (vectors == tile.vectors) continue;
      std::optional<RegisterTile> best;
      const auto distance = [&](RegisterTile t) {
        return std::abs(t.rows * t.vectors - tile.rows * tile.vectors);
      };
      for (const int64_t rows : IntegerChoices(space, "register_tile[m]")) {
        const RegisterTile candidate = {rows, vectors};
        if (RegistersUsed(candidate) > machine.registers) continue;
        if (!best || distance(candidate) < distance(*best)) best = candidate;
      }
      if (!best) continue;
      PartialConfig move;
      move.Set("register_tile[m]", KnobValue(best->rows));
      move.Set("register_tile[n]", KnobValue(best->vectors));
      set_scaled(move, "block_size[k]", blocks.k, slivers(tile) / slivers(*best));
      moves.push_back(std::move(move));
    }

    for (const double factor : {2.0, 0.5}) {
      PartialConfig move;
      set_scaled(move, "block_size[k]", blocks.k, factor);
      set_scaled(move, "block_size[m]", blocks.m, 1 / factor);
      set_scaled(move, "block_size[n]", blocks.n, 1 / factor);
      moves.push_back(std::move(move));
    }

    // Without a packed panel to stay in the cache, the block of C may as well.
    const bool pack_lhs = config.GetBool("pack[lhs]");
    const bool pack_rhs = config.GetBool("pack[rhs]");
    for (const auto& [knob, packed, kept, streamed] :
         {std::tuple("pack[lhs]", pack_lhs, "mkn", "mnk"),
          std::tuple("pack[rhs]", pack_rhs, "nkm", "nmk")}) {
      PartialConfig move;
      move.Set(knob, KnobValue(!packed));
      move.Set("loop_order", packed ? streamed : kept);
      moves.push_back(std::move(move));
    }

    const std::string& split = config.GetEnum("thread_split");
    if (config.GetInt("threads") > 1 && (split == "m" || split == "n")) {
      PartialConfig move;
      move.Set("thread_split", split == "m" ? "n" : "m");
      set_scaled(move, "block_size[m]", blocks.n, 1);
      set_scaled(move, "block_size[n]", blocks.m, 1);
      moves.push_back(std::move(move));
    }
    return moves;
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    return CpuMachineOf(context.device).is_complete;
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCpuBlisBlocking() {
  return std::make_unique<CpuBlisBlocking>();
}

}  // namespace seedtune

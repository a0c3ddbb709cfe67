#include "heuristics/cpu/skinny_stream.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "heuristics/cpu/blis_model.h"
#include "heuristics/cpu/gemm_seed.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {
namespace {

constexpr int64_t kFloatBytes = 4;
// More rows than this keep the multipliers busy while B comes: cpu_blis_blocking's case.
constexpr int64_t kMaxRows = 32;
// Steps of k to prefetch ahead, in the seed that does.
constexpr int64_t kPrefetchDistance = 4;

std::optional<GemmShape> SkinnyShapeOf(const TuningContext& context, std::string& why_not) {
  std::optional<GemmShape> shape = GemmShapeOf(context, why_not);
  if (!shape) return std::nullopt;
  if (shape->m > kMaxRows) {
    why_not = absl::StrCat("m is ", shape->m, ", want at most ", kMaxRows);
    return std::nullopt;
  }
  if (shape->must_pack_rhs) {
    why_not = "the right operand's rows are not contiguous, want them so that they can be streamed";
    return std::nullopt;
  }
  return shape;
}

class CpuSkinnyStream : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "cpu_skinny_stream"; }
  std::string_view backend() const override { return "cpu"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    const std::optional<GemmShape> shape = SkinnyShapeOf(context, why_not);
    if (!shape) return Eligibility::No(why_not);
    return Eligibility::Yes(absl::StrCat("m is ", shape->m, ", at most ", kMaxRows,
                                         shape->by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    const std::optional<GemmShape> shape = SkinnyShapeOf(context, why_not);
    if (!shape) return absl::FailedPreconditionError(why_not);
    const CpuMachine machine = CpuMachineOf(context.device);
    const ConfigSpace& space = context.space;
    const std::vector<RegisterTile> tiles = RankedTiles(space, machine, *shape);
    if (tiles.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(space.name(), " has no register tile of ", machine.registers, " registers"));
    }
    const MatmulFact& fact = context.facts[0];
    const int64_t threads = WorthwhileThreads(machine, static_cast<double>(fact.flops),
                                              static_cast<double>(fact.bytes));
    const auto compute = [&](RegisterTile tile) {
      GemmSeed seed;
      seed.tile = tile;
      DivideAmongThreads(*shape, machine, {.max_threads = threads, .split_rows = false}, space,
                         seed);
      seed.blocks = PlanCacheBlocks(machine, tile, {.pack_rhs = false, .threads = seed.threads});
      seed.blocks.n =
          std::max(machine.l2_bytes / 4 / kFloatBytes / shape->m, tile.vectors * machine.lanes);
      return seed;
    };

    SeedList seeds(space);
    GemmSeed primary = compute(tiles[0]);
    for (const RegisterTile& tile : tiles) {
      const GemmSeed seed = compute(tile);
      if (!space.Normalize(ToPartial(seed, *shape, space), NormalizeMode::kReject).ok()) continue;
      primary = seed;
      break;
    }
    const auto add = [&](const GemmSeed& seed) { seeds.Add(ToPartial(seed, *shape, space)); };
    add(primary);

    GemmSeed shallow = primary;
    shallow.blocks.k = std::max<int64_t>(primary.blocks.k / 2, 1);
    add(shallow);

    GemmSeed prefetching = primary;
    prefetching.prefetch_distance = kPrefetchDistance;
    add(prefetching);

    const auto other_width = std::find_if(tiles.begin(), tiles.end(), [&](RegisterTile tile) {
      return tile.vectors != primary.tile.vectors;
    });
    if (other_width != tiles.end()) add(compute(*other_width));

    if (primary.threads > 1) {
      GemmSeed deep_split = primary;
      deep_split.thread_split = primary.thread_split == "k" ? "n" : "k";
      add(deep_split);
    }
    return std::move(seeds).Take();
  }

  bool PromotesPrimary(const TuningContext& context) const override {
    return CpuMachineOf(context.device).is_complete;
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCpuSkinnyStream() {
  return std::make_unique<CpuSkinnyStream>();
}

}  // namespace seedtune

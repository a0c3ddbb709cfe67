#include "heuristics/cpu/skinny_stream.h"

#include <algorithm>
#include <cstddef>
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
#include "heuristics/knob_choices.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kFloatBytes = 4;

// More rows than this keep the multipliers busy while B comes: cpu_blis_blocking's case.
constexpr int64_t kMaxRows = 32;
// Up to so many rows and steps of k, rows of B stream past whole, and C stays in the L1 cache:
// where rows lie a multiple of a page apart, since then neither caches nor prefetchers keep up with
// a tile's many short visits. On one core of an AMD EPYC of family 26 (Zen 5), cold, 1x4096x4096
// gains a third; 4 rows lose, and so does 1x1000x4096.
constexpr int64_t kMaxStreamedRows = 2;
constexpr int64_t kStreamedDepth = 16;
constexpr int64_t kPageBytes = 4096;
// Steps of k to prefetch ahead, in the seed that does.
constexpr int64_t kPrefetchDistance = 4;
// Of the transposed stream. Its tile's rows are as many streams, and where their distance is a
// multiple of 4 KiB, as weights like to have it, they share the sets of an L1 cache of 8 to 12
// ways. Measured on one core of an AMD EPYC of family 26 (Zen 5), cold, AVX-512: 8 rows beat 12 by
// a tenth or less and 14 by a quarter; prefetching gains up to a fifth, the same from 64 to 256
// steps.
constexpr int64_t kMaxStreams = 8;
constexpr int64_t kStreamPrefetchDistance = 128;
constexpr int64_t kNearStreamPrefetchDistance = 32;

// Whether B is a stream only as the left operand of the product of the transposes.
bool MustTranspose(const GemmShape& shape) { return shape.must_pack_rhs; }

// Whether the rows of B lie a multiple of a page apart.
bool IsPageAligned(const GemmShape& shape) {
  return std::max(shape.rhs_stride, shape.n) * kFloatBytes % kPageBytes == 0;
}

std::optional<GemmShape> SkinnyShapeOf(const TuningContext& context, std::string& why_not) {
  std::optional<GemmShape> shape = GemmShapeOf(context, why_not);
  if (!shape) return std::nullopt;
  if (shape->m > kMaxRows) {
    why_not = absl::StrCat("m is ", shape->m, ", want at most ", kMaxRows);
    return std::nullopt;
  }
  if (MustTranspose(*shape) && !HasChoice(context.space, "transpose", true)) {
    why_not = absl::StrCat("the right operand's rows are not contiguous and ", context.space.name(),
                           " cannot transpose, want either to stream it");
    return std::nullopt;
  }
  return shape;
}

// B's transpose streams once through tiles as wide as A's transpose, which is packed.
absl::StatusOr<std::vector<PartialConfig>> TransposedSeeds(const GemmShape& shape,
                                                           const CpuMachine& machine,
                                                           int64_t threads,
                                                           const ConfigSpace& space,
                                                           size_t max_seeds) {
  std::vector<RegisterTile> tiles = RankedTiles(space, machine, Transposed(shape));
  std::erase_if(tiles, [](RegisterTile tile) { return tile.rows > kMaxStreams; });
  if (tiles.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(space.name(), " has no register tile of ", machine.registers, " registers"));
  }
  const auto compute = [&](RegisterTile tile) {
    GemmSeed seed;
    seed.transpose = true;
    seed.tile = tile;
    seed.pack_rhs = true;
    seed.unroll = 8;
    seed.prefetch_distance = kStreamPrefetchDistance;
    seed.loop_order = "mkn";  // A row of tiles after the other, so that B is read once.
    DivideAmongThreads(shape, machine, {.max_threads = threads, .split_rows = false}, space, seed);
    // All of A's transpose in half of the L2 cache, and a block of C in a quarter.
    const int64_t l2 = machine.l2_bytes / kFloatBytes;
    const int64_t width =
        CeilDiv(shape.m, tile.vectors * machine.lanes) * tile.vectors * machine.lanes;
    seed.blocks.n = shape.m;
    seed.blocks.k = std::max<int64_t>(l2 / 2 / width, 1);
    seed.blocks.m = std::max(l2 / 4 / shape.m, tile.rows);
    return seed;
  };

  SeedList seeds(shape, space, max_seeds);
  SEEDTUNE_ASSIGN_OR_RETURN(const RegisterTile best, seeds.AddPrimary(tiles, compute));
  if (seeds.is_full()) return std::move(seeds).Take();
  const GemmSeed primary = compute(best);

  GemmSeed near = primary;
  near.prefetch_distance = kNearStreamPrefetchDistance;
  seeds.Add(near);

  GemmSeed unprefetched = primary;
  unprefetched.prefetch_distance = 0;
  seeds.Add(unprefetched);

  GemmSeed tall = primary;
  tall.tile.rows = primary.tile.rows + primary.tile.rows / 2;
  if (RegistersUsed(tall.tile) <= machine.registers) seeds.Add(tall);

  GemmSeed shallow = primary;
  shallow.blocks.k = std::max<int64_t>(std::min(shape.k, primary.blocks.k) / 4, 1);
  seeds.Add(shallow);

  if (primary.threads > 1) {
    GemmSeed deep_split = primary;
    deep_split.thread_split = primary.thread_split == "k" ? "n" : "k";
    seeds.Add(deep_split);
  }
  return std::move(seeds).Take();
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
                                         MustTranspose(*shape) ? "; transposed" : "",
                                         shape->by_hint ? "; extents by their hints" : ""));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    const std::optional<GemmShape> shape = SkinnyShapeOf(context, why_not);
    if (!shape) return absl::FailedPreconditionError(why_not);
    const CpuMachine machine = CpuMachineOf(context.device);
    const ConfigSpace& space = context.space;
    const MatmulFact& fact = context.facts[0];
    const int64_t threads = WorthwhileThreads(machine, static_cast<double>(fact.flops),
                                              static_cast<double>(fact.bytes));
    if (MustTranspose(*shape)) {
      return TransposedSeeds(*shape, machine, threads, space, context.max_seeds);
    }
    const std::vector<RegisterTile> tiles = RankedTiles(space, machine, *shape);
    if (tiles.empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat(space.name(), " has no register tile of ", machine.registers, " registers"));
    }
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
    const auto stream = [&](GemmSeed seed) {
      seed.blocks.k = kStreamedDepth;
      seed.blocks.n = std::max(machine.l1_bytes / 2 / kFloatBytes / shape->m,
                               seed.tile.vectors * machine.lanes);
      return seed;
    };

    const bool space_streams = HasChoice(space, "block_size[k]", kStreamedDepth);
    const bool may_stream = shape->m <= kMaxStreamedRows && space_streams;
    const bool streams_first = may_stream && IsPageAligned(*shape);
    SeedList seeds(*shape, space, context.max_seeds);
    SEEDTUNE_ASSIGN_OR_RETURN(const RegisterTile best,
                              seeds.AddPrimary(tiles, [&](RegisterTile tile) {
                                return streams_first ? stream(compute(tile)) : compute(tile);
                              }));
    if (seeds.is_full()) return std::move(seeds).Take();
    const GemmSeed primary = compute(best);
    if (streams_first) {
      seeds.Add(primary);
    } else if (may_stream) {
      seeds.Add(stream(primary));
    }

    GemmSeed shallow = primary;
    shallow.blocks.k = std::max<int64_t>(primary.blocks.k / 2, 1);
    seeds.Add(shallow);

    GemmSeed prefetching = primary;
    prefetching.prefetch_distance = kPrefetchDistance;
    seeds.Add(prefetching);

    const auto other_width = std::find_if(tiles.begin(), tiles.end(), [&](RegisterTile tile) {
      return tile.vectors != primary.tile.vectors;
    });
    if (other_width != tiles.end()) seeds.Add(compute(*other_width));

    if (primary.threads > 1) {
      GemmSeed deep_split = primary;
      deep_split.thread_split = primary.thread_split == "k" ? "n" : "k";
      seeds.Add(deep_split);
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

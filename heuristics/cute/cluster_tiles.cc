#include "heuristics/cute/cluster_tiles.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <memory>
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
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/diversity.h"
#include "heuristics/knob_choices.h"
#include "heuristics/matmul_reasons.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr size_t kMaxSeeds = 4;
constexpr int64_t kRowBytes = 128;  // of a block along k: one row of the widest swizzle
constexpr double kHalfReuse = 64;   // a tile that uses each element as often runs at half speed

struct ClusterTile {
  int64_t block_m = 0, block_n = 0;
  bool two_cta = false;
  int64_t cluster_m = 1, cluster_n = 1;
  bool ping_pong = false;
};

constexpr ClusterTile kTcgen05Tiles[] = {
    {256, 256, true, 2, 1},  {256, 128, true, 2, 1}, {128, 256, false, 1, 1},
    {128, 128, false, 1, 1}, {128, 64, false, 1, 1}, {128, 32, false, 1, 1},
    {256, 64, true, 2, 1},   {64, 256, false, 1, 1}, {64, 128, false, 1, 1},
    {64, 64, false, 1, 1},   {64, 32, false, 1, 1},  {64, 16, false, 1, 1},
};
constexpr ClusterTile kWgmmaTiles[] = {
    {128, 256, false, 2, 1},      {256, 128, false, 1, 2},      {128, 128, false, 2, 1, true},
    {128, 128, false, 1, 1},      {64, 256, false, 2, 1, true}, {64, 256, false, 1, 1},
    {64, 128, false, 1, 1, true}, {64, 64, false, 1, 1},        {64, 32, false, 1, 1},
    {64, 16, false, 1, 1},
};

enum class Kind { kTcgen05, kWgmma };

class ClusterTiles : public AutotunerHeuristic {
 public:
  explicit ClusterTiles(Kind kind) : kind_(kind) {}

  std::string_view name() const override {
    return kind_ == Kind::kTcgen05 ? "cute_tcgen05_tiles" : "cute_wgmma_clusters";
  }
  std::string_view backend() const override { return "cute"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return Eligibility::No(*std::move(why_not));
    const MatmulFact& fact = context.facts[0];
    return Eligibility::Yes(absl::StrCat(Extent(fact.m), "x", Extent(fact.n), "x", Extent(fact.k),
                                         " on ", context.device.arch.base));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    if (auto why_not = WhyNot(context)) return absl::FailedPreconditionError(*why_not);
    DiverseSeeds seeds(context.space, std::min(kMaxSeeds, context.max_seeds));
    for (const ClusterTile& tile : Ranked(context)) {
      if (seeds.is_full()) break;
      if (std::optional<PartialConfig> seed = Seed(context, tile)) seeds.Add(*std::move(seed));
    }
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    if (WhyNot(context)) return {};
    return ClusterMoves(config);
  }

 private:
  static int64_t Extent(const DimFact& dim) { return *dim.planning_extent(); }

  std::optional<std::string> WhyNot(const TuningContext& context) const {
    const HardwareInfo& device = context.device;
    const bool is_here = kind_ == Kind::kTcgen05 ? device.tensor_memory_per_unit_bytes > 0
                                                 : ArchFamily(device.arch.base) == "hopper";
    if (device.kind != DeviceKind::kCuda || !is_here) {
      return absl::StrCat("architecture is ",
                          device.arch.base.empty() ? "unknown" : device.arch.base,
                          kind_ == Kind::kTcgen05 ? ", want one with tcgen05, such as sm100"
                                                  : ", want one with wgmma, sm90");
    }
    if (context.facts.size() != 1) {
      return absl::StrCat(context.facts.size(), " matmuls, want one");
    }
    const MatmulFact& fact = context.facts[0];
    if (auto why_not = WhyNotTunable(fact)) return why_not;
    for (const DimFact* dim : {&fact.m, &fact.n, &fact.k}) {
      if (!dim->planning_extent()) return "an extent is symbolic and has no hint";
    }
    for (const char* knob : {"block_size[m]", "block_size[n]", "block_size[k]", "cluster_m",
                             "ab_stages", "num_warps"}) {
      if (!context.space.FindKnob(knob)) return absl::StrCat("the space has no ", knob);
    }
    return std::nullopt;
  }

  std::vector<ClusterTile> Ranked(const TuningContext& context) const {
    const MatmulFact& fact = context.facts[0];
    const double units = std::max(context.device.compute_units, 1);
    std::vector<std::pair<double, ClusterTile>> scored;
    const auto score = [&](const ClusterTile& tile) {
      const double rows = tile.two_cta ? 2 : 1;  // of a tile, each on a unit of its own
      const double tiles = static_cast<double>(CeilDiv(Extent(fact.m), tile.block_m)) *
                           static_cast<double>(CeilDiv(Extent(fact.n), tile.block_n)) *
                           static_cast<double>(std::max<int64_t>(fact.batch(), 1)) * rows;
      const double fill = tiles / (std::ceil(tiles / units) * units);
      const double used = static_cast<double>(std::min(tile.block_m, Extent(fact.m)) *
                                              std::min(tile.block_n, Extent(fact.n))) /
                          static_cast<double>(tile.block_m * tile.block_n);
      const double reuse = static_cast<double>(tile.block_m * tile.block_n) /
                           static_cast<double>(tile.block_m + tile.block_n);
      return fill * used * reuse / (reuse + kHalfReuse);
    };
    if (kind_ == Kind::kTcgen05) {
      for (const ClusterTile& tile : kTcgen05Tiles) scored.emplace_back(score(tile), tile);
    } else {
      for (const ClusterTile& tile : kWgmmaTiles) scored.emplace_back(score(tile), tile);
    }
    std::stable_sort(scored.begin(), scored.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<ClusterTile> ranked;
    for (const auto& [value, tile] : scored) ranked.push_back(tile);
    return ranked;
  }

  // nullopt: the space does not take the tile, however short its pipeline.
  std::optional<PartialConfig> Seed(const TuningContext& context, const ClusterTile& tile) const {
    const ConfigSpace& space = context.space;
    const MatmulFact& fact = context.facts[0];
    PartialConfig seed;
    for (const auto& [knob, value] : {std::pair("block_size[m]", tile.block_m),
                                      {"block_size[n]", tile.block_n},
                                      {"cluster_m", tile.cluster_m},
                                      {"cluster_n", tile.cluster_n}}) {
      if (!HasChoice(space, knob, value)) return std::nullopt;
      seed.Set(knob, value);
    }
    const int64_t itemsize = DTypeBytes(fact.lhs.dtype);
    const int64_t block_k = *ChoiceAtMost(space, "block_size[k]", kRowBytes / itemsize);
    seed.Set("block_size[k]", block_k);
    if (kind_ == Kind::kTcgen05) {
      seed.Set("two_cta", tile.two_cta).Set("num_warps", 8);
      seed.Set("acc_stages", *ChoiceAtMost(space, "acc_stages", tile.block_n > 128 ? 1 : 2));
    } else {
      // Two warpgroups multiply wherever there are rows for both, or a tile for each.
      seed.Set("num_warps", tile.ping_pong || tile.block_m >= 128 ? 12 : 8);
      seed.Set("schedule", tile.ping_pong ? "ping_pong" : "cooperative");
    }
    if (HasChoice(space, "pid_type", std::string("persistent_interleaved"))) {
      seed.Set("pid_type", "persistent_interleaved");
    }
    for (const char* knob : {"indexing[0]", "indexing[1]", "indexing[2]"}) {
      if (HasChoice(space, knob, std::string("tensor_descriptor"))) {
        seed.Set(knob, "tensor_descriptor");
      }
    }
    if (HasChoice(space, "tma_store", true)) seed.Set("tma_store", true);
    // As many stages as fit, up to what hides the latency, and no more than k has blocks.
    const int64_t steps = CeilDiv(Extent(fact.k), block_k);
    for (int64_t stages = std::clamp<int64_t>(steps, 2, 6); stages >= 2; --stages) {
      seed.Set("ab_stages", stages);
      if (space.Normalize(seed, NormalizeMode::kReject).ok()) return seed;
    }
    // A cluster without a tile for each of its CTAs is what such a space refuses.
    if (!tile.two_cta && tile.cluster_m * tile.cluster_n > 1) {
      ClusterTile alone = tile;
      alone.cluster_m = alone.cluster_n = 1;
      return Seed(context, alone);
    }
    seed.values.erase("tma_store");
    if (space.Normalize(seed, NormalizeMode::kReject).ok()) return seed;
    return std::nullopt;
  }

  const Kind kind_;
};

}  // namespace

std::vector<PartialConfig> ClusterMoves(const Config& config) {
  const ConfigSpace& space = config.space();
  std::vector<PartialConfig> moves;
  struct To {
    const char* knob;
    KnobValue value;
  };
  const auto add = [&](std::initializer_list<To> to) {
    PartialConfig move;
    for (const To& each : to) {
      if (!HasChoice(space, each.knob, each.value)) return;
      if (config.Get(each.knob) != each.value) move.Set(each.knob, each.value);
    }
    if (move.values.size() >= 2) moves.push_back(std::move(move));
  };
  for (const char* knob :
       {"block_size[m]", "block_size[n]", "block_size[k]", "cluster_m", "cluster_n", "ab_stages"}) {
    if (!space.FindKnob(knob)) return moves;
  }
  const int64_t m = config.GetInt("block_size[m]"), n = config.GetInt("block_size[n]");
  const int64_t k = config.GetInt("block_size[k]"), stages = config.GetInt("ab_stages");
  const int64_t cluster_m = config.GetInt("cluster_m"), cluster_n = config.GetInt("cluster_n");
  add({{"block_size[k]", k / 2}, {"ab_stages", 2 * stages}});
  add({{"block_size[k]", 2 * k}, {"ab_stages", std::max<int64_t>(2, stages / 2)}});
  add({{"block_size[n]", n / 2}, {"ab_stages", stages + 1}});
  add({{"block_size[n]", 2 * n}, {"ab_stages", std::max<int64_t>(2, stages - 1)}});
  if (space.FindKnob("two_cta")) {
    if (config.GetBool("two_cta")) {
      add({{"two_cta", false}, {"cluster_m", int64_t{1}}, {"block_size[m]", m / 2}});
      // The accumulators of both halves beside each other.
      add({{"two_cta", false},
           {"cluster_m", int64_t{1}},
           {"block_size[m]", m / 2},
           {"block_size[n]", n / 2},
           {"acc_stages", int64_t{2}}});
      add({{"block_size[n]", n / 2}, {"acc_stages", 2 * config.GetInt("acc_stages")}});
    } else {
      add({{"two_cta", true}, {"cluster_m", int64_t{2}}, {"block_size[m]", 2 * m}});
      add({{"two_cta", true},
           {"cluster_m", int64_t{2}},
           {"block_size[m]", 2 * m},
           {"block_size[n]", 2 * n}});
    }
  } else if (space.FindKnob("schedule")) {
    add({{"cluster_m", cluster_n}, {"cluster_n", cluster_m}});
    add({{"block_size[m]", n},
         {"block_size[n]", m},
         {"cluster_m", cluster_n},
         {"cluster_n", cluster_m}});
    if (config.GetEnum("schedule") == "cooperative") {
      add({{"schedule", std::string("ping_pong")},
           {"block_size[m]", m / 2},
           {"num_warps", int64_t{12}}});
      add({{"block_size[m]", m / 2}, {"num_warps", int64_t{8}}});
      add({{"block_size[m]", 2 * m}, {"num_warps", int64_t{12}}});
    } else {
      add({{"schedule", std::string("cooperative")}, {"block_size[m]", 2 * m}});
    }
    add({{"cluster_m", int64_t{2}}, {"block_size[n]", 2 * n}});
    add({{"cluster_m", int64_t{1}}, {"block_size[n]", n / 2}});
  }
  return moves;
}

std::unique_ptr<const AutotunerHeuristic> MakeCuteTcgen05Tiles() {
  return std::make_unique<ClusterTiles>(Kind::kTcgen05);
}

std::unique_ptr<const AutotunerHeuristic> MakeCuteWgmmaClusters() {
  return std::make_unique<ClusterTiles>(Kind::kWgmma);
}

}  // namespace seedtune

#include "heuristics/cute/tcgen05_cluster_m2.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/cute/cluster_tiles.h"
#include "heuristics/knob_choices.h"
#include "heuristics/matmul_reasons.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr std::string_view kTcgen05Arch = "sm100";
constexpr int64_t kClusterM = 2;
constexpr int64_t kFullTile = 256;
constexpr int64_t kSmallTile = 128;
constexpr int64_t kMaxBlockK = 128;
constexpr int64_t kMaxSteps = 256;  // of k
constexpr int64_t kMinEdgeExtent = 4096;
// Stages of operand tiles may take the opt-in shared memory less what epilogue and barriers need.
constexpr int64_t kReservedSharedMemoryBytes = 28 * 1024;
constexpr int64_t kMinSharedMemoryBytes = 227 * 1024;
constexpr int64_t kFullTileAbStages = 3;
constexpr char kPidType[] = "persistent_interleaved";

enum class Family { kFullTile, kEdge, kSmallGrid };

// A seed, before it is put into knobs; or why there is none.
struct Plan {
  std::string why_not;
  std::string why;
  Family family = Family::kFullTile;
  int64_t m = 0, n = 0;  // extents
  int64_t block_m = 0, block_n = 0, block_k = 0;
  std::optional<int64_t> ab_stages;  // nothing: the space's default

  static Plan No(std::string why_not) {
    Plan plan;
    plan.why_not = std::move(why_not);
    return plan;
  }
};

bool IsOperandType(DType dtype) {
  return dtype == DType::kBF16 || dtype == DType::kF16 || dtype == DType::kF8E4M3;
}

int64_t Clusters(const MatmulFact& fact, int64_t block_m, int64_t block_n) {
  return CeilDiv(*fact.m.static_extent, block_m) * CeilDiv(*fact.n.static_extent, block_n) *
         std::max<int64_t>(fact.batch(), 1);
}

// The depth of a block: the largest choice that leaves no rest and not too many steps (edge: the
// one of 128, which leaves a rest).
std::optional<int64_t> BlockK(const ConfigSpace& space, Family family, int64_t k) {
  std::optional<int64_t> best;
  for (const int64_t choice : IntegerChoices(space, "block_size[k]")) {
    if (choice > kMaxBlockK || CeilDiv(k, choice) > kMaxSteps) continue;
    if (family == Family::kEdge ? choice == kMaxBlockK && k > choice && k % choice != 0
                                : k % choice == 0) {
      best = choice;
    }
  }
  return best;
}

bool AbStagesFit(const HardwareInfo& device, const Plan& plan, int64_t stages, int64_t itemsize) {
  if (device.shared_memory_per_block_bytes < kMinSharedMemoryBytes) return false;
  return stages * (plan.block_m + plan.block_n) * plan.block_k * itemsize / kClusterM <=
         device.shared_memory_per_block_bytes - kReservedSharedMemoryBytes;
}

Plan MakePlan(const TuningContext& context) {
  const HardwareInfo& device = context.device;
  if (device.kind != DeviceKind::kCuda ||
      (device.tensor_memory_per_unit_bytes == 0 &&
       MatchArch(device.arch.base, kTcgen05Arch) == ArchMatch::kNone)) {
    return Plan::No(absl::StrCat("architecture is ",
                                 device.arch.base.empty() ? "unknown" : device.arch.base,
                                 ", want one with tcgen05, such as sm100"));
  }
  if (auto why_not = WhyNotOneStaticMatmul(context)) return Plan::No(*why_not);
  const MatmulFact& fact = context.facts[0];
  if (auto why_not = WhyNotTunable(fact)) return Plan::No(*why_not);
  if (fact.lhs.dtype != fact.rhs.dtype || !IsOperandType(fact.lhs.dtype)) {
    return Plan::No(absl::StrCat("operands are ", std::string(DTypeName(fact.lhs.dtype)), " and ",
                                 std::string(DTypeName(fact.rhs.dtype)),
                                 ", want one of bf16, f16 and f8e4m3 for both"));
  }
  const int64_t itemsize = DTypeBytes(fact.lhs.dtype);
  const bool is_fp8 = IsFp8(fact.lhs.dtype);
  const int64_t m = *fact.m.static_extent;
  const int64_t n = *fact.n.static_extent;
  const int64_t k = *fact.k.static_extent;
  const struct {
    const char* name;
    int64_t extent, least;
  } least[] = {{"m", m, 64}, {"n", n, is_fp8 ? 16 : 8}, {"k", k, is_fp8 ? 32 : 16}};
  for (const auto& [name, extent, want] : least) {
    if (extent < want)
      return Plan::No(absl::StrCat(name, " is ", extent, ", want at least ", want));
  }

  // The largest tile that such a kernel can have.
  const int64_t max_n = std::min(kFullTile, PowerOfTwoAtMost(n));
  const int64_t max_m = max_n >= 128 && m >= kFullTile ? kFullTile : 128;
  const int64_t max_k = std::min(kMaxBlockK, PowerOfTwoAtMost(k));
  const bool divides = m % max_m == 0 && n % max_n == 0 && k % max_k == 0;
  const bool is_full =
      divides && max_m == kFullTile && max_n == kFullTile && k <= kMaxSteps * max_k;
  const bool is_edge = m >= kMinEdgeExtent && n >= kMinEdgeExtent && k >= kMinEdgeExtent &&
                       m % kFullTile != 0 && n % kFullTile != 0 && k % max_k != 0 &&
                       fact.batch_extents.empty();
  const bool is_small = is_fp8 && divides && max_m >= kSmallTile && max_n >= kSmallTile;
  if (!is_full && !is_edge && !is_small) {
    const std::string tile = absl::StrCat(max_m, "x", max_n, "x", max_k);
    if (divides && k > kMaxSteps * max_k) {
      return Plan::No(absl::StrCat("k is ", k, ", want at most ", kMaxSteps, " blocks of ", max_k));
    }
    if (divides) {
      return Plan::No(absl::StrCat("the largest tile is ", tile, ", want 256x256"));
    }
    return Plan::No(
        absl::StrCat(m, "x", n, "x", k, " is no multiple of the tile ", tile,
                     ", and for one with edges all three ways without batch want at least ",
                     kMinEdgeExtent, " each way"));
  }

  Plan plan;
  plan.m = m;
  plan.n = n;
  const auto reachable = [&](int64_t tile) {
    return HasChoice(context.space, "block_size[m]", tile) &&
           HasChoice(context.space, "block_size[n]", tile);
  };
  const int64_t small_clusters = Clusters(fact, kSmallTile, kSmallTile);
  const bool prefer_small =
      is_small && reachable(kSmallTile) &&
      (!(is_full && reachable(kFullTile)) || small_clusters <= device.compute_units / 2);
  if (prefer_small) {
    plan.family = Family::kSmallGrid;
    plan.block_m = plan.block_n = kSmallTile;
  } else {
    plan.family = is_full ? Family::kFullTile : Family::kEdge;
    plan.block_m = plan.block_n = kFullTile;
    if (!reachable(kFullTile)) return Plan::No("the space has no block of 256 x 256");
  }
  if (!HasChoice(context.space, "pid_type", std::string(kPidType))) {
    return Plan::No(absl::StrCat("the space has no pid_type \"", kPidType, "\""));
  }
  if (!HasChoice(context.space, "cluster_m", kClusterM) ||
      !HasChoice(context.space, "two_cta", true)) {
    return Plan::No("the space has no cluster_m of 2 whose CTAs make one tile");
  }

  const int64_t clusters = Clusters(fact, plan.block_m, plan.block_n);
  if (clusters < device.compute_units / 4) {
    return Plan::No(absl::StrCat(clusters, " clusters for ", device.compute_units,
                                 " SMs, want at least ", device.compute_units / 4));
  }
  const std::optional<int64_t> block_k = BlockK(context.space, plan.family, k);
  if (!block_k) {
    return Plan::No(
        absl::StrCat("no block of k suits k of ", k, " in at most ", kMaxSteps, " steps"));
  }
  plan.block_k = *block_k;

  switch (plan.family) {
    case Family::kFullTile:
      if (AbStagesFit(device, plan, kFullTileAbStages, itemsize)) {
        plan.ab_stages = kFullTileAbStages;
      }
      plan.why = "full tiles";
      break;
    case Family::kEdge:
      plan.ab_stages = 2;
      plan.why = "edges all three ways";
      break;
    case Family::kSmallGrid:
      plan.ab_stages = 12;
      plan.why = "a small grid of f8e4m3";
      break;
  }
  absl::StrAppend(&plan.why, ", ", clusters, " clusters for ", device.compute_units, " SMs");
  return plan;
}

// Loads and stores of the kernel: with more than three the slots of `indexing` mean others too.
int64_t MemoryOps(const Kernel& kernel) {
  return std::count_if(kernel.ops.begin(), kernel.ops.end(), [](const Op& op) {
    return op.kind == OpKind::kLoad || op.kind == OpKind::kStore;
  });
}

class CuteTcgen05ClusterM2 : public AutotunerHeuristic {
 public:
  std::string_view name() const override { return "cute_tcgen05_cluster_m2"; }
  std::string_view backend() const override { return "cute"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    Plan plan = MakePlan(context);
    return plan.why_not.empty() ? Eligibility::Yes(std::move(plan.why))
                                : Eligibility::No(std::move(plan.why_not));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    const Plan plan = MakePlan(context);
    if (!plan.why_not.empty()) return absl::FailedPreconditionError(plan.why_not);
    const bool is_full = plan.family == Family::kFullTile;
    const bool is_edge = plan.family == Family::kEdge;

    PartialConfig seed;
    const auto set = [&](std::string_view knob, int64_t value) {
      seed.Set(knob, KnobValue(value));
    };
    set("block_size[m]", plan.block_m);
    set("block_size[n]", plan.block_n);
    set("block_size[k]", plan.block_k);
    set("num_warps", 8);
    set("num_stages", 4);
    seed.Set("pid_type", kPidType);
    set("cluster_m", kClusterM);
    set("cluster_n", 1);
    seed.Set("two_cta", true);
    set("epilogue_warps", 4);
    if (plan.ab_stages) set("ab_stages", *plan.ab_stages);
    set("acc_stages", is_full ? 2 : 1);
    set("c_stages", 2);
    if (is_edge && HasChoice(context.space, "l2_swizzle", int64_t{4})) set("l2_swizzle", 4);
    // No group taller than the grid.
    const int64_t rows = PowerOfTwoAtMost(CeilDiv(plan.m, plan.block_m));
    set("l2_grouping", std::min<int64_t>(is_full ? 4 : is_edge ? 2 : 1, rows));
    if (is_edge || MemoryOps(context.kernel) == 3) {
      for (const char* knob : {"indexing[0]", "indexing[1]", "indexing[2]"}) {
        if (HasChoice(context.space, knob, std::string("tensor_descriptor"))) {
          seed.Set(knob, "tensor_descriptor");
        }
      }
    }
    return std::vector<PartialConfig>{seed};
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    if (!MakePlan(context).why_not.empty()) return {};
    return ClusterMoves(config);
  }
};

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeCuteTcgen05ClusterM2() {
  return std::make_unique<CuteTcgen05ClusterM2>();
}

}  // namespace seedtune

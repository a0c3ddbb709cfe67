#include "heuristics/triton/modelled_matmul.h"

#include <algorithm>
#include <cstdint>
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
#include "heuristics/triton/tile_model.h"
#include "heuristics/triton/triton_seed.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr size_t kMaxSeeds = 5;
constexpr size_t kTilesConsidered = 12;
constexpr int64_t kRowBytes = 128;  // of a block along k: what one swizzled row of a tile has
constexpr int64_t kDecodeExtent = 16;
constexpr int64_t kDecodeRowBytes = 512;
constexpr int64_t kMinDeepK = 2048;
constexpr int64_t kMaxSplit = 128;

// What a kernel and device look like to a heuristic of this file.
struct Question {
  const TuningContext& context;
  const PlannedMatmul& matmul;
  const TileRates& rates;
  std::string_view family;
  bool is_rocm = false;
  const MatmulFact& fact;
};

std::vector<ModelledTile> BestTiles(const Question& question, TileLimits limits) {
  // NVIDIA's threads have 255 registers: 256 x 256 accumulators fit tensor memory alone.
  if (!question.is_rocm && question.context.device.tensor_memory_per_unit_bytes == 0) {
    limits.max_elements = std::min<int64_t>(limits.max_elements, 128 * 256);
  }
  std::vector<ModelledTile> tiles = RankTiles(question.rates, question.matmul, limits);
  if (tiles.size() > kTilesConsidered) tiles.resize(kTilesConsidered);
  return tiles;
}

// Warps that a tile keeps busy: 4 for most, 8 for the largest, whose accumulators would not fit
// into fewer threads' registers. AMD's have twice as many threads.
int64_t WarpsFor(const Question& question, int64_t bm, int64_t bn) {
  const int64_t elements = bm * bn;
  if (question.is_rocm && question.family.substr(0, 4) == "cdna") {
    return elements >= 128 * 256 ? 8 : elements >= 64 * 64 ? 4 : elements >= 32 * 32 ? 2 : 1;
  }
  return elements >= 128 * 256 ? 8 : elements >= 32 * 32 ? 4 : 2;
}

// A pipeline that is deep where copies run by themselves, and short where they pass registers.
int64_t StagesFor(const Question& question) {
  if (question.is_rocm) return question.context.device.arch.base == "gfx950" ? 3 : 2;
  return question.family == "hopper" || question.family == "blackwell" ? 4 : 3;
}

TritonPlan PlanFor(const Question& question, const ModelledTile& tile) {
  TritonPlan plan;
  plan.block_m = tile.block_m;
  plan.block_n = tile.block_n;
  plan.block_k = kRowBytes / question.matmul.itemsize;
  plan.split_k = tile.split_k > 1 ? tile.split_k : 0;
  plan.num_warps = WarpsFor(question, tile.block_m, tile.block_n);
  plan.num_stages = StagesFor(question);
  const int64_t rows = CeilDiv(question.matmul.m, tile.block_m);
  const int64_t columns = CeilDiv(question.matmul.n, tile.block_n);
  // Some rows of tiles together read the same columns from the L2 cache.
  if (rows >= 4 && columns >= 2) plan.l2_grouping = 8;
  if (question.is_rocm && rows * columns >= question.rates.compute_units) plan.xcd_remap = true;
  return plan;
}

std::vector<TritonPlan> PlansOfTiles(const Question& question, const TileLimits& limits) {
  std::vector<TritonPlan> plans;
  for (const ModelledTile& tile : BestTiles(question, limits)) {
    plans.push_back(PlanFor(question, tile));
  }
  return plans;
}

// One heuristic: what it is for, and what it plans.
struct Profile {
  std::string_view name;
  // Families it serves, empty: all that the model knows.
  std::vector<std::string_view> families;
  // "": it serves this one, after the family has been found to match.
  std::string (*why_not)(const Question& question);
  std::vector<TritonPlan> (*plans)(const Question& question);
  std::vector<PartialConfig> (*moves)(const Config& config);
};

class ModelledMatmul : public AutotunerHeuristic {
 public:
  explicit ModelledMatmul(Profile profile) : profile_(std::move(profile)) {}

  std::string_view name() const override { return profile_.name; }
  std::string_view backend() const override { return "triton"; }

  Eligibility IsEligible(const TuningContext& context) const override {
    std::string why_not;
    std::string why;
    Judge(context, why_not, [&](const Question& question) {
      why = absl::StrCat(question.matmul.shape, " on ", context.device.arch.base);
    });
    return why_not.empty() ? Eligibility::Yes(std::move(why)) : Eligibility::No(std::move(why_not));
  }

  absl::StatusOr<std::vector<PartialConfig>> SeedConfigs(
      const TuningContext& context) const override {
    std::string why_not;
    DiverseSeeds seeds(context.space, std::min(kMaxSeeds, context.max_seeds));
    Judge(context, why_not, [&](const Question& question) {
      for (const TritonPlan& plan : profile_.plans(question)) {
        if (seeds.is_full()) break;
        if (std::optional<PartialConfig> seed = FitSeed(context.space, plan)) {
          seeds.Add(*std::move(seed));
        }
      }
    });
    if (!why_not.empty()) return absl::FailedPreconditionError(why_not);
    return std::move(seeds).Take();
  }

  std::vector<PartialConfig> Neighbors(const TuningContext& context,
                                       const Config& config) const override {
    std::string why_not;
    std::vector<PartialConfig> moves;
    Judge(context, why_not, [&](const Question&) { moves = profile_.moves(config); });
    return moves;
  }

 private:
  // Calls `then` where the heuristic is for this kernel, else says why not.
  template <typename Then>
  void Judge(const TuningContext& context, std::string& why_not, Then&& then) const {
    const std::string& base = context.device.arch.base;
    const std::string_view family = ArchFamily(base);
    const std::vector<std::string_view>& served = profile_.families;
    if (!served.empty() && std::find(served.begin(), served.end(), family) == served.end()) {
      why_not = absl::StrCat("architecture is ", base.empty() ? "unknown" : base, ", want ");
      for (size_t i = 0; i < served.size(); ++i) {
        absl::StrAppend(&why_not,
                        i == 0                   ? ""
                        : i + 1 == served.size() ? " or "
                                                 : ", ",
                        std::string(served[i]));
      }
      return;
    }
    const std::optional<PlannedMatmul> matmul = PlanOneMatmul(context, why_not);
    if (!matmul) return;
    const MatmulFact& fact = context.facts[0];
    const DType wider =
        DTypeBytes(fact.lhs.dtype) >= DTypeBytes(fact.rhs.dtype) ? fact.lhs.dtype : fact.rhs.dtype;
    const std::optional<TileRates> rates = TileRatesOf(context.device, wider);
    if (!rates) {
      why_not = absl::StrCat("architecture is ", base.empty() ? "unknown" : base,
                             ", want one whose matrix units are known");
      return;
    }
    const Question question{
        context, *matmul, *rates, family, context.device.kind == DeviceKind::kRocm, fact};
    why_not = profile_.why_not(question);
    if (why_not.empty()) then(question);
  }

  const Profile profile_;
};

bool IsDecode(const Question& question) {
  return std::min(question.matmul.m, question.matmul.n) <= kDecodeExtent;
}

bool AreFp8(const Question& question) {
  return IsFp8(question.fact.lhs.dtype) && IsFp8(question.fact.rhs.dtype);
}

std::string WhyNotGeneral(const Question& question) {
  if (AreFp8(question)) return "both operands are fp8; triton_fp8_matmul is for them";
  return "";
}

// ---------------------------------------------------------------------------------------------

std::vector<TritonPlan> DecodePlans(const Question& question) {
  const PlannedMatmul& matmul = question.matmul;
  const bool m_is_short = matmul.m <= matmul.n;
  const int64_t longer = m_is_short ? matmul.n : matmul.m;
  const int64_t other = std::min(matmul.m, matmul.n) * matmul.batch;
  std::vector<TritonPlan> plans;
  for (const int64_t block : {64, 128, 32}) {
    TritonPlan plan;
    (m_is_short ? plan.block_m : plan.block_n) = 16;
    (m_is_short ? plan.block_n : plan.block_m) = block;
    plan.block_k = kDecodeRowBytes / matmul.itemsize;
    plan.num_warps = question.is_rocm ? 2 : 4;
    plan.num_stages = question.is_rocm ? 2 : 5;
    plan.streams_rhs = m_is_short;
    const int64_t programs = CeilDiv(longer, block) * CeilDiv(other, 16);
    // Two programs a compute unit keep enough loads in flight.
    const int64_t wanted = CeilDiv(2 * question.rates.compute_units, programs);
    const int64_t steps = CeilDiv(matmul.k, plan.block_k);
    plan.split_k = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(1, steps / 2));
    if (plan.split_k > 1) {
      plans.push_back(plan);
      plan.split_k = 0;
    }
    plans.push_back(plan);
  }
  return plans;
}

std::vector<TritonPlan> SplitPlans(const Question& question) {
  TileLimits limits;
  limits.min_m = limits.min_n = 16;
  limits.max_m = limits.max_n = 128;
  limits.max_split = kMaxSplit;
  std::vector<TritonPlan> plans;
  for (TritonPlan& plan : PlansOfTiles(question, limits)) {
    if (plan.split_k > 1) plans.push_back(std::move(plan));
  }
  if (plans.empty()) {
    // The model sees no gain in it; the search may.
    TritonPlan plan = PlanFor(question, {64, 64, 4, 0});
    plans.push_back(plan);
  }
  return plans;
}

std::vector<TritonPlan> GeneralPlans(const Question& question) {
  return PlansOfTiles(question, {});
}

std::vector<TritonPlan> AmperePlans(const Question& question) {
  TileLimits limits;
  limits.max_elements = 128 * 256;
  std::vector<TritonPlan> plans = PlansOfTiles(question, limits);
  for (TritonPlan& plan : plans) {
    // Consumer parts have 99 KiB: blocks half as deep leave room for the pipeline.
    if (question.context.device.shared_memory_per_block_bytes < 128 * 1024 &&
        plan.block_m * plan.block_n >= 128 * 128) {
      plan.block_k /= 2;
      plan.num_stages = 4;
    }
  }
  return plans;
}

std::vector<TritonPlan> CdnaPlans(const Question& question) {
  std::vector<TritonPlan> plans = PlansOfTiles(question, {});
  std::vector<TritonPlan> varied;
  for (TritonPlan& plan : plans) {
    // AMD's workload guide for MI300X prefers instructions of 16 x 16 even for large tiles; those
    // of 32 x 32 read local memory less often.
    plan.matrix_instr_nonkdim = 16;
    // Tiles that leave registers for two waves a unit ask for them.
    if (plan.block_m * plan.block_n <= 128 * 128) plan.waves_per_eu = 2;
    varied.push_back(plan);
  }
  if (!plans.empty() && plans[0].block_m >= 32 && plans[0].block_n >= 32) {
    TritonPlan large = plans[0];
    large.matrix_instr_nonkdim = 32;
    varied.insert(varied.begin() + 1, large);
  }
  return varied;
}

std::vector<TritonPlan> RdnaPlans(const Question& question) {
  TileLimits limits;
  limits.max_elements = 128 * 128;
  std::vector<TritonPlan> plans = PlansOfTiles(question, limits);
  for (TritonPlan& plan : plans) {
    plan.block_k = std::max<int64_t>(16, plan.block_k / 2);
    plan.num_warps = plan.block_m * plan.block_n >= 128 * 128 ? 8 : 4;
  }
  return plans;
}

std::vector<TritonPlan> BatchedPlans(const Question& question) {
  TileLimits limits;
  limits.max_m = limits.max_n = 128;
  std::vector<TritonPlan> plans = PlansOfTiles(question, limits);
  for (TritonPlan& plan : plans) {
    // A short loop needs no long pipeline.
    const int64_t steps = CeilDiv(question.matmul.k, plan.block_k);
    plan.num_stages = std::clamp<int64_t>(steps, 2, plan.num_stages);
    if (CeilDiv(question.matmul.m, plan.block_m) < 4) plan.l2_grouping = 0;
  }
  return plans;
}

std::vector<TritonPlan> EpiloguePlans(const Question& question) {
  TileLimits limits;
  limits.max_elements = 128 * 128;
  std::vector<TritonPlan> plans = PlansOfTiles(question, limits);
  std::vector<TritonPlan> varied;
  for (size_t i = 0; i < plans.size(); ++i) {
    plans[i].num_warps = std::max<int64_t>(plans[i].num_warps, 4);
    varied.push_back(plans[i]);
    if (i != 0) continue;
    TritonPlan persistent = plans[i];
    persistent.persistent = true;
    persistent.epilogue_subtile = 2;
    varied.push_back(persistent);
  }
  return varied;
}

template <TritonMove... kinds>
std::vector<PartialConfig> Moves(const Config& config) {
  return CoupledMoves(config, {kinds...});
}

std::unique_ptr<const AutotunerHeuristic> Make(Profile profile) {
  return std::make_unique<ModelledMatmul>(std::move(profile));
}

}  // namespace

std::unique_ptr<const AutotunerHeuristic> MakeTritonDecode() {
  return Make({"triton_decode",
               {},
               [](const Question& question) -> std::string {
                 if (IsDecode(question)) return "";
                 return absl::StrCat("m is ", question.matmul.m, " and n is ", question.matmul.n,
                                     ", want one of at most ", kDecodeExtent);
               },
               &DecodePlans,
               &Moves<TritonMove::kSplitWithBlockK, TritonMove::kStagesWithTile>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonSplitK() {
  return Make({"triton_split_k",
               {},
               [](const Question& question) -> std::string {
                 const PlannedMatmul& matmul = question.matmul;
                 if (matmul.k < kMinDeepK) {
                   return absl::StrCat("k is ", matmul.k, ", want at least ", kMinDeepK);
                 }
                 const int64_t tiles = CeilDiv(matmul.m, 64) * CeilDiv(matmul.n, 64) * matmul.batch;
                 if (2 * tiles > question.rates.compute_units) {
                   return absl::StrCat(tiles, " tiles of 64x64 for ", question.rates.compute_units,
                                       " compute units, want half as many or fewer");
                 }
                 return "";
               },
               &SplitPlans,
               &Moves<TritonMove::kSplitWithBlockK>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonFp8Matmul() {
  return Make({"triton_fp8_matmul",
               {"ada", "hopper", "blackwell", "blackwell_consumer", "cdna3", "cdna4", "rdna4"},
               [](const Question& question) -> std::string {
                 if (AreFp8(question)) return "";
                 return absl::StrCat(
                     "operands are ", std::string(DTypeName(question.fact.lhs.dtype)), " and ",
                     std::string(DTypeName(question.fact.rhs.dtype)), ", want fp8 for both");
               },
               &GeneralPlans,
               &Moves<TritonMove::kStagesWithTile, TritonMove::kWarpsWithTile>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonBatchedMatmul() {
  return Make({"triton_batched_matmul",
               {},
               [](const Question& question) -> std::string {
                 if (question.matmul.batch > 1) return "";
                 return "no batch, want one";
               },
               &BatchedPlans,
               &Moves<TritonMove::kAspect, TritonMove::kWarpsWithTile>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonFusedEpilogue() {
  return Make({"triton_fused_epilogue",
               {},
               [](const Question& question) -> std::string {
                 for (const ValueId op : question.fact.epilogue) {
                   if (question.context.kernel.ops[op].kind != OpKind::kCast) return "";
                 }
                 return "nothing after the matmul but casts, want an epilogue";
               },
               &EpiloguePlans,
               &Moves<TritonMove::kPersistence, TritonMove::kAspect>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonAmpereMatmul() {
  return Make({"triton_ampere_matmul",
               {"ampere", "ada", "blackwell_consumer"},
               &WhyNotGeneral,
               &AmperePlans,
               &Moves<TritonMove::kStagesWithTile, TritonMove::kAspect>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonCdnaMatmul() {
  return Make({"triton_cdna_matmul",
               {"cdna1", "cdna2", "cdna3", "cdna4"},
               &WhyNotGeneral,
               &CdnaPlans,
               &Moves<TritonMove::kWavesWithWarps, TritonMove::kWarpsWithTile>});
}

std::unique_ptr<const AutotunerHeuristic> MakeTritonRdnaMatmul() {
  return Make({"triton_rdna_matmul",
               {"rdna3", "rdna3.5", "rdna4"},
               &WhyNotGeneral,
               &RdnaPlans,
               &Moves<TritonMove::kAspect, TritonMove::kWarpsWithTile>});
}

}  // namespace seedtune

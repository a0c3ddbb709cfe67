#include "heuristics/triton/triton_seed.h"

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "heuristics/knob_choices.h"
#include "heuristics/matmul_reasons.h"
#include "heuristics/tuning_context.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {
namespace {

constexpr char kBlockM[] = "block_size[m]";
constexpr char kBlockN[] = "block_size[n]";
constexpr char kBlockK[] = "block_size[k]";

void SetAtMost(const ConfigSpace& space, std::string_view knob, int64_t value,
               PartialConfig& seed) {
  if (value == 0) return;
  if (const auto choice = ChoiceAtMost(space, knob, value)) seed.Set(knob, *choice);
}

// Goes to the next smaller choice of `knob`, not below `least`.
bool Lower(const ConfigSpace& space, std::string_view knob, int64_t least, PartialConfig& seed) {
  const auto found = seed.values.find(knob);
  if (found == seed.values.end()) return false;
  const int64_t value = std::get<int64_t>(found->second);
  const auto smaller = ChoiceAtMost(space, knob, value - 1);
  if (!smaller || *smaller >= value || *smaller < least) return false;
  found->second = *smaller;
  return true;
}

// Collects moves whose values are choices of the space and that change something.
class Moves {
 public:
  explicit Moves(const Config& from) : from_(from) {}

  bool Has(std::string_view knob) const { return from_.space().FindKnob(knob).has_value(); }
  int64_t Get(std::string_view knob) const { return from_.GetInt(knob); }

  struct To {
    const char* knob;
    KnobValue value;
  };
  void Add(std::initializer_list<To> to) {
    PartialConfig move;
    for (const To& each : to) {
      if (!HasChoice(from_.space(), each.knob, each.value)) return;
      if (from_.Get(each.knob) != each.value) move.Set(each.knob, each.value);
    }
    if (move.values.size() >= 2 && !IsThere(move)) moves_.push_back(std::move(move));
  }
  std::vector<PartialConfig> Take() && { return std::move(moves_); }

 private:
  bool IsThere(const PartialConfig& move) const {
    return std::find(moves_.begin(), moves_.end(), move) != moves_.end();
  }

  const Config& from_;
  std::vector<PartialConfig> moves_;
};

}  // namespace

std::optional<PlannedMatmul> PlanOneMatmul(const TuningContext& context, std::string& why_not) {
  if (context.facts.size() != 1) {
    why_not = absl::StrCat(context.facts.size(), " matmuls, want one");
    return std::nullopt;
  }
  const MatmulFact& fact = context.facts[0];
  if (auto why = WhyNotTunable(fact)) {
    why_not = *std::move(why);
    return std::nullopt;
  }
  PlannedMatmul matmul;
  const struct {
    const char* name;
    const DimFact& dim;
    int64_t& extent;
  } dims[] = {{"m", fact.m, matmul.m}, {"n", fact.n, matmul.n}, {"k", fact.k, matmul.k}};
  for (const auto& [name, dim, extent] : dims) {
    const std::optional<int64_t> planned = dim.planning_extent();
    if (!planned || *planned < 1) {
      why_not = absl::StrCat(name, " is symbolic and has no hint");
      return std::nullopt;
    }
    extent = *planned;
    matmul.is_planned = matmul.is_planned || dim.is_symbolic();
    absl::StrAppend(&matmul.shape, matmul.shape.empty() ? "" : "x", extent,
                    dim.is_symbolic() ? " (hint)" : "");
  }
  matmul.batch = std::max<int64_t>(fact.batch(), 1);
  matmul.is_planned = matmul.is_planned || !fact.batch_is_static;
  matmul.itemsize = std::max(DTypeBytes(fact.lhs.dtype), DTypeBytes(fact.rhs.dtype));
  absl::StrAppend(&matmul.shape, " ", std::string(DTypeName(fact.lhs.dtype)),
                  matmul.batch > 1 ? absl::StrCat(", batch ", matmul.batch) : "");
  return matmul;
}

std::optional<PartialConfig> FitSeed(const ConfigSpace& space, const TritonPlan& plan) {
  PartialConfig seed;
  SetAtMost(space, kBlockM, plan.block_m, seed);
  SetAtMost(space, kBlockN, plan.block_n, seed);
  SetAtMost(space, kBlockK, plan.block_k, seed);
  SetAtMost(space, "num_warps", plan.num_warps, seed);
  SetAtMost(space, "num_stages", plan.num_stages, seed);
  SetAtMost(space, "l2_grouping", plan.l2_grouping, seed);
  SetAtMost(space, "split_k", plan.split_k, seed);
  SetAtMost(space, "epilogue_subtile", plan.epilogue_subtile, seed);
  SetAtMost(space, "waves_per_eu", plan.waves_per_eu, seed);
  SetAtMost(space, "matrix_instr_nonkdim", plan.matrix_instr_nonkdim, seed);
  const auto choose = [&](std::string_view knob, const char* value) {
    if (HasChoice(space, knob, std::string(value))) seed.Set(knob, value);
  };
  if (plan.persistent) choose("pid_type", "persistent_interleaved");
  if (plan.loads_by_descriptor) {
    choose("indexing[0]", "tensor_descriptor");
    choose("indexing[1]", "tensor_descriptor");
  }
  if (plan.stores_by_descriptor) choose("indexing[2]", "tensor_descriptor");
  if (plan.persistent && plan.flattens_grid) choose("range_flatten[grid]", "true");
  if (plan.xcd_remap && HasChoice(space, "xcd_remap", true)) seed.Set("xcd_remap", true);
  if (plan.streams_rhs) {
    choose("load_eviction_policy[1]", "first");
    choose("load_cache_modifier[1]", "cg");
  }
  // What the violated constraint reads is made smaller, what costs least first.
  const struct {
    std::string_view knob;
    int64_t least;
  } kOrder[] = {{"matrix_instr_nonkdim", 0},
                {"l2_grouping", 1},
                {"split_k", 1},
                {"num_stages", 2},
                {kBlockK, 32},
                {"num_warps", 1},
                {kBlockN, 64},
                {kBlockM, 16},
                {kBlockN, 16},
                {kBlockK, 16},
                {"num_stages", 1}};
  while (true) {
    const absl::StatusOr<const Constraint*> violated = space.FirstViolationOf(seed);
    if (!violated.ok()) return std::nullopt;
    if (*violated == nullptr) return seed;
    const std::vector<std::string>& read = (*violated)->knobs;
    const bool lowered = std::any_of(std::begin(kOrder), std::end(kOrder), [&](const auto& next) {
      return std::find(read.begin(), read.end(), next.knob) != read.end() &&
             Lower(space, next.knob, next.least, seed);
    });
    if (!lowered) return std::nullopt;
  }
}

std::vector<PartialConfig> CoupledMoves(const Config& config,
                                        std::initializer_list<TritonMove> kinds) {
  Moves moves(config);
  for (const char* knob : {kBlockM, kBlockN, kBlockK, "num_warps", "num_stages"}) {
    if (!moves.Has(knob)) return {};
  }
  const int64_t m = moves.Get(kBlockM), n = moves.Get(kBlockN), k = moves.Get(kBlockK);
  const int64_t warps = moves.Get("num_warps"), stages = moves.Get("num_stages");
  for (const TritonMove kind : kinds) {
    switch (kind) {
      case TritonMove::kAspect:
        moves.Add({{kBlockM, n}, {kBlockN, m}});
        moves.Add({{kBlockM, 2 * m}, {kBlockN, n / 2}});
        moves.Add({{kBlockM, m / 2}, {kBlockN, 2 * n}});
        break;
      case TritonMove::kStagesWithTile:
        moves.Add({{kBlockK, k / 2}, {"num_stages", stages + 1}});
        moves.Add({{kBlockK, k / 2}, {"num_stages", 2 * stages}});
        moves.Add({{kBlockK, 2 * k}, {"num_stages", std::max<int64_t>(1, stages - 1)}});
        moves.Add({{kBlockK, 2 * k}, {"num_stages", std::max<int64_t>(1, stages / 2)}});
        moves.Add({{kBlockN, n / 2}, {"num_stages", stages + 1}});
        moves.Add({{kBlockN, 2 * n}, {"num_stages", std::max<int64_t>(1, stages - 1)}});
        break;
      case TritonMove::kSplitWithBlockK:
        if (!moves.Has("split_k")) break;
        moves.Add({{"split_k", 2 * moves.Get("split_k")}, {kBlockK, k / 2}});
        moves.Add({{"split_k", moves.Get("split_k") / 2}, {kBlockK, 2 * k}});
        moves.Add({{"split_k", 2 * moves.Get("split_k")}, {kBlockN, 2 * n}});
        moves.Add({{"split_k", moves.Get("split_k") / 2}, {kBlockN, n / 2}});
        break;
      case TritonMove::kWarpsWithTile:
        moves.Add({{kBlockM, 2 * m}, {"num_warps", 2 * warps}});
        moves.Add({{kBlockN, 2 * n}, {"num_warps", 2 * warps}});
        moves.Add({{kBlockM, m / 2}, {"num_warps", warps / 2}});
        moves.Add({{kBlockN, n / 2}, {"num_warps", warps / 2}});
        break;
      case TritonMove::kPersistence:
        if (!moves.Has("pid_type") || !moves.Has("range_flatten[grid]")) break;
        if (config.GetEnum("pid_type").compare(0, 10, "persistent") == 0) {
          moves.Add({{"pid_type", std::string("flat")},
                     {"range_flatten[grid]", std::string("auto")},
                     {"range_num_stages[grid]", int64_t{0}},
                     {"range_unroll_factor[grid]", int64_t{0}},
                     {"range_multi_buffer[grid]", std::string("auto")},
                     {"num_sm_multiplier", int64_t{1}}});
        } else {
          moves.Add({{"pid_type", std::string("persistent_interleaved")},
                     {"range_flatten[grid]", std::string("true")}});
          moves.Add({{"pid_type", std::string("persistent_interleaved")},
                     {"num_sm_multiplier", int64_t{2}}});
        }
        break;
      case TritonMove::kWavesWithWarps:
        if (!moves.Has("waves_per_eu")) break;
        moves.Add({{"waves_per_eu", int64_t{2}}, {kBlockN, n / 2}});
        moves.Add({{"waves_per_eu", int64_t{1}}, {"num_warps", warps / 2}});
        moves.Add({{"waves_per_eu", int64_t{0}}, {"num_warps", 2 * warps}});
        if (!moves.Has("matrix_instr_nonkdim")) break;
        moves.Add({{"matrix_instr_nonkdim", int64_t{32}}, {"waves_per_eu", int64_t{2}}});
        moves.Add({{"matrix_instr_nonkdim", int64_t{16}}, {"waves_per_eu", int64_t{0}}});
        break;
    }
  }
  return std::move(moves).Take();
}

}  // namespace seedtune

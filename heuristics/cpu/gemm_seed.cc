#include "heuristics/cpu/gemm_seed.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "hardware/hardware_info.h"
#include "heuristics/knob_choices.h"
#include "ir/dtype.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

// As config/spaces/cpu has it: below this, a thread's range of k is not worth it.
constexpr int64_t kMinThreadDepth = 32;

// How much of the threads' time is work, if `units` equal ones are dealt out.
double Balance(int64_t units, int64_t threads) {
  if (units == 0) return 0;
  return static_cast<double>(units) / static_cast<double>(CeilDiv(units, threads) * threads);
}

}  // namespace

std::optional<GemmShape> GemmShapeOf(const TuningContext& context, std::string& why_not) {
  const auto no = [&](auto&&... parts) {
    why_not = absl::StrCat(parts...);
    return std::nullopt;
  };
  if (context.device.kind != DeviceKind::kCpu) {
    return no("device is ", std::string(DeviceKindName(context.device.kind)), ", want cpu");
  }
  if (context.facts.size() != 1) return no(context.facts.size(), " matmuls, want one");
  const MatmulFact& fact = context.facts[0];
  GemmShape shape;
  const struct {
    const char* name;
    const DimFact& dim;
    int64_t GemmShape::*extent;
  } dims[] = {
      {"m", fact.m, &GemmShape::m}, {"n", fact.n, &GemmShape::n}, {"k", fact.k, &GemmShape::k}};
  for (const auto& [name, dim, extent] : dims) {
    if (!dim.planning_extent()) return no(name, " is symbolic without a hint, want an extent");
    shape.*extent = *dim.planning_extent();
    shape.by_hint |= dim.is_symbolic();
  }
  shape.batch = fact.batch();
  shape.by_hint |= !fact.batch_is_static;
  if (shape.batch < 1) return no("batch is symbolic without a hint, want an extent");
  if (fact.lhs.dtype != DType::kF32 || fact.rhs.dtype != DType::kF32) {
    return no("operands are ", std::string(DTypeName(fact.lhs.dtype)), " and ",
              std::string(DTypeName(fact.rhs.dtype)), ", want f32");
  }
  shape.must_pack_rhs = fact.rhs.layout != OperandLayout::kRowMajor && shape.n > 1;
  shape.lhs_is_row_major = fact.lhs.layout == OperandLayout::kRowMajor;
  shape.lhs_stride =
      (shape.lhs_is_row_major ? fact.lhs.row_stride : fact.lhs.column_stride).value_or(0);
  shape.rhs_stride =
      (shape.must_pack_rhs ? fact.rhs.column_stride : fact.rhs.row_stride).value_or(0);
  return shape;
}

PartialConfig ToPartial(const GemmSeed& seed, const GemmShape& shape, const ConfigSpace& space) {
  PartialConfig partial;
  const auto set = [&](std::string_view knob, std::optional<int64_t> value) {
    if (value) partial.Set(knob, KnobValue(*value));
  };
  const auto block = [&](std::string_view knob, int64_t limit, int64_t extent) {
    const std::vector<int64_t> choices = IntegerChoices(space, knob);
    if (!choices.empty()) partial.Set(knob, KnobValue(EvenChoice(choices, limit, extent)));
  };
  set("register_tile[m]", NearestChoice(space, "register_tile[m]", seed.tile.rows));
  set("register_tile[n]", NearestChoice(space, "register_tile[n]", seed.tile.vectors));
  if (HasChoice(space, "transpose", seed.transpose)) partial.Set("transpose", seed.transpose);
  block("block_size[m]", seed.blocks.m, seed.transpose ? shape.n : shape.m);
  block("block_size[n]", seed.blocks.n, seed.transpose ? shape.m : shape.n);
  block("block_size[k]", seed.blocks.k, shape.k);
  partial.Set("pack[lhs]", KnobValue(seed.pack_lhs));
  partial.Set("pack[rhs]", KnobValue(seed.pack_rhs));
  set("unroll[k]", ChoiceAtMost(space, "unroll[k]", seed.unroll));
  set("prefetch_distance", ChoiceAtMost(space, "prefetch_distance", seed.prefetch_distance));
  partial.Set("loop_order", KnobValue(seed.loop_order));
  set("threads", ChoiceAtMost(space, "threads", seed.threads));
  partial.Set("thread_split", KnobValue(seed.thread_split));
  return partial;
}

GemmShape Transposed(const GemmShape& shape) {
  GemmShape transposed = shape;
  std::swap(transposed.m, transposed.n);
  transposed.must_pack_rhs = shape.lhs_is_row_major && shape.m > 1;
  transposed.lhs_is_row_major = shape.must_pack_rhs;
  transposed.lhs_stride = shape.rhs_stride;
  transposed.rhs_stride = shape.lhs_stride;
  return transposed;
}

std::vector<RegisterTile> RankedTiles(const ConfigSpace& space, const CpuMachine& machine,
                                      const GemmShape& shape) {
  const std::vector<int64_t> heights = IntegerChoices(space, "register_tile[m]");
  struct Ranked {
    RegisterTile tile;
    double cycles;
  };
  std::vector<Ranked> ranked;
  for (const int64_t rows : heights) {
    for (const int64_t vectors : IntegerChoices(space, "register_tile[n]")) {
      const RegisterTile tile = {rows, vectors};
      if (RegistersUsed(tile) > machine.registers) continue;
      ranked.push_back({tile, CyclesPerStep(machine, tile, heights, shape.m, shape.n)});
    }
  }
  std::sort(ranked.begin(), ranked.end(), [](const Ranked& a, const Ranked& b) {
    if (a.cycles != b.cycles) return a.cycles < b.cycles;
    if (RegistersUsed(a.tile) != RegistersUsed(b.tile)) {
      return RegistersUsed(a.tile) < RegistersUsed(b.tile);
    }
    return a.tile.rows > b.tile.rows;
  });
  std::vector<RegisterTile> tiles;
  for (const Ranked& r : ranked) tiles.push_back(r.tile);
  return tiles;
}

void DivideAmongThreads(const GemmShape& shape, const CpuMachine& machine,
                        const DivideOptions& options, const ConfigSpace& space, GemmSeed& seed) {
  // Tiles along the rows and columns of C.
  int64_t row_step = seed.tile.rows;
  int64_t column_step = seed.tile.vectors * machine.lanes;
  if (seed.transpose) std::swap(row_step, column_step);
  const int64_t rows = options.split_rows ? CeilDiv(shape.m, row_step) : 1;
  const int64_t columns = CeilDiv(shape.n, column_step);
  const bool longer_n = shape.n >= shape.m || !options.split_rows;
  const std::vector<int64_t> choices = IntegerChoices(space, "threads");
  for (auto threads = choices.rbegin(); threads != choices.rend() && *threads > 1; ++threads) {
    if (*threads > options.max_threads) continue;
    // Splitting rows makes every thread read all of B, splitting columns all of A: split the
    // longer. Splitting k costs a pass over C for each thread.
    const struct {
      const char* split;
      int64_t units;   // that can be dealt out
      double balance;  // part of the threads' time that is work
    } ways[] = {
        {"batch", shape.batch, Balance(shape.batch, *threads)},
        {longer_n ? "n" : "m", longer_n ? columns : rows,
         Balance(longer_n ? columns : rows, *threads)},
        {"mn", rows > 1 && columns > 1 ? rows * columns : 0,
         0.95 * Balance(rows * columns, *threads)},
        {longer_n ? "m" : "n", longer_n ? rows : columns,
         0.9 * Balance(longer_n ? rows : columns, *threads)},
        {"k", shape.k / kMinThreadDepth, 0.8 * Balance(shape.k / kMinThreadDepth, *threads)},
    };
    double best = 0.5;
    for (const auto& [split, units, balance] : ways) {
      if (units < *threads || balance <= best ||
          !HasChoice(space, "thread_split", std::string(split))) {
        continue;
      }
      best = balance + 0.05;  // Those that come later have to be better by more than a little.
      seed.threads = *threads;
      seed.thread_split = split;
    }
    if (best > 0.5) return;
  }
  seed.threads = 1;
  seed.thread_split = "m";
}

absl::StatusOr<RegisterTile> SeedList::AddPrimary(std::span<const RegisterTile> tiles,
                                                  absl::FunctionRef<GemmSeed(RegisterTile)> plan) {
  for (const RegisterTile& tile : tiles) {
    if (Add(plan(tile))) return tile;
  }
  absl::StatusOr<Config> mended =
      space_.Normalize(ToPartial(plan(tiles[0]), shape_, space_), NormalizeMode::kRepair);
  if (!mended.ok()) return absl::InternalError(std::string(mended.status().message()));
  seeds_.push_back(mended->ToPartial());
  configs_.push_back(*std::move(mended));
  return tiles[0];
}

bool SeedList::Add(const GemmSeed& seed) {
  if (is_full()) return false;
  PartialConfig partial = ToPartial(seed, shape_, space_);
  absl::StatusOr<Config> config = space_.Normalize(partial, NormalizeMode::kReject);
  if (!config.ok() || std::find(configs_.begin(), configs_.end(), *config) != configs_.end()) {
    return false;
  }
  configs_.push_back(*std::move(config));
  seeds_.push_back(std::move(partial));
  return true;
}

}  // namespace seedtune

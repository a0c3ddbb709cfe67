#include "config/spaces/cpu/cpu_space.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ConfigSpace> Space(std::string_view kernel, const HardwareInfo& device) {
  auto space = CpuMatmulSpace(FactsOf(kernel), device);
  EXPECT_THAT(space, IsOk());
  return *std::move(space);
}

std::vector<int64_t> Choices(const ConfigSpace& space, std::string_view knob) {
  std::vector<int64_t> choices;
  const Knob& found = space.knobs()[*space.FindKnob(knob)];
  for (int i = 0; i < found.num_choices(); ++i) choices.push_back(found.numeric(i));
  return choices;
}

const std::string_view kKernels[] = {
    "matmul:4096x4096x4096:f32",      "matmul:16x8192x8192:f32",
    "matmul:1x4096x4096:f32",         "matmul:4096x1x512:f32",
    "matmul:5x7x3:f32:batch=2",       "matmul:1x1x1:f32",
    "matmul:384x64x384:f32:batch=12", "matmul:M=16[1,64]x14336x4096:f32:nt",
    "matmul:1x4096x4096:f32:nt",      "matmul:50x300x200:f32:tt",
};
const std::string_view kDevices[] = {"epyc_9654", "xeon_8480", "graviton4"};

template <typename Check>
void ForEachCase(Check check) {
  for (const std::string_view kernel : kKernels) {
    for (const std::string_view name : kDevices) {
      SCOPED_TRACE(std::string(kernel) + " on " + std::string(name));
      const HardwareInfo device = Device(name);
      const std::vector<MatmulFact> facts = FactsOf(kernel);
      check(facts[0], device, *Space(kernel, device));
    }
  }
}

bool HasTranspose(const ConfigSpace& space) { return space.FindKnob("transpose").has_value(); }

bool IsTransposed(const Config& config) {
  return HasTranspose(config.space()) && config.GetBool("transpose");
}

TEST(CpuSpaceTest, LargeKernelsHaveLargeSpaces) {
  EXPECT_GT(Space("matmul:4096x4096x4096:f32", Device("epyc_9654"))->NumValid(), 100'000);
}

TEST(CpuSpaceTest, BlocksEndWithTheWholeExtent) {
  ForEachCase([](const MatmulFact& fact, const HardwareInfo&, const ConfigSpace& space) {
    const int64_t m = *fact.m.planning_extent();
    const int64_t n = *fact.n.planning_extent();
    EXPECT_EQ(Choices(space, "block_size[m]").back(), HasTranspose(space) ? std::max(m, n) : m);
    EXPECT_EQ(Choices(space, "block_size[n]").back(), HasTranspose(space) ? std::max(m, n) : n);
    EXPECT_EQ(Choices(space, "block_size[k]").back(), *fact.k.planning_extent());
  });
}

TEST(CpuSpaceTest, TransposeIsOfferedWhereItMayPay) {
  const struct {
    const char* kernel;
    bool offered;
  } kCases[] = {
      {"matmul:16x6144x4096:f32:nt", true},     {"matmul:1x4096x4096:f32:nt", true},
      {"matmul:64x64x64:f32:nt", true},         {"matmul:65x4096x4096:f32:nt", false},
      {"matmul:64x63x64:f32:nt", false},        {"matmul:16x6144x4096:f32", false},
      {"matmul:16x6144x4096:f32:tt", true},     {"matmul:16x6144x4096:f32:tn", false},
      {"matmul:M=16[1,64]x64x64:f32:nt", true},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const auto space = Space(c.kernel, Device("epyc_9654"));
    EXPECT_EQ(HasTranspose(*space), c.offered);
    EXPECT_FALSE(IsTransposed(space->Default()));
  }
}

TEST(CpuSpaceTest, TransposeReadsTheRightOperandInPlace) {
  const auto space = Space("matmul:16x6144x4096:f32:nt", Device("epyc_9654"));
  const auto seed = [] {
    PartialConfig partial;
    partial.Set("transpose", true).Set("register_tile[m]", 8).Set("register_tile[n]", 1);
    partial.Set("block_size[m]", 192).Set("block_size[n]", 16).Set("block_size[k]", 4096);
    partial.Set("pack[lhs]", false).Set("pack[rhs]", true).Set("loop_order", "mkn");
    partial.Set("threads", 8).Set("thread_split", "n").Set("prefetch_distance", 128);
    return partial;
  };
  EXPECT_THAT(space->Normalize(seed(), NormalizeMode::kReject), IsOk());
  const struct {
    const char* knob;
    KnobValue value;
    const char* constraint;
  } kCases[] = {
      {"pack[rhs]", false, "rhs_must_be_packed"},
      {"pack[lhs]", true, "prefetch_suits_operand"},
      {"prefetch_distance", 8, "prefetch_suits_operand"},
      {"register_tile[n]", 2, "tile_width_suits_extent"},
      {"block_size[m]", 16, "row_block_suits_extent"},
      {"block_size[n]", 64, "column_block_suits_extent"},
      {"thread_split", "m", "each_thread_has_work"},
      {"transpose", false, "suit"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.constraint);
    EXPECT_THAT(space->Normalize(seed().Set(c.knob, c.value), NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.constraint)));
  }
  // A column-major left operand is a row-major right one.
  EXPECT_THAT(Space("matmul:16x6144x4096:f32:tt", Device("epyc_9654"))
                  ->Normalize(seed().Set("pack[rhs]", false), NormalizeMode::kReject),
              IsOk());
}

TEST(CpuSpaceTest, BlocksStayApartWhenRoundedUpToRegisterTiles) {
  ForEachCase([](const MatmulFact&, const HardwareInfo& device, const ConfigSpace& space) {
    const auto expect_apart = [](const std::vector<int64_t>& blocks, int64_t tile) {
      std::set<int64_t> rounded;
      // The whole extent is one block, rounded or not.
      for (size_t i = 0; i + 1 < blocks.size(); ++i) {
        EXPECT_TRUE(rounded.insert((blocks[i] + tile - 1) / tile * tile).second)
            << blocks[i] << " in tiles of " << tile;
      }
    };
    // Those that the knob offers with or without `transpose`.
    const auto offered = [&](std::string_view knob, std::string_view constraint, bool transpose) {
      std::vector<int64_t> blocks = Choices(space, knob);
      for (const Constraint& c : space.constraints()) {
        if (c.name != constraint) continue;
        std::erase_if(blocks, [&](int64_t block) {
          return !c.holds(std::vector<int64_t>{block, transpose});
        });
      }
      return blocks;
    };
    for (const bool transpose : {false, true}) {
      if (transpose && !HasTranspose(space)) continue;
      for (const int64_t rows : Choices(space, "register_tile[m]")) {
        expect_apart(offered("block_size[m]", "row_block_suits_extent", transpose), rows);
      }
      for (const int64_t vectors : Choices(space, "register_tile[n]")) {
        expect_apart(offered("block_size[n]", "column_block_suits_extent", transpose),
                     vectors * device.vector_bits / 32);
      }
    }
  });
}

TEST(CpuSpaceTest, EachConfigurationMeetsWhatTheHeaderSays) {
  std::mt19937_64 random(1);
  const std::vector<CpuRegisterTile> compiled = CpuRegisterTiles();
  ForEachCase([&](const MatmulFact& fact, const HardwareInfo& device, const ConfigSpace& space) {
    const int64_t lanes = device.vector_bits / 32;
    for (int i = 0; i < 2000; ++i) {
      const Config config = space.Sample(random);
      const bool transposed = IsTransposed(config);
      // Rows and columns of the product that is computed.
      const int64_t m = *(transposed ? fact.n : fact.m).planning_extent();
      const int64_t n = *(transposed ? fact.m : fact.n).planning_extent();
      const auto mr = static_cast<int>(config.GetInt("register_tile[m]"));
      const auto nv = static_cast<int>(config.GetInt("register_tile[n]"));
      EXPECT_THAT(compiled, ::testing::Contains(CpuRegisterTile{mr, nv}));
      EXPECT_LE(mr * nv + nv + 1, device.registers_per_unit);
      // A smaller tile of the list would not cover the extent.
      EXPECT_LT((nv - 1) * lanes, n);
      EXPECT_LE(config.GetInt("block_size[m]"), m);
      EXPECT_LE(config.GetInt("block_size[n]"), n);
      const int64_t lhs = config.GetInt("block_size[m]") * config.GetInt("block_size[k]") * 4;
      const int64_t rhs = config.GetInt("block_size[n]") * config.GetInt("block_size[k]") * 4;
      const std::string& order = config.GetEnum("loop_order");
      const bool lhs_streams = order.find('m') > order.find('n');
      if (config.GetBool("pack[lhs]")) {
        EXPECT_LE(lhs, lhs_streams ? device.l2_bytes : device.l3_bytes);
      }
      if (config.GetBool("pack[rhs]")) {
        EXPECT_LE(rhs, lhs_streams ? device.l3_bytes : device.l2_bytes);
      }
      const int64_t threads = config.GetInt("threads");
      const std::string& split = config.GetEnum("thread_split");
      EXPECT_LE(threads, device.compute_units);
      if (threads == 1) {
        EXPECT_EQ(split, "m");
      }
      if (split == (transposed ? "n" : "m")) {
        EXPECT_LE(threads, (m + mr - 1) / mr);
      }
      if (split == "batch") {
        EXPECT_LE(threads, fact.batch());
      }
    }
  });
}

// The blocks that a configuration visits, in order, with the inner loop's nesting: written out loop
// by loop.
std::vector<std::tuple<int64_t, int64_t, int64_t, bool>> Visit(const Config& config, int64_t m,
                                                               int64_t n, int64_t k) {
  const std::string& order = config.GetEnum("loop_order");
  std::map<char, int64_t> extent = {{'m', m}, {'n', n}, {'k', k}};
  std::map<char, int64_t> step = {{'m', config.GetInt("block_size[m]")},
                                  {'n', config.GetInt("block_size[n]")},
                                  {'k', config.GetInt("block_size[k]")}};
  std::map<char, int64_t> at;
  std::vector<std::tuple<int64_t, int64_t, int64_t, bool>> visited;
  const bool m_inside = order.find('m') > order.find('n');
  for (at[order[0]] = 0; at[order[0]] < extent[order[0]]; at[order[0]] += step[order[0]]) {
    for (at[order[1]] = 0; at[order[1]] < extent[order[1]]; at[order[1]] += step[order[1]]) {
      for (at[order[2]] = 0; at[order[2]] < extent[order[2]]; at[order[2]] += step[order[2]]) {
        visited.emplace_back(at['m'], at['n'], at['k'], m_inside);
      }
    }
  }
  return visited;
}

TEST(CpuSpaceTest, NoTwoLoopOrdersMeanTheSameTraversalAndNoneIsLost) {
  const auto space = Space("matmul:128x256x192:f32", Device("epyc_9654"));
  const std::vector<int64_t> ms = Choices(*space, "block_size[m]");
  const std::vector<int64_t> ns = Choices(*space, "block_size[n]");
  const std::vector<int64_t> ks = Choices(*space, "block_size[k]");
  const Config defaults = space->Default();
  ASSERT_GT(std::min({ms.size(), ns.size(), ks.size()}), 1);
  for (const int64_t m : ms) {
    for (const int64_t n : ns) {
      for (const int64_t k : ks) {
        SCOPED_TRACE(testing::Message() << m << " " << n << " " << k);
        std::set<std::vector<std::tuple<int64_t, int64_t, int64_t, bool>>> all;
        std::set<std::vector<std::tuple<int64_t, int64_t, int64_t, bool>>> valid;
        for (int order = 0; order < 6; ++order) {
          std::vector<uint16_t> choices(defaults.choices().begin(), defaults.choices().end());
          const auto set = [&](std::string_view knob, int64_t value) {
            const int slot = *space->FindKnob(knob);
            choices[slot] = static_cast<uint16_t>(*space->knobs()[slot].Find(value));
          };
          set("block_size[m]", m);
          set("block_size[n]", n);
          set("block_size[k]", k);
          choices[*space->FindKnob("loop_order")] = static_cast<uint16_t>(order);
          const Config config(space, choices);
          all.insert(Visit(config, 128, 256, 192));
          if (space->IsValid(choices)) {
            EXPECT_TRUE(valid.insert(Visit(config, 128, 256, 192)).second);
          }
        }
        EXPECT_EQ(valid, all);
      }
    }
  }
}

TEST(CpuSpaceTest, AColumnMajorRightOperandIsPacked) {
  std::mt19937_64 random(1);
  const auto space = Space("matmul:256x256x256:f32:nt", Device("epyc_9654"));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(space->Sample(random).GetBool("pack[rhs]"));
  EXPECT_THAT(space->Normalize(PartialConfig().Set("pack[rhs]", false), NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rhs_must_be_packed")));
  // The left operand may be read either way.
  const auto lhs = Space("matmul:256x256x256:f32:tn", Device("epyc_9654"));
  EXPECT_THAT(lhs->Normalize(PartialConfig().Set("pack[lhs]", false), NormalizeMode::kReject),
              IsOk());
}

TEST(CpuSpaceTest, UnknownSizesConstrainNothing) {
  HardwareInfo device;
  device.kind = DeviceKind::kCpu;
  const auto space = Space("matmul:4096x4096x4096:f32", device);
  EXPECT_EQ(Choices(*space, "threads"), std::vector<int64_t>{1});
  // The largest of all blocks, packed, with the largest tile.
  PartialConfig partial;
  partial.Set("register_tile[m]", 14).Set("register_tile[n]", 2);
  partial.Set("block_size[m]", 4096).Set("block_size[n]", 4096).Set("block_size[k]", 4096);
  EXPECT_THAT(space->Normalize(partial, NormalizeMode::kReject), IsOk());
}

TEST(CpuSpaceTest, EnormousExtentsOverflowNothing) {
  std::vector<MatmulFact> facts = FactsOf("matmul:64x64x64:f32");
  for (DimFact* dim : {&facts[0].m, &facts[0].n, &facts[0].k}) dim->static_extent = INT64_MAX;
  ASSERT_OK_AND_ASSIGN(const auto space, CpuMatmulSpace(facts, Device("epyc_9654")));
  EXPECT_EQ(Choices(*space, "block_size[m]").back(), INT64_MAX);
  PartialConfig partial;
  partial.Set("block_size[m]", INT64_MAX).Set("block_size[k]", INT64_MAX);
  EXPECT_THAT(space->Normalize(partial, NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("packed_lhs_fits_cache")));

  std::vector<MatmulFact> few_rows = FactsOf("matmul:64x64x64:f32:nt");
  for (DimFact* dim : {&few_rows[0].n, &few_rows[0].k}) dim->static_extent = INT64_MAX;
  ASSERT_OK_AND_ASSIGN(const auto transposing, CpuMatmulSpace(few_rows, Device("epyc_9654")));
  EXPECT_EQ(Choices(*transposing, "block_size[m]").back(), INT64_MAX);
}

TEST(CpuSpaceTest, BatchMayBeSplitWhereThereIsOne) {
  const HardwareInfo device = Device("epyc_9654");
  PartialConfig partial;
  partial.Set("threads", 8).Set("thread_split", "batch");
  EXPECT_THAT(
      Space("matmul:64x64x64:f32:batch=32", device)->Normalize(partial, NormalizeMode::kReject),
      IsOk());
  EXPECT_THAT(
      Space("matmul:64x64x64:f32:batch=4", device)->Normalize(partial, NormalizeMode::kReject),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("each_thread_has_work")));
  EXPECT_THAT(Space("matmul:64x64x64:f32", device)->Normalize(partial, NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("thread_split is \"batch\"")));
}

TEST(CpuSpaceTest, DeclinesWhatTheBackendCannotRun) {
  const HardwareInfo cpu = Device("epyc_9654");
  EXPECT_THAT(CpuMatmulSpace(FactsOf("matmul:64x64x64:f32"), Device("h100_sxm")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("want a cpu")));
  EXPECT_THAT(CpuMatmulSpace({}, cpu),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("0 matmuls")));
  EXPECT_THAT(CpuMatmulSpace(FactsOf("matmul:M=?[1,64]x64x64:f32"), cpu),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("extent of m")));
  EXPECT_THAT(
      CpuMatmulSpace(FactsOf("matmul:64x64x64:bf16"), cpu),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("left operand is bf16, want f32")));
}

}  // namespace
}  // namespace seedtune

#include "heuristics/cpu/blis_blocking.h"

#include <algorithm>
#include <string>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/cpu/blis_model.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class CpuBlisBlockingTest : public ::testing::Test {
 protected:
  Config Primary(const TestKernel& test) const {
    const auto seeds = heuristic_->SeedConfigs(test.context());
    EXPECT_TRUE(seeds.ok()) << seeds.status();
    const auto config = test.space().Normalize(seeds->front(), NormalizeMode::kReject);
    EXPECT_TRUE(config.ok()) << config.status();
    return *config;
  }

  const std::unique_ptr<const AutotunerHeuristic> heuristic_ = MakeCpuBlisBlocking();
};

TEST_F(CpuBlisBlockingTest, SaysWhatItComputedFrom) {
  const TestKernel test("cpu", "matmul:512x512x512:f32", "epyc_9654");
  const Eligibility eligibility = heuristic_->IsEligible(test.context());
  EXPECT_TRUE(eligibility.eligible);
  EXPECT_EQ(eligibility.reason, "32 registers of 16 f32, L1 32 KiB, L2 1024 KiB");

  const TestKernel symbolic("cpu", "matmul:M=16[1,64]x512x512:f32", "epyc_9654");
  EXPECT_THAT(heuristic_->IsEligible(symbolic.context()).reason, HasSubstr("by their hints"));
}

TEST_F(CpuBlisBlockingTest, PromotesOnlyWhereTheCachesAreKnown) {
  EXPECT_TRUE(heuristic_->PromotesPrimary(
      TestKernel("cpu", "matmul:512x512x512:f32", "graviton4").context()));
  HardwareInfo unknown;
  unknown.kind = DeviceKind::kCpu;
  const TestKernel test("cpu", TestKernel::Kernel("matmul:512x512x512:f32"), unknown);
  EXPECT_TRUE(heuristic_->IsEligible(test.context()).eligible);
  EXPECT_THAT(heuristic_->IsEligible(test.context()).reason, HasSubstr("guessed"));
  EXPECT_FALSE(heuristic_->PromotesPrimary(test.context()));
}

TEST_F(CpuBlisBlockingTest, TilesFitTheRegistersOfEachDevice) {
  for (const char* device : {"epyc_9654", "xeon_8480", "graviton4"}) {
    const TestKernel test("cpu", "matmul:1000x1000x1000:f32", device);
    const Config config = Primary(test);
    const RegisterTile tile = {config.GetInt("register_tile[m]"),
                               config.GetInt("register_tile[n]")};
    EXPECT_LE(RegistersUsed(tile), test.device().registers_per_unit);
    EXPECT_GE(tile.rows * tile.vectors, 8) << "too few to hide the latency";
  }
}

TEST_F(CpuBlisBlockingTest, PacksTheRightOperandOnlyWhereThatRepays) {
  const struct {
    const char* kernel;
    bool packs;
  } kCases[] = {
      {"matmul:2048x2048x2048:f32", true},
      {"matmul:64x2048x2048:f32", false},  // used a few times
      {"matmul:64x64x64:f32", false},      // lies in the L1 cache
      {"matmul:16x512x512:f32:nt", true},  // must be
      // Rows of 1 and 3 KiB: the L2 cache holds as many as a sliver has.
      {"matmul:256x256x256:f32", false},
      {"matmul:384x768x768:f32", false},
      // Of 12 KiB: they fall into a sixteenth of its sets.
      {"matmul:384x3072x768:f32", true},
      // The L1 cache would hold a packed sliver, and holds half of its rows.
      {"matmul:3136x256x64:f32", true},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    EXPECT_EQ(Primary(TestKernel("cpu", c.kernel, "epyc_9654")).GetBool("pack[rhs]"), c.packs);
  }
}

// A packed panel of B is used while it is near; A then has to be as well.
TEST_F(CpuBlisBlockingTest, PackedPanelsAreNarrow) {
  const Config near = Primary(TestKernel("cpu", "matmul:384x3072x768:f32", "epyc_9654"));
  const Config far = Primary(TestKernel("cpu", "matmul:8192x3072x768:f32", "epyc_9654"));
  EXPECT_LE(near.GetInt("block_size[n]"), 128);
  EXPECT_GT(far.GetInt("block_size[n]"), near.GetInt("block_size[n]"));
  EXPECT_LE(far.GetInt("block_size[n]"), 256);
}

TEST_F(CpuBlisBlockingTest, SplitsAlongKWhereTheOutputIsSmall) {
  const Config config = Primary(TestKernel("cpu", "matmul:64x64x65536:f32", "epyc_9654"));
  EXPECT_GT(config.GetInt("threads"), 1);
  EXPECT_EQ(config.GetEnum("thread_split"), "k");
}

TEST_F(CpuBlisBlockingTest, KeepsOneThreadForLittleWork) {
  EXPECT_EQ(Primary(TestKernel("cpu", "matmul:32x32x32:f32", "epyc_9654")).GetInt("threads"), 1);
}

// Seeds that differ in nothing but a number are what the search finds by itself.
TEST_F(CpuBlisBlockingTest, SeedsDifferInStructure) {
  const TestKernel test("cpu", "matmul:2048x2048x2048:f32", "epyc_9654");
  ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic_->SeedConfigs(test.context()));
  ASSERT_GE(seeds.size(), 4u);
  for (const char* knob : {"pack[rhs]", "register_tile[n]", "thread_split"}) {
    EXPECT_TRUE(std::any_of(seeds.begin(), seeds.end(), [&](const PartialConfig& seed) {
      return seed.values.at(knob) != seeds[0].values.at(knob);
    })) << knob;
  }
}

TEST_F(CpuBlisBlockingTest, MovesNoSingleStepMakes) {
  const TestKernel test("cpu", "matmul:1024x1024x1024:f32", "epyc_9654");
  const Config start = Primary(test);
  const std::vector<Config> steps = test.space().Neighbors(start, NeighborKind::kHamming);
  const std::vector<PartialConfig> moves = heuristic_->Neighbors(test.context(), start);
  ASSERT_THAT(moves, Not(IsEmpty()));
  int coupled = 0;
  for (const PartialConfig& move : moves) {
    EXPECT_GE(move.values.size(), 2u);
    const auto neighbor = test.space().NormalizeOver(start, move, NormalizeMode::kReject);
    if (!neighbor.ok() || *neighbor == start) continue;
    coupled += std::find(steps.begin(), steps.end(), *neighbor) == steps.end() ? 1 : 0;
  }
  EXPECT_GE(coupled, 4);
}

TEST_F(CpuBlisBlockingTest, OtherAspectsKeepAccumulatorsAndSliversInBounds) {
  const TestKernel test("cpu", "matmul:1536x1536x4096:f32", "epyc_9654");
  const Config start = Primary(test);
  const int64_t lanes = CpuMachineOf(test.device()).lanes;
  int moved = 0;
  for (const PartialConfig& move : heuristic_->Neighbors(test.context(), start)) {
    if (!move.values.contains("register_tile[n]")) continue;
    ASSERT_OK_AND_ASSIGN(const Config to,
                         test.space().NormalizeOver(start, move, NormalizeMode::kReject));
    ++moved;
    const auto tile = [](const Config& config) {
      return RegisterTile{config.GetInt("register_tile[m]"), config.GetInt("register_tile[n]")};
    };
    EXPECT_NE(tile(to).vectors, tile(start).vectors);
    EXPECT_LE(RegistersUsed(tile(to)), test.device().registers_per_unit);
    const auto sliver_floats = [&](const Config& config) {
      return static_cast<double>((tile(config).rows + tile(config).vectors * lanes) *
                                 config.GetInt("block_size[k]"));
    };
    EXPECT_NEAR(sliver_floats(to) / sliver_floats(start), 1, 0.5);
  }
  EXPECT_GE(moved, 2);
}

TEST_F(CpuBlisBlockingTest, TradesDepthForWidth) {
  const TestKernel test("cpu", "matmul:8192x8192x8192:f32", "epyc_9654");
  const Config start = Primary(test);
  std::vector<double> depths;
  for (const PartialConfig& move : heuristic_->Neighbors(test.context(), start)) {
    if (!move.values.contains("block_size[m]") || !move.values.contains("block_size[k]")) continue;
    ASSERT_OK_AND_ASSIGN(const Config to,
                         test.space().NormalizeOver(start, move, NormalizeMode::kReject));
    const auto ratio = [&](const char* knob) {
      return static_cast<double>(to.GetInt(knob)) / static_cast<double>(start.GetInt(knob));
    };
    depths.push_back(ratio("block_size[k]"));
    EXPECT_NEAR(ratio("block_size[k]") * ratio("block_size[m]"), 1, 0.34);
    EXPECT_NEAR(ratio("block_size[k]") * ratio("block_size[n]"), 1, 0.34);
  }
  EXPECT_THAT(depths, ::testing::UnorderedElementsAre(2, 0.5));
}

TEST_F(CpuBlisBlockingTest, SwitchesPackingTogetherWithTheLoopOrder) {
  const TestKernel test("cpu", "matmul:2048x2048x2048:f32", "epyc_9654");
  const Config start = Primary(test);
  std::vector<std::string> switched;
  for (const PartialConfig& move : heuristic_->Neighbors(test.context(), start)) {
    for (const char* knob : {"pack[lhs]", "pack[rhs]"}) {
      if (!move.values.contains(knob)) continue;
      EXPECT_EQ(std::get<bool>(move.values.at(knob)), !start.GetBool(knob));
      EXPECT_TRUE(move.values.contains("loop_order"));
      switched.push_back(knob);
    }
  }
  EXPECT_THAT(switched, ::testing::UnorderedElementsAre("pack[lhs]", "pack[rhs]"));
}

}  // namespace
}  // namespace seedtune

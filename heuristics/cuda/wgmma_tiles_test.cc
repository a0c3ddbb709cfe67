#include "heuristics/cuda/wgmma_tiles.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The seeds as tiles, each of which the space takes; in rank order.
std::vector<CudaTile> Seeds(std::string_view kernel, std::string_view device = "h100_sxm") {
  std::vector<CudaTile> tiles;
  for (const Config& seed : TestKernel("cuda", kernel, device).Seeds(*MakeCudaWgmmaTiles())) {
    tiles.push_back(CudaTileOf(seed));
  }
  return tiles;
}

Eligibility Judge(std::string_view kernel, std::string_view device) {
  const TestKernel test("cuda", kernel, device);
  return MakeCudaWgmmaTiles()->IsEligible(test.context());
}

// What was fastest on an H200, or within 3% of it, of some twenty tiles tried of each kernel.
TEST(WgmmaTilesTest, RanksFirstWhatWasFastest) {
  constexpr CudaSchedule kTogether = CudaSchedule::kCooperative, kInTurns = CudaSchedule::kPingPong;
  const struct {
    const char* kernel;
    int64_t block_m, block_n;
    CudaSchedule schedule;
    int64_t split_k = 1;
    bool stream_k = false;
  } kMeasured[] = {
      {"matmul:4096x4096x4096:bf16", 128, 256, kTogether},
      {"matmul:512x16384x4096:bf16", 128, 256, kTogether},
      {"matmul:8192x8192x8192:bf16", 128, 256, kTogether, 1, true},
      {"matmul:2048x11008x4096:bf16", 128, 256, kTogether, 1, true},
      {"matmul:1024x1024x1024:bf16", 64, 128, kTogether},
      {"matmul:4096x4096x512:bf16", 128, 128, kInTurns},
      {"matmul:1024x1024x128:bf16:batch=32:nt", 128, 128, kInTurns},
      {"matmul:3072x3072x3072:bf16", 128, 192, kInTurns},
      {"matmul:192x8192x8192:bf16", 64, 192, kInTurns},
      {"matmul:256x4096x11008:bf16", 128, 128, kTogether, 2},
  };
  for (const auto& c : kMeasured) {
    SCOPED_TRACE(c.kernel);
    const std::vector<CudaTile> seeds = Seeds(c.kernel, "h200");
    ASSERT_THAT(seeds, Not(IsEmpty()));
    EXPECT_EQ(seeds[0].family, CudaFamily::kWgmma);
    EXPECT_EQ(seeds[0].block_m, c.block_m);
    EXPECT_EQ(seeds[0].block_n, c.block_n);
    EXPECT_EQ(seeds[0].schedule, c.schedule);
    EXPECT_EQ(seeds[0].split_k, c.split_k);
    EXPECT_EQ(seeds[0].stream_k, c.stream_k);
  }
}

// Measured on an H200: with the other order, 1.3 to 1.8 times as long.
TEST(WgmmaTilesTest, NeighborsShareTheOperandThatHasMoreToRead) {
  const std::vector<CudaTile> wide = Seeds("matmul:333x4096x4096:bf16", "h200");
  ASSERT_THAT(wide, Not(IsEmpty()));
  EXPECT_EQ(wide[0].block_m, 64);
  EXPECT_EQ(wide[0].l2_grouping, 8) << "all six rows of tiles";
  for (const CudaTile& tile : Seeds("matmul:4096x256x4096:bf16", "h200")) {
    EXPECT_LE(tile.l2_grouping, 8) << tile.block_m << "x" << tile.block_n;
  }
}

// A ring is of use to the next tile, too.
TEST(WgmmaTilesTest, ShortKTakesAllTheStagesThatFit) {
  const std::vector<CudaTile> seeds = Seeds("matmul:1024x1024x128:bf16:batch=32:nt", "h200");
  ASSERT_THAT(seeds, Not(IsEmpty()));
  EXPECT_EQ(seeds[0].stages, 6) << "two of them are one tile's";
}

// So that a search learns what dealing out the last rounds is worth.
TEST(WgmmaTilesTest, OffersWholeTilesBesideStreamK) {
  const std::vector<CudaTile> seeds = Seeds("matmul:2048x11008x4096:bf16", "h200");
  ASSERT_GE(seeds.size(), 2u);
  EXPECT_TRUE(seeds[0].stream_k);
  EXPECT_TRUE(std::any_of(seeds.begin(), seeds.end(), [&](const CudaTile& tile) {
    return !tile.stream_k && tile.block_m == seeds[0].block_m && tile.block_n == seeds[0].block_n;
  }));
  // Whole rounds have nothing to deal out.
  for (const CudaTile& tile : Seeds("matmul:8448x4096x4096:bf16", "h200")) {
    if (tile.block_m == 128 && tile.block_n == 256) {
      EXPECT_FALSE(tile.stream_k);
    }
  }
}

// Measured on an H200: 345 us beside 332 of cublasLt, with which whole tiles are level.
TEST(WgmmaTilesTest, DealsOutNoFewStagesWhereRowsGoThroughRegisters) {
  const std::vector<CudaTile> seeds = Seeds("matmul:4096x4096x4096:tf32", "h200");
  ASSERT_THAT(seeds, Not(IsEmpty()));
  EXPECT_FALSE(seeds[0].stream_k);
}

// GELU takes a ping-pong tile longer than the other one's products, where its sums leave no
// registers. Measured on an H200: 112 us with 128x192, 95 with 128x256, 94 with 128x128.
TEST(WgmmaTilesTest, LeavesSlowEpiloguesToTilesWithRegistersForThem) {
  for (const CudaTile& tile : Seeds("matmul:2048x8192x2048:bf16:bias:gelu", "h200")) {
    EXPECT_FALSE(tile.schedule == CudaSchedule::kPingPong &&
                 tile.block_m * tile.block_n > 128 * 128);
    if (tile.block_m == 128 && tile.block_n == 128) break;
  }
}

// Measured on an H200: what was fastest, or within 2% of it.
TEST(WgmmaTilesTest, SplitsKWhereTheOutputIsSmall) {
  const struct {
    const char* kernel;
    int64_t block_m, block_n, split_k;
  } kMeasured[] = {
      {"matmul:128x128x65536:bf16", 64, 64, 32},   {"matmul:256x256x65536:bf16", 128, 64, 16},
      {"matmul:128x256x65536:f16:nt", 64, 64, 16}, {"matmul:1024x512x8192:bf16", 128, 128, 4},
      {"matmul:512x512x8192:bf16", 128, 64, 4},
  };
  for (const auto& c : kMeasured) {
    SCOPED_TRACE(c.kernel);
    const std::vector<CudaTile> seeds = Seeds(c.kernel, "h200");
    ASSERT_THAT(seeds, Not(IsEmpty()));
    EXPECT_EQ(seeds[0].block_m, c.block_m);
    EXPECT_EQ(seeds[0].block_n, c.block_n);
    EXPECT_EQ(seeds[0].split_k, c.split_k);
    EXPECT_EQ(seeds[0].reduction, CudaReduction::kLastBlock);  // all blocks run at once
    EXPECT_EQ(seeds[0].schedule, CudaSchedule::kCooperative);  // so that nobody takes turns
  }
}

TEST(WgmmaTilesTest, OffersOtherShapesAndSchedules) {
  const std::vector<CudaTile> seeds = Seeds("matmul:4096x4096x4096:f16");
  ASSERT_GE(seeds.size(), 4u);
  for (size_t i = 0; i < seeds.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      EXPECT_TRUE(
          seeds[i].block_m != seeds[j].block_m || seeds[i].block_n != seeds[j].block_n ||
          seeds[i].schedule != seeds[j].schedule || seeds[i].split_k != seeds[j].split_k ||
          seeds[i].stream_k != seeds[j].stream_k || seeds[i].cluster_m != seeds[j].cluster_m ||
          seeds[i].cluster_n != seeds[j].cluster_n || seeds[i].l2_grouping != seeds[j].l2_grouping)
          << i << " and " << j;
    }
  }
}

TEST(WgmmaTilesTest, PacksWhatTheCopyEngineCannotRead) {
  for (const CudaTile& tile : Seeds("matmul:1023x1021x1019:bf16")) {
    EXPECT_TRUE(tile.pack_lhs);
    EXPECT_TRUE(tile.pack_rhs);
  }
  // Row-major right operands of bytes lie along n, which wgmma does not take.
  for (const CudaTile& tile : Seeds("matmul:1024x1024x1024:i8:out=i32")) {
    EXPECT_FALSE(tile.pack_lhs);
    EXPECT_TRUE(tile.pack_rhs);
  }
}

TEST(WgmmaTilesTest, DeclinesWhereThereIsNoWgmma) {
  EXPECT_TRUE(Judge("matmul:4096x4096x4096:bf16", "h100_sxm").eligible);
  for (const char* device : {"a100_sxm", "b200", "l40s"}) {
    const Eligibility eligibility = Judge("matmul:4096x4096x4096:bf16", device);
    EXPECT_FALSE(eligibility.eligible) << device;
    EXPECT_THAT(eligibility.reason, HasSubstr("no wgmma for bf16 4096x4096")) << device;
  }
  EXPECT_FALSE(Judge("matmul:4096x4096x4096:f32", "h200").eligible);
  EXPECT_FALSE(Judge("matmul:16x4096x4096:bf16", "h200").eligible);
}

TEST(WgmmaTilesTest, PromotesAllButTheSmallest) {
  const auto heuristic = MakeCudaWgmmaTiles();
  const TestKernel large("cuda", "matmul:1024x1024x1024:bf16", "h200");
  EXPECT_TRUE(heuristic->PromotesPrimary(large.context()));
  const TestKernel small("cuda", "matmul:256x256x256:bf16", "h200");
  EXPECT_FALSE(heuristic->PromotesPrimary(small.context()));
}

// Large operands that are multiplied little are better left where they are.
TEST(WgmmaTilesTest, IsNotPromotedWherePackingTakesLongerThanItSaves) {
  const auto heuristic = MakeCudaWgmmaTiles();
  for (const char* device : {"h100_sxm", "h200"}) {
    SCOPED_TRACE(device);
    const TestKernel thin("cuda", "matmul:127x4099x8191:bf16", device);
    EXPECT_FALSE(heuristic->PromotesPrimary(thin.context()));
    const TestKernel aligned("cuda", "matmul:128x4096x8192:bf16", device);
    EXPECT_TRUE(heuristic->PromotesPrimary(aligned.context())) << "nothing is packed";
    const TestKernel square("cuda", "matmul:4095x4097x4093:bf16", device);
    EXPECT_TRUE(heuristic->PromotesPrimary(square.context())) << "multiplied often";
    const TestKernel small("cuda", "matmul:511x1023x2047:f16", device);
    EXPECT_TRUE(heuristic->PromotesPrimary(small.context())) << "packed inside the L2 cache";
  }
}

TEST(WgmmaTilesTest, NeighborsMoveSeveralKnobsAtOnce) {
  const TestKernel test("cuda", "matmul:4096x4096x4096:bf16", "h200");
  const auto heuristic = MakeCudaWgmmaTiles();
  ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic->SeedConfigs(test.context()));
  ASSERT_OK_AND_ASSIGN(const Config from, test.space().Normalize(seeds[0], NormalizeMode::kReject));
  bool swapped = false, takes_turns = false;
  for (const PartialConfig& move : heuristic->Neighbors(test.context(), from)) {
    const auto config = test.space().NormalizeOver(from, move, NormalizeMode::kReject);
    if (!config.ok()) continue;
    const CudaTile tile = CudaTileOf(*config);
    swapped |= tile.block_m == 256 && tile.block_n == 128 && tile.cluster_m == 1;
    takes_turns |= tile.block_m == 128 && tile.block_n == 128 &&
                   tile.schedule == CudaSchedule::kPingPong && tile.stages > 4;
  }
  EXPECT_TRUE(swapped);
  EXPECT_TRUE(takes_turns);
}

}  // namespace
}  // namespace seedtune

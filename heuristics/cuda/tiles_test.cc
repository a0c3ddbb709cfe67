#include "heuristics/cuda/tiles.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

using ::testing::SizeIs;

TEST(CudaTilesTest, TheTypesDecideBetweenThem) {
  const auto mma = MakeCudaMmaTiles(), simt = MakeCudaSimtTiles();
  const TestKernel bf16("cuda", "matmul:512x512x512:bf16", "a100_sxm");
  EXPECT_TRUE(mma->IsEligible(bf16.context()).eligible);
  EXPECT_EQ(simt->IsEligible(bf16.context()).reason, "tensor cores take bf16 times bf16");
  const TestKernel f32("cuda", "matmul:512x512x512:f32", "a100_sxm");
  EXPECT_TRUE(simt->IsEligible(f32.context()).eligible);
  EXPECT_EQ(mma->IsEligible(f32.context()).reason, "tensor cores do not take f32 times f32");
}

TEST(CudaTilesTest, SeedsDifferInWhatMatters) {
  for (const char* device : {"a100_sxm", "h100_sxm", "l40s", "rtx5090", "b200"}) {
    for (const char* kernel : {"matmul:4096x4096x4096:bf16", "matmul:128x128x65536:bf16",
                               "matmul:509x4093x2047:f16:nt", "matmul:1024x1024x1024:f32"}) {
      SCOPED_TRACE(std::string(kernel) + " on " + device);
      const TestKernel test("cuda", kernel, device);
      if (std::string_view(device) == "h100_sxm" &&
          std::string_view(kernel).find("bf16") != std::string_view::npos) {
        continue;  // left to wgmma, see below
      }
      const auto heuristic = std::string_view(kernel).find("f32") != std::string_view::npos
                                 ? MakeCudaSimtTiles()
                                 : MakeCudaMmaTiles();
      std::set<std::pair<int64_t, int64_t>> blocks;
      std::set<int64_t> stages;
      std::set<CudaSchedule> schedules;
      for (const Config& config : test.Seeds(*heuristic)) {
        const CudaTile tile = CudaTileOf(config);
        blocks.insert({tile.block_m, tile.block_n});
        stages.insert(tile.stages);
        schedules.insert(tile.schedule);
      }
      EXPECT_GE(blocks.size(), 2);
      EXPECT_GE(stages.size(), 2);
      EXPECT_THAT(schedules, SizeIs(2));
    }
  }
}

TEST(CudaTilesTest, LeavesTheSearchsTimeToWgmmaWhereThatIsFaster) {
  const auto seeds = [](const char* kernel) {
    return TestKernel("cuda", kernel, "h200").Seeds(*MakeCudaMmaTiles()).size();
  };
  EXPECT_EQ(seeds("matmul:4096x4096x4096:bf16"), 2u);
  EXPECT_GT(seeds("matmul:256x256x256:bf16"), 2u) << "too little to be sure";
  EXPECT_GT(seeds("matmul:32x8192x8192:bf16"), 2u) << "mostly padding for wgmma";
  EXPECT_GT(seeds("matmul:4095x4097x4093:bf16"), 2u) << "wgmma has to pack";
}

TEST(CudaTilesTest, LargeKernelsTakeLargeTilesWhole) {
  const TestKernel test("cuda", "matmul:8192x8192x8192:bf16", "a100_sxm");
  const CudaTile tile = CudaTileOf(test.Seeds(*MakeCudaMmaTiles()).at(0));
  EXPECT_GE(tile.block_m * tile.block_n, 128 * 128);
  EXPECT_EQ(tile.split_k, 1);
}

// A few tiles of deep k keep much of the device busy all the same.
TEST(CudaTilesTest, SmallOutputsOfDeepKAreSplit) {
  for (const char* device : {"a100_sxm", "h100_sxm", "l40s"}) {
    SCOPED_TRACE(device);
    const TestKernel test("cuda", "matmul:128x128x65536:bf16", device);
    const CudaTile tile = CudaTileOf(test.Seeds(*MakeCudaMmaTiles()).at(0));
    const int64_t blocks = CeilDiv(128, tile.block_m) * CeilDiv(128, tile.block_n) * tile.split_k;
    EXPECT_GE(blocks, test.device().compute_units / 3);
  }
}

// Where one step takes all of k, writing the output is the work: not by the least tiles there are.
TEST(CudaTilesTest, ThinSumsOfLargeOutputsTakeLargeTiles) {
  for (const char* kernel : {"matmul:8192x4096x16:bf16", "matmul:8192x4096x3:f16",
                             "matmul:4096x4096x4:f32", "matmul:4096x4096x32:i8"}) {
    SCOPED_TRACE(kernel);
    const TestKernel test("cuda", kernel, "h100_sxm");
    const auto heuristic = std::string_view(kernel).find("f32") != std::string_view::npos
                               ? MakeCudaSimtTiles()
                               : MakeCudaMmaTiles();
    const CudaTile tile = CudaTileOf(test.Seeds(*heuristic).at(0));
    EXPECT_GT(tile.block_m * tile.block_n, 16 * 16);
  }
}

TEST(CudaTilesTest, OddRowsArePacked) {
  const TestKernel test("cuda", "matmul:4097x4099x4101:bf16", "h100_sxm");
  const CudaTile tile = CudaTileOf(test.Seeds(*MakeCudaMmaTiles()).at(0));
  EXPECT_TRUE(tile.pack_lhs && tile.pack_rhs);
}

TEST(CudaTilesTest, NeighborsMoveSeveralKnobsAtOnce) {
  const TestKernel test("cuda", "matmul:4096x4096x4096:bf16", "a100_sxm");
  const auto heuristic = MakeCudaMmaTiles();
  const Config from = test.Seeds(*heuristic).at(0);
  int valid = 0;
  for (const PartialConfig& move : heuristic->Neighbors(test.context(), from)) {
    EXPECT_GE(move.values.size(), 2);
    const auto to = test.space().NormalizeOver(from, move, NormalizeMode::kReject);
    if (!to.ok()) continue;
    EXPECT_NE(*to, from);
    ++valid;
  }
  EXPECT_GE(valid, 3);
}

}  // namespace
}  // namespace seedtune

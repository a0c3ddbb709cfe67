#include "heuristics/cute/cluster_tiles.h"

#include <memory>
#include <string>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// What cute_tcgen05_cluster_m2 declines: too few clusters, edges, skinny outputs, hints.
TEST(CuteTcgen05TilesTest, ServesWhatPairsOfCtasAreNotFor) {
  const auto heuristic = MakeCuteTcgen05Tiles();
  for (const char* kernel :
       {"matmul:512x512x512:bf16", "matmul:4000x4001x4002:bf16", "matmul:64x8192x4096:f16",
        "matmul:M=64[1,512]x4096x4096:bf16", "matmul:256x256x1024:f8e5m2:out=bf16"}) {
    SCOPED_TRACE(kernel);
    const TestKernel test("cute", kernel, "b200");
    EXPECT_FALSE(heuristic->PromotesPrimary(test.context()));
    test.Seeds(*heuristic);
  }
}

TEST(CuteTcgen05TilesTest, SmallGridsTakeSmallTilesAndLargeOnesPairs) {
  const auto heuristic = MakeCuteTcgen05Tiles();
  const Config large =
      TestKernel("cute", "matmul:8192x8192x8192:bf16", "b200").Seeds(*heuristic).front();
  EXPECT_TRUE(large.GetBool("two_cta"));
  const Config small =
      TestKernel("cute", "matmul:512x512x4096:bf16", "b200").Seeds(*heuristic).front();
  EXPECT_LT(small.GetInt("block_size[m]") * small.GetInt("block_size[n]"), 128 * 128);
}

TEST(CuteWgmmaClustersTest, SeedsBothSchedulesAndShareALoadInClusters) {
  const auto heuristic = MakeCuteWgmmaClusters();
  const TestKernel test("cute", "matmul:8192x8192x8192:bf16", "h100_sxm");
  bool cooperative = false, ping_pong = false, cluster = false;
  for (const Config& seed : test.Seeds(*heuristic)) {
    cooperative = cooperative || seed.GetEnum("schedule") == "cooperative";
    ping_pong = ping_pong || seed.GetEnum("schedule") == "ping_pong";
    cluster = cluster || seed.GetInt("cluster_m") * seed.GetInt("cluster_n") > 1;
    EXPECT_GE(seed.GetInt("ab_stages"), 3) << seed.ToJson();
  }
  EXPECT_TRUE(cooperative);
  EXPECT_TRUE(ping_pong);
  EXPECT_TRUE(cluster);
  EXPECT_THAT(MakeCuteTcgen05Tiles()->IsEligible(test.context()).reason,
              HasSubstr("architecture is sm90, want one with tcgen05"));
}

TEST(CuteWgmmaClustersTest, NeighborsChangeScheduleAndRowsTogether) {
  const TestKernel test("cute", "matmul:8192x8192x8192:bf16", "h100_sxm");
  PartialConfig tile;
  tile.Set("block_size[m]", 128).Set("block_size[n]", 256).Set("num_warps", 12);
  const Config from = *test.space().Normalize(tile, NormalizeMode::kReject);
  bool changed = false;
  for (const PartialConfig& move : ClusterMoves(from)) {
    EXPECT_GE(move.values.size(), 2u);
    const auto to = test.space().NormalizeOver(from, move, NormalizeMode::kReject);
    changed = changed || (to.ok() && to->GetEnum("schedule") == "ping_pong" &&
                          to->GetInt("block_size[m]") == 64);
  }
  EXPECT_TRUE(changed);
}

}  // namespace
}  // namespace seedtune

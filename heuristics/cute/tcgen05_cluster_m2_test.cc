#include "heuristics/cute/tcgen05_cluster_m2.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class CuteTcgen05ClusterM2Test : public ::testing::Test {
 protected:
  Eligibility Ask(const TestKernel& test) const {
    EXPECT_THAT(test.status(), IsOk());
    return heuristic_->IsEligible(test.context());
  }
  Config Seed(const TestKernel& test) const {
    EXPECT_TRUE(Ask(test).eligible) << Ask(test).reason;
    const auto seeds = heuristic_->SeedConfigs(test.context());
    EXPECT_TRUE(seeds.ok()) << seeds.status();
    EXPECT_THAT(*seeds, SizeIs(1));
    const auto config = test.space().Normalize(seeds->front(), NormalizeMode::kReject);
    EXPECT_TRUE(config.ok()) << config.status();
    return *config;
  }
  void ExpectInts(const Config& config, const std::map<std::string, int64_t>& want) const {
    for (const auto& [knob, value] : want) EXPECT_EQ(config.GetInt(knob), value) << knob;
  }

  const std::unique_ptr<const AutotunerHeuristic> heuristic_ = MakeCuteTcgen05ClusterM2();
};

TEST_F(CuteTcgen05ClusterM2Test, SeedsFullTiles) {
  const TestKernel test("cute", "matmul:4096x4096x4096:bf16", "b200");
  const Config config = Seed(test);
  ExpectInts(config, {{"block_size[m]", 256},
                      {"block_size[n]", 256},
                      {"block_size[k]", 128},
                      {"num_warps", 8},
                      {"num_stages", 4},
                      {"cluster_m", 2},
                      {"cluster_n", 1},
                      {"epilogue_warps", 4},
                      {"l2_grouping", 4},
                      {"ab_stages", 3},
                      {"acc_stages", 2},
                      {"c_stages", 2}});
  EXPECT_EQ(config.GetEnum("pid_type"), "persistent_interleaved");
  EXPECT_TRUE(config.GetBool("two_cta"));
  for (const char* slot : {"indexing[0]", "indexing[1]", "indexing[2]"}) {
    EXPECT_EQ(config.GetEnum(slot), "tensor_descriptor");
  }
  EXPECT_EQ(Ask(test).reason, "full tiles, 256 clusters for 148 SMs");
  EXPECT_FALSE(heuristic_->PromotesPrimary(test.context()));
}

TEST_F(CuteTcgen05ClusterM2Test, LeavesIndexingAloneWhereThereIsMoreThanThreeMemoryOps) {
  const TestKernel test("cute", "matmul:4096x4096x4096:bf16:bias", "b200");
  const auto seeds = heuristic_->SeedConfigs(test.context());
  ASSERT_THAT(seeds, IsOk());
  EXPECT_FALSE(seeds->front().values.contains("indexing[0]"));
}

TEST_F(CuteTcgen05ClusterM2Test, SeedsEdges) {
  const TestKernel test("cute", "matmul:4160x4224x4104:bf16", "b200");
  const Config config = Seed(test);
  ExpectInts(config, {{"block_size[m]", 256},
                      {"block_size[n]", 256},
                      {"block_size[k]", 128},
                      {"cluster_m", 2},
                      {"l2_grouping", 2},
                      {"ab_stages", 2},
                      {"acc_stages", 1},
                      {"c_stages", 2}});
  EXPECT_THAT(Ask(test).reason, HasSubstr("edges"));
}

TEST_F(CuteTcgen05ClusterM2Test, SeedsSmallGridsOfFp8) {
  // 64 clusters of 128 x 128, less than half of 148.
  const TestKernel test("cute", "matmul:1024x1024x2048:f8e4m3:out=bf16", "b200");
  ExpectInts(Seed(test), {{"block_size[m]", 128},
                          {"block_size[n]", 128},
                          {"block_size[k]", 128},
                          {"cluster_m", 2},
                          {"l2_grouping", 1},
                          {"ab_stages", 12},
                          {"acc_stages", 1},
                          {"c_stages", 2}});
  // With enough of them, full tiles.
  ExpectInts(Seed({"cute", "matmul:4096x4096x4096:f8e4m3:out=bf16", "b200"}),
             {{"block_size[m]", 256}, {"ab_stages", 3}});
  // 128 columns are too few for one.
  ExpectInts(Seed({"cute", "matmul:8192x128x4096:f8e4m3:out=bf16", "b200"}),
             {{"block_size[m]", 128}, {"block_size[n]", 128}});
}

TEST_F(CuteTcgen05ClusterM2Test, TakesTheDeepestBlockOfKThatDivides) {
  for (const auto& [kernel, depth] :
       std::map<std::string, int64_t>{{"matmul:4096x4096x64:bf16", 64},
                                      {"matmul:4096x4096x256:bf16", 128},
                                      {"matmul:4096x4096x32768:bf16", 128}}) {
    EXPECT_EQ(Seed({"cute", kernel, "b200"}).GetInt("block_size[k]"), depth) << kernel;
  }
}

TEST_F(CuteTcgen05ClusterM2Test, GroupsNoMoreRowsThanThereAre) {
  EXPECT_EQ(Seed({"cute", "matmul:256x16384x4096:bf16", "b200"}).GetInt("l2_grouping"), 1);
  EXPECT_EQ(Seed({"cute", "matmul:512x16384x4096:bf16", "b200"}).GetInt("l2_grouping"), 2);
}

TEST_F(CuteTcgen05ClusterM2Test, LeavesTheStagesAloneWhereTheyMayNotFit) {
  HardwareInfo small = TestKernel::Device("b200");
  small.shared_memory_per_block_bytes = 200 * 1024;
  const TestKernel test("cute", TestKernel::Kernel("matmul:4096x4096x4096:bf16"), small);
  const auto seeds = heuristic_->SeedConfigs(test.context());
  ASSERT_THAT(seeds, IsOk());
  EXPECT_FALSE(seeds->front().values.contains("ab_stages"));
  EXPECT_THAT(test.space().Normalize(seeds->front(), NormalizeMode::kReject), IsOk());
}

TEST_F(CuteTcgen05ClusterM2Test, NamesTheConditionThatFails) {
  const struct {
    const char *kernel, *reason;
  } kCases[] = {
      {"matmul:M=4096[1,8192]x4096x4096:bf16", "m is symbolic, want a static extent"},
      {"matmul:4096x4096x4096:f8e5m2:out=bf16", "operands are f8e5m2 and f8e5m2, want one of"},
      {"matmul:32x4096x4096:bf16", "m is 32, want at least 64"},
      {"matmul:4096x4x4096:bf16", "n is 4, want at least 8"},
      {"matmul:4096x8x4096:f8e4m3:out=bf16", "n is 8, want at least 16"},
      {"matmul:4096x4096x8:bf16", "k is 8, want at least 16"},
      {"matmul:4096x4096x16:f8e4m3:out=bf16", "k is 16, want at least 32"},
      {"matmul:4096x128x4096:bf16", "the largest tile is 256x128x128, want 256x256"},
      {"matmul:128x4096x4096:bf16", "the largest tile is 128x256x128, want 256x256"},
      {"matmul:4096x4096x32896:bf16", "k is 32896, want at most 256 blocks of 128"},
      {"matmul:4096x4000x4096:bf16", "is no multiple of the tile 256x256x128"},
      {"matmul:4100x4100x4096:bf16", "is no multiple of the tile"},  // k has no rest
      {"matmul:4100x4100x4100:bf16:batch=2", "is no multiple of the tile"},
      {"matmul:1024x1024x1024:bf16", "16 clusters for 148 SMs, want at least 37"},
      {"matmul:4160x4160x65544:bf16", "no block of k suits k of 65544"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("cute", c.kernel, "b200");
    const Eligibility eligibility = Ask(test);
    EXPECT_FALSE(eligibility.eligible);
    EXPECT_THAT(eligibility.reason, HasSubstr(c.reason));
    EXPECT_FALSE(heuristic_->SeedConfigs(test.context()).ok());
  }
}

// One CTA of 128 rows and two of 256 are the same tile for each CTA; neither cluster_m nor the tile
// alone gets there.
TEST_F(CuteTcgen05ClusterM2Test, NeighborsPairAndPartCtasWithTheirTile) {
  const TestKernel test("cute", "matmul:4096x4096x4096:bf16", "b200");
  const Config pair = Seed(test);
  bool parted = false;
  for (const PartialConfig& move : heuristic_->Neighbors(test.context(), pair)) {
    EXPECT_GE(move.values.size(), 2u);
    const auto to = test.space().NormalizeOver(pair, move, NormalizeMode::kReject);
    if (!to.ok() || to->GetBool("two_cta")) continue;
    parted = true;
    EXPECT_EQ(to->GetInt("block_size[m]"), 128);
    EXPECT_EQ(to->GetInt("cluster_m"), 1);
    bool back = false;
    for (const PartialConfig& again : heuristic_->Neighbors(test.context(), *to)) {
      const auto from = test.space().NormalizeOver(*to, again, NormalizeMode::kReject);
      back = back || (from.ok() && *from == pair);
    }
    EXPECT_TRUE(back);
    for (const Config& step : test.space().Neighbors(pair, NeighborKind::kHamming)) {
      EXPECT_FALSE(step == *to);
    }
  }
  EXPECT_TRUE(parted);
}

TEST_F(CuteTcgen05ClusterM2Test, BatchesMakeClusters) {
  EXPECT_TRUE(Ask({"cute", "matmul:1024x1024x1024:bf16:batch=4", "b200"}).eligible);
}

TEST_F(CuteTcgen05ClusterM2Test, AsksForClustersOnlyWhereTheSmsAreCounted) {
  HardwareInfo uncounted = TestKernel::Device("b200");
  uncounted.compute_units = 0;
  EXPECT_TRUE(Ask({"cute", TestKernel::Kernel("matmul:256x256x1024:bf16"), uncounted}).eligible);
}

// The space of another compiler may lack what the seed needs; other devices have no such space.
TEST_F(CuteTcgen05ClusterM2Test, DeclinesDevicesAndSpacesWithoutTheMeans) {
  const TestKernel good("cute", "matmul:4096x4096x4096:bf16", "b200");
  for (const char* spec : {"h100_sxm", "rtx5090", "mi350x"}) {
    const HardwareInfo device = TestKernel::Device(spec);
    const TuningContext context{good.context().kernel, good.context().facts, device, good.space()};
    EXPECT_THAT(heuristic_->IsEligible(context).reason, HasSubstr("want one with tcgen05")) << spec;
  }

  const auto without = [&](std::string_view knob) {
    ConfigSpace::Options options;
    options.name = "poor";
    for (const Knob& k : good.space().knobs()) {
      if (k.name() != knob) options.knobs.push_back(k);
    }
    return *ConfigSpace::Create(std::move(options));
  };
  const struct {
    const char *knob, *reason;
  } kCases[] = {{"block_size[m]", "no block of 256 x 256"},
                {"block_size[k]", "no block of k"},
                {"pid_type", "no pid_type"},
                {"cluster_m", "no cluster_m of 2"},
                {"two_cta", "no cluster_m of 2"}};
  for (const auto& c : kCases) {
    const auto space = without(c.knob);
    const TuningContext context{good.context().kernel, good.context().facts, good.device(), *space};
    EXPECT_THAT(heuristic_->IsEligible(context).reason, HasSubstr(c.reason));
  }
}

}  // namespace
}  // namespace seedtune

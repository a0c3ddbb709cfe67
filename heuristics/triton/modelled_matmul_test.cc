#include "heuristics/triton/modelled_matmul.h"

#include <memory>
#include <string>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

HardwareInfo Radeon() {
  HardwareInfo device = TestKernel::Device("mi300x");
  device.name = "a Radeon of RDNA 4";
  device.arch = *Arch::Parse("gfx1201");
  device.compute_units = 64;
  device.warp_size = 32;
  device.num_xcds = 1;
  return device;
}

TEST(ModelledMatmulTest, LargeSquaresTakeLargeTiles) {
  const struct {
    std::unique_ptr<const AutotunerHeuristic> heuristic;
    const char* device;
    int64_t least_elements;
  } kCases[] = {
      {MakeTritonAmpereMatmul(), "a100_sxm", 128 * 128},
      {MakeTritonAmpereMatmul(), "l40s", 128 * 128},
      {MakeTritonAmpereMatmul(), "rtx5090", 128 * 128},
      {MakeTritonCdnaMatmul(), "mi300x", 128 * 256},
      {MakeTritonCdnaMatmul(), "mi350x", 256 * 256},
      {MakeTritonCdnaMatmul(), "mi250x", 128 * 128},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.device);
    const TestKernel test("triton", "matmul:8192x8192x8192:bf16", c.device);
    const Config primary = test.Seeds(*c.heuristic).front();
    EXPECT_GE(primary.GetInt("block_size[m]") * primary.GetInt("block_size[n]"), c.least_elements)
        << primary.ToJson();
    EXPECT_GE(primary.GetInt("num_stages"), 2);
  }
}

TEST(ModelledMatmulTest, CdnaSeedsNameTheMatrixInstructionAndBothKindsAreTried) {
  const TestKernel test("triton", "matmul:8192x8192x8192:bf16", "mi300x");
  bool small = false, large = false;
  for (const Config& seed : test.Seeds(*MakeTritonCdnaMatmul())) {
    small = small || seed.GetInt("matrix_instr_nonkdim") == 16;
    large = large || seed.GetInt("matrix_instr_nonkdim") == 32;
    EXPECT_TRUE(seed.GetBool("xcd_remap"));
  }
  EXPECT_TRUE(small);
  EXPECT_TRUE(large);
}

// T1 of the reference's traps: drivers print an architecture with its features.
TEST(ModelledMatmulTest, T1_AnArchitectureWithFeaturesIsTheSameArchitecture) {
  const Kernel kernel = TestKernel::Kernel("matmul:4096x4096x4096:bf16");
  HardwareInfo plain = TestKernel::Device("mi300x");
  plain.arch = *Arch::Parse("gfx942");
  HardwareInfo full = plain;
  full.arch = *Arch::Parse("gfx942:sramecc+:xnack-");
  const TestKernel a("triton", kernel, plain), b("triton", kernel, full);
  const auto heuristic = MakeTritonCdnaMatmul();
  EXPECT_EQ(*heuristic->SeedConfigs(a.context()), *heuristic->SeedConfigs(b.context()));
  EXPECT_EQ(heuristic->IsEligible(a.context()).reason, heuristic->IsEligible(b.context()).reason);
}

TEST(ModelledMatmulTest, RdnaSeedsFitItsWaves) {
  const TestKernel test("triton", TestKernel::Kernel("matmul:4096x4096x4096:f16"), Radeon());
  const std::vector<Config> seeds = test.Seeds(*MakeTritonRdnaMatmul());
  ASSERT_THAT(seeds, Not(IsEmpty()));
  EXPECT_LE(seeds.front().GetInt("block_size[m]") * seeds.front().GetInt("block_size[n]"),
            128 * 128);
  EXPECT_EQ(test.space().FindKnob("matrix_instr_nonkdim"), std::nullopt);
  EXPECT_FALSE(MakeTritonRdnaMatmul()->PromotesPrimary(test.context()));
}

TEST(ModelledMatmulTest, DecodeReadsDeepBlocksAndFillsTheDevice) {
  for (const char* device : {"h100_sxm", "b200", "a100_sxm", "mi300x", "mi350x", "rtx5090"}) {
    for (const char* kernel : {"matmul:1x8192x8192:bf16", "matmul:8x4096x14336:bf16",
                               "matmul:16x1024x8192:bf16", "matmul:4096x16x4096:bf16"}) {
      SCOPED_TRACE(std::string(kernel) + " on " + device);
      const TestKernel test("triton", kernel, device);
      const Config primary = test.Seeds(*MakeTritonDecode()).front();
      EXPECT_EQ(std::min(primary.GetInt("block_size[m]"), primary.GetInt("block_size[n]")), 16);
      EXPECT_GE(primary.GetInt("block_size[k]"), 64);
      const int64_t m = *test.fact().m.static_extent, n = *test.fact().n.static_extent;
      const auto tiles = [](int64_t extent, int64_t block) { return (extent + block - 1) / block; };
      EXPECT_GE(4 * primary.GetInt("split_k") * tiles(m, primary.GetInt("block_size[m]")) *
                    tiles(n, primary.GetInt("block_size[n]")),
                test.device().compute_units)
          << primary.ToJson();
    }
  }
  const TestKernel square("triton", "matmul:4096x4096x4096:bf16", "h100_sxm");
  EXPECT_THAT(MakeTritonDecode()->IsEligible(square.context()).reason, HasSubstr("at most 16"));
}

TEST(ModelledMatmulTest, SplitsOnlyWhatIsDeepAndSmall) {
  const struct {
    const char *kernel, *reason;
  } kCases[] = {
      {"matmul:128x128x65536:bf16", nullptr},
      {"matmul:256x256x8192:bf16", nullptr},
      {"matmul:4096x4096x65536:bf16", "tiles of 64x64 for 132 compute units"},
      {"matmul:128x128x1024:bf16", "k is 1024, want at least 2048"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("triton", c.kernel, "h100_sxm");
    const auto heuristic = MakeTritonSplitK();
    if (c.reason != nullptr) {
      EXPECT_THAT(heuristic->IsEligible(test.context()).reason, HasSubstr(c.reason));
      continue;
    }
    for (const Config& seed : test.Seeds(*heuristic)) EXPECT_GT(seed.GetInt("split_k"), 1);
  }
}

TEST(ModelledMatmulTest, Fp8IsServedWhereTheReferenceDeclinesAndIsNeverPromoted) {
  for (const char* device : {"h100_sxm", "b200", "l40s", "rtx5090", "mi300x", "mi350x"}) {
    SCOPED_TRACE(device);
    const TestKernel test("triton", "matmul:4096x4096x4096:f8e4m3:out=bf16", device);
    EXPECT_THAT(test.Seeds(*MakeTritonFp8Matmul()), Not(IsEmpty()));
    EXPECT_FALSE(MakeTritonFp8Matmul()->PromotesPrimary(test.context()));
  }
  const TestKernel ampere("triton", "matmul:4096x4096x4096:f8e4m3:out=bf16", "a100_sxm");
  EXPECT_THAT(MakeTritonFp8Matmul()->IsEligible(ampere.context()).reason,
              HasSubstr("architecture is sm80, want ada"));
}

TEST(ModelledMatmulTest, BatchesAndEpiloguesAreTheirOwnFamilies) {
  const TestKernel batched("triton", "matmul:128x64x128:bf16:batch=512", "h100_sxm");
  EXPECT_THAT(batched.Seeds(*MakeTritonBatchedMatmul()), Not(IsEmpty()));
  const TestKernel plain("triton", "matmul:4096x4096x4096:bf16", "h100_sxm");
  EXPECT_EQ(MakeTritonBatchedMatmul()->IsEligible(plain.context()).reason, "no batch, want one");
  EXPECT_THAT(MakeTritonFusedEpilogue()->IsEligible(plain.context()).reason,
              HasSubstr("want an epilogue"));
  const TestKernel fused("triton", "matmul:4096x4096x4096:bf16:bias:gelu:residual", "b200");
  bool persistent = false;
  for (const Config& seed : fused.Seeds(*MakeTritonFusedEpilogue())) {
    persistent = persistent || (seed.GetEnum("pid_type") == "persistent_interleaved" &&
                                seed.GetInt("epilogue_subtile") == 2);
  }
  EXPECT_TRUE(persistent);
}

// T7: blocks belong to roles, not to places in a list; a fixed list would give m's block to n.
TEST(ModelledMatmulTest, T7_BlocksFollowRoles) {
  const TestKernel tall("triton", "matmul:8192x16x8192:bf16", "mi300x");
  const Config seed = tall.Seeds(*MakeTritonDecode()).front();
  EXPECT_EQ(seed.GetInt("block_size[n]"), 16);
  EXPECT_GT(seed.GetInt("block_size[m]"), 16);
}

TEST(ModelledMatmulTest, NeighborsSplitKWithItsBlockAndWavesWithWarps) {
  const TestKernel deep("triton", "matmul:128x128x65536:bf16", "h100_sxm");
  const auto split = MakeTritonSplitK();
  const Config seed = deep.Seeds(*split).front();
  bool doubled = false;
  for (const PartialConfig& move : split->Neighbors(deep.context(), seed)) {
    EXPECT_TRUE(move.values.count("split_k") > 0);
    EXPECT_GE(move.values.size(), 2u);
    const auto to = deep.space().NormalizeOver(seed, move, NormalizeMode::kReject);
    doubled = doubled || (to.ok() && to->GetInt("split_k") == 2 * seed.GetInt("split_k")) ||
              (to.ok() && 2 * to->GetInt("split_k") == seed.GetInt("split_k"));
  }
  EXPECT_TRUE(doubled);
  const TestKernel square("triton", "matmul:4096x4096x4096:bf16", "mi300x");
  const auto cdna = MakeTritonCdnaMatmul();
  bool waves = false;
  for (const PartialConfig& move : cdna->Neighbors(square.context(), square.Seeds(*cdna).front())) {
    waves = waves || move.values.count("waves_per_eu") > 0;
  }
  EXPECT_TRUE(waves);
}

}  // namespace
}  // namespace seedtune

#include "heuristics/triton/skinny_gemm.h"

#include <memory>
#include <string>
#include <utility>
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
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

HardwareInfo DeviceOfArch(const char* spec, const char* arch) {
  HardwareInfo device = TestKernel::Device(spec);
  device.arch = *Arch::Parse(arch);
  return device;
}

class TritonSkinnyGemmTest : public ::testing::Test {
 protected:
  Eligibility Ask(const TestKernel& test) const {
    EXPECT_THAT(test.status(), IsOk());
    return heuristic_->IsEligible(test.context());
  }
  // The block sizes of m, n and k of the one seed.
  std::vector<int64_t> Blocks(const TestKernel& test) const {
    EXPECT_TRUE(Ask(test).eligible) << Ask(test).reason;
    const auto seeds = heuristic_->SeedConfigs(test.context());
    EXPECT_TRUE(seeds.ok()) << seeds.status();
    EXPECT_THAT(*seeds, SizeIs(1));
    EXPECT_THAT(seeds->front().values, SizeIs(3));
    const auto config = test.space().Normalize(seeds->front(), NormalizeMode::kReject);
    EXPECT_TRUE(config.ok()) << config.status();
    return {config->GetInt("block_size[m]"), config->GetInt("block_size[n]"),
            config->GetInt("block_size[k]")};
  }

  const std::unique_ptr<const AutotunerHeuristic> heuristic_ = MakeTritonSkinnyGemm();
};

TEST_F(TritonSkinnyGemmTest, SeedsTheSameOnHopperAndCdna4) {
  for (const char* device : {"h100_sxm", "h200", "mi350x"}) {
    SCOPED_TRACE(device);
    const TestKernel test("triton", "matmul:8192x512x4096:bf16", device);
    EXPECT_THAT(Ask(test).reason, HasSubstr("aspect 16.0 on "));
    EXPECT_EQ(Blocks(test), (std::vector<int64_t>{64, 64, 256}));
    EXPECT_FALSE(heuristic_->PromotesPrimary(test.context()));
  }
}

// T1: drivers print gfx950 with its features.
TEST_F(TritonSkinnyGemmTest, T1_MatchesAnArchitectureWithFeatures) {
  const Kernel kernel = TestKernel::Kernel("matmul:8192x512x4096:bf16");
  for (const char* arch : {"gfx950", "gfx950:sramecc+:xnack-"}) {
    EXPECT_TRUE(Ask({"triton", kernel, DeviceOfArch("mi350x", arch)}).eligible) << arch;
  }
  EXPECT_TRUE(Ask({"triton", kernel, DeviceOfArch("h100_sxm", "sm90a")}).eligible);
}

// T2: newer is not enough to be a target, nor is another vendor.
TEST_F(TritonSkinnyGemmTest, T2_DeclinesOtherArchitectures) {
  const Kernel kernel = TestKernel::Kernel("matmul:8192x512x4096:bf16");
  for (const char* arch : {"sm80", "sm89", "sm100", "sm103", "sm120"}) {
    const Eligibility eligibility = Ask({"triton", kernel, DeviceOfArch("h100_sxm", arch)});
    EXPECT_FALSE(eligibility.eligible);
    EXPECT_EQ(eligibility.reason, std::string("architecture is ") + arch + ", want sm90 or gfx950");
  }
  EXPECT_FALSE(Ask({"triton", kernel, DeviceOfArch("mi300x", "gfx942:sramecc+:xnack-")}).eligible);
  HardwareInfo unknown = TestKernel::Device("h100_sxm");
  unknown.arch = Arch();
  EXPECT_THAT(Ask({"triton", kernel, unknown}).reason, HasSubstr("architecture is unknown"));
}

TEST_F(TritonSkinnyGemmTest, DecidesByAspectEitherWay) {
  const struct {
    const char* kernel;
    bool eligible;
    const char* reason;
  } kCases[] = {
      {"matmul:4096x512x64:bf16", true, "aspect 8.0"},
      {"matmul:512x4096x64:bf16", true, "aspect 8.0"},
      {"matmul:4095x512x64:bf16", false, "aspect 7.9, want at least 8"},
      {"matmul:4096x4096x64:bf16", false, "aspect 1.0, want at least 8"},
      {"matmul:1x8x64:bf16", true, "aspect 8.0"},
      {"matmul:1x7x64:bf16", false, "aspect 7.0, want at least 8"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("triton", c.kernel, "h100_sxm");
    EXPECT_EQ(Ask(test).eligible, c.eligible);
    EXPECT_THAT(Ask(test).reason, HasSubstr(c.reason));
  }
}

TEST_F(TritonSkinnyGemmTest, ClampsBlocksToTheExtentsByRole) {
  const struct {
    const char* kernel;
    std::vector<int64_t> blocks;
  } kCases[] = {
      {"matmul:16x8192x8192:bf16", {16, 64, 256}}, {"matmul:8192x16x8192:bf16", {64, 16, 256}},
      {"matmul:1x8192x8192:bf16", {16, 64, 256}},  {"matmul:40x8192x100:bf16", {32, 64, 64}},
      {"matmul:8192x64x32:bf16", {64, 64, 32}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    EXPECT_EQ(Blocks({"triton", c.kernel, "h100_sxm"}), c.blocks);
  }
}

TEST_F(TritonSkinnyGemmTest, HalvesTheDepthUntilItFitsTheDevice) {
  const std::vector<int64_t> blocks =
      Blocks({"triton", "matmul:8192x512x4096:f64:acc=f64", "h100_sxm"});
  EXPECT_EQ(blocks[0], 64);
  EXPECT_EQ(blocks[1], 64);
  EXPECT_LT(blocks[2], 256);
}

TEST_F(TritonSkinnyGemmTest, LeavesNoWarpIdleInTheSmallestTiles) {
  const TestKernel test("triton", "matmul:24x1x64:bf16", "h100_sxm");
  const auto seeds = heuristic_->SeedConfigs(test.context());
  ASSERT_THAT(seeds, IsOk());
  ASSERT_OK_AND_ASSIGN(const Config seed,
                       test.space().Normalize(seeds->front(), NormalizeMode::kReject));
  EXPECT_LE(seed.GetInt("num_warps"), 2);
}

// T18: what is only a hint is no static extent.
TEST_F(TritonSkinnyGemmTest, T18_WantsStaticExtents) {
  const TestKernel test("triton", "matmul:M=16[1,64]x8192x8192:bf16", "h100_sxm");
  EXPECT_FALSE(Ask(test).eligible);
  EXPECT_EQ(Ask(test).reason,
            "m is symbolic, want a static extent (the hint of 16 is only a hint)");
}

TEST_F(TritonSkinnyGemmTest, WantsNoBatch) {
  EXPECT_EQ(Ask({"triton", "matmul:16x8192x8192:bf16:batch=4", "h100_sxm"}).reason,
            "batch of 4, want none");
}

// A matmul whose axes stand in the order n, k, m, under names that mislead.
Kernel Shuffled(int64_t m, int64_t n, int64_t k, bool n_is_tunable, int dots) {
  KernelBuilder b("shuffled");
  const AxisId axis_n = b.AddAxis("m", AxisKind::kParallel, Extent::Static(n), n_is_tunable);
  const AxisId axis_k = b.AddAxis("n", AxisKind::kReduction, Extent::Static(k));
  const AxisId axis_m = b.AddAxis("k", AxisKind::kParallel, Extent::Static(m));
  const TensorId lhs = b.AddTensor("lhs", DType::kBF16, {Extent::Static(m), Extent::Static(k)}, 16);
  const TensorId rhs = b.AddTensor("rhs", DType::kBF16, {Extent::Static(k), Extent::Static(n)}, 16);
  const TensorId out = b.AddTensor("out", DType::kF32, {Extent::Static(m), Extent::Static(n)}, 16);
  const ValueId x = b.Load(lhs, {axis_m, axis_k});
  const ValueId w = b.Load(rhs, {axis_k, axis_n});
  const auto dot = [&] {
    return b.Dot(x, w, {.batch = {}, .m = {axis_m}, .n = {axis_n}, .k = {axis_k}}, DType::kF32);
  };
  ValueId value = dot();
  for (int i = 1; i < dots; ++i) value = b.Pointwise(PointwiseKind::kAdd, {value, dot()});
  b.Store(out, {axis_m, axis_n}, value);
  auto kernel = std::move(b).Build();
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  return *std::move(kernel);
}

// T7: blocks belong to roles, not to places in a list.
TEST_F(TritonSkinnyGemmTest, T7_FollowsRolesNotTheOrderOrNamesOfAxes) {
  const TestKernel test("triton", Shuffled(16, 8192, 4096, /*n_is_tunable=*/true, /*dots=*/1),
                        TestKernel::Device("h100_sxm"));
  EXPECT_EQ(Blocks(test), (std::vector<int64_t>{16, 64, 256}));
}

TEST_F(TritonSkinnyGemmTest, WantsAllThreeAxesTunable) {
  const TestKernel test("triton", Shuffled(8192, 64, 4096, /*n_is_tunable=*/false, /*dots=*/1),
                        TestKernel::Device("h100_sxm"));
  EXPECT_EQ(Ask(test).reason, "n is no tunable axis");
}

TEST_F(TritonSkinnyGemmTest, WantsExactlyOneMatmul) {
  const Kernel two = Shuffled(16, 8192, 4096, /*n_is_tunable=*/true, /*dots=*/2);
  const TestKernel one("triton", "matmul:16x8192x8192:bf16", "h100_sxm");
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(two);
  ASSERT_THAT(facts, SizeIs(2));
  const TuningContext context{two, facts, one.device(), one.space()};
  EXPECT_EQ(heuristic_->IsEligible(context).reason, "2 matmuls, want one");
}

}  // namespace
}  // namespace seedtune

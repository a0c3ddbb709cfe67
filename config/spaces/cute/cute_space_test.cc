#include "config/spaces/cute/cute_space.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ConfigSpace> Space(std::string_view kernel,
                                         std::string_view device = "b200") {
  auto space = CuteMatmulSpace(FactsOf(kernel), Device(device));
  EXPECT_THAT(space, IsOk());
  return *std::move(space);
}

// The seed of Helion's cute_tcgen05_cluster_m2 for full tiles.
PartialConfig TwoCtaSeed() {
  PartialConfig seed;
  seed.Set("block_size[m]", 256).Set("block_size[n]", 256).Set("block_size[k]", 128);
  seed.Set("num_warps", 8).Set("num_stages", 4).Set("pid_type", "persistent_interleaved");
  seed.Set("cluster_m", 2).Set("cluster_n", 1).Set("two_cta", true).Set("tma_store", true);
  seed.Set("epilogue_warps", 4).Set("l2_grouping", 4);
  seed.Set("ab_stages", 3).Set("acc_stages", 2).Set("c_stages", 2);
  seed.Set("indexing[0]", "tensor_descriptor").Set("indexing[1]", "tensor_descriptor");
  seed.Set("indexing[2]", "tensor_descriptor");
  return seed;
}

TEST(CuteSpaceTest, TakesTheTwoCtaSeeds) {
  EXPECT_THAT(Space("matmul:4096x4096x4096:bf16")->Normalize(TwoCtaSeed(), NormalizeMode::kReject),
              IsOk());
  // For fp8 that fills the device badly.
  PartialConfig small = TwoCtaSeed();
  small.Set("block_size[m]", 128).Set("block_size[n]", 128);
  small.Set("ab_stages", 12).Set("acc_stages", 1).Set("l2_grouping", 1);
  EXPECT_THAT(
      Space("matmul:1024x1024x4096:f8e4m3:out=bf16")->Normalize(small, NormalizeMode::kReject),
      IsOk());
}

TEST(CuteSpaceTest, DeclinesWhatCannotRun) {
  const struct {
    const char *name, *knob;
    int value;
    const char* error;
  } kCases[] = {
      {"a pair needs two", "cluster_m", 1, "pairs_share_a_cluster"},
      {"32 rows of each of two", "block_size[m]", 64, "shape_has_an_instruction"},
      {"16 columns of two CTAs", "block_size[n]", 16, "shape_has_an_instruction"},
      {"tensor memory", "acc_stages", 4, "accumulators_fit_tensor_memory"},
      {"shared memory", "ab_stages", 4, "tiles_fit_shared_memory"},
      {"roles", "epilogue_warps", 8, "each_role_has_a_warp"},
      {"rows", "l2_grouping", 32, "l2_group_has_rows"},
      {"swizzle", "block_size[k]", 32, "swizzle_fits_rows"},
      {"wide stores", "smem_swizzle_bytes", 256, "smem_swizzle_bytes is 256"},
  };
  const auto space = Space("matmul:4096x4096x4096:bf16");
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(space->Normalize(TwoCtaSeed().Set(c.knob, c.value), NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(CuteSpaceTest, EachConfigurationFitsItsDevice) {
  std::mt19937_64 random(1);
  const HardwareInfo device = Device("b200");
  for (const std::string_view kernel :
       {"matmul:4096x4096x4096:bf16", "matmul:100x70x30:f8e4m3:out=bf16", "matmul:1x1x1:f16"}) {
    SCOPED_TRACE(kernel);
    const int64_t itemsize = DTypeBytes(FactsOf(kernel)[0].lhs.dtype);
    const auto space = Space(kernel);
    for (int i = 0; i < 1000; ++i) {
      const Config config = space->Sample(random);
      const int64_t ctas = config.GetBool("two_cta") ? 2 : 1;
      const int64_t m = config.GetInt("block_size[m]") / ctas;
      const int64_t n = config.GetInt("block_size[n]");
      EXPECT_LE(config.GetInt("cluster_m") * config.GetInt("cluster_n"), 8);
      // What one CTA holds: its rows of the left operand, its share of the right one's columns.
      const int64_t elements = (m + n / ctas) * config.GetInt("block_size[k]");
      EXPECT_LE(config.GetInt("ab_stages") * elements * itemsize,
                device.shared_memory_per_block_bytes);
      EXPECT_LE(config.GetInt("acc_stages") * n * 128 * 4, device.tensor_memory_per_unit_bytes);
      EXPECT_TRUE(m == 64 || m == 128);
    }
  }
}

TEST(CuteSpaceTest, HopperHasWarpgroupsInsteadOfTensorMemory) {
  const auto space = Space("matmul:4096x4096x4096:bf16", "h100_sxm");
  for (const char* knob : {"two_cta", "acc_stages", "epilogue_warps"}) {
    EXPECT_FALSE(space->FindKnob(knob).has_value()) << knob;
  }
  PartialConfig seed;
  seed.Set("block_size[m]", 128).Set("block_size[n]", 256).Set("block_size[k]", 64);
  seed.Set("num_warps", 12).Set("cluster_m", 2).Set("ab_stages", 4).Set("tma_store", true);
  EXPECT_THAT(space->Normalize(seed, NormalizeMode::kReject), IsOk());
  const struct {
    const char* knob;
    KnobValue value;
    const char* error;
  } kCases[] = {
      {"num_warps", int64_t{8}, "accumulators_fit_registers"},  // 256 of one warpgroup
      {"schedule", std::string("ping_pong"), "accumulators_fit_registers"},
      {"block_size[m]", int64_t{64}, "warpgroups_have_rows"},
      {"ab_stages", int64_t{5}, "tiles_fit_shared_memory"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.knob);
    PartialConfig broken = seed;
    EXPECT_THAT(space->Normalize(broken.Set(c.knob, c.value), NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const Config config = space->Sample(random);
    const int64_t elements = (config.GetInt("block_size[m]") + config.GetInt("block_size[n]")) *
                             config.GetInt("block_size[k]");
    EXPECT_LE(config.GetInt("ab_stages") * elements * 2,
              Device("h100_sxm").shared_memory_per_block_bytes);
  }
}

TEST(CuteSpaceTest, DeclinesWhatHasNoTcgen05Form) {
  const HardwareInfo b200 = Device("b200");
  for (const std::string_view name : {"a100_sxm", "rtx5090", "mi350x", "epyc_9654"}) {
    SCOPED_TRACE(name);
    EXPECT_THAT(CuteMatmulSpace(FactsOf("matmul:4096x4096x4096:bf16"), Device(name)),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr("want one with tcgen05 (sm100, sm103) or wgmma (sm90)")));
  }
  for (const std::string_view kernel :
       {"matmul:256x256x256:f32", "matmul:256x256x256:bf16:rhs=f16", "matmul:256x256x256:i8"}) {
    SCOPED_TRACE(kernel);
    EXPECT_THAT(
        CuteMatmulSpace(FactsOf(kernel), b200),
        StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("want two of one of bf16")));
  }
  std::vector<MatmulFact> facts = FactsOf("matmul:256x256x256:bf16");
  facts[0].n.axis.reset();
  EXPECT_THAT(CuteMatmulSpace(facts, b200),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("n is no tunable axis")));
  EXPECT_THAT(CuteMatmulSpace({}, b200),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("0 matmuls")));
}

}  // namespace
}  // namespace seedtune

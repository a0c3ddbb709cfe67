#include "heuristics/cpu/skinny_stream.h"

#include <cstdint>
#include <memory>
#include <string>
#include <variant>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

class CpuSkinnyStreamTest : public ::testing::Test {
 protected:
  const std::unique_ptr<const AutotunerHeuristic> heuristic_ = MakeCpuSkinnyStream();
};

TEST_F(CpuSkinnyStreamTest, WantsFewRowsAndAnOperandToStream) {
  const struct {
    const char* kernel;
    bool eligible;
    const char* reason;
  } kCases[] = {
      {"matmul:1x4096x4096:f32", true, "m is 1"},
      {"matmul:32x4096x4096:f32", true, "m is 32"},
      {"matmul:33x4096x4096:f32", false, "m is 33, want at most 32"},
      {"matmul:16x4096x4096:f32:nt", true, "transposed"},
      {"matmul:16x8x4096:f32:nt", false, "rows are not contiguous"},
      {"matmul:16x4096x4096:f32:tn", true, "m is 16"},
      {"matmul:M=16[1,64]x4096x4096:f32", true, "by their hints"},
      {"matmul:M=48[1,64]x4096x4096:f32", false, "m is 48"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("cpu", c.kernel, "graviton4");
    const Eligibility eligibility = heuristic_->IsEligible(test.context());
    EXPECT_EQ(eligibility.eligible, c.eligible);
    EXPECT_THAT(eligibility.reason, HasSubstr(c.reason));
    EXPECT_EQ(heuristic_->SeedConfigs(test.context()).ok(), c.eligible);
  }
}

TEST_F(CpuSkinnyStreamTest, ReadsTheRightOperandInPlaceAndDealsOutItsColumns) {
  for (const char* device : {"epyc_9654", "xeon_8480", "graviton4"}) {
    const TestKernel test("cpu", "matmul:16x8192x8192:f32", device);
    ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic_->SeedConfigs(test.context()));
    ASSERT_OK_AND_ASSIGN(const Config primary,
                         test.space().Normalize(seeds.front(), NormalizeMode::kReject));
    EXPECT_FALSE(primary.GetBool("pack[rhs]"));
    EXPECT_GT(primary.GetInt("threads"), 1);
    EXPECT_EQ(primary.GetEnum("thread_split"), "n");
    EXPECT_EQ(primary.GetInt("block_size[m]"), 16);
    EXPECT_EQ(16 % primary.GetInt("register_tile[m]"), 0) << "rows that do not come out even";
    // A block's part of C stays in the L2 cache.
    EXPECT_LE(16 * primary.GetInt("block_size[n]") * 4, test.device().l2_bytes / 4);
    EXPECT_TRUE(heuristic_->PromotesPrimary(test.context()));
  }
}

TEST_F(CpuSkinnyStreamTest, StreamsAColumnMajorRightOperandTransposed) {
  for (const char* device : {"epyc_9654", "xeon_8480", "graviton4"}) {
    for (const char* kernel :
         {"matmul:1x4096x4096:f32:nt", "matmul:16x6144x4096:f32:nt", "matmul:32x1024x1024:f32:nt",
          "matmul:M=16[1,64]x4096x14336:f32:nt", "matmul:5x7x3:f32:nt"}) {
      SCOPED_TRACE(std::string(kernel) + " on " + device);
      const TestKernel test("cpu", kernel, device);
      ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic_->SeedConfigs(test.context()));
      EXPECT_FALSE(seeds.empty());
      for (const PartialConfig& seed : seeds) {
        ASSERT_OK_AND_ASSIGN(const Config config,
                             test.space().Normalize(seed, NormalizeMode::kReject));
        const int64_t m = *test.context().facts[0].m.planning_extent();
        EXPECT_TRUE(config.GetBool("transpose"));
        EXPECT_FALSE(config.GetBool("pack[lhs]")) << "a copy of the weights";
        // Every row of the tile meets all of A at once.
        EXPECT_EQ(config.GetInt("block_size[n]"), m);
        EXPECT_EQ(config.GetEnum("loop_order"), "mkn");
        EXPECT_LE(config.GetInt("block_size[k]") * m * 4, test.device().l2_bytes / 2);
        if (config.GetInt("threads") > 1) {
          EXPECT_NE(config.GetEnum("thread_split"), "m");
        }
      }
    }
  }
}

TEST_F(CpuSkinnyStreamTest, OneRowTakesATileOfOneRow) {
  const TestKernel test("cpu", "matmul:1x8192x8192:f32", "epyc_9654");
  ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic_->SeedConfigs(test.context()));
  EXPECT_EQ(std::get<int64_t>(seeds.front().values.at("register_tile[m]")), 1);
}

// Rows of the right operand that share a page's place go past whole, a few at a time.
TEST_F(CpuSkinnyStreamTest, OneRowStreamsRowsThatArePagesApart) {
  const struct {
    const char* kernel;
    bool streams;
  } kCases[] = {{"matmul:1x4096x4096:f32", true},
                {"matmul:2x8192x512:f32", true},
                {"matmul:1x1000x4096:f32", false},
                {"matmul:4x4096x4096:f32", false}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("cpu", c.kernel, "epyc_9654");
    ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic_->SeedConfigs(test.context()));
    const int64_t depth = std::get<int64_t>(seeds.front().values.at("block_size[k]"));
    EXPECT_EQ(depth == 16, c.streams) << depth;
    // The block of C stays in the L1 cache.
    if (c.streams) {
      EXPECT_LE(std::get<int64_t>(seeds.front().values.at("block_size[n]")) * 4,
                test.device().l1_data_bytes);
    }
  }
}

TEST_F(CpuSkinnyStreamTest, IsNotPromotedOnGuesses) {
  HardwareInfo unknown;
  unknown.kind = DeviceKind::kCpu;
  const TestKernel test("cpu", TestKernel::Kernel("matmul:16x512x512:f32"), unknown);
  EXPECT_TRUE(heuristic_->IsEligible(test.context()).eligible);
  EXPECT_FALSE(heuristic_->PromotesPrimary(test.context()));
}

}  // namespace
}  // namespace seedtune

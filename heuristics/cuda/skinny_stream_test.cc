#include "heuristics/cuda/skinny_stream.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
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
#include "ir/dtype.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::vector<CudaTile> Seeds(const TestKernel& test) {
  std::vector<CudaTile> tiles;
  for (const Config& seed : test.Seeds(*MakeCudaSkinnyStream())) tiles.push_back(CudaTileOf(seed));
  return tiles;
}

TEST(CudaSkinnyStreamTest, IsForFewRowsOrColumns) {
  const struct {
    const char* kernel;
    const char* device;
    const char* reason;
    bool eligible;
  } kCases[] = {
      {"matmul:16x8192x8192:bf16", "h100_sxm", "16 by 8192, at most 16", true},
      {"matmul:8192x1x8192:bf16:nt", "a100_sxm", "1 by 8192, at most 16", true},
      {"matmul:M=8[1,16]x4096x4096:bf16", "l40s", "extents by their hints", true},
      {"matmul:17x8192x8192:bf16", "h100_sxm", "17 by 8192, at most 32", true},
      {"matmul:17x1024x1024:bf16", "h100_sxm", "is 17, want at most 16", false},
      {"matmul:17x8191x8193:bf16", "h100_sxm", "is 17, want at most 16", false},
      {"matmul:33x8192x8192:bf16", "a100_sxm", "is 33, want at most 32", false},
      {"matmul:4x8192x8192:f32", "h100_sxm", "4 by 8192", true},
      {"matmul:5x8192x8192:f32", "h100_sxm", "want at most 4 without tensor cores", false},
      {"matmul:1x1x1:f32", "h100_sxm", "no skinny kernel", false},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.kernel) + " on " + c.device);
    const TestKernel test("cuda", c.kernel, c.device);
    const Eligibility eligibility = MakeCudaSkinnyStream()->IsEligible(test.context());
    EXPECT_EQ(eligibility.eligible, c.eligible);
    EXPECT_THAT(eligibility.reason, HasSubstr(c.reason));
  }
}

// Enough bytes are under way that memory need not wait: bandwidth times its latency, on each
// multiprocessor.
TEST(CudaSkinnyStreamTest, ThePrimaryCoversTheLatencyOfMemory) {
  for (const char* device : {"a100_sxm", "h100_sxm", "h200", "b200"}) {
    for (const char* kernel :
         {"matmul:16x8192x8192:bf16", "matmul:16x8192x8192:bf16:nt", "matmul:8192x4x8192:bf16",
          "matmul:1x16384x8192:bf16:nt", "matmul:16x16384x8192:f8e4m3:nt:out=bf16"}) {
      if (std::string_view(device) == "a100_sxm" &&
          std::string_view(kernel).find("f8") != std::string_view::npos) {
        continue;  // no fp8 there
      }
      SCOPED_TRACE(std::string(kernel) + " on " + device);
      const TestKernel test("cuda", kernel, device);
      const std::vector<CudaTile> tiles = Seeds(test);
      ASSERT_GE(tiles.size(), 3);
      const CudaTile& tile = tiles[0];
      const CudaTypes types = CudaTypesOf(test.fact());
      EXPECT_EQ(tile.family, types.long_is_n ? CudaFamily::kMma : CudaFamily::kSkinny);
      const int64_t extent = std::max(*test.fact().m.static_extent, *test.fact().n.static_extent);
      const int64_t rows = types.long_is_n ? tile.block_n : tile.block_m;
      const int64_t blocks = (extent + rows - 1) / rows * tile.split_k;
      const double together =
          std::min<double>(static_cast<double>(blocks) / test.device().compute_units,
                           static_cast<double>(CudaBlocksPerUnit(tile, types, test.device())));
      const int64_t bytes = DTypeBytes(types.long_is_n ? types.rhs : types.lhs);
      const double under_way = together * static_cast<double>((tile.stages - 1) * tile.warps_k *
                                                              rows * tile.block_k * bytes);
      const double latency_s = 0.8e-6;
      EXPECT_GE(under_way * test.device().compute_units,
                latency_s * static_cast<double>(test.device().memory_bandwidth_bytes_per_s));
    }
  }
}

// What tensor cores cannot take as it lies is streamed by warps on their own.
TEST(CudaSkinnyStreamTest, MisalignedOperandsComeFirstThroughSkinny) {
  const TestKernel test("cuda", "matmul:7x8191x8193:bf16", "h100_sxm");
  const std::vector<CudaTile> tiles = Seeds(test);
  ASSERT_FALSE(tiles.empty());
  for (const CudaTile& tile : tiles) EXPECT_EQ(tile.family, CudaFamily::kSkinny);
}

// Beyond what a skinny kernel takes, tensor cores stream a large operand to all multiprocessors.
TEST(CudaSkinnyStreamTest, ThirtyTwoRowsAreStreamedByTensorCores) {
  for (const char* device : {"a100_sxm", "h200", "l40s", "rtx5090"}) {
    for (const char* kernel : {"matmul:32x8192x8192:bf16", "matmul:24x4096x14336:f16:nt",
                               "matmul:16384x24x8192:bf16:tn", "matmul:32x16384x16384:i8:nt"}) {
      SCOPED_TRACE(std::string(kernel) + " on " + device);
      const TestKernel test("cuda", kernel, device);
      const std::vector<CudaTile> tiles = Seeds(test);
      ASSERT_FALSE(tiles.empty());
      EXPECT_EQ(tiles[0].family, CudaFamily::kMma);
      EXPECT_EQ(std::min(tiles[0].block_m, tiles[0].block_n), 32);
      const int64_t extent = std::max(*test.fact().m.static_extent, *test.fact().n.static_extent);
      EXPECT_GE(extent / 64 * tiles[0].split_k, test.device().compute_units / 2);
    }
  }
}

TEST(CudaSkinnyStreamTest, NeighborsMoveSeveralKnobsAtOnce) {
  const TestKernel test("cuda", "matmul:8192x16x8192:bf16", "h100_sxm");
  const auto heuristic = MakeCudaSkinnyStream();
  ASSERT_OK_AND_ASSIGN(const auto seeds, heuristic->SeedConfigs(test.context()));
  ASSERT_OK_AND_ASSIGN(const Config from, test.space().Normalize(seeds[0], NormalizeMode::kReject));
  int valid = 0;
  for (const PartialConfig& move : heuristic->Neighbors(test.context(), from)) {
    EXPECT_GE(move.values.size(), 2);
    valid += test.space().NormalizeOver(from, move, NormalizeMode::kReject).ok() ? 1 : 0;
  }
  EXPECT_GE(valid, 3);
}

}  // namespace
}  // namespace seedtune

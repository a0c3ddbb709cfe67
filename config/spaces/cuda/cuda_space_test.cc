#include "config/spaces/cuda/cuda_space.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ConfigSpace> Space(std::string_view kernel, const HardwareInfo& device) {
  auto space = CudaMatmulSpace(FactsOf(kernel), device);
  EXPECT_THAT(space, IsOk());
  return space.ok() ? *std::move(space) : nullptr;
}

std::vector<std::string> Families(const ConfigSpace& space) {
  std::vector<std::string> families;
  const Knob& knob = space.knobs()[*space.FindKnob("family")];
  for (int i = 0; i < knob.num_choices(); ++i) {
    families.push_back(std::get<std::string>(knob.choice(i)));
  }
  return families;
}

constexpr std::string_view kKernels[] = {
    "matmul:4096x4096x4096:bf16",    "matmul:4096x4096x4096:f32",
    "matmul:16x8192x8192:bf16",      "matmul:16x8192x8192:bf16:nt",
    "matmul:8192x3x8192:f64",        "matmul:509x517x1023:bf16:tt:batch=3",
    "matmul:301x203x407:i8:acc=i32", "matmul:1x1x1:f32",
    "matmul:1x1x65536:f16",          "matmul:5x7x3:bf16:batch=2",
    "matmul:128x128x65536:tf32",     "matmul:M=16[1,64]x4096x4096:bf16",
};

TEST(CudaSpaceTest, FamiliesAreThoseThatTakeTheKernel) {
  const struct {
    const char* kernel;
    const char* device;
    std::vector<std::string> families;
  } kCases[] = {
      {"matmul:4096x4096x4096:bf16", "a100_sxm", {"mma", "simt"}},
      {"matmul:4096x4096x4096:bf16", "h100_sxm", {"mma", "simt", "wgmma"}},
      {"matmul:4096x4096x4096:bf16", "b200", {"mma", "simt"}},
      {"matmul:4096x4096x4096:f32", "h100_sxm", {"simt"}},
      {"matmul:4096x4096x4096:f64", "a100_sxm", {"simt"}},
      {"matmul:16x4096x4096:bf16", "a100_sxm", {"mma", "simt", "skinny"}},
      {"matmul:4096x16x4096:f32", "a100_sxm", {"simt", "skinny"}},
      {"matmul:17x4096x4096:bf16", "a100_sxm", {"mma", "simt"}},
      {"matmul:512x512x512:bf16:rhs=f16:out=f32", "a100_sxm", {"simt"}},
      {"matmul:4096x64x512:tf32:nt", "h100_sxm", {"mma", "simt", "wgmma"}},
      {"matmul:4096x64x512:tf32", "h100_sxm", {"mma", "simt"}},  // half the rows of registers
      {"matmul:1x1x1:f32", "a100_sxm", {"simt"}},                // less than a skinny kernel's step
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.kernel) + " on " + c.device);
    EXPECT_EQ(Families(*Space(c.kernel, Device(c.device))), c.families);
  }
}

// A space whose defaults violate a constraint has to look for the nearest that do not, which costs
// an untuned answer milliseconds.
TEST(CudaSpaceTest, DefaultsHoldTogether) {
  for (const std::string_view kernel : kKernels) {
    SCOPED_TRACE(std::string(kernel));
    const auto space = Space(kernel, Device("h100_sxm"));
    std::vector<uint16_t> defaults;
    for (const Knob& knob : space->knobs()) {
      defaults.push_back(static_cast<uint16_t>(knob.default_choice()));
    }
    const auto* violated = space->FirstViolation(defaults);
    EXPECT_EQ(violated, nullptr) << violated->name;
  }
}

TEST(CudaSpaceTest, EveryConfigurationFitsEveryDevice) {
  for (const std::string& name : SpecNames()) {
    const HardwareInfo device = Device(name);
    if (device.kind != DeviceKind::kCuda) continue;
    for (const std::string_view kernel : kKernels) {
      SCOPED_TRACE(std::string(kernel) + " on " + name);
      const auto space = Space(kernel, device);
      ASSERT_NE(space, nullptr);
      const CudaTypes types = CudaTypesOf(FactsOf(kernel)[0]);
      std::mt19937_64 random(1);
      for (int i = 0; i < 50; ++i) {
        const Config config = space->Sample(random);
        SCOPED_TRACE(config.ToJson());
        const CudaTile tile = CudaTileOf(config);
        EXPECT_LE(CudaSharedBytes(tile, types), device.shared_memory_per_block_bytes);
        EXPECT_LE(CudaRegisters(tile, types), 255);
        EXPECT_LE(CudaThreads(tile), device.max_threads_per_block);
        EXPECT_LE(CudaThreads(tile) * CudaRegisters(tile, types), device.registers_per_unit);
        EXPECT_GE(CudaBlocksPerUnit(tile, types, device), 1);
      }
    }
  }
}

// A warp tile is refused only where its sums, and the operands of the step at hand and of the next,
// leave next to nothing for addresses.
TEST(CudaSpaceTest, RegistersRefuseNoWarpTileThatFits) {
  const struct {
    const char* kernel;
    CudaFamily family;
  } kCases[] = {{"matmul:4096x4096x4096:bf16", CudaFamily::kMma},
                {"matmul:4096x4096x4096:f32", CudaFamily::kSimt},
                {"matmul:4096x4096x4096:f64", CudaFamily::kSimt}};
  for (const auto& c : kCases) {
    const CudaTypes types = CudaTypesOf(FactsOf(c.kernel)[0]);
    const int64_t words = DTypeBytes(types.accumulator) / 4;
    CudaTile tile;
    tile.family = c.family;
    bool refused = false;
    for (tile.warp_m = 16; tile.warp_m <= 128; tile.warp_m *= 2) {
      for (tile.warp_n = 16; tile.warp_n <= 128; tile.warp_n *= 2) {
        if (CudaRegisters(tile, types) <= 255) continue;
        refused = true;
        const int64_t sums = words * tile.warp_m * tile.warp_n / 32;
        const int64_t operands = c.family == CudaFamily::kMma
                                     ? (tile.warp_m + tile.warp_n) / 4
                                     : words * (tile.warp_m / 4 + tile.warp_n / 8);
        EXPECT_GT(sums + 2 * operands, 255 - 32)
            << c.kernel << " " << tile.warp_m << " x " << tile.warp_n;
      }
    }
    EXPECT_TRUE(refused);
  }
}

TEST(CudaSpaceTest, WhatAFamilyDoesNotUseHasOneValue) {
  const auto space = Space("matmul:16x4096x4096:bf16", Device("h100_sxm"));
  std::mt19937_64 random(1);
  std::set<CudaFamily> seen;
  for (int i = 0; i < 500; ++i) {
    const CudaTile tile = CudaTileOf(space->Sample(random));
    seen.insert(tile.family);
    if (tile.family == CudaFamily::kSkinny) {
      EXPECT_EQ(tile.schedule, CudaSchedule::kTiles);
      EXPECT_EQ(tile.l2_grouping, 1);
    } else {
      EXPECT_EQ(tile.warps_k, 1);
    }
    EXPECT_TRUE(!tile.stream_k);  // fewer tiles than multiprocessors
    EXPECT_TRUE(tile.epilogue_bytes == kCudaEpilogueBytes || tile.family == CudaFamily::kWgmma);
    EXPECT_TRUE(tile.split_k > 1 || tile.reduction == CudaReduction::kLastBlock);
    EXPECT_TRUE(tile.split_k == 1 || tile.schedule != CudaSchedule::kStreamK);
  }
  EXPECT_EQ(seen.size(), 3);
}

// What stream_k would deal out, and where it may not.
TEST(CudaSpaceTest, StreamKWantsMoreThanARoundOfLargeTiles) {
  const auto space = Space("matmul:2048x11008x4096:bf16", Device("h100_sxm"));
  const auto takes = [&](const ConfigSpace& of, const PartialConfig& also) {
    PartialConfig partial;
    partial.Set("family", "wgmma").Set("schedule", "cooperative").Set("stream_k", true);
    partial.Set("block_size[m]", 128).Set("block_size[n]", 128);
    partial.Set("block_size[k]", 64).Set("num_stages", 4);
    partial.Set("warp_tile[m]", kCudaNoWarpTile).Set("warp_tile[n]", kCudaNoWarpTile);
    partial.Set("reduction", "last_block").Set("pack[lhs]", false).Set("pack[rhs]", false);
    for (const auto& [knob, value] : also.values) partial.Set(knob, value);
    return of.Normalize(partial, NormalizeMode::kReject).ok();
  };
  EXPECT_TRUE(takes(*space, {}));
  EXPECT_TRUE(takes(*space, PartialConfig().Set("schedule", "ping_pong")));
  EXPECT_TRUE(takes(*space, PartialConfig().Set("cluster[m]", 2)));
  EXPECT_FALSE(takes(*space, PartialConfig().Set("cluster[m]", 2).Set("cluster[n]", 2)));
  EXPECT_FALSE(takes(*space, PartialConfig().Set("split_k", 2)));
  EXPECT_FALSE(takes(*space, PartialConfig().Set("block_size[m]", 64)));
  for (const char* kernel : {"matmul:1408x1536x4096:bf16",     // one round
                             "matmul:2816x1536x4096:bf16",     // two
                             "matmul:1024x1024x4096:bf16",     // less than one
                             "matmul:2048x11008x256:bf16"}) {  // nothing to deal out
    EXPECT_FALSE(takes(*Space(kernel, Device("h100_sxm")), {})) << kernel;
  }
}

TEST(CudaSpaceTest, OperandsArePackedWhereTheyMayAndMust) {
  const HardwareInfo device = Device("a100_sxm");
  const auto normalize = [](const ConfigSpace& space, bool lhs, bool rhs) {
    PartialConfig partial;
    partial.Set("family", "mma").Set("pack[lhs]", lhs).Set("pack[rhs]", rhs);
    return space.Normalize(partial, NormalizeMode::kReject).ok();
  };
  const auto aligned = Space("matmul:512x512x512:bf16", device);
  EXPECT_TRUE(normalize(*aligned, false, false));
  EXPECT_FALSE(normalize(*aligned, true, false));
  const auto odd = Space("matmul:509x509x509:bf16", device);
  EXPECT_TRUE(normalize(*odd, false, false));
  EXPECT_TRUE(normalize(*odd, true, true));
  // Bytes are read along k only.
  const auto bytes = Space("matmul:512x512x512:i8:acc=i32:out=i32", device);
  EXPECT_FALSE(normalize(*bytes, false, false));
  EXPECT_TRUE(normalize(*bytes, false, true));
}

TEST(CudaSpaceTest, SaysWhatItCannot) {
  const auto facts = FactsOf("matmul:64x64x64:bf16");
  EXPECT_THAT(CudaMatmulSpace(facts, Device("mi300x")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("want a CUDA device of sm80 or newer")));
  EXPECT_THAT(CudaMatmulSpace(FactsOf("matmul:64x64x64:f8e4m3:out=f32"), Device("a100_sxm")),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the left operand is f8e4m3, which needs sm89 or newer")));
  EXPECT_THAT(CudaMatmulSpace({}, Device("a100_sxm")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("cuda_matmul")));
}

}  // namespace
}  // namespace seedtune

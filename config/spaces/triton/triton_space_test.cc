#include "config/spaces/triton/triton_space.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "ir/dtype.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

std::shared_ptr<const ConfigSpace> Space(std::string_view kernel, const HardwareInfo& device) {
  auto space = TritonMatmulSpace(FactsOf(kernel), device);
  EXPECT_THAT(space, IsOk());
  return *std::move(space);
}

int64_t Largest(const ConfigSpace& space, std::string_view knob) {
  const Knob& found = space.knobs()[*space.FindKnob(knob)];
  return found.numeric(found.num_choices() - 1);
}

PartialConfig Tile(int m, int n, int k, int warps, int stages) {
  PartialConfig partial;
  partial.Set("block_size[m]", m).Set("block_size[n]", n).Set("block_size[k]", k);
  partial.Set("num_warps", warps).Set("num_stages", stages);
  return partial;
}

TEST(TritonSpaceTest, EachConfigurationFitsItsDevice) {
  std::mt19937_64 random(1);
  for (const std::string_view name :
       {"a100_sxm", "h100_sxm", "h200", "l40s", "b200", "rtx5090", "mi250x", "mi300x", "mi350x"}) {
    for (const std::string_view kernel :
         {"matmul:4096x4096x4096:bf16", "matmul:16x8192x8192:f32",
          "matmul:100x70x30:f8e4m3:out=bf16", "matmul:M=24[1,64]x4096x4096:f16:nt",
          "matmul:1x1x1:f16", "matmul:64x64x64:f64:batch=4"}) {
      SCOPED_TRACE(std::string(kernel) + " on " + std::string(name));
      const HardwareInfo device = Device(name);
      const MatmulFact fact = FactsOf(kernel)[0];
      const auto space = Space(kernel, device);
      for (int i = 0; i < 500; ++i) {
        const Config config = space->Sample(random);
        const int64_t m = config.GetInt("block_size[m]");
        const int64_t n = config.GetInt("block_size[n]");
        const int64_t k = config.GetInt("block_size[k]");
        const int64_t stages = config.GetInt("num_stages");
        const int64_t of_range = config.GetInt("range_num_stages[k]");
        // One buffer fewer than stages, where a stage may stay in registers.
        const int64_t buffers = std::max<int64_t>(1, (of_range > 0 ? of_range : stages) - 1);
        const int64_t bytes =
            m * k * DTypeBytes(fact.lhs.dtype) + k * n * DTypeBytes(fact.rhs.dtype);
        if (stages > 1 && of_range != 1) {
          EXPECT_LE(buffers * bytes, device.shared_memory_per_block_bytes);
        }
        const int64_t threads = config.GetInt("num_warps") * device.warp_size;
        EXPECT_LE(threads, device.max_threads_per_block);
        EXPECT_LE(m * n * DTypeBytes(fact.accumulator),
                  std::max(4 * device.registers_per_unit, device.tensor_memory_per_unit_bytes));
        if (config.GetEnum("pid_type").substr(0, 10) != "persistent") {
          EXPECT_EQ(config.GetInt("num_sm_multiplier"), 1);
          EXPECT_EQ(config.GetInt("range_unroll_factor[grid]"), 0);
        }
        EXPECT_LE((config.GetInt("split_k") - 1) * k, *fact.k.planning_extent());
        EXPECT_GE(std::min({m, n, k}), 16);
      }
    }
  }
}

TEST(TritonSpaceTest, TakesKnownGoodConfigurations) {
  const struct {
    const char *kernel, *device;
    PartialConfig seed;
  } kCases[] = {
      // What Helion's formulas give on H100 and B200.
      {"matmul:4096x4096x4096:bf16", "h100_sxm", Tile(128, 256, 64, 8, 4)},
      {"matmul:1024x1024x1024:bf16", "h100_sxm", Tile(128, 64, 128, 4, 4)},
      {"matmul:4096x4096x4096:f32", "h100_sxm", Tile(128, 256, 32, 8, 4)},
      {"matmul:16x4096x4096:bf16", "h100_sxm", Tile(16, 32, 256, 4, 6)},
      {"matmul:4096x4096x64:bf16", "b200", Tile(128, 256, 16, 8, 4)},
      // Its skinny seed.
      {"matmul:8192x512x4096:bf16", "h100_sxm", Tile(64, 64, 256, 4, 2)},
      {"matmul:8192x512x4096:bf16", "mi350x", Tile(64, 64, 256, 4, 2)},
      // What mma.sync needs one buffer fewer for (tutorials of Triton).
      {"matmul:4096x4096x4096:bf16", "l40s", Tile(128, 256, 32, 8, 5)},
      {"matmul:4096x4096x4096:bf16", "a100_sxm", Tile(128, 256, 64, 8, 4)},
      {"matmul:16x4096x4096:bf16", "h100_sxm", Tile(16, 64, 512, 4, 3)},
      // AMD's guide to tuning Triton on MI300X.
      {"matmul:8192x8192x8192:bf16", "mi300x", Tile(256, 256, 64, 8, 2)},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.kernel) + " on " + c.device);
    EXPECT_THAT(Space(c.kernel, Device(c.device))->Normalize(c.seed, NormalizeMode::kReject),
                IsOk());
  }
}

TEST(TritonSpaceTest, DeclinesWhatCannotRun) {
  const struct {
    const char *name, *kernel, *device;
    PartialConfig seed;
    const char* error;
  } kCases[] = {
      {"shared memory", "matmul:4096x4096x4096:bf16", "h100_sxm", Tile(128, 256, 128, 8, 3),
       "tile_fits_shared_memory"},
      {"a smaller device", "matmul:4096x4096x4096:bf16", "l40s", Tile(128, 256, 64, 8, 4),
       "tile_fits_shared_memory"},
      {"registers", "matmul:4096x4096x4096:f64:acc=f64", "h100_sxm", Tile(256, 256, 16, 8, 1),
       "accumulators_fit_registers"},
      {"tensor memory", "matmul:4096x4096x4096:f64:acc=f64", "b200", Tile(256, 256, 16, 8, 1),
       "accumulators_fit_registers"},
      {"more parts than blocks of k", "matmul:64x64x256:bf16", "h100_sxm",
       Tile(64, 64, 128, 4, 2).Set("split_k", 3), "split_has_steps"},
      {"programs of a loop that is not there", "matmul:4096x4096x4096:bf16", "h100_sxm",
       Tile(64, 64, 32, 4, 2).Set("num_sm_multiplier", 2), "num_sm_multiplier_of_persistent"},
      {"two loops specialized", "matmul:4096x4096x4096:bf16", "b200",
       Tile(64, 64, 32, 4, 2)
           .Set("pid_type", "persistent_interleaved")
           .Set("range_warp_specialize[k]", "true")
           .Set("range_warp_specialize[grid]", "true"),
       "one_loop_is_specialized"},
      {"registers of all threads", "matmul:4096x4096x4096:bf16", "h100_sxm",
       Tile(128, 256, 32, 16, 2).Set("maxnreg", 256), "threads_fit_registers"},
      {"a matrix instruction larger than the tile", "matmul:4096x4096x4096:bf16", "mi300x",
       Tile(16, 64, 32, 1, 2).Set("matrix_instr_nonkdim", 32), "tile_has_an_instruction"},
      {"idle warps", "matmul:4096x4096x4096:bf16", "h100_sxm", Tile(16, 16, 32, 8, 2),
       "each_warp_has_work"},
      {"more warps than CDNA has", "matmul:4096x4096x4096:bf16", "mi300x", Tile(64, 64, 32, 32, 2),
       "num_warps is 32, want a power of two from 1 to 16"},
      {"k of bytes", "matmul:4096x4096x4096:f8e4m3", "h100_sxm", Tile(64, 64, 16, 4, 2),
       "block_size[k] is 16"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(Space(c.kernel, Device(c.device))->Normalize(c.seed, NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

// T17 of the traps that the reference's documents list: its model counted the accumulators in f32
// as the epilogue's buffer, 264,192 bytes for a tile of 256 x 256 where the compiler took 132,096.
TEST(TritonSpaceTest, T17_SharedMemoryIsNotOverestimatedOnHopper) {
  const auto space = Space("matmul:4096x4096x4096:bf16", Device("h100_sxm"));
  for (const auto& [k, stages] : {std::pair(32, 4), {64, 3}}) {
    EXPECT_THAT(space->Normalize(Tile(256, 256, k, 8, stages), NormalizeMode::kReject), IsOk());
  }
  // What no compiler could place is refused all the same, on Blackwell as on Hopper, before it is
  // compiled.
  for (const char* device : {"h100_sxm", "b200"}) {
    EXPECT_THAT(Space("matmul:4096x4096x4096:bf16", Device(device))
                    ->Normalize(Tile(256, 256, 64, 8, 4), NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tile_fits_shared")));
  }
}

TEST(TritonSpaceTest, UnrolledLoopsHaveTheirBuffersSeveralTimes) {
  const auto space = Space("matmul:4096x4096x4096:bf16", Device("h200"));
  PartialConfig seed = Tile(64, 256, 64, 8, 4);  // 40,960 bytes a stage
  EXPECT_THAT(space->Normalize(seed.Set("range_unroll_factor[k]", 1), NormalizeMode::kReject),
              IsOk());
  seed.Set("range_unroll_factor[k]", 2);
  EXPECT_THAT(space->Normalize(seed, NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unrolled_stages_fit")));
  EXPECT_THAT(space->Normalize(seed.Set("split_k", 32), NormalizeMode::kReject), IsOk())
      << "two steps: the unrolled loop is never entered";
  EXPECT_THAT(space->Normalize(seed.Set("split_k", 1).Set("num_stages", 2), NormalizeMode::kReject),
              IsOk());
}

// Every knob that others tune for Triton is there, on the vendor that has it.
TEST(TritonSpaceTest, HasTheKnobsOfItsVendor) {
  const struct {
    const char* device;
    std::vector<const char*> has, lacks;
  } kCases[] = {
      {"h100_sxm",
       {"split_k", "loop_order", "num_sm_multiplier", "maxnreg", "load_eviction_policy[1]",
        "range_unroll_factor[k]", "range_num_stages[grid]", "range_multi_buffer[k]",
        "range_flatten[grid]"},
       {"waves_per_eu", "epilogue_subtile", "range_warp_specialize[k]", "xcd_remap"}},
      {"b200", {"epilogue_subtile", "range_warp_specialize[grid]", "maxnreg"}, {"waves_per_eu"}},
      {"rtx5090", {"maxnreg"}, {"range_warp_specialize[k]", "epilogue_subtile"}},
      {"mi300x",
       {"waves_per_eu", "matrix_instr_nonkdim", "load_cache_modifier[0]", "store_cache_modifier",
        "xcd_remap"},
       {"maxnreg", "load_eviction_policy[0]"}},
      {"mi250x", {"matrix_instr_nonkdim"}, {"xcd_remap"}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.device);
    const auto space = Space("matmul:4096x4096x4096:bf16", Device(c.device));
    for (const char* knob : c.has) EXPECT_TRUE(space->FindKnob(knob).has_value()) << knob;
    for (const char* knob : c.lacks) EXPECT_FALSE(space->FindKnob(knob).has_value()) << knob;
  }
}

// softmax is left out: out[m, d] = (lhs[m, k] * rhs[k, n]) * third[n, d].
TEST(TritonSpaceTest, SeveralDotsShareTheBlockSizesOfTheirAxes) {
  std::vector<MatmulFact> facts = FactsOf("matmul:2048x1024x128:bf16");
  facts.push_back(facts[0]);
  facts[1].k = facts[0].n;
  facts[1].n.axis = 7;
  facts[1].n.static_extent = 64;
  facts[1].lhs.tensor.reset();
  ASSERT_OK_AND_ASSIGN(const auto space, TritonMatmulSpace(facts, Device("h100_sxm")));
  EXPECT_TRUE(space->FindKnob("block_size[n1]").has_value());
  EXPECT_EQ(space->FindKnob("block_size[k1]"), std::nullopt);
  EXPECT_EQ(space->FindKnob("split_k"), std::nullopt);
  EXPECT_TRUE(space->FindKnob("indexing[3]").has_value());
  EXPECT_EQ(space->FindKnob("indexing[4]"), std::nullopt);
  EXPECT_THAT(space->Normalize(Tile(128, 128, 64, 8, 2), NormalizeMode::kReject), IsOk());
}

TEST(TritonSpaceTest, FeaturesOfAnArchitectureChangeNothing) {
  HardwareInfo device = Device("mi350x");
  const auto plain = Space("matmul:8192x512x4096:bf16", device);
  device.arch = *Arch::Parse("gfx950:sramecc+:xnack-");
  const auto full = Space("matmul:8192x512x4096:bf16", device);
  EXPECT_EQ(plain->id(), full->id());
  EXPECT_EQ(plain->NumValid(), full->NumValid());
}

TEST(TritonSpaceTest, TensorMemoryTakesTheAccumulators) {
  // Too many registers on H100.
  EXPECT_THAT(Space("matmul:4096x4096x4096:bf16", Device("b200"))
                  ->Normalize(Tile(256, 256, 32, 8, 2), NormalizeMode::kReject),
              IsOk());
}

TEST(TritonSpaceTest, NoMoreRowsAreGroupedThanThereAre) {
  const auto space = Space("matmul:128x4096x4096:bf16", Device("h100_sxm"));
  PartialConfig partial = Tile(64, 64, 64, 4, 2);
  EXPECT_THAT(space->Normalize(partial.Set("l2_grouping", 2), NormalizeMode::kReject), IsOk());
  EXPECT_THAT(space->Normalize(partial.Set("l2_grouping", 4), NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("l2_group_has_rows")));
}

TEST(TritonSpaceTest, ADimensionThatIsNoTunableAxisHasNoBlockSize) {
  std::vector<MatmulFact> facts = FactsOf("matmul:4096x200x4096:bf16");
  facts[0].n.axis.reset();
  ASSERT_OK_AND_ASSIGN(const auto space, TritonMatmulSpace(facts, Device("h100_sxm")));
  EXPECT_EQ(space->FindKnob("block_size[n]"), std::nullopt);
  // Its tile counts as 256 wide all the same: (64 + 256) * 64 * 2 bytes a stage are too many for 6.
  PartialConfig partial;
  partial.Set("block_size[m]", 64).Set("block_size[k]", 64).Set("num_stages", 5);
  EXPECT_THAT(space->Normalize(partial, NormalizeMode::kReject), IsOk());
  EXPECT_THAT(space->Normalize(partial.Set("num_stages", 6), NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("tile_fits_shared_memory")));
}

TEST(TritonSpaceTest, EnormousExtentsOverflowNothing) {
  std::vector<MatmulFact> facts = FactsOf("matmul:64x64x64:bf16");
  for (DimFact* dim : {&facts[0].m, &facts[0].n, &facts[0].k}) dim->static_extent = INT64_MAX;
  EXPECT_THAT(TritonMatmulSpace(facts, Device("h100_sxm")), IsOk());
  facts[0].k.axis.reset();
  EXPECT_THAT(TritonMatmulSpace(facts, Device("h100_sxm")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no valid configuration")));
}

TEST(TritonSpaceTest, UnknownSizesConstrainNothing) {
  HardwareInfo device;
  device.kind = DeviceKind::kCuda;
  const auto space = Space("matmul:4096x4096x4096:bf16", device);
  EXPECT_EQ(Largest(*space, "num_stages"), 8);
  EXPECT_THAT(space->Normalize(Tile(128, 256, 512, 8, 8), NormalizeMode::kReject), IsOk());
}

TEST(TritonSpaceTest, DeclinesWhatIsNoGpuOrNoSingleMatmul) {
  EXPECT_THAT(TritonMatmulSpace(FactsOf("matmul:64x64x64:f32"), Device("epyc_9654")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("want a GPU")));
  EXPECT_THAT(TritonMatmulSpace({}, Device("h100_sxm")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("0 matmuls")));
  EXPECT_THAT(TritonMatmulSpace(FactsOf("matmul:M=?[1,64]x64x64:f16"), Device("h100_sxm")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("extent of m")));
}

}  // namespace
}  // namespace seedtune

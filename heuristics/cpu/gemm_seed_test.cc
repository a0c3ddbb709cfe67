#include "heuristics/cpu/gemm_seed.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/cpu/blis_model.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

GemmShape ShapeOf(const TestKernel& test) {
  std::string why_not;
  const std::optional<GemmShape> shape = GemmShapeOf(test.context(), why_not);
  EXPECT_TRUE(shape.has_value()) << why_not;
  return shape.value_or(GemmShape());
}

TEST(GemmShapeTest, ReadsTheFact) {
  const TestKernel test("cpu", "matmul:16x4096x512:f32:tt:batch=3", "epyc_9654");
  const GemmShape shape = ShapeOf(test);
  EXPECT_EQ(shape.m, 16);
  EXPECT_EQ(shape.n, 4096);
  EXPECT_EQ(shape.k, 512);
  EXPECT_EQ(shape.batch, 3);
  EXPECT_TRUE(shape.must_pack_rhs);
  EXPECT_FALSE(shape.lhs_is_row_major);
  EXPECT_EQ(shape.lhs_stride, 16);
  EXPECT_FALSE(shape.by_hint);
}

TEST(GemmShapeTest, SaysWhatIsOnlyAHint) {
  const TestKernel test("cpu", "matmul:M=16[1,64]x4096x512:f32", "epyc_9654");
  EXPECT_EQ(ShapeOf(test).m, 16);
  EXPECT_TRUE(ShapeOf(test).by_hint);
}

TEST(GemmShapeTest, SaysWhyThereIsNone) {
  std::string why_not;
  const TestKernel gpu("triton", "matmul:64x64x64:f32", "h100_sxm");
  EXPECT_EQ(GemmShapeOf(gpu.context(), why_not), std::nullopt);
  EXPECT_EQ(why_not, "device is cuda, want cpu");

  const TestKernel cpu("cpu", "matmul:64x64x64:f32", "epyc_9654");
  const TuningContext none{cpu.context().kernel, {}, cpu.device(), cpu.space()};
  EXPECT_EQ(GemmShapeOf(none, why_not), std::nullopt);
  EXPECT_EQ(why_not, "0 matmuls, want one");

  MatmulFact bf16 = cpu.fact();
  bf16.lhs.dtype = DType::kBF16;
  const TuningContext half{cpu.context().kernel, {&bf16, 1}, cpu.device(), cpu.space()};
  EXPECT_EQ(GemmShapeOf(half, why_not), std::nullopt);
  EXPECT_EQ(why_not, "operands are bf16 and f32, want f32");

  MatmulFact unknown = cpu.fact();
  unknown.k = DimFact();
  const TuningContext open{cpu.context().kernel, {&unknown, 1}, cpu.device(), cpu.space()};
  EXPECT_EQ(GemmShapeOf(open, why_not), std::nullopt);
  EXPECT_THAT(why_not, HasSubstr("k is symbolic without a hint"));
}

TEST(RankedTilesTest, FitTheRegistersAndRise) {
  for (const char* device : {"epyc_9654", "graviton4"}) {
    for (const char* kernel :
         {"matmul:1x4096x64:f32", "matmul:16x48x64:f32", "matmul:512x512x512:f32"}) {
      const TestKernel test("cpu", kernel, device);
      const CpuMachine machine = CpuMachineOf(test.device());
      const GemmShape shape = ShapeOf(test);
      const std::vector<RegisterTile> tiles = RankedTiles(test.space(), machine, shape);
      ASSERT_THAT(tiles, Not(IsEmpty()));
      double before = 0;
      std::set<std::pair<int64_t, int64_t>> seen;
      std::vector<int64_t> heights;
      for (int rows = 1; rows <= 16; ++rows) heights.push_back(rows);
      for (const RegisterTile& tile : tiles) {
        EXPECT_LE(RegistersUsed(tile), machine.registers);
        EXPECT_TRUE(seen.insert({tile.rows, tile.vectors}).second);
        // The space's heights may leave some out, which makes edges dearer, never cheaper.
        const double cycles = CyclesPerStep(machine, tile, heights, shape.m, shape.n);
        EXPECT_GE(cycles, 0.5 * before);
        before = cycles;
      }
    }
  }
}

// Whatever the shape, the way to divide is one that the space takes, and no thread is idle.
TEST(DivideAmongThreadsTest, FindsAWayThatTheSpaceTakes) {
  for (const char* kernel :
       {"matmul:1x4096x4096:f32", "matmul:4096x1x4096:f32", "matmul:16x16x65536:f32",
        "matmul:97x89x83:f32", "matmul:4096x4096x64:f32", "matmul:512x64x512:f32:batch=12",
        "matmul:1x1x1:f32", "matmul:2x2x40:f32:batch=1000"}) {
    SCOPED_TRACE(kernel);
    const TestKernel test("cpu", kernel, "epyc_9654");
    const CpuMachine machine = CpuMachineOf(test.device());
    const GemmShape shape = ShapeOf(test);
    GemmSeed seed;
    seed.tile = RankedTiles(test.space(), machine, shape).front();
    seed.blocks = {1, 1, 1};
    seed.pack_rhs = shape.must_pack_rhs;
    for (const int64_t most : {1, 2, 5, 64, 96}) {
      DivideAmongThreads(shape, machine, {.max_threads = most}, test.space(), seed);
      EXPECT_LE(seed.threads, most);
      PartialConfig partial;
      partial.Set("register_tile[m]", KnobValue(seed.tile.rows));
      partial.Set("register_tile[n]", KnobValue(seed.tile.vectors));
      partial.Set("threads", KnobValue(seed.threads));
      partial.Set("thread_split", KnobValue(seed.thread_split));
      EXPECT_THAT(test.space().Normalize(partial, NormalizeMode::kReject), IsOk());
    }
  }
}

TEST(DivideAmongThreadsTest, SplitsWhereTheWorkIs) {
  const struct {
    const char *kernel, *split;
  } kCases[] = {
      {"matmul:16x8192x4096:f32", "n"},
      {"matmul:8192x16x4096:f32", "m"},
      {"matmul:16x16x65536:f32", "k"},
      {"matmul:64x64x64:f32:batch=128", "batch"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.kernel);
    const TestKernel test("cpu", c.kernel, "epyc_9654");
    const CpuMachine machine = CpuMachineOf(test.device());
    const GemmShape shape = ShapeOf(test);
    GemmSeed seed;
    seed.tile = RankedTiles(test.space(), machine, shape).front();
    DivideAmongThreads(shape, machine, {.max_threads = 64}, test.space(), seed);
    EXPECT_EQ(seed.thread_split, c.split);
    EXPECT_EQ(seed.threads, 64);
  }
}

TEST(DivideAmongThreadsTest, KeepsRowsTogetherWhenTold) {
  const TestKernel test("cpu", "matmul:16x8192x8192:f32", "xeon_8480");
  const CpuMachine machine = CpuMachineOf(test.device());
  GemmSeed seed;
  seed.tile = {8, 3};
  DivideAmongThreads(ShapeOf(test), machine, {.max_threads = 56}, test.space(), seed);
  EXPECT_EQ(seed.thread_split, "mn") << "171 columns of tiles are no multiple of 56";
  DivideAmongThreads(ShapeOf(test), machine, {.max_threads = 56, .split_rows = false}, test.space(),
                     seed);
  EXPECT_EQ(seed.thread_split, "n");
  EXPECT_EQ(seed.threads, 56);
}

TEST(ToPartialTest, RoundsEveryNumberToAChoice) {
  const TestKernel test("cpu", "matmul:1000x1000x1000:f32", "graviton4");
  GemmSeed seed;
  seed.tile = {5, 7};
  seed.blocks = {1 << 20, 333, 0};
  seed.unroll = 7;
  seed.prefetch_distance = 1000;
  seed.threads = 77;
  const PartialConfig partial = ToPartial(seed, ShapeOf(test), test.space());
  EXPECT_EQ(partial.values.size(), test.space().knobs().size());
  for (const auto& [name, value] : partial.values) {
    const auto knob = test.space().FindKnob(name);
    ASSERT_TRUE(knob.has_value()) << name;
    EXPECT_THAT(test.space().knobs()[*knob].Find(value), IsOk());
  }
}

class SeedListTest : public ::testing::Test {
 protected:
  GemmSeed Fine(RegisterTile tile) const {
    GemmSeed seed;
    seed.tile = tile;
    seed.blocks = {64, 64, 64};
    return seed;
  }
  GemmSeed Idle(RegisterTile tile) const {  // one thread, and a way to split among several
    GemmSeed seed = Fine(tile);
    seed.thread_split = "n";
    return seed;
  }

  const TestKernel test_{"cpu", "matmul:512x512x512:f32", "epyc_9654"};
  const GemmShape shape_{.m = 512, .n = 512, .k = 512};
  const std::vector<RegisterTile> tiles_ =
      RankedTiles(test_.space(), CpuMachineOf(test_.device()), shape_);
};

TEST_F(SeedListTest, TakesTheFirstTileThatTheSpaceTakes) {
  SeedList seeds(shape_, test_.space(), 8);
  EXPECT_THAT(
      seeds.AddPrimary(
          tiles_, [&](RegisterTile tile) { return tile == tiles_[0] ? Idle(tile) : Fine(tile); }),
      IsOkAndHolds(tiles_[1]));
  EXPECT_THAT(std::move(seeds).Take(), SizeIs(1));
}

TEST_F(SeedListTest, MendsThePrimaryAndDropsOthersThatTheSpaceDoesNotTake) {
  SeedList seeds(shape_, test_.space(), 8);
  EXPECT_THAT(seeds.AddPrimary(tiles_, [&](RegisterTile tile) { return Idle(tile); }),
              IsOkAndHolds(tiles_[0]));
  EXPECT_FALSE(seeds.Add(Idle(tiles_[1])));
  EXPECT_TRUE(seeds.Add(Fine(tiles_[1])));
  EXPECT_FALSE(seeds.Add(Fine(tiles_[1]))) << "it is there already";
  const std::vector<PartialConfig> taken = std::move(seeds).Take();
  ASSERT_THAT(taken, SizeIs(2));
  for (const PartialConfig& seed : taken) {
    EXPECT_THAT(test_.space().Normalize(seed, NormalizeMode::kReject), IsOk());
  }
}

TEST_F(SeedListTest, TakesNoMoreThanAreWanted) {
  SeedList seeds(shape_, test_.space(), 1);
  EXPECT_FALSE(seeds.is_full());
  EXPECT_TRUE(seeds.Add(Fine(tiles_[0])));
  EXPECT_TRUE(seeds.is_full());
  EXPECT_FALSE(seeds.Add(Fine(tiles_[1])));
  EXPECT_THAT(std::move(seeds).Take(), SizeIs(1));
}

TEST_F(SeedListTest, FailsWhereNothingCanBeMended) {
  const TestKernel other("triton", "matmul:512x512x512:f32", "h100_sxm");
  SeedList seeds(shape_, other.space(), 8);
  EXPECT_THAT(seeds.AddPrimary(tiles_, [&](RegisterTile tile) { return Fine(tile); }),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("loop_order is \"nkm\"")));
}

}  // namespace
}  // namespace seedtune

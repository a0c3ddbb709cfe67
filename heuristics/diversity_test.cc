#include "heuristics/diversity.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;

class DiversityTest : public ::testing::Test {
 protected:
  static PartialConfig Tile(int m, int n, int stages = 3) {
    PartialConfig tile;
    tile.Set("block_size[m]", m).Set("block_size[n]", n).Set("num_stages", stages);
    return tile;
  }
  Config Of(const PartialConfig& partial) const {
    return *test_.space().Normalize(partial, NormalizeMode::kReject);
  }

  const TestKernel test_{"triton", "matmul:4096x4096x4096:bf16", "h100_sxm"};
};

TEST_F(DiversityTest, DistanceCountsDoublingsAndChangesOfStructure) {
  const Config base = Of(Tile(64, 64));
  const struct {
    PartialConfig other;
    double distance;
  } kCases[] = {
      {Tile(64, 64), 0},
      {Tile(128, 64), 1},
      {Tile(128, 32), 2},
      {Tile(64, 64, 6), 0.5},
      {Tile(64, 64).Set("split_k", 8), 3},
      {Tile(64, 64).Set("pid_type", "persistent_blocked"), 2},
      {Tile(64, 64).Set("pid_type", "xyz"), 0},
      {Tile(64, 64).Set("loop_order", KnobValue(std::vector<int>{1, 0})), 1},
      {Tile(64, 64).Set("maxnreg", 128), 0},
  };
  for (const auto& c : kCases) {
    const Config other = Of(c.other);
    EXPECT_DOUBLE_EQ(StructuralDistance(base, other), c.distance) << other.ToJson();
    EXPECT_DOUBLE_EQ(StructuralDistance(other, base), c.distance);
  }
}

TEST_F(DiversityTest, KeepsTheBestAndWhatIsFarFromIt) {
  const std::vector<PartialConfig> ranked = {
      Tile(128, 128), Tile(128, 128, 4),                            // half a step away
      Tile(64, 256),  Tile(128, 256, 7).Set("block_size[k]", 128),  // no room for it
      Tile(128, 64),  Tile(16, 16),
  };
  const auto select = [&](size_t limit) {
    DiverseSeeds seeds(test_.space(), limit);
    for (const PartialConfig& seed : ranked) seeds.Add(seed);
    return std::move(seeds).Take();
  };
  EXPECT_THAT(select(3), ElementsAre(Tile(128, 128), Tile(64, 256), Tile(128, 64)));
  EXPECT_THAT(select(1), ElementsAre(Tile(128, 128)));
}

}  // namespace
}  // namespace seedtune

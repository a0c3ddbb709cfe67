// templates/wgmma_walk.cu is plain enough to run on the host: every stage of every tile has to be
// somebody's, once.
#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

// What CUDA C++ has and C++ has not.
#define __device__
#define __forceinline__ inline

namespace seedtune {
namespace {

// A problem's constants, as the generator writes them: tiles, their size, stages of k, clusters.
#define SEEDTUNE_WALK(NAME, TILES_M, TILES_N, BATCH, STEPS, CLUSTER_M, CLUSTER_N, CLUSTERS,        \
                      STREAM)                                                                      \
  namespace NAME {                                                                                 \
  constexpr int kBlockM = 128, kBlockN = 64, kTilesM = TILES_M, kTilesN = TILES_N, kBatch = BATCH, \
                kStepsK = STEPS, kClusterM = CLUSTER_M, kClusterN = CLUSTER_N,                     \
                kClusters = CLUSTERS, kSplits = 1, kGroup = 8, kLeastStages = 3;                   \
  constexpr bool kStreamK = STREAM;

SEEDTUNE_WALK(rounds, 16, 43, 1, 64, 1, 1, 132, false)
#include "backends/cuda/kernels/templates/wgmma_walk.cu"
}
SEEDTUNE_WALK(large, 16, 43, 1, 64, 1, 1, 132, true)
#include "backends/cuda/kernels/templates/wgmma_walk.cu"
}
SEEDTUNE_WALK(clusters, 17, 17, 1, 17, 2, 1, 66, true)
#include "backends/cuda/kernels/templates/wgmma_walk.cu"
}
SEEDTUNE_WALK(batch, 6, 17, 3, 8, 1, 2, 66, true)
#include "backends/cuda/kernels/templates/wgmma_walk.cu"
}
SEEDTUNE_WALK(hardly, 7, 19, 1, 24, 1, 1, 132, true)  // more than a round
#include "backends/cuda/kernels/templates/wgmma_walk.cu"
}

struct Part {
  int begin, end, cluster, turn;
  bool is_left, goes_on;
};
// By batch, row and column.
using Parts = std::map<std::vector<int>, std::vector<Part>>;

#define SEEDTUNE_PARTS_OF(NAME, PARTS, LONGEST)                                       \
  for (int cluster = 0; cluster < NAME::kClusters; ++cluster) {                       \
    for (int rank = 0; rank < NAME::kClusterM * NAME::kClusterN; ++rank) {            \
      const NAME::Walk walk(cluster, rank % NAME::kClusterM, rank / NAME::kClusterM); \
      int stages = 0;                                                                 \
      for (int turn = 0; turn < walk.turns; ++turn) {                                 \
        const NAME::Tile tile = walk.At(turn);                                        \
        PARTS[{tile.batch, tile.row, tile.column}].push_back(                         \
            {tile.split, tile.end, cluster, turn, tile.IsLeft(), tile.GoesOn()});     \
        stages += tile.Steps();                                                       \
      }                                                                               \
      LONGEST = std::max(LONGEST, stages);                                            \
    }                                                                                 \
  }

void ExpectEveryStageOnce(Parts& parts, int tiles, int steps) {
  EXPECT_EQ(static_cast<int>(parts.size()), tiles);
  for (auto& [place, of] : parts) {
    SCOPED_TRACE(testing::PrintToString(place));
    std::sort(of.begin(), of.end(), [](const Part& a, const Part& b) { return a.begin < b.begin; });
    EXPECT_EQ(of.front().begin, 0);
    EXPECT_EQ(of.back().end, steps);
    ASSERT_LE(of.size(), 2u);
    EXPECT_FALSE(of.front().goes_on);
    EXPECT_FALSE(of.back().is_left);
    if (of.size() == 1) continue;
    EXPECT_TRUE(of[0].is_left);
    EXPECT_TRUE(of[1].goes_on);
    EXPECT_EQ(of[0].end, of[1].begin);
    EXPECT_EQ(of[0].cluster + 1, of[1].cluster);
    EXPECT_GE(of[0].end, 3);
    EXPECT_GE(steps - of[1].begin, 3);
  }
}

TEST(WalkTest, TakesWholeTiles) {
  Parts parts;
  int longest = 0;
  SEEDTUNE_PARTS_OF(rounds, parts, longest);
  ExpectEveryStageOnce(parts, 16 * 43, 64);
  EXPECT_EQ(longest, 6 * 64);
}

TEST(WalkTest, StreamKDealsOutEvenly) {
  Parts parts;
  int longest = 0;
  SEEDTUNE_PARTS_OF(large, parts, longest);
  ExpectEveryStageOnce(parts, 16 * 43, 64);
  // 5.2 rounds of 64 stages, and what is not worth sharing.
  EXPECT_GE(longest, 16 * 43 * 64 / 132);
  EXPECT_LE(longest, 16 * 43 * 64 / 132 + 4);
}

TEST(WalkTest, StreamKTakesClustersBatchesAndShortK) {
  Parts in_clusters, in_batch, hardly_more;
  int longest = 0;
  SEEDTUNE_PARTS_OF(clusters, in_clusters, longest);
  ExpectEveryStageOnce(in_clusters, 18 * 17, 17);  // with the tiles that fill up clusters
  SEEDTUNE_PARTS_OF(batch, in_batch, longest);
  ExpectEveryStageOnce(in_batch, 6 * 18 * 3, 8);
  longest = 0;
  SEEDTUNE_PARTS_OF(hardly, hardly_more, longest);
  ExpectEveryStageOnce(hardly_more, 7 * 19, 24);
  EXPECT_LE(longest, 24 + 3);
}

// Where a cluster adds to its sums those of the one before, these have been there for a while.
TEST(WalkTest, StreamKBeginsBeforeItGoesOn) {
  Parts parts;
  int longest = 0;
  SEEDTUNE_PARTS_OF(large, parts, longest);
  std::map<std::pair<int, int>, int> starts;  // stages before it, by cluster and turn
  for (int cluster = 0; cluster < large::kClusters; ++cluster) {
    const large::Walk walk(cluster, 0, 0);
    int stages = 0;
    for (int turn = 0; turn < walk.turns; ++turn) {
      starts[{cluster, turn}] = stages;
      stages += walk.At(turn).Steps();
    }
  }
  int shared = 0;
  for (const auto& [place, of] : parts) {
    if (of.size() < 2) continue;
    ++shared;
    const Part& first = of[0].is_left ? of[0] : of[1];
    const Part& second = of[0].is_left ? of[1] : of[0];
    const int left = starts[{first.cluster, first.turn}] + first.end;
    const int taken = starts[{second.cluster, second.turn}] + second.end - second.begin;
    EXPECT_GE(taken, left + 10) << testing::PrintToString(place);
  }
  EXPECT_GT(shared, 100);
}

}  // namespace
}  // namespace seedtune

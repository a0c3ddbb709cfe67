#include "heuristics/triton/tile_budget.h"

#include <ostream>

#include "gtest/gtest.h"

namespace seedtune {

// For messages of failed expectations.
void PrintTo(const BudgetedTile& tile, std::ostream* out) {
  *out << "(" << tile.block_m << ", " << tile.block_n << ", " << tile.block_k << ", "
       << tile.num_warps << ", " << tile.num_stages << ", " << tile.l2_grouping << ")";
}

namespace {

constexpr int64_t kH100 = 132;
constexpr int64_t kB200 = 148;

// The rows that the reference's formula was run for, and what its own tests pin. All of them hold;
// where our seeds differ on purpose stands in budget_matmul_test.cc.
TEST(TileBudgetTest, ReproducesEveryGoldenRow) {
  const struct {
    int64_t m, n, k, itemsize, others;
    BudgetedTile hopper, blackwell;
  } kRows[] = {
      {1024, 1024, 1024, 2, 1, {128, 64, 128, 4, 4, 1}, {128, 64, 128, 4, 4, 1}},
      {2048, 2048, 2048, 2, 1, {128, 256, 64, 8, 4, 1}, {128, 256, 64, 8, 4, 1}},
      {4096, 4096, 4096, 2, 1, {128, 256, 64, 8, 4, 1}, {128, 256, 64, 8, 4, 1}},
      {8192, 8192, 8192, 2, 1, {128, 256, 64, 8, 4, 1}, {128, 256, 64, 8, 4, 1}},
      {16, 4096, 4096, 2, 1, {16, 32, 256, 4, 6, 1}, {16, 32, 256, 4, 6, 1}},
      {1, 4096, 4096, 2, 1, {16, 32, 256, 4, 6, 1}, {16, 32, 256, 4, 6, 1}},
      {64, 4096, 4096, 2, 1, {64, 64, 128, 4, 6, 1}, {64, 64, 128, 4, 6, 1}},
      {8192, 128, 1024, 2, 1, {128, 64, 128, 4, 4, 2}, {128, 64, 128, 4, 4, 2}},
      {512, 512, 512, 2, 1, {64, 64, 128, 4, 4, 1}, {64, 64, 128, 4, 4, 1}},
      {4096, 4096, 64, 2, 1, {128, 256, 16, 8, 4, 1}, {128, 256, 16, 8, 4, 1}},
      {4096, 4096, 4096, 4, 1, {128, 256, 32, 8, 4, 1}, {128, 256, 32, 8, 4, 1}},
      {2048, 2048, 2048, 1, 1, {128, 256, 128, 8, 4, 1}, {128, 256, 128, 8, 4, 1}},
      {256, 64, 64, 2, 4096, {64, 64, 16, 4, 2, 2}, {32, 64, 16, 1, 2, 2}},
      {128, 128, 128, 2, 2048, {64, 128, 32, 4, 2, 1}, {32, 64, 32, 1, 2, 1}},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(testing::Message() << row.m << "x" << row.n << "x" << row.k << ", " << row.itemsize
                                    << " bytes, " << row.others << " others");
    EXPECT_EQ(
        TileByBudget(HopperTileBudget(), row.m, row.n, row.k, row.itemsize, kH100, row.others),
        row.hopper);
    EXPECT_EQ(
        TileByBudget(BlackwellTileBudget(), row.m, row.n, row.k, row.itemsize, kB200, row.others),
        row.blackwell);
  }
}

TEST(TileBudgetTest, ReproducesWhatTheReferencesTestsPin) {
  const auto hopper = [](int64_t m, int64_t n, int64_t k, int64_t itemsize) {
    return TileByBudget(HopperTileBudget(), m, n, k, itemsize, kH100, 1);
  };
  EXPECT_EQ(hopper(4096, 4096, 4096, 1).block_k, 128);
  EXPECT_EQ(hopper(4096, 4096, 4096, 4).block_k, 32);
  EXPECT_EQ(hopper(16384, 512, 8192, 2).l2_grouping, 2);
  EXPECT_EQ(hopper(256, 256, 12288, 2).num_stages, 6);
}

TEST(TileBudgetTest, AnyShapeHasATileOfPowersOfTwo) {
  for (const TileBudget& budget : {HopperTileBudget(), BlackwellTileBudget()}) {
    for (const int64_t m : {1, 3, 17, 100, 4097, 1 << 30}) {
      for (const int64_t n : {1, 15, 333, 65536}) {
        for (const int64_t k : {1, 2, 5, 31, 100000}) {
          for (const int64_t itemsize : {1, 2, 4, 8}) {
            const BudgetedTile tile = TileByBudget(budget, m, n, k, itemsize, 1, 7);
            for (const int64_t size : {tile.block_m, tile.block_n, tile.block_k}) {
              EXPECT_GE(size, 16);
              EXPECT_EQ(size & (size - 1), 0);
            }
            EXPECT_GE(tile.num_stages, 2);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace seedtune

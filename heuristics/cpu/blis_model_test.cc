#include "heuristics/cpu/blis_model.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"

namespace seedtune {
namespace {

constexpr int64_t kHeights[] = {1, 2, 4, 6, 8, 12, 14, 16};

CpuMachine Machine(int64_t lanes, int64_t registers, int64_t l1_kib, int64_t l2_kib,
                   int64_t l3_kib) {
  CpuMachine machine;
  machine.lanes = lanes;
  machine.registers = registers;
  machine.cores = 8;
  machine.l1_bytes = l1_kib * 1024;
  machine.l2_bytes = l2_kib * 1024;
  machine.l3_bytes = l3_kib * 1024;
  machine.clock_ghz = 3;
  return machine;
}

const CpuMachine kMachines[] = {
    Machine(8, 16, 32, 256, 8192),                                   // AVX2, small caches
    Machine(16, 32, 48, 2048, 107520),                               // AVX-512, a server of today
    Machine(16, 32, 32, 1024, 32768),  Machine(4, 32, 64, 1024, 0),  // no third level
    Machine(4, 16, 16, 64, 0),
};

// The tile with the least cycles among those that fit the registers; of equals the smaller.
RegisterTile BestTile(const CpuMachine& machine, int64_t m, int64_t n) {
  RegisterTile best;
  double least = 0;
  for (const int64_t rows : kHeights) {
    for (int64_t vectors = 1; vectors <= 4; ++vectors) {
      const RegisterTile tile = {rows, vectors};
      if (RegistersUsed(tile) > machine.registers) continue;
      const double cycles = CyclesPerStep(machine, tile, kHeights, m, n);
      if (best.rows == 0 || cycles < least ||
          (cycles == least && RegistersUsed(tile) < RegistersUsed(best))) {
        best = tile;
        least = cycles;
      }
    }
  }
  return best;
}

TEST(BlisModelTest, FillsUnknownFiguresAndSaysSo) {
  HardwareInfo device;
  device.kind = DeviceKind::kCpu;
  const CpuMachine guessed = CpuMachineOf(device);
  EXPECT_FALSE(guessed.is_complete);
  EXPECT_GT(guessed.lanes, 0);
  EXPECT_GT(guessed.registers, 0);
  EXPECT_GT(guessed.l1_bytes, 0);
  EXPECT_GT(guessed.l2_bytes, guessed.l1_bytes);
  EXPECT_EQ(guessed.cores, 1);
  EXPECT_GT(guessed.clock_ghz, 0);

  device.vector_bits = 512;
  device.registers_per_unit = 32;
  device.compute_units = 96;
  device.l1_data_bytes = 48 * 1024;
  device.l2_bytes = 1 << 20;
  const CpuMachine known = CpuMachineOf(device);
  EXPECT_TRUE(known.is_complete);
  EXPECT_EQ(known.lanes, 16);
  EXPECT_EQ(known.registers, 32);
  EXPECT_EQ(known.cores, 96);
  EXPECT_EQ(known.l1_bytes, 48 * 1024);
  EXPECT_EQ(known.l3_bytes, 0);
}

// Arm's figures, nothing measured.
TEST(BlisModelTest, HasAccumulatorsForEveryPipelineOfNeoverse) {
  HardwareInfo device;
  device.kind = DeviceKind::kCpu;
  device.registers_per_unit = 32;
  device.l1_data_bytes = 64 * 1024;
  device.l2_bytes = 2 << 20;
  const struct {
    const char* arch;
    int vector_bits;
    double multiply_adds, loads;
  } kCases[] = {
      {"neoverse-n1", 128, 2, 2}, {"neoverse-n2", 128, 2, 2}, {"neoverse-v1", 256, 2, 2},
      {"neoverse-v1", 128, 4, 3}, {"neoverse-v2", 128, 4, 3}, {"neoverse-v3", 128, 4, 3},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.arch);
    device.arch = *Arch::Parse(c.arch);
    device.vector_bits = c.vector_bits;
    const CpuMachine machine = CpuMachineOf(device);
    EXPECT_EQ(machine.lanes, c.vector_bits / 32);
    EXPECT_EQ(machine.multiply_adds, c.multiply_adds);
    EXPECT_EQ(machine.loads, c.loads);
    const RegisterTile tile = BestTile(machine, 768, 768);
    EXPECT_GE(static_cast<double>(tile.rows * tile.vectors), 4 * c.multiply_adds)
        << "a multiply-add takes four cycles";
  }
}

TEST(BlisModelTest, CountsTheRegistersOfATile) {
  EXPECT_EQ(RegistersUsed({6, 2}), 15);  // BLIS's 6 x 16 of AVX2: one of 16 to spare
  EXPECT_EQ(RegistersUsed({8, 3}), 28);
}

TEST(BlisModelTest, PrefersTheTilesThatLibrariesUse) {
  // BLIS, haswell: 6 x 16.
  EXPECT_EQ(BestTile(kMachines[0], 4800, 4800), (RegisterTile{6, 2}));
  // AVX-512 with 32 registers: 24 accumulators, wider than one or two vectors (oneDNN: 48 columns).
  const RegisterTile wide = BestTile(kMachines[1], 4800, 4800);
  EXPECT_EQ(wide.rows * wide.vectors, 24);
  EXPECT_GE(wide.vectors, 3);
}

TEST(BlisModelTest, ChoosesTilesThatComeOutEven) {
  // 64 columns are 4 vectors of 16: 3 would leave 1 over.
  EXPECT_EQ(BestTile(kMachines[1], 1200, 64).vectors, 4);
  // 48 are 3.
  EXPECT_EQ(BestTile(kMachines[1], 1600, 48).vectors, 3);
  // 16 rows are two tiles of 8; tiles of 6 would read B a third time.
  EXPECT_EQ(BestTile(kMachines[1], 16, 4800).rows, 8);
}

TEST(BlisModelTest, CountsEdgesAsSmallerTiles) {
  const RegisterTile tile = {6, 2};
  const double whole = CyclesPerStep(kMachines[0], tile);
  EXPECT_DOUBLE_EQ(CyclesPerStep(kMachines[0], tile, kHeights, 12, 32), 4 * whole);
  EXPECT_DOUBLE_EQ(CyclesPerStep(kMachines[0], tile, kHeights, 12, 33),
                   4 * whole + 2 * CyclesPerStep(kMachines[0], {6, 1}));
  // 3 rows are left, which a tile of 4 covers.
  EXPECT_DOUBLE_EQ(CyclesPerStep(kMachines[0], tile, kHeights, 15, 16),
                   2 * whole + CyclesPerStep(kMachines[0], {4, 2}));
  EXPECT_DOUBLE_EQ(CyclesPerStep(kMachines[0], tile, kHeights, 1, 1),
                   CyclesPerStep(kMachines[0], {1, 1}));
}

TEST(BlisModelTest, NeverBeatsTheMultipliers) {
  for (const int64_t rows : kHeights) {
    for (int64_t vectors = 1; vectors <= 4; ++vectors) {
      EXPECT_GE(CyclesPerStep(kMachines[0], {rows, vectors}),
                static_cast<double>(rows * vectors) / 2);
      EXPECT_GE(CyclesPerStep(kMachines[0], {rows, vectors}), 4) << "less than the latency";
    }
  }
}

TEST(BlisModelTest, BlocksFitTheCachesTheyAreMeantFor) {
  for (const CpuMachine& machine : kMachines) {
    for (const RegisterTile tile : {RegisterTile{6, 2}, {4, 3}, {1, 4}, {14, 1}}) {
      for (const bool pack_rhs : {false, true}) {
        for (const int64_t threads : {1, 8, 1000}) {
          const int64_t columns = tile.vectors * machine.lanes;
          const CacheBlocks blocks =
              PlanCacheBlocks(machine, tile, {.pack_rhs = pack_rhs, .threads = threads});
          EXPECT_GE(blocks.k, 1);
          EXPECT_GE(blocks.m, tile.rows);
          EXPECT_GE(blocks.n, columns);
          if (blocks.m > tile.rows) {
            EXPECT_LE((blocks.m + 2 * columns) * blocks.k * 4, machine.l2_bytes / 2);
          }
          if (blocks.n > columns) {
            EXPECT_LE(blocks.n * blocks.k * 4,
                      std::max(machine.l3_bytes / threads, machine.l2_bytes) / 2);
          }
          const CacheBlocks paper = PlanCacheBlocks(
              machine, tile, {.pack_rhs = pack_rhs, .threads = threads, .l1_depth = true});
          EXPECT_LE((tile.rows + columns) * paper.k * 4, machine.l1_bytes);
        }
      }
    }
  }
}

TEST(BlisModelTest, GoesDeeperThanTheL1CacheWhereTheL2CacheIsLarge) {
  const RegisterTile tile = {8, 3};
  const CacheBlocks deep = PlanCacheBlocks(kMachines[1], tile, {});
  const CacheBlocks paper = PlanCacheBlocks(kMachines[1], tile, {.l1_depth = true});
  EXPECT_GT(deep.k, paper.k);
  EXPECT_LT(deep.m, paper.m);
  // Haswell's figures: BLIS has 256, 4/5 of what fits.
  EXPECT_NEAR(static_cast<double>(PlanCacheBlocks(kMachines[0], {6, 2}, {}).k), 320, 64);
}

TEST(BlisModelTest, SharesTheThirdLevelAmongThreads) {
  const RegisterTile tile = {8, 3};
  const int64_t alone = PlanCacheBlocks(kMachines[2], tile, {.threads = 1}).n;
  const int64_t shared = PlanCacheBlocks(kMachines[2], tile, {.threads = 4}).n;
  EXPECT_NEAR(static_cast<double>(alone), static_cast<double>(4 * shared), 4);
}

TEST(BlisModelTest, CutsEvenly) {
  const std::vector<int64_t> choices = {64, 96, 128, 192, 256, 384, 512, 1100};
  const struct {
    int64_t limit, extent, want;
  } kCases[] = {
      {585, 1024, 512},    // two of 512
      {585, 1100, 384},    // 384, 384, 332 rather than 512, 512, 76
      {1100, 1100, 1100},  // all of it
      {63, 1024, 64},      // nothing is small enough
      {200, 192, 192},    {200, 100, 128},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.limit);
    EXPECT_EQ(EvenChoice(choices, c.limit, c.extent), c.want);
  }
}

TEST(BlisModelTest, WakesThreadsOnlyForWork) {
  const CpuMachine machine = kMachines[1];
  EXPECT_EQ(WorthwhileThreads(machine, 2.0 * 64 * 64 * 64, 3.0 * 64 * 64 * 4), 1);
  EXPECT_EQ(WorthwhileThreads(machine, 2e12, 1e9), machine.cores);
  // Bound by memory, not by arithmetic.
  EXPECT_GT(WorthwhileThreads(machine, 1, 1e9), 1);
  int64_t before = 1;
  for (double flops = 1; flops < 1e20; flops *= 3) {
    const int64_t threads = WorthwhileThreads(machine, flops, 0);
    EXPECT_GE(threads, before);
    EXPECT_LE(threads, machine.cores);
    before = threads;
  }
}

TEST(RowsHeldTest, PowersOfTwoShareSets) {
  constexpr int64_t kMiB = 1024 * 1024;
  EXPECT_EQ(RowsHeld(kMiB, 4096), 256);
  EXPECT_EQ(RowsHeld(kMiB, 3 * 4096), 256) << "3 is no power of two";
  EXPECT_EQ(RowsHeld(kMiB, 4096 + 1024), 1024);
  EXPECT_EQ(RowsHeld(kMiB, 1012), kMiB / 64) << "a line is the least";
  EXPECT_EQ(RowsHeld(kMiB, 0), kMiB / 64) << "unknown";
}

}  // namespace
}  // namespace seedtune

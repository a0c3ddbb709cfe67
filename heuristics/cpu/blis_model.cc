#include "heuristics/cpu/blis_model.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kLineBytes = 64;

// Fused multiply-adds take 4 cycles, two start each cycle, and two loads do: Haswell to Golden Cove
// with AVX2, server AVX-512 from Skylake on, Zen 2 to Zen 5 (Fog, "Instruction tables", 2025; Zen 4
// halves 512-bit vectors, which changes both rates alike), Neoverse N1 and N2 (Arm, "Software
// Optimization Guide"). Neoverse V1 to V3 have four pipelines of 128 bits, which V1 couples for SVE
// of 256, and load three vectors of 128 bits a cycle, or two of 256.
constexpr double kMultiplyAddLatency = 4;
constexpr std::string_view kFourPipelines = "neoverse_v";
constexpr int64_t kPipelineBits = 4 * 128;
// Cycles that a load costs though a port is free: of an element of A, which the L1 cache gives, and
// of a vector of B, which often the L2 cache gives. Round figures that order nine tiles on fifteen
// shapes (m of 1 to 1024) as they were measured on one core of an AMD EPYC of family 26 (Zen 5)
// with AVX-512, hot and cold.
constexpr double kLhsLoadCycles = 0.5;
constexpr double kRhsLoadCycles = 1;

// Of the L1 cache, for the slivers of A and B; what is left is for the tile of C and the stack.
constexpr double kL1Share = 7.0 / 8;
// Of the L2 cache, for the block of A and two slivers of B, and of the L3 cache for the panel of B.
// The rest is for what streams past: caches are no perfect LRU.
constexpr double kL2Share = 0.5;
constexpr double kL3Share = 0.5;
// Rows that a block of A should have, so that a sliver of B is used often before the next.
constexpr int64_t kMinBlockRows = 128;
// Beyond this depth, updates of C no longer show.
constexpr int64_t kMaxDepth = 1024;
// A B that is read in place touches a page for every step of k: more than this and the translations
// of one sliver do not survive until the next.
constexpr int64_t kMaxInPlaceDepth = 512;

// To wake a thread and wait for it, and what a core moves from memory.
constexpr double kThreadNs = 20000;
constexpr double kCoreBytesPerNs = 12;

}  // namespace

CpuMachine CpuMachineOf(const HardwareInfo& device) {
  const auto known = [](int64_t value, int64_t otherwise) { return value > 0 ? value : otherwise; };
  CpuMachine machine;
  machine.lanes = std::max<int64_t>(known(device.vector_bits, 256) / 32, 1);
  machine.registers = known(device.registers_per_unit, 16);
  machine.cores = known(device.compute_units, 1);
  machine.l1_bytes = known(device.l1_data_bytes, 32 * 1024);
  machine.l2_bytes = known(device.l2_bytes, 256 * 1024);
  machine.l3_bytes = device.l3_bytes;
  machine.clock_ghz = static_cast<double>(known(device.clock_hz, 3'000'000'000)) * 1e-9;
  if (ArchFamily(device.arch.base) == kFourPipelines && device.vector_bits > 0) {
    machine.multiply_adds =
        static_cast<double>(kPipelineBits) / static_cast<double>(device.vector_bits);
    machine.loads = device.vector_bits <= 128 ? 3 : 2;
  }
  machine.is_complete = device.vector_bits > 0 && device.l1_data_bytes > 0 && device.l2_bytes > 0;
  return machine;
}

int64_t RegistersUsed(RegisterTile tile) { return tile.rows * tile.vectors + tile.vectors + 1; }

double CyclesPerStep(const CpuMachine& machine, RegisterTile tile) {
  const auto rows = static_cast<double>(tile.rows);
  const auto vectors = static_cast<double>(tile.vectors);
  return std::max({rows * vectors / machine.multiply_adds, (rows + vectors) / machine.loads,
                   kMultiplyAddLatency}) +
         kLhsLoadCycles * rows + kRhsLoadCycles * vectors;
}

double CyclesPerStep(const CpuMachine& machine, RegisterTile tile, std::span<const int64_t> heights,
                     int64_t m, int64_t n) {
  // Tiles of one size each way, and how many.
  struct Part {
    int64_t size, count;
  };
  const int64_t rows_left = m % tile.rows;
  const auto covers = std::lower_bound(heights.begin(), heights.end(), rows_left);
  const Part rows[] = {{tile.rows, m / tile.rows},
                       {covers == heights.end() ? rows_left : *covers, rows_left > 0 ? 1 : 0}};
  const int64_t vectors = CeilDiv(n, machine.lanes);
  const Part columns[] = {{tile.vectors, vectors / tile.vectors},
                          {vectors % tile.vectors, vectors % tile.vectors > 0 ? 1 : 0}};
  double cycles = 0;
  for (const Part& r : rows) {
    for (const Part& c : columns) {
      if (r.count == 0 || c.count == 0) continue;
      cycles += static_cast<double>(r.count) * static_cast<double>(c.count) *
                CyclesPerStep(machine, RegisterTile{r.size, c.size});
    }
  }
  return cycles;
}

CacheBlocks PlanCacheBlocks(const CpuMachine& machine, RegisterTile tile,
                            const CacheBlocksOptions& options) {
  // Floats that a share of a cache holds.
  const auto floats = [](double share, int64_t bytes) {
    return static_cast<int64_t>(share * static_cast<double>(bytes) / kFloatBytes);
  };
  const int64_t columns = tile.vectors * machine.lanes;
  const int64_t l2 = floats(kL2Share, machine.l2_bytes);

  CacheBlocks blocks;
  blocks.k = floats(kL1Share, machine.l1_bytes) / (tile.rows + columns);
  if (!options.l1_depth) {
    blocks.k = std::max(blocks.k, l2 / (kMinBlockRows + 2 * columns));
    blocks.k = std::min(blocks.k, options.pack_rhs ? kMaxDepth : kMaxInPlaceDepth);
  }
  blocks.k = std::max<int64_t>(blocks.k, 1);
  blocks.m = std::max(l2 / blocks.k - 2 * columns, tile.rows);

  // A share smaller than the L2 cache would be no third level.
  const int64_t l3 =
      std::max(machine.l3_bytes / std::max<int64_t>(options.threads, 1), machine.l2_bytes);
  blocks.n = std::max(floats(kL3Share, l3) / blocks.k, columns);
  return blocks;
}

int64_t EvenChoice(std::span<const int64_t> choices, int64_t limit, int64_t extent) {
  int64_t best = choices.front();
  for (const int64_t choice : choices) {
    if (choice > limit) break;
    if (CeilDiv(extent, choice) < CeilDiv(extent, best)) best = choice;
  }
  return best;
}

int64_t RowsHeld(int64_t cache_bytes, int64_t apart_bytes) {
  const int64_t power = apart_bytes & -apart_bytes;
  return cache_bytes / std::max(power, kLineBytes);
}

int64_t WorthwhileThreads(const CpuMachine& machine, double flops, double bytes) {
  const double flops_per_ns =
      2 * machine.multiply_adds * static_cast<double>(machine.lanes) * machine.clock_ghz;
  const double ns = std::max(flops / flops_per_ns, bytes / kCoreBytesPerNs);
  const double threads = std::floor(ns / kThreadNs);
  return std::clamp<int64_t>(
      static_cast<int64_t>(std::min(threads, static_cast<double>(machine.cores))), 1,
      machine.cores);
}

}  // namespace seedtune

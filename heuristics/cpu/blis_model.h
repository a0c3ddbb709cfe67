// What a processor's registers and caches say about the blocks of a matrix product, computed
// instead of searched.
//
// The frame is Low, Igual, Smith, Quintana-Orti, "Analytical Modeling Is Enough for
// High-Performance BLIS" (ACM TOMS 43(2), 2016), for the loops of backends/cpu/gemm.h: a register
// tile of mr rows by nr columns, whose sliver of B (kc x nr) is used again and again while slivers
// of A (mr x kc) pass; a block of A (mc x kc) in the L2 cache; a panel of B (kc x nc) in the L3
// cache. Three things differ from the paper:
//   * Associativities are not known here (HardwareInfo has sizes only), so the paper's whole ways
//     become shares of a cache.
//   * The paper keeps the sliver of B in the L1 cache. A tile of mr rows needs only 2/mr vectors a
//     cycle of it (where two multiply-adds start a cycle), which from four rows on is no more than
//     the half vector a cycle that L2 caches give: so a deeper kc than the L1 cache holds costs
//     nothing, and sweeps C less often. kc is the larger one of what L1 and half of L2 suggest.
//   * Which tile: among those that fit the registers, the one with the least modelled cycles on
//     this m and n, edges included.
//
// Pure functions; thread-safe.
#ifndef SEEDTUNE_HEURISTICS_CPU_BLIS_MODEL_H_
#define SEEDTUNE_HEURISTICS_CPU_BLIS_MODEL_H_

#include <cstdint>
#include <span>

#include "hardware/hardware_info.h"

namespace seedtune {

// A processor as the model sees it. Nothing is 0 but l3_bytes, where there is none or it is
// unknown.
struct CpuMachine {
  int64_t lanes = 0;      // f32 in a vector
  int64_t registers = 0;  // vector registers
  int64_t cores = 0;
  int64_t l1_bytes = 0;
  int64_t l2_bytes = 0;
  int64_t l3_bytes = 0;
  double clock_ghz = 0;
  double multiply_adds = 2;  // of vectors, that start a cycle
  double loads = 2;          // of vectors, a cycle
  bool is_complete = false;  // false: the vector width or the L1 or L2 size is a guess
};

// How many multiply-adds and loads start a cycle goes by the architecture; nothing was measured on
// Arm. Unknown figures become those of the least processor that one is likely to meet: 256-bit
// vectors, 16 of them, 32 KiB of L1, 256 KiB of L2, 3 GHz.
CpuMachine CpuMachineOf(const HardwareInfo& device);

// rows x (vectors * lanes) elements of C.
struct RegisterTile {
  int64_t rows = 0;
  int64_t vectors = 0;
  friend bool operator==(const RegisterTile&, const RegisterTile&) = default;
};

// Accumulators, one row of B and an element of A.
int64_t RegistersUsed(RegisterTile tile);

// Modelled cycles that a tile takes for one step of k.
double CyclesPerStep(const CpuMachine& machine, RegisterTile tile);

// Modelled cycles for one step of k over all of an m x n C that is cut into such tiles. At the
// edges smaller tiles take over: of the smallest of `heights` (ascending) that covers the rows
// left.
double CyclesPerStep(const CpuMachine& machine, RegisterTile tile, std::span<const int64_t> heights,
                     int64_t m, int64_t n);

// Largest good sizes of the cache blocks. Always at least 1.
struct CacheBlocks {
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
};

struct CacheBlocksOptions {
  bool pack_rhs = true;
  int64_t threads = 1;    // that share the L3 cache
  bool l1_depth = false;  // the paper's kc, from the L1 cache alone
};

CacheBlocks PlanCacheBlocks(const CpuMachine& machine, RegisterTile tile,
                            const CacheBlocksOptions& options);

// Of `choices` (ascending, not empty) those not above `limit` (or the smallest), and of these the
// smallest that cuts `extent` into as few blocks as any: so that the blocks come out even.
int64_t EvenChoice(std::span<const int64_t> choices, int64_t limit, int64_t extent);

// Rows so many bytes apart that a cache keeps together, where only a few columns of each are wanted
// at a time. They fall into few of its sets where their distance is a multiple of a large power of
// two: of a cache of s bytes, `apart` apart with the power p in it, s / p rows, whatever its
// associativity, as long as p is no larger than one of its ways. `apart` of 0 (unknown) counts as
// one line.
int64_t RowsHeld(int64_t cache_bytes, int64_t apart_bytes);

// Threads that are worth waking for so much work, 1 to the number of cores.
int64_t WorthwhileThreads(const CpuMachine& machine, double flops, double bytes);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CPU_BLIS_MODEL_H_

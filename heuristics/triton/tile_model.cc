#include "heuristics/triton/tile_model.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/triton/triton_seed.h"
#include "ir/dtype.h"
#include "util/integer_math.h"

namespace seedtune {
namespace {

// Multiply-adds that one compute unit starts a cycle, dense, with the accumulators that are usual:
// the published rate over twice the units and the clock, rounded to the power of two that the
// hardware has. Where the matrix units do not take a type, what computes it instead: fp8 as f16,
// f32 and f64 on the vector units. f32 is what tl.dot makes of it by default: tf32 where there is
// such, f32 itself on AMD.
struct FamilyRates {
  std::string_view family;
  double f16, bf16, fp8, i8, f32, tf32, f64;
};
constexpr FamilyRates kFamilies[] = {
    // A100 whitepaper: 108 SMs, 1.41 GHz; 312 TFLOP/s of f16, 624 of i8, 156 of tf32, 19.5 of f64.
    {"ampere", 1024, 1024, 1024, 2048, 512, 512, 64},
    // L40S datasheet: 142 SMs, 2.52 GHz; 362, 733 of fp8 and i8, 183 of tf32; f64 as RTX 4090.
    {"ada", 512, 512, 1024, 1024, 256, 256, 2},
    // H100 datasheet: 132 SMs, 1.83 GHz; 989, 1979 of fp8 and i8, 495 of tf32, 67 of f64.
    {"hopper", 2048, 2048, 4096, 4096, 1024, 1024, 128},
    // DGX B200 datasheet, a GPU: 2.25 PFLOP/s, 4.5 of fp8 and i8, 1.1 of tf32, 40 TFLOP/s of f64.
    {"blackwell", 4096, 4096, 8192, 8192, 2048, 2048, 64},
    // RTX Blackwell whitepaper, RTX 5090: 170 SMs, 2.41 GHz; 209.5 with sums of f32, 419 of fp8,
    // 838 of i8, 104.8 of tf32, 1.64 of f64.
    {"blackwell_consumer", 256, 256, 512, 1024, 128, 128, 2},
    // MI100 datasheet: 120 CUs, 1.502 GHz; 184.6 of f16 and i8, 92.3 of bf16, 46.1 of f32, 11.5 of
    // f64.
    {"cdna1", 512, 256, 512, 512, 128, 128, 32},
    // MI250X datasheet: 220 CUs, 1.7 GHz; 383 of f16, bf16 and i8, 95.7 of f32 and f64.
    {"cdna2", 512, 512, 512, 512, 128, 128, 128},
    // MI300X datasheet: 304 CUs, 2.1 GHz; 1307 of f16, 2615 of i8, 163.4 of f32 and f64, 653.7 of
    // xf32, which has tf32's bits. As many of fp8 as of i8, but in AMD's own formats ("fnuz", CDNA3
    // ISA, MFMA): those of the OCP, which are meant here, Triton makes f16 of.
    {"cdna3", 1024, 1024, 1024, 2048, 128, 512, 128},
    // MI350X datasheet: 256 CUs, 2.2 GHz; 2.3 PFLOP/s of f16, 4.6 of OCP fp8 and i8, 144.2 TFLOP/s
    // of f32, 72.1 of f64; no xf32 (CDNA4 ISA).
    {"cdna4", 2048, 2048, 4096, 4096, 128, 128, 64},
    // GPUOpen, "Using the Matrix Cores of AMD RDNA 4 architecture GPUs", FLOP a clock and CU: RDNA
    // 3
    // 512 of f16, bf16 and i8; RDNA 4 1024, and 2048 of i8; of fp8 as of i8. f32: RX 7900 XTX, 96
    // CUs, 2.5 GHz, 61.4 TFLOP/s; RX 9070 XT, 64 CUs, 2.97 GHz, 48.7; f64 a 32nd of it.
    {"rdna3", 256, 256, 256, 256, 128, 128, 4},
    {"rdna3.5", 256, 256, 256, 256, 128, 128, 4},
    {"rdna4", 512, 512, 1024, 1024, 128, 128, 4},
};

double RateOf(const FamilyRates& family, DType operand) {
  switch (operand) {
    case DType::kF16:
      return family.f16;
    case DType::kBF16:
      return family.bf16;
    case DType::kF8E4M3:
    case DType::kF8E5M2:
      return family.fp8;
    case DType::kI8:
      return family.i8;
    case DType::kF32:
    case DType::kI32:  // on the vector units
      return family.f32;
    case DType::kTF32:
      return family.tf32;
    case DType::kF64:
      return family.f64;
  }
  return family.f32;
}

constexpr double kL2BytesPerCycle = 64;
// What a tile costs beside its loop: launching, filling the pipeline, addresses.
constexpr double kTileCycles = 1500;
// What splitting costs beside more output: partial sums meet in memory.
constexpr double kSplitCycles = 3000;
constexpr double kOutputBytes = 4;
constexpr int64_t kStep = 64;

double Cycles(const TileRates& rates, const PlannedMatmul& matmul, int64_t bm, int64_t bn,
              int64_t split) {
  const double tiles = static_cast<double>(CeilDiv(matmul.m, bm)) *
                       static_cast<double>(CeilDiv(matmul.n, bn)) *
                       static_cast<double>(matmul.batch) * static_cast<double>(split);
  const double waves = std::ceil(tiles / static_cast<double>(rates.compute_units));
  const double k = static_cast<double>(CeilDiv(CeilDiv(matmul.k, split), kStep) * kStep);
  const double math = static_cast<double>(bm * bn) / rates.macs_per_cycle;
  const double loads = static_cast<double>((bm + bn) * matmul.itemsize) / rates.l2_bytes_per_cycle;
  const double store =
      static_cast<double>(bm * bn) * kOutputBytes / rates.l2_bytes_per_cycle * (split > 1 ? 2 : 1);
  // Loads hide behind the mathematics in part only, and what hides them is a larger tile.
  double cycles = waves * (k * (math + loads) + kTileCycles + store);
  if (rates.memory_bytes_per_cycle > 0) {
    const double bytes = static_cast<double>(matmul.batch) *
                         (static_cast<double>(matmul.m) * static_cast<double>(matmul.k) +
                          static_cast<double>(matmul.n) * static_cast<double>(matmul.k)) *
                         static_cast<double>(matmul.itemsize);
    cycles = std::max(cycles, bytes / rates.memory_bytes_per_cycle);
  }
  return cycles + (split > 1 ? kSplitCycles : 0);
}

// The largest power of two worth a tile of an extent: what covers it.
int64_t Covering(int64_t extent, int64_t min, int64_t max) {
  const int64_t covering =
      static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(std::min(extent, max))));
  return std::clamp(covering, min, max);
}

}  // namespace

std::optional<TileRates> TileRatesOf(const HardwareInfo& device, DType operand) {
  const std::string_view family = ArchFamily(device.arch.base);
  for (const auto& known : kFamilies) {
    if (known.family != family) continue;
    TileRates rates;
    rates.compute_units = std::max(device.compute_units, 1);
    rates.macs_per_cycle = RateOf(known, operand);
    rates.l2_bytes_per_cycle = kL2BytesPerCycle;
    if (device.clock_hz > 0) {
      rates.memory_bytes_per_cycle = static_cast<double>(device.memory_bandwidth_bytes_per_s) /
                                     static_cast<double>(device.clock_hz);
    }
    return rates;
  }
  return std::nullopt;
}

std::vector<ModelledTile> RankTiles(const TileRates& rates, const PlannedMatmul& matmul,
                                    const TileLimits& limits) {
  std::vector<ModelledTile> tiles;
  const int64_t max_m = Covering(matmul.m, limits.min_m, limits.max_m);
  const int64_t max_n = Covering(matmul.n, limits.min_n, limits.max_n);
  for (int64_t bm = max_m; bm >= limits.min_m; bm /= 2) {
    for (int64_t bn = max_n; bn >= limits.min_n; bn /= 2) {
      if (bm * bn > limits.max_elements && (bm > limits.min_m || bn > limits.min_n)) continue;
      for (int64_t split = 1; split <= limits.max_split; split *= 2) {
        if (split > 1 && matmul.k / split < 2 * kStep) break;
        tiles.push_back({bm, bn, split, Cycles(rates, matmul, bm, bn, split)});
      }
    }
  }
  std::stable_sort(tiles.begin(), tiles.end(), [](const ModelledTile& a, const ModelledTile& b) {
    if (a.cycles != b.cycles) return a.cycles < b.cycles;
    return a.block_m * a.block_n > b.block_m * b.block_n;
  });
  return tiles;
}

}  // namespace seedtune

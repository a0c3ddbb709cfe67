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

// Multiply-adds of f16 or bf16 with f32 accumulators that one compute unit starts a cycle, dense:
// the published rate over units and clock. What is half or twice as wide runs twice or half as
// fast, where the architecture has it at all.
constexpr struct {
  std::string_view family;
  double macs_per_cycle;
} kFamilies[] = {
    {"ampere", 1024},             // A100 whitepaper: 312 TFLOP/s, 108 SMs, 1.41 GHz
    {"ada", 512},                 // L40S datasheet: 362 TFLOP/s, 142 SMs, 2.52 GHz
    {"hopper", 2048},             // H100 datasheet: 989 TFLOP/s, 132 SMs, 1.83 GHz
    {"blackwell", 4096},          // DGX B200 datasheet: 2.25 PFLOP/s a GPU
    {"blackwell_consumer", 256},  // RTX Blackwell whitepaper: 209.5 TFLOP/s, 170 SMs, 2.41 GHz
    {"cdna1", 512},               // MI100: 184.6 TFLOP/s of f16, 120 CUs, 1.5 GHz
    {"cdna2", 512},               // MI250X: 383 TFLOP/s, 220 CUs, 1.7 GHz
    {"cdna3", 1024},              // MI300X: 1307 TFLOP/s, 304 CUs, 2.1 GHz
    {"cdna4", 2048},              // MI350X: 2.3 PFLOP/s, 256 CUs, 2.2 GHz
    {"rdna3", 256},               // RDNA 3: 512 FLOP a cycle and CU
    {"rdna3.5", 256},
    {"rdna4", 512},  // RDNA 4: 1024 FLOP a cycle and CU
};
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
    const int64_t itemsize = DTypeBytes(operand);
    rates.macs_per_cycle = known.macs_per_cycle * 2 / static_cast<double>(itemsize);
    // Matrix units of AMD take f32 as it is, at a quarter of the rate of f16; f64 is slow
    // everywhere.
    if (itemsize >= 4 && device.kind == DeviceKind::kRocm) rates.macs_per_cycle /= 2;
    if (itemsize == 8) rates.macs_per_cycle /= 2;
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

#include "heuristics/triton/tile_budget.h"

#include <algorithm>
#include <cstdint>

#include "util/integer_math.h"

namespace seedtune {
namespace {

constexpr int64_t kMinBlock = 16;
constexpr int64_t kBaseBlockM = 128;
constexpr int64_t kBaseBlockN = 256;
constexpr int64_t kManyWarpsElements = 16384;
constexpr int64_t kSaturatedWaves = 4;
constexpr int64_t kSaturatedStages = 2;
constexpr int64_t kWaveFillFloor = 64;
constexpr double kFullWave = 0.8;
constexpr int64_t kEpilogueItemsize = 4;
constexpr int64_t kMinTensorMemoryRows = 64;
constexpr int64_t kMaxBlockK = 256;
constexpr int64_t kPipelineStages = 4;
constexpr int64_t kMaxStages = 6;
constexpr int64_t kTallGrid = 3;

class Formula {
 public:
  Formula(const TileBudget& budget, int64_t m, int64_t n, int64_t k, int64_t itemsize,
          int64_t compute_units, int64_t other_programs)
      : budget_(budget),
        m_(m),
        n_(n),
        k_(k),
        itemsize_(itemsize),
        units_(compute_units),
        others_(other_programs) {}

  BudgetedTile Compute() {
    const int64_t most_m = std::max(kMinBlock, PowerOfTwoAtMost(m_));
    const int64_t most_n = std::max(kMinBlock, PowerOfTwoAtMost(n_));
    int64_t bm = std::min(kBaseBlockM, most_m);
    int64_t bn = std::min(kBaseBlockN, most_n);
    // What one side leaves of the accumulators the other one takes.
    if (bm * bn < budget_.accumulator_elements) {
      bn = std::min(most_n, std::max(bn, budget_.accumulator_elements / bm));
    }
    if (bm * bn < budget_.accumulator_elements) {
      bm = std::min(most_m, std::max(bm, budget_.accumulator_elements / bn));
    }
    const bool saturated = others_ >= kSaturatedWaves * units_;
    if (saturated) {
      bm = std::min(bm, budget_.saturated_block_m);
      bn = std::min(bn, budget_.saturated_block_n);
    }
    if (budget_.tensor_memory_bytes > 0 && !saturated) {
      while (Grows(bm, 2 * bn, most_m, most_n)) bn *= 2;
      while (Grows(2 * bm, bn, most_m, most_n)) bm *= 2;
    }
    FillWaves(bm, bn);

    int64_t warps = bm * bn >= kManyWarpsElements ? 8 : 4;
    if (saturated && budget_.saturated_num_warps > 0) warps = budget_.saturated_num_warps;
    int64_t bk = BlockK(bm, bn);
    int64_t stages = Stages(bm, bn, bk, saturated);
    if (budget_.enforces_shared_memory) {
      while (SharedMemory(bm, bn, bk, stages) > budget_.shared_memory_bytes && Halve(bm, bn)) {
        bk = BlockK(bm, bn);
        stages = Stages(bm, bn, bk, saturated);
      }
    }
    if (budget_.tensor_memory_bytes > 0) {
      while (TensorMemory(bm, bn, bk) > budget_.tensor_memory_bytes && Halve(bm, bn)) {
        bk = BlockK(bm, bn);
        stages = Stages(bm, bn, bk, saturated);
      }
    }
    const int64_t grid_m = CeilDiv(m_, bm);
    const int64_t l2 = grid_m > 1 && grid_m >= kTallGrid * CeilDiv(n_, bn) ? 2 : 1;
    return {bm, bn, bk, warps, stages, l2};
  }

 private:
  // The share of the last wave's places that have a tile, over all waves.
  double WaveFill(int64_t bm, int64_t bn) const {
    const int64_t tiles = others_ * CeilDiv(m_, bm) * CeilDiv(n_, bn);
    return static_cast<double>(tiles) / static_cast<double>(CeilDiv(tiles, units_) * units_);
  }

  bool Grows(int64_t bm, int64_t bn, int64_t most_m, int64_t most_n) const {
    return bm <= most_m && bn <= most_n &&
           TensorMemory(bm, bn, kMaxBlockK) <= budget_.tensor_memory_bytes &&
           WaveFill(bm, bn) >= kFullWave;
  }

  void FillWaves(int64_t& bm, int64_t& bn) const {
    const int64_t floor = m_ <= kMinBlock ? kMinBlock : kWaveFillFloor;
    const auto better = [&](int64_t new_m, int64_t new_n) {
      const double now = WaveFill(bm, bn);
      const double then = WaveFill(new_m, new_n);
      return budget_.wave_fill_is_strict ? then > now : then >= now;
    };
    while (WaveFill(bm, bn) < kFullWave) {
      if (bn >= bm && bn > floor && better(bm, bn / 2)) {
        bn /= 2;
      } else if (bm > floor && better(bm / 2, bn)) {
        bm /= 2;
      } else {
        break;
      }
    }
  }

  int64_t SharedMemory(int64_t bm, int64_t bn, int64_t bk, int64_t stages) const {
    return std::max((bm * bk + bk * bn) * itemsize_ * stages, bm * bn * kEpilogueItemsize) +
           budget_.shared_memory_slack_bytes;
  }

  int64_t TensorMemory(int64_t bm, int64_t bn, int64_t bk) const {
    return bm < kMinTensorMemoryRows ? 0 : bm * bn * 4 + bm * bk * itemsize_;
  }

  int64_t BlockK(int64_t bm, int64_t bn) const {
    const int64_t least = itemsize_ == 1 ? 32 : kMinBlock;
    int64_t bk = std::max(
        least, std::min(kMaxBlockK, PowerOfTwoAtMost(std::max<int64_t>(k_ / kPipelineStages, 1))));
    while (bk > least && SharedMemory(bm, bn, bk, kPipelineStages) > budget_.shared_memory_bytes) {
      bk /= 2;
    }
    return bk;
  }

  int64_t Stages(int64_t bm, int64_t bn, int64_t bk, bool saturated) const {
    const int64_t most =
        std::min(saturated ? kSaturatedStages : kMaxStages, std::max<int64_t>(2, k_ / bk));
    for (int64_t stages = most; stages > 2; --stages) {
      if (SharedMemory(bm, bn, bk, stages) <= budget_.shared_memory_bytes) return stages;
    }
    return 2;
  }

  static bool Halve(int64_t& bm, int64_t& bn) {
    int64_t& larger = bn >= bm ? bn : bm;
    if (larger <= kMinBlock) return false;
    larger /= 2;
    return true;
  }

  const TileBudget& budget_;
  const int64_t m_, n_, k_, itemsize_, units_, others_;
};

}  // namespace

TileBudget HopperTileBudget() {
  TileBudget budget;
  budget.shared_memory_bytes = 228 * 1024;
  return budget;
}

TileBudget BlackwellTileBudget() {
  TileBudget budget;
  budget.shared_memory_bytes = 232448;
  budget.enforces_shared_memory = true;
  budget.shared_memory_slack_bytes = 1024;
  budget.tensor_memory_bytes = 128 * 512 * 4;
  budget.saturated_block_m = 32;
  budget.saturated_block_n = 64;
  budget.saturated_num_warps = 1;
  budget.wave_fill_is_strict = true;
  return budget;
}

BudgetedTile TileByBudget(const TileBudget& budget, int64_t m, int64_t n, int64_t k,
                          int64_t itemsize, int64_t compute_units, int64_t other_programs) {
  return Formula(budget, m, n, k, itemsize, compute_units, other_programs).Compute();
}

}  // namespace seedtune

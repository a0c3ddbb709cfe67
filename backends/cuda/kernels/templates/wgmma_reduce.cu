// Parts of a tile that was split along k meet within the launch: all of its blocks run at once,
// each waits until the others have written their parts, and adds up its share of the tile. Of the
// wgmma kernels; the counter of a tile starts at 0 and is left so.

constexpr int kAdders = kPingPong ? kWarpgroup : kConsumers * kWarpgroup;  // threads
constexpr int kRun = kN % 4 == 0 ? 4 : kN % 2 == 0 ? 2 : 1;                // columns at a time
// Lanes of a warp side by side, and how many of those share the parts of a run.
constexpr int kSideBySide = 8;
constexpr int kSlices = 4;

// Named barrier 3: the threads that add.
__device__ __forceinline__ void MeetAdders() {
  asm volatile("bar.sync 3, %0;" ::"n"(kAdders) : "memory");
}

__device__ __forceinline__ unsigned Acquire(const unsigned* counter) {
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
}

// From the L2 cache, where other multiprocessors' parts are.
__device__ __forceinline__ Vector<Accumulator, kRun> LoadPart(const Accumulator* from) {
  Vector<Accumulator, kRun> part;
  unsigned* words = reinterpret_cast<unsigned*>(&part);
  if constexpr (kRun == 4) {
    asm volatile("ld.global.cg.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(words[0]), "=r"(words[1]), "=r"(words[2]), "=r"(words[3])
                 : "l"(from));
  } else {
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
      asm volatile("ld.global.cg.b32 %0, [%1];" : "=r"(words[i]) : "l"(from + i));
    }
  }
  return part;
}

// `thread` counts those that add. This block's part is written.
__device__ __forceinline__ void AddParts(const Arguments& arguments, const Tile& tile, int thread) {
  if (tile.row >= kM || tile.column >= kN) return;  // no tile at all: what fills up a cluster
  unsigned* counter = reinterpret_cast<unsigned*>(arguments.workspace) +
                      (tile.batch * kTilesM + tile.row / kBlockM) * kTilesN + tile.column / kBlockN;
  __threadfence();
  MeetAdders();
  if (thread == 0) {
    atomicAdd(counter, 1u);
    while (Acquire(counter) < kSplits) {
    }
  }
  MeetAdders();
  constexpr long long kPart = static_cast<long long>(kBatch) * kM * kN;
  constexpr int kWarps = kAdders / 32;
  constexpr int kRowRuns = kBlockN / kRun;
  const int slice = thread % 32 / kSideBySide;
  for (int first = (tile.split * kWarps + thread / 32) * kSideBySide; first < kBlockM * kRowRuns;
       first += kSplits * kWarps * kSideBySide) {
    const int run = first + thread % kSideBySide;
    const int row = tile.row + run / kRowRuns;
    const int column = tile.column + run % kRowRuns * kRun;
    const bool exists = row < kM && column < kN;
    Accumulator sums[kRun];
#pragma unroll
    for (int i = 0; i < kRun; ++i) sums[i] = 0;
    if (exists) {
      const Accumulator* from =
          reinterpret_cast<const Accumulator*>(arguments.workspace + kPartialsOffset) +
          (static_cast<long long>(tile.batch) * kM + row) * kN + column;
#pragma unroll 8
      for (int s = kSplits * slice / kSlices; s < kSplits * (slice + 1) / kSlices; ++s) {
        const auto part = LoadPart(from + s * kPart);
#pragma unroll
        for (int i = 0; i < kRun; ++i) sums[i] += part.at[i];
      }
    }
#pragma unroll
    for (int i = 0; i < kRun; ++i) {
#pragma unroll
      for (int apart = kSideBySide; apart < 32; apart *= 2) {
        sums[i] += __shfl_xor_sync(~0u, sums[i], apart);
      }
    }
    if (exists && slice == 0) Finish(arguments, tile.batch, row, column, sums);
  }
  // All have come, and who leaves last clears the counter.
  if (thread == 0 && atomicAdd(counter, 1u) == 2 * kSplits - 1) *counter = 0;
}

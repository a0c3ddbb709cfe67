// Tiles of the output and who finishes them. A family says how sums lie: kSums in each of the first
// kSumThreads threads of a block, which ForEachRun hands out in runs of kRun along n.
//
// Parts of a tile meet in the workspace. kReduction 0 (last_block): who comes last, by a counter
// for the tile, adds them all up, in order of k, so that the result does not depend on who it was,
// and leaves the counter at 0. kReduction 1 (second_launch): the kernel after this one does.

struct Tile {
  int batch, m, n;  // first row and column
};

// Tiles in groups of kGroup rows, column by column, so that blocks that run at once share rows and
// columns in the L2 cache.
__device__ __forceinline__ Tile TileAt(long long index) {
  constexpr long long kTilesOfBatch = static_cast<long long>(kTilesM) * kTilesN;
  const int batch = static_cast<int>(index / kTilesOfBatch);
  const int rest = static_cast<int>(index % kTilesOfBatch);
  constexpr int kGroupTiles = kGroup * kTilesN;
  const int first = rest / kGroupTiles * kGroup;
  const int rows = kTilesM - first < kGroup ? kTilesM - first : kGroup;
  const int place = rest % kGroupTiles;
  return {batch, (first + place % rows) * kBlockM, place / rows * kBlockN};
}

__device__ __forceinline__ void StoreTile(const Arguments& arguments, const Tile& tile,
                                          unsigned char* shared, Accumulator (&sums)[kSums]) {
  ForEachRun(shared, sums, [&](int row, int column, Accumulator(&run)[kRun]) {
    Finish(arguments, tile.batch, tile.m + row, tile.n + column, run);
  });
}

__device__ __forceinline__ void Clear(Accumulator (&sums)[kSums]) {
#pragma unroll
  for (int i = 0; i < kSums; ++i) sums[i] = 0;
}

// Where block slot `slot` keeps a thread's sums: as they lie in its registers.
constexpr int kVectorSums = kSums % 4 == 0 && sizeof(Accumulator) == 4 ? 4 : kSums % 2 == 0 ? 2 : 1;
using SumVector = Vector<Accumulator, kVectorSums>;
__device__ __forceinline__ SumVector* PartialSums(const Arguments& arguments, long long slot) {
  return reinterpret_cast<SumVector*>(arguments.workspace + kPartialsOffset) +
         slot * (kSums / kVectorSums) * kSumThreads + threadIdx.x;
}

// Leaves a part of tile number `index` in slot `slot`; true in the block that came last.
__device__ __forceinline__ bool LeavePart(const Arguments& arguments, long long index, int steps,
                                          long long slot, Accumulator (&sums)[kSums]) {
  if (kSumThreads == kThreads || threadIdx.x < kSumThreads) {
    SumVector* to = PartialSums(arguments, slot);
#pragma unroll
    for (int i = 0; i < kSums; i += kVectorSums) {
      SumVector part;
#pragma unroll
      for (int j = 0; j < kVectorSums; ++j) part.at[j] = sums[i + j];
      to[i / kVectorSums * kSumThreads] = part;
    }
  }
  __threadfence();
  __syncthreads();
  bool completes = false;
  if (threadIdx.x == 0) {
    int* counter = reinterpret_cast<int*>(arguments.workspace) + index;
    completes = atomicAdd(counter, steps) + steps == kStepsK;
    if (completes) *counter = 0;
  }
  const bool is_last = __syncthreads_or(completes);
  if (is_last) __threadfence();
  return is_last;
}

// Parts that are added up together: so many that the reads of one do not wait for those before it,
// where a part's are few.
constexpr int kPartReads = kSums / kVectorSums;
constexpr int kPartsTogether = kPartReads >= 16 ? 1 : 16 / kPartReads;

__device__ __forceinline__ void AddPart(const Arguments& arguments, long long slot,
                                        Accumulator (&sums)[kSums]) {
  const SumVector* from = PartialSums(arguments, slot);
#pragma unroll
  for (int i = 0; i < kSums; i += kVectorSums) {
    const SumVector part = from[i / kVectorSums * kSumThreads];
#pragma unroll
    for (int j = 0; j < kVectorSums; ++j) sums[i + j] += part.at[j];
  }
}

// Leaves a part for the second launch: sums by rows, one array a part.
__device__ __forceinline__ void StorePart(const Arguments& arguments, const Tile& tile, int split,
                                          unsigned char* shared, Accumulator (&sums)[kSums]) {
  ForEachRun(shared, sums, [&](int row, int column, Accumulator(&run)[kRun]) {
    const int m = tile.m + row, n = tile.n + column;
    Accumulator* to = reinterpret_cast<Accumulator*>(arguments.workspace + kPartialsOffset) +
                      ((static_cast<long long>(split) * kBatch + tile.batch) * kM + m) * kN + n;
    if (m >= kM) return;
    if (kN % kRun == 0 && n < kN) {
      Vector<Accumulator, kRun> values;
#pragma unroll
      for (int i = 0; i < kRun; ++i) values.at[i] = run[i];
      *reinterpret_cast<Vector<Accumulator, kRun>*>(to) = values;
    } else {
#pragma unroll
      for (int i = 0; i < kRun; ++i) {
        if (n + i < kN) to[i] = run[i];
      }
    }
  });
}

// Block b streams the (b % kSplits)-th part of k of tile b / kSplits. Its warps along k take turns;
// those but the first hand their sums over through shared memory.

__device__ __forceinline__ void Run(const Arguments& arguments) {
  extern __shared__ __align__(128) unsigned char shared[];
  const long long index = blockIdx.x / kSplits;
  const int split = blockIdx.x % kSplits;
  const Tile tile = TileAt(index);
  const int begin = static_cast<int>(static_cast<long long>(kStepsK) * split / kSplits);
  const int end = static_cast<int>(static_cast<long long>(kStepsK) * (split + 1) / kSplits);
  const int first = (kLongIsN ? tile.n : tile.m) + WarpOfLong() * kWarpLong;
  const Big* big = (kLongIsN ? reinterpret_cast<const Big*>(arguments.rhs)
                             : reinterpret_cast<const Big*>(arguments.lhs)) +
                   tile.batch * kBigBatchStride;
  const Small* small = (kLongIsN ? reinterpret_cast<const Small*>(arguments.lhs)
                                 : reinterpret_cast<const Small*>(arguments.rhs)) +
                       tile.batch * kSmallBatchStride;

  Accumulator products[kProducts];
#pragma unroll
  for (int i = 0; i < kProducts; ++i) products[i] = 0;
  // What the next turn multiplies is on its way while this one multiplies.
  Operands now[kUnroll], next[kUnroll];
  int turn = begin + WarpOfK();
  if (turn < end) {
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      LoadStep(big, small, first, turn * kBlockK + u * kStep, now[u]);
    }
  }
#pragma unroll 1
  for (; turn < end; turn += kWarpsK) {
    const bool goes_on = turn + kWarpsK < end;
    if (goes_on) {
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) {
        LoadStep(big, small, first, (turn + kWarpsK) * kBlockK + u * kStep, next[u]);
      }
    }
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      MultiplyStep(now[u], small, turn * kBlockK + u * kStep, products);
    }
    if (goes_on) {
#pragma unroll
      for (int u = 0; u < kUnroll; ++u) now[u] = next[u];
    }
  }

  Accumulator sums[kSums];
  Share(products, sums);
  if constexpr (kWarpsK > 1) {
    Accumulator* all = reinterpret_cast<Accumulator*>(shared);
    const int place = threadIdx.x % kSumThreads;
    if (WarpOfK() > 0) {
#pragma unroll
      for (int i = 0; i < kSums; ++i) {
        all[((WarpOfK() - 1) * kSums + i) * kSumThreads + place] = sums[i];
      }
    }
    __syncthreads();
    if (WarpOfK() == 0) {
#pragma unroll
      for (int i = 0; i < kSums; ++i) {
#pragma unroll
        for (int w = 1; w < kWarpsK; ++w)
          sums[i] += all[((w - 1) * kSums + i) * kSumThreads + place];
      }
    }
  }
  if constexpr (kSplits > 1 && kReduction == 1) {
    if (WarpOfK() == 0) StorePart(arguments, tile, split, shared, sums);
    return;
  }
  if constexpr (kSplits > 1) {
    if (!LeavePart(arguments, index, end - begin, blockIdx.x, sums)) return;
    if (WarpOfK() > 0) return;
    Clear(sums);
#pragma unroll 1
    for (int s = 0; s < kSplits; ++s) AddPart(arguments, index * kSplits + s, sums);
  }
  if (WarpOfK() == 0) StoreTile(arguments, tile, shared, sums);
}

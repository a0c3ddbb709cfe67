// Block b streams the (b % kSplits)-th part of k of tile b / kSplits. Its warps along k take turns;
// those but the first hand their sums over through shared memory, in the ring's place.

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
  unsigned char* slots = shared + threadIdx.x / 32 * 512;
  const unsigned copies = SharedAddress(slots) + CopySlot() * 16;
  const unsigned own = SharedAddress(slots) + OwnSlot() * 16;
  slots += OwnSlot() * 16;
  const auto copy = [&](int stage, int turn) {
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      const int slot = stage * kStageBytes + u * kStepSlots * kSlotBytes;
      CopyStep(big, small, first, turn * kBlockK + u * kStep, copies + slot, own + slot);
    }
  };
  int turn = begin + WarpOfK();
#pragma unroll 1
  for (int s = 0; s < kStages - 1; ++s) {
    if (turn + s * kWarpsK < end) copy(s, turn + s * kWarpsK);
    CommitCopies();
  }
  int read = 0, write = kStages - 1;
#pragma unroll 1
  for (; turn < end; turn += kWarpsK) {
    const int later = turn + (kStages - 1) * kWarpsK;
    if (later < end) copy(write, later);
    CommitCopies();
    AwaitCopies<kStages - 1>();
    __syncwarp();
#pragma unroll
    for (int u = 0; u < kUnroll; ++u) {
      Operands operands;
      LoadStep(slots + read * kStageBytes + u * kStepSlots * kSlotBytes, small,
               turn * kBlockK + u * kStep, operands);
      MultiplyStep(operands, small, turn * kBlockK + u * kStep, products);
    }
    __syncwarp();  // who copies next may not be who has read
    write = read;
    read = read + 1 == kStages ? 0 : read + 1;
  }
  AwaitCopies<0>();

  Accumulator sums[kSums];
  Share(products, sums);
  if constexpr (kWarpsK > 1) {
    __syncthreads();  // the ring is done with
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
#pragma unroll kPartsTogether
    for (int s = 0; s < kSplits; ++s) AddPart(arguments, index * kSplits + s, sums);
  }
  if (WarpOfK() == 0) StoreTile(arguments, tile, shared, sums);
}

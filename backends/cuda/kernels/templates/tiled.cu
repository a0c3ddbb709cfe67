// What the tiled families share: a ring of stages in shared memory that copies fill while products
// are taken, and which block computes which part of which tile.
//
// kSchedule 0 (tiles): block b computes the (b % kSplits)-th part of k of tile b / kSplits.
// kSchedule 1 (stream-k; Osama et al., "Stream-K: work-centric parallel decomposition for dense
// matrix-matrix multiplication on the GPU", PPoPP 2023): as many blocks as run at once. Each takes
// whole tiles while there are two rounds of them left; the rest is dealt out in equal runs of
// steps of k, which begin and end inside tiles.

// Steps `begin` to `end` (of kBlockK each) of a tile, added to `sums`.
__device__ __forceinline__ void Multiply(const Arguments& arguments, const Tile& tile, int begin,
                                         int end, unsigned char* shared,
                                         Accumulator (&sums)[kSums]) {
  constexpr long long kLhsStep = kBlockK * (kLhsAlongK ? kLhsElementStride : kLhsRowStride);
  constexpr long long kRhsStep = kBlockK * (kRhsAlongK ? kRhsElementStride : kRhsRowStride);
  // Where this thread's copies of step `begin` start.
  const Lhs* lhs = arguments.lhs + tile.batch * kLhsBatchStride +
                   tile.m * (kLhsAlongK ? kLhsRowStride : kLhsElementStride) + begin * kLhsStep +
                   LhsCopy::FirstFrom(kLhsRowStride, kLhsElementStride);
  const Rhs* rhs = arguments.rhs + tile.batch * kRhsBatchStride +
                   tile.n * (kRhsAlongK ? kRhsRowStride : kRhsElementStride) + begin * kRhsStep +
                   RhsCopy::FirstFrom(kRhsRowStride, kRhsElementStride);
  const unsigned address = SharedAddress(shared);
  const unsigned lhs_to = address + LhsCopy::FirstTo();
  const unsigned rhs_to = address + LhsCopy::kBytes + RhsCopy::FirstTo();
  // Copies are issued step by step: `lhs` and `rhs` are those of `step`.
  typename LhsCopy::Held lhs_held;
  typename RhsCopy::Held rhs_held;
  const auto load = [&](int stage, int step, int part, int parts) {
    const int k = step * kBlockK;
    if (kK % kBlockK == 0 || k + kBlockK <= kK) {
      LhsCopy::Load<!kLhsAlongK, kLhsAlongK>(
          lhs_to + stage * kStageBytes, lhs, kLhsRowStride, kLhsElementStride,
          kLhsAlongK ? kM - tile.m : kBlockK, kLhsAlongK ? kBlockK : kM - tile.m, part, parts,
          lhs_held);
      RhsCopy::Load<!kRhsAlongK, kRhsAlongK>(
          rhs_to + stage * kStageBytes, rhs, kRhsRowStride, kRhsElementStride,
          kRhsAlongK ? kN - tile.n : kBlockK, kRhsAlongK ? kBlockK : kN - tile.n, part, parts,
          rhs_held);
    } else {
      // The last step.
      LhsCopy::Load<false, false>(lhs_to + stage * kStageBytes, lhs, kLhsRowStride,
                                  kLhsElementStride, kLhsAlongK ? kM - tile.m : kK - k,
                                  kLhsAlongK ? kK - k : kM - tile.m, part, parts, lhs_held);
      RhsCopy::Load<false, false>(rhs_to + stage * kStageBytes, rhs, kRhsRowStride,
                                  kRhsElementStride, kRhsAlongK ? kN - tile.n : kK - k,
                                  kRhsAlongK ? kK - k : kN - tile.n, part, parts, rhs_held);
    }
  };
  const auto put = [&](int stage) {
    LhsCopy::Put(lhs_to + stage * kStageBytes, lhs, kLhsRowStride, lhs_held);
    RhsCopy::Put(rhs_to + stage * kStageBytes, rhs, kRhsRowStride, rhs_held);
  };
#pragma unroll 1
  for (int s = 0; s < kStages - 1; ++s) {
    if (begin + s < end) {
      load(s, begin + s, 0, 1);
      put(s);
    }
    CommitCopies();
    lhs += kLhsStep;
    rhs += kRhsStep;
  }
  AwaitCopies<kStages - 2>();
  __syncthreads();
  // Steps of k inside a stage: what the next one multiplies is read before this one multiplies,
  // also across stages, and the copies of a later stage are spread over all but the last.
  constexpr int kCopySteps = kStepsOfBlock > 4 ? 4 : kStepsOfBlock > 1 ? kStepsOfBlock - 1 : 1;
  Fragments fragments[2];
  const unsigned lhs_from = address + LhsFirst();
  const unsigned rhs_from = address + LhsCopy::kBytes + RhsFirst();
  LoadStep(lhs_from, rhs_from, 0, fragments[0]);
  int read = 0, write = kStages - 1;
#pragma unroll 1
  for (int step = begin; step < end; ++step) {
#pragma unroll
    for (int s = 0; s < kStepsOfBlock; ++s) {
      if (s < kCopySteps && step + kStages - 1 < end) {
        load(write, step + kStages - 1, s, kCopySteps);
      }
      if (s == kCopySteps - 1) CommitCopies();
      if (s == kStepsOfBlock - 1) {
        if (step + kStages - 1 < end) put(write);
        // The next stage's copies of all threads are here, and nobody reads this stage any more.
        AwaitCopies<kStages - 2>();
        __syncthreads();
        write = read;
        read = read + 1 == kStages ? 0 : read + 1;
      }
      LoadStep(lhs_from + read * kStageBytes, rhs_from + read * kStageBytes,
               (s + 1) % kStepsOfBlock, fragments[(s + 1) % 2]);
      MultiplyStep(fragments[s % 2], sums);
    }
    if constexpr (kStepsOfBlock % 2 != 0) fragments[0] = fragments[1];
    lhs += kLhsStep;
    rhs += kRhsStep;
  }
  AwaitCopies<0>();
  __syncthreads();
}

__device__ __forceinline__ void RunTiles(const Arguments& arguments, unsigned char* shared) {
  const long long index = blockIdx.x / kSplits;
  const int split = blockIdx.x % kSplits;
  const Tile tile = TileAt(index);
  const int begin = static_cast<int>(static_cast<long long>(kStepsK) * split / kSplits);
  const int end = static_cast<int>(static_cast<long long>(kStepsK) * (split + 1) / kSplits);
  Accumulator sums[kSums];
  Clear(sums);
  Multiply(arguments, tile, begin, end, shared, sums);
  if constexpr (kSplits > 1 && kReduction == 1) {
    StorePart(arguments, tile, split, shared, sums);
    return;
  }
  if constexpr (kSplits > 1) {
    if (!LeavePart(arguments, index, end - begin, blockIdx.x, sums)) return;
    Clear(sums);
#pragma unroll kPartsTogether
    for (int s = 0; s < kSplits; ++s) AddPart(arguments, index * kSplits + s, sums);
  }
  StoreTile(arguments, tile, shared, sums);
}

__device__ __forceinline__ void RunStream(const Arguments& arguments, unsigned char* shared) {
  const long long blocks = gridDim.x;
  constexpr long long kAllTiles = static_cast<long long>(kTilesM) * kTilesN * kBatch;
  const long long whole_rounds = kAllTiles / blocks > 1 ? kAllTiles / blocks - 1 : 0;
  Accumulator sums[kSums];
#pragma unroll 1
  for (long long round = 0; round < whole_rounds; ++round) {
    const Tile tile = TileAt(round * blocks + blockIdx.x);
    Clear(sums);
    Multiply(arguments, tile, 0, kStepsK, shared, sums);
    StoreTile(arguments, tile, shared, sums);
    __syncthreads();
  }
  const long long first_tile = whole_rounds * blocks;
  const long long steps = (kAllTiles - first_tile) * kStepsK;
  const long long begin = steps * blockIdx.x / blocks;
  const long long end = steps * (blockIdx.x + 1) / blocks;
#pragma unroll 1
  for (long long at = begin; at < end;) {
    const long long in_stream = at / kStepsK;
    const long long tile_begin = in_stream * kStepsK, tile_end = tile_begin + kStepsK;
    const long long stop = end < tile_end ? end : tile_end;
    const Tile tile = TileAt(first_tile + in_stream);
    Clear(sums);
    Multiply(arguments, tile, static_cast<int>(at - tile_begin),
             static_cast<int>(stop - tile_begin), shared, sums);
    bool complete = at == tile_begin && stop == tile_end;
    if (!complete) {
      // A block has at most two parts: of the tile where its run begins, and where it ends.
      const long long slot = 2 * blockIdx.x + (at == begin ? 0 : 1);
      complete =
          LeavePart(arguments, first_tile + in_stream, static_cast<int>(stop - at), slot, sums);
      if (complete) {
        Clear(sums);
        const long long first = ((tile_begin + 1) * blocks - 1) / steps;
        const long long last = (tile_end * blocks - 1) / steps;
#pragma unroll 1
        for (long long b = first; b <= last; ++b) {
          const bool begins_here = steps * b / blocks >= tile_begin;
          AddPart(arguments, 2 * b + (begins_here ? 0 : 1), sums);
        }
      }
    }
    if (complete) StoreTile(arguments, tile, shared, sums);
    __syncthreads();
    at = stop;
  }
}

__device__ __forceinline__ void Run(const Arguments& arguments) {
  extern __shared__ __align__(128) unsigned char shared[];
  if constexpr (kSchedule == 0) {
    RunTiles(arguments, shared);
  } else {
    RunStream(arguments, shared);
  }
}

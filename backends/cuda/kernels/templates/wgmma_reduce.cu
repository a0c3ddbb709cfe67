// Parts of a tile that was split along k meet within the launch: all of its blocks run at once,
// each waits until the others have written their parts, and adds up its share of the tile. Of the
// wgmma kernels; the counter of a tile starts at 0 and is left so.
//
// A thread's sums stay together, four at a time, in the order in which it has them, so that they
// are written and read by whole lines. They are added in a fixed order.

constexpr int kTileQuads = kQuads * kTileThreads;
constexpr int kShare = CeilDiv(kTileQuads, kSplits);  // quads
// Threads that share the parts of a quad, and how many parts each of them adds.
constexpr int kSharing = kShare >= kTileThreads            ? 1
                         : kTileThreads / kShare < kSplits ? kTileThreads / kShare
                                                      : kSplits;
constexpr int kPartsEach = CeilDiv(kSplits, kSharing);

struct Quad {
  Accumulator at[4];
  __device__ __forceinline__ void Add(const uint4& bits) {
    const Accumulator* other = reinterpret_cast<const Accumulator*>(&bits);
#pragma unroll
    for (int i = 0; i < 4; ++i) at[i] += other[i];
  }
  __device__ __forceinline__ const uint4& Bits() const {
    return *reinterpret_cast<const uint4*>(this);
  }
};

// Named barrier 3: the threads that add.
__device__ __forceinline__ void MeetAdders() {
  asm volatile("bar.sync 3, %0;" ::"n"(kTileThreads) : "memory");
}

__device__ __forceinline__ unsigned Acquire(const unsigned* counter) {
  unsigned value;
  asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(value) : "l"(counter) : "memory");
  return value;
}

// From the L2 cache, where other multiprocessors' parts are.
__device__ __forceinline__ uint4 LoadPart(const uint4* from) {
  uint4 bits;
  asm volatile("ld.global.cg.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(bits.x), "=r"(bits.y), "=r"(bits.z), "=r"(bits.w)
               : "l"(from));
  return bits;
}

// The output's part of a quad of the thread whose place `of` has.
__device__ __forceinline__ void FinishQuad(const Arguments& arguments, const Tile& tile,
                                           const Consumer& of, int quad, const Quad& sums) {
  const int m = quad / (kTotalSums / 4);
  const int eight = quad % (kTotalSums / 4) * 8;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if constexpr (kTurned) {
      Accumulator values[2] = {sums.at[half], sums.at[half + 2]};
      Finish(arguments, tile.batch, tile.row + eight + of.lane % 4 * 2 + half,
             tile.column + of.RowOf(m, 0), values);
    } else {
      Accumulator values[2] = {sums.at[half * 2], sums.at[half * 2 + 1]};
      Finish(arguments, tile.batch, tile.row + of.RowOf(m, half),
             tile.column + eight + of.lane % 4 * 2, values);
    }
  }
}

__device__ __forceinline__ Quad QuadOf(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                       int quad) {
  const int m = quad / (kTotalSums / 4);
  const int i = quad % (kTotalSums / 4) * 4;
  return {{d[m][i], d[m][i + 1], d[m][i + 2], d[m][i + 3]}};
}

// Until the blocks of the tile have written their parts. How many had left when this one did, and
// all that came.
__device__ __forceinline__ unsigned MeetBlocks(unsigned* counter, int thread) {
  MeetAdders();
  unsigned left_before = 0;
  if (thread == 0) {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
    while (Acquire(counter) < kSplits) {
    }
    left_before = atomicAdd(counter, 1u);
  }
  MeetAdders();
  return left_before;
}

// Where a block's share is the same quads of every thread: a thread keeps its own part of these,
// leaves the others', and adds up what others left of its own.
constexpr bool kSharesAreWhole = kQuads % kSplits == 0;
constexpr int kOwnQuads = kSharesAreWhole ? kQuads / kSplits : 1;
constexpr int kTraded = kTurned || kOwnQuads % 2 != 0 ? 1 : kOwnQuads % 4 != 0 ? 2 : 4;
constexpr int kFinishedRun = kOutAligned < 2             ? 2
                             : kOutAligned < 2 * kTraded ? kOutAligned
                                                         : 2 * kTraded;

// Quads that are added up together, and parts that are read at one time: some 64 registers of them.
__device__ constexpr int BatchOf(int quads) {
  const int twice = 2 * quads;
  return kOwnQuads % twice == 0 && twice * (kSplits - 1) <= 8 ? BatchOf(twice) : quads;
}
constexpr int kBatchQuads = BatchOf(kTraded);
constexpr int kPartsAtOnce = kBatchQuads >= 8 ? 1 : 8 / kBatchQuads;

__device__ __forceinline__ void FinishBatch(const Arguments& arguments, const Tile& tile,
                                            const Consumer& consumer, int first,
                                            const Quad (&sums)[kBatchQuads]) {
  const int lane = consumer.lane;
#pragma unroll
  for (int i = 0; i < kBatchQuads; i += kTraded) {
    const int quad = first + i;
    if constexpr (kTurned) {
      FinishQuad(arguments, tile, consumer, quad, sums[i]);
    } else {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        Accumulator values[2 * kTraded];
#pragma unroll
        for (int v = 0; v < 2 * kTraded; ++v) values[v] = sums[i + v / 2].at[half * 2 + v % 2];
        Trade<kTraded>(lane, values);
        const int column = tile.column + quad % (kTotalSums / 4) * 8 + lane % kTraded * 8 +
                           lane % 4 / kTraded * kTraded * 2;
#pragma unroll
        for (int run = 0; run < 2 * kTraded; run += kFinishedRun) {
          Accumulator finished[kFinishedRun];
#pragma unroll
          for (int v = 0; v < kFinishedRun; ++v) finished[v] = values[run + v];
          Finish(arguments, tile.batch,
                 tile.row + consumer.RowOf(quad / (kTotalSums / 4), half), column + run, finished);
        }
      }
    }
  }
}

__device__ __forceinline__ void AddWholeShares(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                               const Arguments& arguments, const Tile& tile,
                                               const Consumer& consumer, unsigned* counter,
                                               uint4* parts) {
  const int thread = consumer.place;
  const int split = tile.split;
  Quad own[kOwnQuads] = {};
#pragma unroll
  for (int quad = 0; quad < kQuads; ++quad) {
    const Quad mine = QuadOf(d, quad);
    if (quad / kOwnQuads == split) {
      own[quad % kOwnQuads] = mine;
    } else {
      parts[(split * kQuads + quad) * kTileThreads + thread] = mine.Bits();
    }
  }
  const unsigned left_before = MeetBlocks(counter, thread);
#pragma unroll
  for (int batch = 0; batch < kOwnQuads; batch += kBatchQuads) {
    const int first = split * kOwnQuads + batch;
    Quad sums[kBatchQuads] = {};
#pragma unroll
    for (int from = 0; from < kSplits; from += kPartsAtOnce) {
      uint4 bits[kPartsAtOnce][kBatchQuads];
#pragma unroll
      for (int p = 0; p < kPartsAtOnce && from + p < kSplits; ++p) {
#pragma unroll
        for (int i = 0; i < kBatchQuads; ++i) {
          bits[p][i] = own[batch + i].Bits();
          if (from + p != split) {
            bits[p][i] =
                LoadPart(parts + ((from + p) * kQuads + first + i) * kTileThreads + thread);
          }
        }
      }
#pragma unroll
      for (int p = 0; p < kPartsAtOnce && from + p < kSplits; ++p) {
#pragma unroll
        for (int i = 0; i < kBatchQuads; ++i) sums[i].Add(bits[p][i]);
      }
    }
    FinishBatch(arguments, tile, consumer, first, sums);
  }
  // All have come, and who leaves last clears the counter.
  if (thread == 0 && left_before == 2 * kSplits - 1) *counter = 0;
}

// `scratch`: shared memory, 16 bytes for each of those that add.
__device__ __forceinline__ void AddParts(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                         const Arguments& arguments, const Tile& tile,
                                         const Consumer& consumer, unsigned scratch) {
  if (tile.row >= kM || tile.column >= kN) return;  // no tile at all: what fills up a cluster
  const int thread = consumer.place;
  const int number = (tile.batch * kTilesM + tile.row / kBlockM) * kTilesN + tile.column / kBlockN;
  unsigned* const counter = reinterpret_cast<unsigned*>(arguments.workspace) + number;
  uint4* const parts = reinterpret_cast<uint4*>(arguments.workspace + kPartialsOffset) +
                       static_cast<long long>(number) * kSplits * kTileQuads;
  if constexpr (kSharesAreWhole) {
    AddWholeShares(d, arguments, tile, consumer, counter, parts);
    return;
  }
#pragma unroll
  for (int quad = 0; quad < kQuads; ++quad) {
    parts[tile.split * kTileQuads + quad * kTileThreads + thread] = QuadOf(d, quad).Bits();
  }
  const unsigned left_before = MeetBlocks(counter, thread);
  // This block's share of the tile.
  const int first = kTileQuads * tile.split / kSplits;
  const int end = kTileQuads * (tile.split + 1) / kSplits;
  const auto add = [&](int quad, int from) {
    Quad sum = {};
#pragma unroll 16
    for (int p = 0; p < kPartsEach; ++p) {
      if (kSplits % kPartsEach == 0 || from + p < kSplits) {
        sum.Add(LoadPart(parts + (from + p) * kTileQuads + quad));
      }
    }
    return sum;
  };
  const auto finish = [&](int quad, const Quad& sum) {
    Consumer owner = consumer;
    owner.TakePlace(quad % kTileThreads);
    FinishQuad(arguments, tile, owner, quad / kTileThreads, sum);
  };
  if constexpr (kSharing == 1) {
    for (int quad = first + thread; quad < end; quad += kTileThreads) finish(quad, add(quad, 0));
  } else {
    const int quad = first + thread % kShare;
    const int turn = thread / kShare;
    const unsigned place = scratch + thread * static_cast<int>(sizeof(Quad));
    Quad sum = {};
    if (turn < kSharing && quad < end) sum = add(quad, turn * kPartsEach);
    if (turn > 0) {
      const uint4 bits = sum.Bits();
      asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(place), "r"(bits.x),
                   "r"(bits.y), "r"(bits.z), "r"(bits.w)
                   : "memory");
    }
    MeetAdders();
    if (turn == 0 && quad < end) {
#pragma unroll
      for (int t = 1; t < kSharing; ++t) {
        uint4 bits;
        asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                     : "=r"(bits.x), "=r"(bits.y), "=r"(bits.z), "=r"(bits.w)
                     : "r"(place + t * kShare * static_cast<int>(sizeof(Quad)))
                     : "memory");
        sum.Add(bits);
      }
      finish(quad, sum);
    }
  }
  // All have come, and who leaves last clears the counter.
  if (thread == 0 && left_before == 2 * kSplits - 1) *counter = 0;
}

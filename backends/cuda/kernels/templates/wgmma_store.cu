// From a warpgroup's sums to the output, or to a part of it. Of the wgmma kernels.

template <int kSize>
__device__ __forceinline__ void StorePartial(const Arguments& arguments, const Tile& tile, int row,
                                             int column, const Accumulator (&values)[kSize]) {
  if (row >= kM || column >= kN) return;
  Accumulator* to = reinterpret_cast<Accumulator*>(arguments.workspace + kPartialsOffset) +
                    ((static_cast<long long>(tile.split) * kBatch + tile.batch) * kM + row) * kN +
                    column;
  if constexpr (kN % kSize == 0) {
    *reinterpret_cast<Vector<Accumulator, kSize>*>(to) =
        *reinterpret_cast<const Vector<Accumulator, kSize>*>(&values);
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      if (column + i < kN) to[i] = values[i];
    }
  }
}

// Contiguous elements of the output, or of a part of it.
template <int kSize>
__device__ __forceinline__ void StoreRun(const Arguments& arguments, const Tile& tile, int row,
                                         int column, Accumulator (&values)[kSize]) {
  if constexpr (kSplits > 1) {
    StorePartial(arguments, tile, row, column, values);
  } else {
    Finish(arguments, tile.batch, row, column, values);
  }
}

// Four lanes that have two neighbouring columns each of kGroups groups of eight trade them, so that
// each has 2 kGroups neighbouring columns of one group.
template <int kGroups>
__device__ __forceinline__ void Trade(int lane, Accumulator (&values)[2 * kGroups]) {
#pragma unroll
  for (int distance = 1; distance < kGroups; distance *= 2) {
    const bool upper = lane & distance;
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
      if (group & distance) continue;
#pragma unroll
      for (int c = 0; c < 2; ++c) {
        Accumulator& low = values[group * 2 + c];
        Accumulator& high = values[(group + distance) * 2 + c];
        const Accumulator taken = __shfl_xor_sync(0xffffffffu, upper ? low : high, distance);
        low = upper ? taken : low;
        high = upper ? high : taken;
      }
    }
  }
}

#if SEEDTUNE_TMA_STORE
// A warp's part of a tile goes to the output through shared memory, in chunks of 16 rows by 128
// bytes.
constexpr int kPairWords = sizeof(Out) / 2;  // of two neighbouring elements
constexpr int kChunkColumns = kRowBytes / static_cast<int>(sizeof(Out));
constexpr int kFragments = kChunkColumns / 8;  // of 8 columns
constexpr int kRowChunks = kBlockN / kChunkColumns;
constexpr int kChunks = kInstructionsM * kRowChunks;

constexpr int kChunkWords = kFragments * 2 * kPairWords;

// The bias of a tile's columns, brought before they are multiplied, so that the epilogue waits for
// nothing: of each 64 columns, each lane has two. What it needs itself is another lane's. Where two
// warpgroups take turns, the wait is hidden, and their tiles leave no registers.
constexpr bool kBringsBias =
    kHasBias && !kPingPong && sizeof(Bias) == 2 && kBiasAligned > 1 && kN % 2 == 0;

struct TileBias {
  unsigned words[kBringsBias ? CeilDiv(kBlockN, 64) : 1];

  __device__ __forceinline__ TileBias(const Arguments& arguments, const Tile& tile, int lane) {
    if constexpr (kBringsBias) {
#pragma unroll
      for (int i = 0; i < CeilDiv(kBlockN, 64); ++i) {
        const int column = tile.column + i * 64 + lane * 2;
        words[i] = (kN % kBlockN == 0 && kBlockN % 64 == 0) || column < kN
                       ? *reinterpret_cast<const unsigned*>(arguments.bias + column)
                       : 0;
      }
    }
  }
  // Of this lane's two columns of eight.
  __device__ __forceinline__ Vector<Bias, 2> Of(int eight, int lane) const {
    const unsigned bits = __shfl_sync(~0u, words[eight / 8], eight % 8 * 4 + lane % 4);
    return *reinterpret_cast<const Vector<Bias, 2>*>(&bits);
  }
};

// Four words of a chunk: of each eight columns, the lane's pair of rows 0-7, then of rows 8-15.
__device__ __forceinline__ void Collect(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                        int chunk, int first_word, const Tile& tile,
                                        const Consumer& consumer, const Arguments& arguments,
                                        const TileBias& tile_bias, unsigned (&words)[4]) {
  Vector<Bias, 2> bias;
  const int m = chunk / kRowChunks;
#pragma unroll
  for (int word = 0; word < 4; word += kPairWords) {
    const int pair = (chunk % kRowChunks * kChunkWords + first_word + word) / kPairWords;
    const int row = tile.row + consumer.RowOf(m, pair % 2);
    const int column = tile.column + pair / 2 * 8 + consumer.lane % 4 * 2;
    Accumulator values[2] = {d[m][pair * 2], d[m][pair * 2 + 1]};
    if (kBringsBias && pair % 2 == 0) bias = tile_bias.Of(pair / 2, consumer.lane);
    if ((kM % kBlockM == 0 || row < kM) && (kN % kBlockN == 0 || column < kN)) {
      if constexpr (kBringsBias) {
        Complete(arguments, tile.batch, row, column, kN - column, values, [&] {
#pragma unroll
          for (int i = 0; i < 2; ++i) values[i] += static_cast<Accumulator>(Widen(bias.at[i]));
        });
      } else {
        Complete(arguments, tile.batch, row, column, kN - column, values);
      }
    }
    Vector<Out, 2> narrow;
    Narrow(values[0], narrow.at[0]);
    Narrow(values[1], narrow.at[1]);
    if constexpr (kPairWords == 1) {
      words[word] = *reinterpret_cast<unsigned*>(&narrow);
    } else {
      const uint2 both = *reinterpret_cast<uint2*>(&narrow);
      words[word] = both.x;
      words[word + 1] = both.y;
    }
  }
}

// The way out of a warp: buffers, in turns.
struct WayOut {
  unsigned buffers;
  int used = 0;
};

// `get(i, words)` gives four words of the chunk from its i-th on.
template <typename Get>
__device__ __forceinline__ void Store(int chunk, const Tile& tile, const Consumer& consumer,
                                      WayOut& way, const TensorMap& out_map, const Get& get) {
  const int lane = consumer.lane;
  const unsigned to = way.buffers + way.used % kOutBuffers * kOutBufferBytes;
  ++way.used;
  WaitForCopiesOut<kOutBuffers - 1>();
  __syncwarp();
#pragma unroll
  for (int i = 0; i < kChunkWords; i += 4) {
    unsigned words[4];
    get(i, words);
    if constexpr (kPairWords == 1) {
      const int r = lane % 16;
      const unsigned at = to + r * kRowBytes + (((i / 2 + lane / 16) ^ (r & 7)) << 4);
      asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(at),
                   "r"(words[0]), "r"(words[1]), "r"(words[2]), "r"(words[3])
                   : "memory");
    } else {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int r = lane / 4 + half * 8;
        const int piece = i / 2 + lane % 4 / 2;
        const unsigned at = to + r * kRowBytes + ((piece ^ (r & 7)) << 4) + lane % 2 * 8;
        asm volatile("st.shared.v2.b32 [%0], {%1, %2};" ::"r"(at), "r"(words[half * 2]),
                     "r"(words[half * 2 + 1])
                     : "memory");
      }
    }
  }
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
  __syncwarp();
  if (ElectOne()) {
    CopyOut(
        out_map, to, tile.column + chunk % kRowChunks * kChunkColumns,
        tile.row + consumer.first_row + chunk / kRowChunks * kInstructionRows + consumer.warp * 16,
        tile.batch);
  }
}

// A tile whose elements wait in registers until the next one is being multiplied.
struct Waiting {
  // All is set from the start: ptxas (13.0) takes a value that is carried round the loop for that
  // of the next round where it is undefined in the first one.
  bool any = false;
  Tile tile = {};
  unsigned words[kDeferStores ? kChunks : 1][kChunkWords / 4][4] = {};

  __device__ __forceinline__ void StoreChunk(int chunk, const Consumer& consumer, WayOut& way,
                                             const TensorMap& out_map) const {
    Store(chunk, tile, consumer, way, out_map, [&](int i, unsigned(&to)[4]) {
#pragma unroll
      for (int word = 0; word < 4; ++word) to[word] = words[chunk][i / 4][word];
    });
  }
};

// The memory has to stay until it is read; what is written is there when the kernel has ended.
__device__ __forceinline__ void Leave() { WaitForCopiesOut<0>(); }
#else
// Columns are traded by fours of eights, and stored as much at a time as the output's alignment
// allows.
constexpr int kStoredEights = 4;
constexpr int kStoredRun = kSplits > 1 ? 4 : kOutAligned < 2 ? 2 : kOutAligned;

// A warp's sums of a tile.
__device__ __forceinline__ void StoreSums(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                          const Tile& tile, const Consumer& consumer,
                                          const Arguments& arguments) {
  const int lane = consumer.lane;
#pragma unroll
  for (int m = 0; m < kInstructionsM; ++m) {
    if constexpr (kTurned) {
      // Four neighbouring columns of each row.
      if (m % 2 == 1) continue;
#pragma unroll
      for (int i = 0; i < kTotalSums; ++i) {
        if (i % 4 >= 2) continue;
        Accumulator values[4] = {d[m][i], d[m][i + 2], d[m + 1][i], d[m + 1][i + 2]};
        StoreRun(arguments, tile, tile.row + i / 4 * 8 + lane % 4 * 2 + i % 4,
                 tile.column + consumer.RowOf(m, 0), values);
      }
    } else {
#pragma unroll
      for (int eight = 0; eight < kTotalSums / 4; eight += kStoredEights) {
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          Accumulator values[2 * kStoredEights];
#pragma unroll
          for (int v = 0; v < 2 * kStoredEights; ++v) {
            values[v] = d[m][(eight + v / 2) * 4 + half * 2 + v % 2];
          }
          Trade<kStoredEights>(lane, values);
#pragma unroll
          for (int run = 0; run < 2 * kStoredEights; run += kStoredRun) {
            Accumulator stored[kStoredRun];
#pragma unroll
            for (int v = 0; v < kStoredRun; ++v) stored[v] = values[run + v];
            StoreRun(arguments, tile, tile.row + consumer.RowOf(m, half),
                     tile.column + eight * 8 + lane % 4 * 8 + run, stored);
          }
        }
      }
    }
  }
}
#endif

// skinny: one side of the output, the short one, has at most 16 rows or columns. The other operand,
// the big one, is read once, 16 bytes a thread and copy, past the L1 cache, many copies in flight:
// a ring in shared memory holds them, where each thread has slots of its own, so that nobody waits
// for anybody. The small operand takes the same way where it can.
//
// In the words below the long side has kLong rows, the short side kShort. Where tensor cores take
// the types (kTensor), the long side is the 16 rows of an mma.sync and the short side its 8
// columns, once or twice. Which step of k and which row an instruction's slot stands for is free,
// as long as both operands agree. So no data moves between threads:
//   * big operand contiguous along k: threads 4g to 4g + 3 hold 64 neighbouring bytes of rows g and
//     g + 8; words 2j and 2j + 1 of a thread's 16 bytes are what it gives to the j-th mma.sync.
//   * contiguous along the long side: a thread holds 16 bytes of as many steps of k as two words
//     take, and picks them apart: rows are spread over threads by 16 bytes. Other threads copy
//     them, so that 8 in a row read 128 bytes in a row.
// Else a thread multiplies for itself: along k, 8 threads share 128 bytes of a row, and every
// fourth row; along the long side, each has rows of its own.

constexpr int kChunk = 16 / sizeof(Big);  // elements of one load
constexpr int kWarpLong = kLongIsN ? kWarpN : kWarpM;
constexpr int kBlockLong = kLongIsN ? kBlockN : kBlockM;
constexpr int kWarpsLong = kBlockLong / kWarpLong;
constexpr int kShortTiles = kShort > 8 ? 2 : 1;
constexpr int kWordElements = 4 / sizeof(Big) > 0 ? 4 / sizeof(Big) : 1;

// Steps of k that a warp takes at once, and loads of a thread for them.
constexpr int kStep =
    kTensor ? (kBigAlongK ? 4 * kChunk : 8 * kWordElements) : (kBigAlongK ? 8 * kChunk : 4);
constexpr int kRows =
    kBigAlongK ? (kTensor ? kWarpLong / 8 : kWarpLong / 4) : (kTensor ? 2 * kWordElements : 4);
constexpr int kGroups = kBigAlongK ? 1 : kWarpLong / ((kTensor ? 8 : 32) * kChunk);
constexpr int kLoads = kRows * kGroups;
constexpr int kUnroll = kBlockK / kStep;  // steps of a turn
// Elements of a row of the small operand that a thread of a tensor core's warp holds.
constexpr int kSmallSize = !kTensor ? 1 : kBigAlongK ? kChunk : 2 * kWordElements;
static_assert(kUnroll * kStep == kBlockK && kUnroll > 0, "whole steps");
static_assert(kGroups > 0, "whole chunks");

constexpr int kRowTiles = kWarpLong / 16;
constexpr int kProducts = kTensor ? kRowTiles * kShortTiles * 4
                                  : (kBigAlongK ? kRows * kShort : kGroups * kChunk * kShort);
// Where threads share a row, they share its sums, too.
constexpr bool kSharesSums = !kTensor && kBigAlongK;
constexpr int kSums = kSharesSums ? (kProducts + 7) / 8 : kProducts;
constexpr int kSumThreads = 32 * kWarpsLong;
constexpr int kRun = 1;

// Whether the small operand goes through the ring.
constexpr bool kSmallInRing =
    kTensor && kSmallKStride == 1 && kSmallAligned >= kSmallSize * static_cast<int>(sizeof(Small));
constexpr int kStepSlots = kLoads + (kSmallInRing ? kShortTiles : 0);
constexpr int kSlotBytes = kThreads * 16;
constexpr int kStageBytes = kUnroll * kStepSlots * kSlotBytes;

// Copies 16 bytes from `from` on, of which the first `count` elements exist; the rest becomes 0.
// kAligned: bytes. `readable` is any address that may be read.
template <int kAligned, typename T>
__device__ __forceinline__ void CopyChunk(unsigned to, const T* from, int count,
                                          const T* readable) {
  constexpr int kSize = 16 / sizeof(T);
  if constexpr (kAligned >= 4) {
    const int valid = count < 0 ? 0 : count > kSize ? 16 : count * static_cast<int>(sizeof(T));
    const char* source = reinterpret_cast<const char*>(count > 0 ? from : readable);
#pragma unroll
    for (int b = 0; b < 16; b += kAligned) {
      const int part = valid - b < 0 ? 0 : valid - b > kAligned ? kAligned : valid - b;
      CopyAsync<kAligned, kBigOnce>(to + b, part > 0 ? source + b : source, part);
    }
  } else {
    Vector<T, kSize> elements;
#pragma unroll
    for (int i = 0; i < kSize; ++i) elements.at[i] = i < count ? from[i] : T{};
    StoreShared16(to, *reinterpret_cast<const uint4*>(&elements));
  }
}

__device__ __forceinline__ int Lane() { return threadIdx.x % 32; }
__device__ __forceinline__ int WarpOfLong() { return threadIdx.x / 32 % kWarpsLong; }
__device__ __forceinline__ int WarpOfK() { return threadIdx.x / 32 / kWarpsLong; }

// What a thread reads for one step.
struct Operands {
  uint4 big[kLoads];
  Vector<Small, kSmallSize> small[kShortTiles];
};

// kSize elements of a row of the small operand.
template <int kSize>
__device__ __forceinline__ Vector<Small, kSize> LoadSmall(const Small* small, int row, int k) {
  Vector<Small, kSize> v;
  const Small* from = small + row * kSmallShortStride + k * kSmallKStride;
  constexpr int kBytes = kSize * sizeof(Small) < 16 ? kSize * sizeof(Small) : 16;
  if (kSmallKStride == 1 && kSmallAligned >= kBytes && k + kSize <= kK) {
    constexpr int kPart = kBytes / sizeof(Small);
#pragma unroll
    for (int p = 0; p < kSize; p += kPart) {
      const auto part = *reinterpret_cast<const Vector<Small, kPart>*>(from + p);
#pragma unroll
      for (int i = 0; i < kPart; ++i) v.at[p + i] = part.at[i];
    }
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      v.at[i] = k + i < kK ? from[i * kSmallKStride] : Small{};
    }
  }
  return v;
}

// The slot among its warp's that a thread copies to, and the one that it takes from. They differ
// where rows are spread: copies go to quad q's thread g, q = lane / 8 and g = lane % 8 of who
// copies; slots change places so that nobody meets in a bank.
constexpr bool kSpreads = kTensor && !kBigAlongK;
__device__ __forceinline__ int CopySlot() { return kSpreads ? Lane() ^ Lane() / 8 * 2 : Lane(); }
__device__ __forceinline__ int OwnSlot() {
  return kSpreads ? Lane() % 4 * 8 + (Lane() / 4 ^ Lane() % 4 * 2) : Lane();
}

// Copies a thread's share of one step to its slots, the first of which is at `to`; the small
// operand's go to `own`. `first` is the warp's first row of the long side.
__device__ __forceinline__ void CopyStep(const Big* big, const Small* small, int first, int k,
                                         unsigned to, unsigned own) {
  const int lane = Lane();
  if constexpr (kBigAlongK) {
    constexpr int kThreadsOfRow = kTensor ? 4 : 8;
    const int at = k + lane % kThreadsOfRow * kChunk;
#pragma unroll
    for (int r = 0; r < kRows; ++r) {
      int row = first + r * (32 / kThreadsOfRow) + lane / kThreadsOfRow;
      if (kLong % kBlockLong != 0 && row >= kLong) row = kLong - 1;  // dropped in the end
      CopyChunk<kBigAligned>(to + r * kSlotBytes, big + row * kBigLongStride + at,
                             kK % kBlockK == 0 ? kChunk : kK - at, big);
    }
  } else {
    const int at = k + (kTensor ? lane / 8 * kRows : 0);
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      const int row = first + (kTensor ? g * 8 + lane % 8 : g * 32 + lane) * kChunk;
#pragma unroll
      for (int r = 0; r < kRows; ++r) {
        int count = kLong % kBlockLong == 0 ? kChunk : kLong - row;
        if (kK % kBlockK != 0 && at + r >= kK) count = 0;
        CopyChunk<kBigAligned>(to + (g * kRows + r) * kSlotBytes,
                               big + (at + r) * kBigKStride + row, count, big);
      }
    }
  }
  if constexpr (kSmallInRing) {
    const int at = k + lane % 4 * kSmallSize;
    const int count = kK % kBlockK == 0 ? kSmallSize : kK - at;
    constexpr int kBytes = kSmallSize * sizeof(Small);
#pragma unroll
    for (int s = 0; s < kShortTiles; ++s) {
      int row = s * 8 + lane / 4;
      if (kShort % 8 != 0 && row >= kShort) row = kShort - 1;
      const Small* from = small + row * kSmallShortStride + at;
      const int valid = count < 0            ? 0
                        : count > kSmallSize ? kBytes
                                             : count * static_cast<int>(sizeof(Small));
      asm volatile(
          "cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(own + (kLoads + s) * kSlotBytes),
          "l"(count > 0 ? from : small), "n"(kBytes), "r"(valid));
    }
  }
}

// Takes a step's operands from a thread's slots.
__device__ __forceinline__ void LoadStep(const unsigned char* from, const Small* small, int k,
                                         Operands& operands) {
#pragma unroll
  for (int i = 0; i < kLoads; ++i) {
    operands.big[i] = *reinterpret_cast<const uint4*>(from + i * kSlotBytes);
  }
  if constexpr (kTensor) {
    const int lane = Lane();
#pragma unroll
    for (int s = 0; s < kShortTiles; ++s) {
      int row = s * 8 + lane / 4;
      if (kShort % 8 != 0 && row >= kShort) row = kShort - 1;
      if constexpr (kSmallInRing) {
        operands.small[s] =
            *reinterpret_cast<const Vector<Small, kSmallSize>*>(from + (kLoads + s) * kSlotBytes);
      } else {
        operands.small[s] = LoadSmall<kSmallSize>(small, row, k + lane % 4 * kSmallSize);
      }
    }
  }
}

// Word w of a thread's i-th load of a step.
__device__ __forceinline__ unsigned WordOf(const uint4& chunk, int w) {
  return w == 0 ? chunk.x : w == 1 ? chunk.y : w == 2 ? chunk.z : chunk.w;
}
// Elements `e` of the words of kWordElements steps of k, side by side. (e is known at compile
// time where this is unrolled.)
template <int e>
__device__ __forceinline__ unsigned Gather(const unsigned (&w)[kWordElements]) {
  if constexpr (kWordElements == 1) {
    return w[0];
  } else if constexpr (kWordElements == 2) {
    return __byte_perm(w[0], w[1], e == 0 ? 0x5410 : 0x7632);
  } else {
    const unsigned low = __byte_perm(w[0], w[1], e < 2 ? 0x5140 : 0x7362);
    const unsigned high = __byte_perm(w[2], w[3], e < 2 ? 0x5140 : 0x7362);
    return __byte_perm(low, high, e % 2 == 0 ? 0x5410 : 0x7632);
  }
}

// The four words of an mma.sync's long side, from rows e and f (elements of word w) of a group.
template <int e, int f>
__device__ __forceinline__ void GatherRows(const Operands& operands, int group, int w,
                                           unsigned (&a)[4]) {
  unsigned first[kWordElements], second[kWordElements];
#pragma unroll
  for (int i = 0; i < kWordElements; ++i) {
    first[i] = WordOf(operands.big[group * kRows + i], w);
    second[i] = WordOf(operands.big[group * kRows + kWordElements + i], w);
  }
  a[0] = Gather<e>(first);
  a[1] = Gather<f>(first);
  a[2] = Gather<e>(second);
  a[3] = Gather<f>(second);
}

#if SEEDTUNE_TENSOR
__device__ __forceinline__ void MultiplyRows(const Operands& operands, int tile, int j,
                                             const unsigned (&a)[4],
                                             Accumulator (&products)[kProducts]) {
#pragma unroll
  for (int s = 0; s < kShortTiles; ++s) {
    const unsigned* words = reinterpret_cast<const unsigned*>(&operands.small[s]);
    Instruction<Big, Small>::Issue(a, words[2 * j], words[2 * j + 1],
                                   products + (tile * kShortTiles + s) * 4);
  }
}

__device__ __forceinline__ void MultiplyStep(const Operands& operands, const Small*, int,
                                             Accumulator (&products)[kProducts]) {
  if constexpr (kBigAlongK) {
#pragma unroll
    for (int tile = 0; tile < kRowTiles; ++tile) {
      const uint4 &low = operands.big[2 * tile], &high = operands.big[2 * tile + 1];
#pragma unroll
      for (int j = 0; j < 2; ++j) {
        const unsigned a[4] = {WordOf(low, 2 * j), WordOf(high, 2 * j), WordOf(low, 2 * j + 1),
                               WordOf(high, 2 * j + 1)};
        MultiplyRows(operands, tile, j, a, products);
      }
    }
  } else {
    unsigned a[4];
#pragma unroll
    for (int g = 0; g < kGroups; ++g) {
      if constexpr (kWordElements == 1) {
        // Two words are two rows.
#pragma unroll
        for (int pair = 0; pair < 2; ++pair) {
          a[0] = WordOf(operands.big[g * kRows], 2 * pair);
          a[1] = WordOf(operands.big[g * kRows], 2 * pair + 1);
          a[2] = WordOf(operands.big[g * kRows + 1], 2 * pair);
          a[3] = WordOf(operands.big[g * kRows + 1], 2 * pair + 1);
          MultiplyRows(operands, g * 2 + pair, 0, a, products);
        }
      } else {
#pragma unroll
        for (int w = 0; w < 4; ++w) {
          GatherRows<0, 1>(operands, g, w, a);
          MultiplyRows(operands, (g * 4 + w) * kWordElements / 2, 0, a, products);
          if constexpr (kWordElements == 4) {
            GatherRows<2, 3>(operands, g, w, a);
            MultiplyRows(operands, (g * 4 + w) * 2 + 1, 0, a, products);
          }
        }
      }
    }
  }
}
#else
// An element of a chunk, to calculate with.
__device__ __forceinline__ Accumulator ElementOf(const uint4& chunk, int i) {
  return static_cast<Accumulator>(
      Widen(reinterpret_cast<const Vector<Big, kChunk>*>(&chunk)->at[i]));
}

__device__ __forceinline__ void MultiplyStep(const Operands& operands, const Small* small, int k,
                                             Accumulator (&products)[kProducts]) {
  constexpr int kSize = kBigAlongK ? kChunk : kRows;
  const int at = kBigAlongK ? k + Lane() % 8 * kChunk : k;
#pragma unroll
  for (int s = 0; s < kShort; ++s) {
    const auto loaded = LoadSmall<kSize>(small, s, at);
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      const Accumulator x = static_cast<Accumulator>(Widen(loaded.at[i]));
      if constexpr (kBigAlongK) {
#pragma unroll
        for (int r = 0; r < kRows; ++r) {
          products[r * kShort + s] += ElementOf(operands.big[r], i) * x;
        }
      } else {
#pragma unroll
        for (int g = 0; g < kGroups; ++g) {
#pragma unroll
          for (int e = 0; e < kChunk; ++e) {
            products[(g * kChunk + e) * kShort + s] +=
                ElementOf(operands.big[g * kRows + i], e) * x;
          }
        }
      }
    }
  }
}
#endif

// Of products, the sums that this thread keeps.
__device__ __forceinline__ void Share(Accumulator (&products)[kProducts],
                                      Accumulator (&sums)[kSums]) {
  if constexpr (kSharesSums) {
#pragma unroll
    for (int i = 0; i < kSums; ++i) sums[i] = 0;
#pragma unroll
    for (int i = 0; i < kProducts; ++i) {
      Accumulator sum = products[i];
#pragma unroll
      for (int mask = 4; mask > 0; mask /= 2) sum += __shfl_xor_sync(0xffffffff, sum, mask);
      if (Lane() % 8 == i % 8) sums[i / 8] = sum;
    }
  } else {
#pragma unroll
    for (int i = 0; i < kSums; ++i) sums[i] = products[i];
  }
}

// Hands the sums out one by one: use(row, column, run), in the block's tile.
template <typename Use>
__device__ __forceinline__ void ForEachRun(unsigned char*, Accumulator (&sums)[kSums], Use use) {
  const int lane = Lane();
  const int first = WarpOfLong() * kWarpLong;
#pragma unroll
  for (int i = 0; i < kSums; ++i) {
    int on_long, on_short;
    if constexpr (kTensor) {
      const int tile = i / (4 * kShortTiles), half = i % 4 / 2;
      on_short = i / 4 % kShortTiles * 8 + lane % 4 * 2 + i % 2;
      // Tiles of a group, where rows are spread, are pairs of a chunk's elements.
      on_long = kBigAlongK ? tile * 16 + half * 8 + lane / 4
                           : (tile / (kChunk / 2) * 8 + lane / 4) * kChunk +
                                 tile % (kChunk / 2) * 2 + half;
    } else if constexpr (kBigAlongK) {
      const int product = i * 8 + lane % 8;
      if (kProducts % 8 != 0 && product >= kProducts) continue;
      on_long = product / kShort * 4 + lane / 8;
      on_short = product % kShort;
    } else {
      on_long = (i / kShort / kChunk * 32 + lane) * kChunk + i / kShort % kChunk;
      on_short = i % kShort;
    }
    if (on_short >= kShort) continue;
    Accumulator run[kRun] = {sums[i]};
    use(kLongIsN ? on_short : first + on_long, kLongIsN ? first + on_long : on_short, run);
  }
}

// Tiles of an operand from global into shared memory, asynchronously where the hardware can.

__device__ __forceinline__ unsigned SharedAddress(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// For what is read once and would not stay in the L2 cache anyway: it pushes out its own kind first,
// not what others left there or what they still have to write.
__device__ __forceinline__ unsigned long long ReadOncePolicy() {
  unsigned long long policy;
  asm("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  return policy;
}

// kBytes: 4, 8 or 16. Of them `valid` are read, the rest becomes 0; where that is 0, `global` may be
// anything.
template <int kBytes, bool kOnce = false>
__device__ __forceinline__ void CopyAsync(unsigned shared, const void* global, int valid) {
  if constexpr (kBytes == 16 && kOnce) {
    asm volatile(
        "cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2, %3;" ::"r"(shared),
        "l"(global), "r"(valid), "l"(ReadOncePolicy()));
  } else if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(shared),
                 "l"(global), "r"(valid));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared), "l"(global),
                 "n"(kBytes), "r"(valid));
  }
}
template <int kBytes, bool kOnce = false>
__device__ __forceinline__ void CopyAsync(unsigned shared, const void* global) {
  if constexpr (kBytes == 16 && kOnce) {
    asm volatile(
        "cp.async.cg.shared.global.L2::cache_hint.L2::128B [%0], [%1], 16, %2;" ::"r"(shared),
        "l"(global), "l"(ReadOncePolicy()));
  } else if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16;" ::"r"(shared), "l"(global));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2;" ::"r"(shared), "l"(global),
                 "n"(kBytes));
  }
}
__device__ __forceinline__ void CommitCopies() { asm volatile("cp.async.commit_group;"); }
template <int kLeft>
__device__ __forceinline__ void AwaitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kLeft) : "memory");
}

// A vector of 1 to 16 bytes, aligned to its size.
template <typename V>
__device__ __forceinline__ V LoadShared(unsigned shared) {
  union {
    unsigned words[4];
    unsigned short half;
    V vector;
  } loaded;
  if constexpr (sizeof(V) == 16) {
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(loaded.words[0]), "=r"(loaded.words[1]), "=r"(loaded.words[2]),
                   "=r"(loaded.words[3])
                 : "r"(shared));
  } else if constexpr (sizeof(V) == 8) {
    asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];"
                 : "=r"(loaded.words[0]), "=r"(loaded.words[1])
                 : "r"(shared));
  } else if constexpr (sizeof(V) == 4) {
    asm volatile("ld.shared.b32 %0, [%1];" : "=r"(loaded.words[0]) : "r"(shared));
  } else if constexpr (sizeof(V) == 2) {
    asm volatile("ld.shared.b16 %0, [%1];" : "=h"(loaded.half) : "r"(shared));
  } else {
    asm volatile("ld.shared.u8 %0, [%1];" : "=h"(loaded.half) : "r"(shared));
  }
  return loaded.vector;
}

__device__ __forceinline__ void StoreShared16(unsigned shared, uint4 v) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(shared), "r"(v.x), "r"(v.y),
               "r"(v.z), "r"(v.w)
               : "memory");
}

// How the 16-byte chunks of a tile's rows stand in shared memory.
enum class Chunks {
  kInOrder,   // where threads read along rows
  kSwizzled,  // chunk c of row r where chunk c ^ Swizzle(r) would: then neither the writes here nor
              // reads of one column of chunks from 8 rows meet in a bank
  kSwizzledByColumns,  // the same, where groups of threads read single elements, from 4 rows and 8
                       // neighbours each
};

// Copies kRows rows of a tile, of kRowElements elements each, as they lie in global memory: along k
// where the operand is contiguous so, else along m or n. Where rows start at multiples of 4, 8 or 16
// bytes (kCopyBytes), pieces of that size go asynchronously, neighbours by neighbouring threads.
//
// Where they do not (kCopyBytes 0) but are contiguous (kShifts), a thread fetches the aligned words
// that hold 16 bytes of a row, keeps them until the step has been multiplied, and puts them into
// place, shifted. Else elements are copied one by one.
//
// A thread's copies start at FirstFrom() elements from the tile's first, and go to FirstTo() bytes
// from where the tile begins in shared memory; what is added to that is known when this is compiled.
template <typename T_, int kRows, int kRowElements, int kCopyBytes, int kThreads, bool kRowsFit,
          bool kElementsFit, Chunks kChunksStand, bool kShifts, bool kOnce>
struct TileCopy {
  using T = T_;
  static constexpr int kRowBytes = kRowElements * sizeof(T);
  static constexpr int kBytes = kRows * kRowBytes;
  static constexpr int kPitch = kRowBytes;
  static constexpr int kRowChunks = kRowBytes / 16;
  // Pieces of a row, one a thread and round.
  static constexpr int kPieceBytes = kCopyBytes == 0 ? 16 : kCopyBytes;
  static constexpr int kPieceElements = kPieceBytes / sizeof(T);
  static constexpr int kRowPieces = kRowBytes / kPieceBytes;
  static constexpr int kPieces = kRows * kRowPieces;
  static constexpr int kRounds = (kPieces + kThreads - 1) / kThreads;
  static constexpr bool kWholeRows = kThreads % kRowPieces == 0;  // in a round
  static constexpr int kRoundRows = kWholeRows ? kThreads / kRowPieces : 0;
  static constexpr int kRowRounds = kWholeRows ? 1 : kRowPieces / kThreads;
  // Many copies do not all need code of their own.
  static constexpr int kUnroll = kCopyBytes == 0 && !kShifts ? 1 : kRounds <= 16 ? kRounds : 4;

  // What a thread has fetched and not yet put into place. More would not fit its registers.
  static constexpr bool kHolds = kShifts && kRounds <= 8;
  static constexpr int kWords = 5;  // that hold 16 bytes, wherever these start
  struct Held {
    unsigned words[kHolds ? kRounds : 1][kWords];
  };

  // Where chunks of rows of 16, 32, 64 or more bytes go: any 8 rows (of 4, two chunks each) reach
  // all banks. Repeats after 8 rows.
  static __device__ __forceinline__ int Swizzle(int row) {
    if constexpr (kChunksStand == Chunks::kInOrder) {
      return 0;
    } else if constexpr (kChunksStand == Chunks::kSwizzledByColumns) {
      return kRowChunks >= 8 ? row * 2 & 7 : row & 2;
    } else if constexpr (kRowChunks >= 8) {
      return row & 7;
    } else {
      return row / (8 / kRowChunks) & (kRowChunks - 1);
    }
  }

  static __device__ __forceinline__ int FirstRow() { return threadIdx.x / kRowPieces; }
  static __device__ __forceinline__ int FirstPiece() { return threadIdx.x % kRowPieces; }
  static __device__ __forceinline__ int ChunkAt(int row, int piece) {
    return piece * kPieceBytes / 16 ^ Swizzle(row);
  }
  static __device__ __forceinline__ long long FirstFrom(long long row_stride,
                                                        long long element_stride) {
    return FirstRow() * row_stride + FirstPiece() * kPieceElements * element_stride;
  }
  static __device__ __forceinline__ unsigned FirstTo() {
    return FirstRow() * kRowBytes + ChunkAt(FirstRow(), FirstPiece()) * 16 +
           FirstPiece() * kPieceBytes % 16;
  }

  // One round's piece of this thread.
  struct Piece {
    bool exists;      // in the tile
    int row;          // in the tile
    int first;        // element of the row
    long long from;   // elements from FirstFrom()
    int to;           // bytes from FirstTo()
  };
  static __device__ __forceinline__ Piece PieceOf(int round, long long row_stride,
                                                  long long element_stride) {
    const int row_step = kWholeRows ? round * kRoundRows : round / kRowRounds;
    const int piece_step = kWholeRows ? 0 : round % kRowRounds * kThreads;
    const int row = FirstRow() + row_step, piece = FirstPiece() + piece_step;
    constexpr bool kSameSwizzle =
        kChunksStand == Chunks::kInOrder || (kWholeRows && kRoundRows % 8 == 0);
    const int chunks = kSameSwizzle ? piece_step * kPieceBytes / 16
                                    : ChunkAt(row, piece) - ChunkAt(FirstRow(), FirstPiece());
    return {kPieces % kThreads == 0 || static_cast<int>(threadIdx.x) + round * kThreads < kPieces,
            row, piece * kPieceElements,
            row_step * row_stride + piece_step * kPieceElements * element_stride,
            row_step * kRowBytes + chunks * 16};
  }

  // Issues part `part` of `parts` of the copies of one tile, the thread's first of which is from
  // `from` to `to`, or fetches it. Rows from `rows` on and elements from `elements` on are 0.
  // kRowsInside, kElementsInside: all of them are there in this tile.
  template <bool kRowsInside, bool kElementsInside>
  static __device__ __forceinline__ void Load(unsigned to, const T* from,
                                              long long row_stride, long long element_stride,
                                              int rows, int elements, int part, int parts,
                                              Held& held) {
    constexpr bool kAllRows = kRowsFit || kRowsInside;
    constexpr bool kAllElements = kElementsFit || kElementsInside;
    if constexpr (kHolds) {
      if (part > 0) return;  // all as early as can be
      parts = 1;
    }
    // One address for all pieces. Where ptxas 13.0 finds that a piece's is a thread's part and a part
    // that all share, it makes a copy of it that takes no cache hint: "illegal instruction".
    if constexpr (kOnce) asm("" : "+r"(to));
    // The same for all threads: each piece's words lie inside its row.
    const bool all_words = (kAllRows || rows >= kRows) &&
                           elements >= kRowElements + static_cast<int>(4 / sizeof(T));
#pragma unroll kUnroll
    for (int i = part; i < kRounds; i += parts) {
      const Piece piece = PieceOf(i, row_stride, element_stride);
      if (!piece.exists) break;
      const T* source = from + piece.from;
      const int left = (kAllRows || piece.row < rows) ? elements - piece.first : 0;
      if constexpr (kShifts) {
        unsigned words[kWords];
        if (all_words) {
          FetchWords(source, words);
        } else {
          FetchElements(source, left, words);
        }
        if constexpr (kHolds) {
#pragma unroll
          for (int w = 0; w < kWords; ++w) held.words[i][w] = words[w];
        } else {
          PutWords(to + piece.to, source, words);
        }
      } else if constexpr (kCopyBytes == 0) {
        Vector<T, kPieceElements> values;
#pragma unroll
        for (int e = 0; e < kPieceElements; ++e) {
          values.at[e] = T{};
          if (e < left) values.at[e] = source[e * element_stride];
        }
        StoreShared16(to + piece.to, *reinterpret_cast<const uint4*>(&values));
      } else if constexpr (kAllRows && kAllElements) {
        CopyAsync<kCopyBytes, kOnce>(to + piece.to, source);
      } else {
        const int there = kAllElements ? (left > 0 ? kPieceElements : 0)
                          : left < 0   ? 0
                                       : left;
        CopyAsync<kCopyBytes, kOnce>(to + piece.to, source,
                              there < kPieceElements ? there * static_cast<int>(sizeof(T))
                                                     : kPieceBytes);
      }
    }
  }

  // Puts what Load() fetched of the same tile into place.
  static __device__ __forceinline__ void Put(unsigned to, const T* from, long long row_stride,
                                             const Held& held) {
    if constexpr (kHolds) {
#pragma unroll
      for (int i = 0; i < kRounds; ++i) {
        const Piece piece = PieceOf(i, row_stride, 1);
        if (piece.exists) PutWords(to + piece.to, from + piece.from, held.words[i]);
      }
    }
  }

  // The aligned words that hold 16 bytes from `source` on.
  static __device__ __forceinline__ void FetchWords(const T* source, unsigned (&words)[kWords]) {
    const unsigned* aligned =
        reinterpret_cast<const unsigned*>(reinterpret_cast<unsigned long long>(source) & ~3ull);
#pragma unroll
    for (int w = 0; w < kWords; ++w) words[w] = __ldg(aligned + w);
  }
  // The same of the `left` elements that exist, and zeros.
  static __device__ __forceinline__ void FetchElements(const T* source, int left,
                                                       unsigned (&words)[kWords]) {
    Vector<T, kPieceElements> values;
#pragma unroll
    for (int e = 0; e < kPieceElements; ++e) {
      values.at[e] = T{};
      if (e < left) values.at[e] = source[e];
    }
    const unsigned* whole = reinterpret_cast<const unsigned*>(&values);
    const unsigned shift =
        static_cast<unsigned>(reinterpret_cast<unsigned long long>(source) & 3) * 8;
    words[0] = whole[0] << shift;
#pragma unroll
    for (int w = 1; w < kWords; ++w) {
      words[w] = __funnelshift_l(whole[w - 1], w < 4 ? whole[w] : 0, shift);
    }
  }
  static __device__ __forceinline__ void PutWords(unsigned to, const T* source,
                                                  const unsigned (&words)[kWords]) {
    const unsigned shift =
        static_cast<unsigned>(reinterpret_cast<unsigned long long>(source) & 3) * 8;
    StoreShared16(to, {__funnelshift_r(words[0], words[1], shift),
                       __funnelshift_r(words[1], words[2], shift),
                       __funnelshift_r(words[2], words[3], shift),
                       __funnelshift_r(words[3], words[4], shift)});
  }
};

// The same, turned on the way: global rows along k (or along nothing) become rows of shared memory
// along m or n, one for each step of k, padded by 16 bytes so that a warp, which takes 8 steps of k
// of 4 rows at a time, writes to different banks. Elements of 4 and 8 bytes go asynchronously.
template <typename T_, int kRows, int kRowElements, int kThreads, bool kRowsFit, bool kElementsFit>
struct TurningCopy {
  using T = T_;
  static constexpr int kPitch = kRows * sizeof(T) + 16;
  static constexpr int kBytes = kRowElements * kPitch;
  static constexpr int kAll = kRows * kRowElements;
  static constexpr int kRounds = (kAll + kThreads - 1) / kThreads;
  static constexpr int kUnroll = sizeof(T) >= 4 ? kRounds : 4;
  static constexpr int kTogether = kRowElements < 8 ? kRowElements : 8;  // steps of k
  static constexpr int kRoundRows = kThreads / kTogether;

  static __device__ __forceinline__ int FirstRow() { return threadIdx.x / kTogether % kRows; }
  static __device__ __forceinline__ int FirstElement() {
    return threadIdx.x / (kTogether * kRows) * kTogether + threadIdx.x % kTogether;
  }
  static __device__ __forceinline__ long long FirstFrom(long long row_stride,
                                                        long long element_stride) {
    return FirstRow() * row_stride + FirstElement() * element_stride;
  }
  static __device__ __forceinline__ unsigned FirstTo() {
    return FirstElement() * kPitch + FirstRow() * sizeof(T);
  }

  struct Held {};
  static __device__ __forceinline__ void Put(unsigned, const T*, long long, const Held&) {}

  template <bool kRowsInside, bool kElementsInside>
  static __device__ __forceinline__ void Load(unsigned to_first, const T* from_first,
                                              long long row_stride,
                                              long long element_stride, int rows, int elements,
                                              int part, int parts, Held&) {
    constexpr bool kAllRows = kRowsFit || kRowsInside;
    constexpr bool kAllElements = kElementsFit || kElementsInside;
#pragma unroll kUnroll
    for (int i = part; i < kRounds; i += parts) {
      if (kAll % kThreads != 0 && static_cast<int>(threadIdx.x) + i * kThreads >= kAll) break;
      constexpr bool kFewRows = kRoundRows < kRows;  // a round is a part of the tile's rows
      const int row_step = kFewRows ? i * kRoundRows % kRows : 0;
      const int element_step = i * kRoundRows / kRows * kTogether;
      const unsigned to =
          to_first + (row_step * static_cast<int>(sizeof(T)) + element_step * kPitch);
      const bool exists = (kAllRows || FirstRow() + row_step < rows) &&
                          (kAllElements || FirstElement() + element_step < elements);
      const T* from = from_first + (row_step * row_stride + element_step * element_stride);
      if constexpr (sizeof(T) >= 4) {
        if constexpr (kAllRows && kAllElements) {
          CopyAsync<sizeof(T)>(to, from);
        } else {
          CopyAsync<sizeof(T)>(to, from, exists ? sizeof(T) : 0);
        }
      } else if constexpr (sizeof(T) == 2) {
        const unsigned short bits = exists ? *reinterpret_cast<const unsigned short*>(from)
                                           : static_cast<unsigned short>(0);
        asm volatile("st.shared.b16 [%0], %1;" ::"r"(to), "h"(bits) : "memory");
      } else {
        const unsigned short bits =
            exists ? *reinterpret_cast<const unsigned char*>(from) : static_cast<unsigned short>(0);
        asm volatile("st.shared.b8 [%0], %1;" ::"r"(to), "h"(bits) : "memory");
      }
    }
  }
};

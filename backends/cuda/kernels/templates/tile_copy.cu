// Tiles of an operand from global into shared memory, asynchronously where the hardware can.

__device__ __forceinline__ unsigned SharedAddress(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// kBytes: 4, 8 or 16. Of them `valid` are read, the rest becomes 0.
template <int kBytes>
__device__ __forceinline__ void CopyAsync(unsigned shared, const void* global, int valid) {
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global.L2::128B [%0], [%1], 16, %2;" ::"r"(shared),
                 "l"(global), "r"(valid));
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;" ::"r"(shared), "l"(global),
                 "n"(kBytes), "r"(valid));
  }
}
template <int kBytes>
__device__ __forceinline__ void CopyAsync(unsigned shared, const void* global) {
  if constexpr (kBytes == 16) {
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

__device__ __forceinline__ void StoreShared16(unsigned shared, uint4 v) {
  asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(shared), "r"(v.x), "r"(v.y),
               "r"(v.z), "r"(v.w)
               : "memory");
}

// Rows of a tile as they lie in global memory: kRows rows of kRowElements elements, along k where
// the operand is contiguous so, else along m or n. In shared memory rows are cut into chunks of 16
// bytes, and chunk c of row r stands where chunk c ^ Swizzle(r) would. Then neither the writes here
// nor the reads of the multiply loops, which take one column of chunks from 8 rows, meet in a bank.
//
// kByColumns: single elements are read, by groups of threads from 4 rows and 8 neighbours each.
template <typename T_, int kRows, int kRowElements, int kCopyBytes_, int kThreads, bool kRowsFit,
          bool kElementsFit, bool kByColumns>
struct TileCopy {
  using T = T_;
  static constexpr int kCopyBytes = kCopyBytes_;  // 0: element by element
  static constexpr int kRowBytes = kRowElements * sizeof(T);
  static constexpr int kBytes = kRows * kRowBytes;
  static constexpr int kRowChunks = kRowBytes / 16;
  static constexpr int kChunks = kRows * kRowChunks;
  static constexpr int kChunkElements = 16 / sizeof(T);
  static constexpr int kRounds = (kChunks + kThreads - 1) / kThreads;
  // Narrow copies are many and slow anyway: not all of them need code of their own.
  static constexpr int kUnroll = kCopyBytes >= 8 ? kRounds : 1;

  // Where chunks of rows of 16, 32, 64 or more bytes go: any 8 rows (of 4, two chunks each) reach
  // all banks.
  static __device__ __forceinline__ int Swizzle(int row) {
    if constexpr (kByColumns) {
      return kRowChunks >= 8 ? row * 2 & 7 : row & 2;
    } else if constexpr (kRowChunks >= 8) {
      return row & 7;
    } else {
      return row / (8 / kRowChunks) & (kRowChunks - 1);
    }
  }

  // Byte of the tile where an element stands; chunks stay whole.
  static __device__ __forceinline__ int At(int row, int element) {
    return row * kRowBytes + (element / kChunkElements ^ Swizzle(row)) * 16 +
           element % kChunkElements * static_cast<int>(sizeof(T));
  }

  // Issues part `part` of `parts` of the copies of one tile. Rows from `rows` on and elements from
  // `elements` on are 0.
  static __device__ __forceinline__ void Load(unsigned shared, const T* global,
                                              long long row_stride, long long element_stride,
                                              int rows, int elements, int part, int parts) {
    // Of the first round; later ones differ by constants, which become parts of instructions.
    const int first_row = threadIdx.x / kRowChunks;
    const int first_column = threadIdx.x % kRowChunks;
    const T* const readable = global;
    global += first_row * row_stride + first_column * kChunkElements * element_stride;
#pragma unroll kUnroll
    for (int i = part; i < kRounds; i += parts) {
      if (kChunks % kThreads != 0 && static_cast<int>(threadIdx.x) + i * kThreads >= kChunks) break;
      constexpr bool kFewChunks = kThreads % kRowChunks == 0;
      constexpr int kRoundRows = kFewChunks ? kThreads / kRowChunks : 0;
      constexpr int kRowRounds = kFewChunks ? 1 : kRowChunks / kThreads;  // rounds for one row
      const int row_step = kFewChunks ? i * kRoundRows : i / kRowRounds;
      const int column_step = kFewChunks ? 0 : i % kRowRounds * kThreads;
      const int row = first_row + row_step;
      const int column = first_column + column_step;
      const unsigned to = shared + row * kRowBytes + (column ^ Swizzle(row)) * 16;
      const int first = column * kChunkElements;
      const T* from =
          global + (row_step * row_stride + column_step * kChunkElements * element_stride);
      if constexpr (kCopyBytes == 0) {
        Vector<T, kChunkElements> values;
#pragma unroll
        for (int e = 0; e < kChunkElements; ++e) {
          values.at[e] = T{};
          if (row < rows && first + e < elements) values.at[e] = from[e * element_stride];
        }
        StoreShared16(to, *reinterpret_cast<const uint4*>(&values));
      } else if constexpr (kRowsFit && kElementsFit) {
#pragma unroll
        for (int b = 0; b < 16; b += kCopyBytes) {
          CopyAsync<kCopyBytes>(to + b, reinterpret_cast<const char*>(from) + b);
        }
      } else {
        int valid = 16;
        if constexpr (!kElementsFit) {
          const int left = (elements - first) * static_cast<int>(sizeof(T));
          valid = left < 0 ? 0 : left > 16 ? 16 : left;
        }
        if (!kRowsFit && row >= rows) valid = 0;
#pragma unroll
        for (int b = 0; b < 16; b += kCopyBytes) {
          const int bytes = valid - b < 0 ? 0 : valid - b > kCopyBytes ? kCopyBytes : valid - b;
          // An address that may be read, also where nothing is.
          const void* source = bytes > 0 ? reinterpret_cast<const char*>(from) + b
                                         : reinterpret_cast<const char*>(readable);
          CopyAsync<kCopyBytes>(to + b, source, bytes);
        }
      }
    }
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

  // Rows of shared memory are steps of k.
  static __device__ __forceinline__ int At(int row, int element) {
    return row * kPitch + element * static_cast<int>(sizeof(T));
  }

  static __device__ __forceinline__ void Load(unsigned shared, const T* global,
                                              long long row_stride, long long element_stride,
                                              int rows, int elements, int part, int parts) {
    // Of the first round; later ones differ by constants, which become parts of instructions.
    const int first_row = threadIdx.x / kTogether % kRows;
    const int first_element =
        threadIdx.x / (kTogether * kRows) * kTogether + threadIdx.x % kTogether;
    const unsigned first_to = shared + At(first_element, first_row);
    const T* const readable = global;
    global += first_row * row_stride + first_element * element_stride;
#pragma unroll kUnroll
    for (int i = part; i < kRounds; i += parts) {
      if (kAll % kThreads != 0 && static_cast<int>(threadIdx.x) + i * kThreads >= kAll) break;
      constexpr bool kFewRows = kRoundRows < kRows;  // a round is a part of the tile's rows
      const int row_step = kFewRows ? i * kRoundRows % kRows : 0;
      const int element_step = i * kRoundRows / kRows * kTogether;
      const unsigned to = first_to + row_step * static_cast<int>(sizeof(T)) + element_step * kPitch;
      const bool exists = (kRowsFit || first_row + row_step < rows) &&
                          (kElementsFit || first_element + element_step < elements);
      const T* from =
          exists ? global + (row_step * row_stride + element_step * element_stride) : readable;
      if constexpr (sizeof(T) >= 4) {
        if constexpr (kRowsFit && kElementsFit) {
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

// Tiles of an operand from global into shared memory, asynchronously where the hardware can.
//
// A tile is kRows rows of kRowElements elements, contiguous in memory: along k where the operand
// is, else along m or n. In shared memory it is cut into chunks of 16 bytes, and chunk c of row r
// stands where chunk c ^ Swizzle(r) would. Then neither the writes here nor the reads of the
// multiply loops, which take one column of chunks from 8 rows, meet in a bank.

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

  // Issues the copies of one tile. Rows from `rows` on and elements from `elements` on are 0.
  static __device__ __forceinline__ void Load(unsigned shared, const T* global,
                                              long long row_stride, long long element_stride,
                                              int rows, int elements) {
#pragma unroll
    for (int i = 0; i < (kChunks + kThreads - 1) / kThreads; ++i) {
      const int chunk = threadIdx.x + i * kThreads;
      if (kChunks % kThreads != 0 && chunk >= kChunks) break;
      const int row = chunk / kRowChunks;
      const int column = chunk % kRowChunks;
      const unsigned to = shared + row * kRowBytes + (column ^ Swizzle(row)) * 16;
      const int first = column * kChunkElements;
      const T* from = global + row * row_stride + first * element_stride;
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
          const int part = valid - b < 0 ? 0 : valid - b > kCopyBytes ? kCopyBytes : valid - b;
          // An address that may be read, also where nothing is.
          const void* source = part > 0 ? reinterpret_cast<const char*>(from) + b
                                        : reinterpret_cast<const char*>(global);
          CopyAsync<kCopyBytes>(to + b, source, part);
        }
      }
    }
  }
};

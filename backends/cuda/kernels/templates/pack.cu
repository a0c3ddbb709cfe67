// Copies an operand to where each row is contiguous and starts at a multiple of 16 bytes: one
// thread a chunk of 16 bytes. What pads a row becomes 0.

template <bool kFits>
struct NumberFor {
  typedef long long Type;
};
template <>
struct NumberFor<true> {
  typedef unsigned Type;
};

template <typename T>
__device__ __forceinline__ void Run(const T* from, unsigned char* to, unsigned block) {
  constexpr int kElements = 16 / sizeof(T);
  constexpr long long kRowChunks = (kElementsOfRow + kElements - 1) / kElements;
  constexpr long long kBatchChunks = kRows * kRowChunks;
  constexpr long long kChunks = kBatches * kBatchChunks;
  const long long id = static_cast<long long>(block) * kThreads + threadIdx.x;
  if (id >= kChunks) return;
  const long long batch = kBatches == 1 ? 0 : id / kBatchChunks;
  // Divisions are of 32 bits where that is enough.
  using Number = typename NumberFor<(kBatchChunks < (1ll << 32))>::Type;
  const Number inside = static_cast<Number>(id - batch * kBatchChunks);
  // Threads side by side read what lies side by side.
  constexpr Number kAcross = static_cast<Number>(kElementStride == 1 ? kRowChunks : kRows);
  const long long row = kElementStride == 1 ? inside / kAcross : inside % kAcross;
  const long long column = kElementStride == 1 ? inside % kAcross : inside / kAcross;
  const long long first = column * kElements;
  from += batch * kBatchStride + row * kRowStride + first * kElementStride;
  Vector<T, kElements> chunk;
  if (sizeof(T) < 4 && kElementStride == 1 && kWordsExist &&
      first + kElements + static_cast<int>(4 / sizeof(T)) <= kElementsOfRow) {
    // Whole words, from the one on that holds the first element, shifted into place.
    const unsigned long long address = reinterpret_cast<unsigned long long>(from);
    const unsigned* words = reinterpret_cast<const unsigned*>(address & ~3ull);
    const unsigned shift = static_cast<unsigned>(address & 3) * 8;
    unsigned loaded[5];
#pragma unroll
    for (int i = 0; i < 5; ++i) loaded[i] = words[i];
    unsigned* shifted = reinterpret_cast<unsigned*>(&chunk);
#pragma unroll
    for (int i = 0; i < 4; ++i) shifted[i] = __funnelshift_r(loaded[i], loaded[i + 1], shift);
  } else {
#pragma unroll
    for (int e = 0; e < kElements; ++e) {
      chunk.at[e] = T{};
      if (first + e < kElementsOfRow) chunk.at[e] = from[e * kElementStride];
    }
  }
  reinterpret_cast<uint4*>(to)[(batch * kRows + row) * kRowChunks + column] =
      *reinterpret_cast<const uint4*>(&chunk);
}

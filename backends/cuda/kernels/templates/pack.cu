// Copies an operand to where each row is contiguous and starts at a multiple of 16 bytes: one
// thread a chunk of 16 bytes. What pads a row is left as it is; nobody reads it.

template <typename T>
__device__ __forceinline__ void Run(const T* from, unsigned char* to) {
  constexpr int kElements = 16 / sizeof(T);
  constexpr long long kRowChunks = (kElementsOfRow + kElements - 1) / kElements;
  constexpr long long kChunks = kBatches * kRows * kRowChunks;
  const long long id = static_cast<long long>(blockIdx.x) * kThreads + threadIdx.x;
  if (id >= kChunks) return;
  // Threads side by side read what lies side by side.
  const long long inside = id % (kRows * kRowChunks);
  const long long batch = id / (kRows * kRowChunks);
  const long long row = kElementStride == 1 ? inside / kRowChunks : inside % kRows;
  const long long column = kElementStride == 1 ? inside % kRowChunks : inside / kRows;
  const long long first = column * kElements;
  from += batch * kBatchStride + row * kRowStride + first * kElementStride;
  Vector<T, kElements> chunk;
#pragma unroll
  for (int e = 0; e < kElements; ++e) {
    chunk.at[e] = T{};
    if (first + e < kElementsOfRow) chunk.at[e] = from[e * kElementStride];
  }
  reinterpret_cast<uint4*>(to)[(batch * kRows + row) * kRowChunks + column] =
      *reinterpret_cast<const uint4*>(&chunk);
}

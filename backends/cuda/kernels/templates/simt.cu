// simt: each thread multiplies with ordinary instructions, any types. Shared memory holds the
// operands as they are; what a thread reads is converted in registers.
//
// A warp's 32 threads stand 4 along m by 8 along n over its kWarpM x kWarpN tile, and a thread has
// kThreadM x kThreadN sums. Along an operand that is contiguous in m (or n) a thread owns runs of
// neighbours, which one read takes; along one that is contiguous in k every fourth row (eighth
// column), and one read takes neighbours in k. Either way the threads of a warp read different
// banks, or the same word.

constexpr int kThreadM = kWarpM / 4;
constexpr int kThreadN = kWarpN / 8;
constexpr int kSums = kThreadM * kThreadN;
constexpr int kWarpsM = kBlockM / kWarpM;
constexpr int kStepK = 4;  // of the inner loop

template <int a, int b>
constexpr int kMin = a < b ? a : b;
constexpr int kRunM = kLhsAlongK ? 1 : kMin<4, kThreadM>;
constexpr int kRunN = kRhsAlongK ? 1 : kMin<4, kThreadN>;
constexpr int kRun = kRunN;  // of what ForEachRun hands out

__device__ __forceinline__ int WarpM() { return threadIdx.x / 32 % kWarpsM * kWarpM; }
__device__ __forceinline__ int WarpN() { return threadIdx.x / 32 / kWarpsM * kWarpN; }
// Of a thread's row or column i in the warp's tile: runs of kRun, dealt out to kLanes threads.
template <int kRun, int kLanes>
__device__ __forceinline__ int PlaceOf(int i, int lane) {
  return i / kRun * (kRun * kLanes) + lane * kRun + i % kRun;
}
__device__ __forceinline__ int LaneM() { return threadIdx.x % 32 / 8; }
__device__ __forceinline__ int LaneN() { return threadIdx.x % 8; }

// kSize neighbours of a row of a tile in shared memory; they lie in one chunk, or in whole ones.
template <typename Copy, int kSize>
__device__ __forceinline__ void ReadRun(const unsigned char* tile, int row, int element,
                                        Accumulator (&to)[kSize]) {
  using T = typename Copy::T;
  constexpr int kPart = kMin<kSize, Copy::kChunkElements>;
#pragma unroll
  for (int p = 0; p < kSize; p += kPart) {
    const int chunk = (element + p) / Copy::kChunkElements;
    const int inside = (element + p) % Copy::kChunkElements;
    const auto part = *reinterpret_cast<const Vector<T, kPart>*>(
        tile + row * Copy::kRowBytes + (chunk ^ Copy::Swizzle(row)) * 16 + inside * sizeof(T));
#pragma unroll
    for (int i = 0; i < kPart; ++i) to[p + i] = static_cast<Accumulator>(Widen(part.at[i]));
  }
}

// One stage's products.
__device__ __forceinline__ void Consume(const unsigned char* lhs, const unsigned char* rhs,
                                        Accumulator (&sums)[kSums]) {
  const int warp_m = WarpM(), warp_n = WarpN(), lane_m = LaneM(), lane_n = LaneN();
#pragma unroll
  for (int k = 0; k < kBlockK; k += kStepK) {
    Accumulator a[kThreadM][kStepK], b[kThreadN][kStepK];
    if constexpr (kLhsAlongK) {
#pragma unroll
      for (int i = 0; i < kThreadM; ++i) {
        ReadRun<LhsCopy, kStepK>(lhs, warp_m + PlaceOf<1, 4>(i, lane_m), k, a[i]);
      }
    } else {
#pragma unroll
      for (int j = 0; j < kStepK; ++j) {
#pragma unroll
        for (int i = 0; i < kThreadM; i += kRunM) {
          Accumulator run[kRunM];
          ReadRun<LhsCopy, kRunM>(lhs, k + j, warp_m + PlaceOf<kRunM, 4>(i, lane_m), run);
#pragma unroll
          for (int r = 0; r < kRunM; ++r) a[i + r][j] = run[r];
        }
      }
    }
    if constexpr (kRhsAlongK) {
#pragma unroll
      for (int i = 0; i < kThreadN; ++i) {
        ReadRun<RhsCopy, kStepK>(rhs, warp_n + PlaceOf<1, 8>(i, lane_n), k, b[i]);
      }
    } else {
#pragma unroll
      for (int j = 0; j < kStepK; ++j) {
#pragma unroll
        for (int i = 0; i < kThreadN; i += kRunN) {
          Accumulator run[kRunN];
          ReadRun<RhsCopy, kRunN>(rhs, k + j, warp_n + PlaceOf<kRunN, 8>(i, lane_n), run);
#pragma unroll
          for (int r = 0; r < kRunN; ++r) b[i + r][j] = run[r];
        }
      }
    }
#pragma unroll
    for (int j = 0; j < kStepK; ++j) {
#pragma unroll
      for (int m = 0; m < kThreadM; ++m) {
#pragma unroll
        for (int n = 0; n < kThreadN; ++n) sums[m * kThreadN + n] += a[m][j] * b[n][j];
      }
    }
  }
}

// Hands the sums out in runs along n: use(row, column, run), in the block's tile.
template <typename Use>
__device__ __forceinline__ void ForEachRun(unsigned char*, Accumulator (&sums)[kSums], Use use) {
#pragma unroll
  for (int m = 0; m < kThreadM; ++m) {
    const int row = WarpM() + PlaceOf<kRunM, 4>(m, LaneM());
#pragma unroll
    for (int n = 0; n < kThreadN; n += kRunN) {
      Accumulator run[kRunN];
#pragma unroll
      for (int r = 0; r < kRunN; ++r) run[r] = sums[m * kThreadN + n + r];
      use(row, WarpN() + PlaceOf<kRunN, 8>(n, LaneN()), run);
    }
  }
}

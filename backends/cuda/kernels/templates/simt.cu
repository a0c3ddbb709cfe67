// simt: each thread multiplies with ordinary instructions, any types. In shared memory a row of
// either operand's tile is one step of k, its elements neighbours in m or n, as they come: what a
// thread reads is converted in registers.
//
// A warp's 32 threads stand 4 along m by 8 along n over its kWarpM x kWarpN tile; a thread has
// kThreadM x kThreadN sums, in runs of neighbours that one read takes.

constexpr int kThreadM = kWarpM / 4;
constexpr int kThreadN = kWarpN / 8;
constexpr int kSums = kThreadM * kThreadN;
constexpr int kSumThreads = kThreads;
constexpr int kWarpsM = kBlockM / kWarpM;
constexpr int kStepsOfBlock = kBlockK;

template <int a, int b>
constexpr int kMin = a < b ? a : b;
constexpr int kRunM = kMin<4, kThreadM>;
constexpr int kRunN = kMin<4, kThreadN>;
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

// The operands of one step of k.
struct Fragments {
  Accumulator a[kThreadM], b[kThreadN];
};

// `row` is a row of a tile, from the warp's first element on.
template <typename Copy, int kRunOf, int kLanes, int kSize>
__device__ __forceinline__ void ReadRow(const unsigned char* tile, int row, int first, int lane,
                                        Accumulator (&to)[kSize]) {
  using T = typename Copy::T;
  constexpr int kPart = kMin<kRunOf, 16 / sizeof(T)>;
#pragma unroll
  for (int i = 0; i < kSize; i += kPart) {
    const int element = first + PlaceOf<kRunOf, kLanes>(i, lane);
    const auto part = *reinterpret_cast<const Vector<T, kPart>*>(tile + Copy::At(row, element));
#pragma unroll
    for (int e = 0; e < kPart; ++e) to[i + e] = static_cast<Accumulator>(Widen(part.at[e]));
  }
}

__device__ __forceinline__ void LoadStep(const unsigned char* lhs, const unsigned char* rhs,
                                         int step, Fragments& fragments) {
  ReadRow<LhsCopy, kRunM, 4>(lhs, step, WarpM(), LaneM(), fragments.a);
  ReadRow<RhsCopy, kRunN, 8>(rhs, step, WarpN(), LaneN(), fragments.b);
}

__device__ __forceinline__ void MultiplyStep(const Fragments& fragments,
                                             Accumulator (&sums)[kSums]) {
#pragma unroll
  for (int m = 0; m < kThreadM; ++m) {
#pragma unroll
    for (int n = 0; n < kThreadN; ++n) {
      sums[m * kThreadN + n] += fragments.a[m] * fragments.b[n];
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

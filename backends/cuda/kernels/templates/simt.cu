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
constexpr int kLongestRun = 16 / sizeof(Accumulator);
constexpr int kRunM = kMin<kLongestRun, kThreadM>;
constexpr int kRunN = kMin<kLongestRun, kThreadN>;
// Of what ForEachRun hands out. Runs that one store cannot take would be stored with gaps between
// threads: they change places first, so that neighbours store neighbours.
constexpr bool kChangesPlaces = kOutColumnStride == 1 && kRunN > kOutAligned;
constexpr int kRun = kChangesPlaces ? kOutAligned : kRunN;

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

// Where a thread's first elements stand in a tile: bytes.
__device__ __forceinline__ unsigned LhsFirst() {
  return (WarpM() + LaneM() * kRunM) * static_cast<int>(sizeof(Lhs));
}
__device__ __forceinline__ unsigned RhsFirst() {
  return (WarpN() + LaneN() * kRunN) * static_cast<int>(sizeof(Rhs));
}

// `tile` is where this thread's first elements of the tile stand.
template <typename Copy, int kRunOf, int kLanes, int kSize>
__device__ __forceinline__ void ReadRow(unsigned tile, int row, Accumulator (&to)[kSize]) {
  using T = typename Copy::T;
#pragma unroll
  for (int i = 0; i < kSize; i += kRunOf) {
    const unsigned at = row * Copy::kPitch + i * kLanes * static_cast<int>(sizeof(T));
    const auto run = LoadShared<Vector<T, kRunOf>>(tile + at);
#pragma unroll
    for (int e = 0; e < kRunOf; ++e) to[i + e] = static_cast<Accumulator>(Widen(run.at[e]));
  }
}

__device__ __forceinline__ void LoadStep(unsigned lhs, unsigned rhs, int step,
                                         Fragments& fragments) {
  ReadRow<LhsCopy, kRunM, 4>(lhs, step, fragments.a);
  ReadRow<RhsCopy, kRunN, 8>(rhs, step, fragments.b);
}

__device__ __forceinline__ void MultiplyStep(const Fragments& fragments,
                                             Accumulator (&sums)[kSums]) {
#pragma unroll
  for (int m = 0; m < kThreadM; ++m) {
#pragma unroll
    for (int j = 0; j < kThreadN; ++j) {
      // Back and forth, so that neighbours share an operand.
      const int n = m % 2 == 0 ? j : kThreadN - 1 - j;
      sums[m * kThreadN + n] += fragments.a[m] * fragments.b[n];
    }
  }
}

// Hands the sums out in runs along n: use(row, column, run), in the block's tile. Places are changed
// through shared memory, four rows of a warp's tile at a time, padded by a run.
template <typename Use>
__device__ __forceinline__ void ForEachRun(unsigned char* shared, Accumulator (&sums)[kSums],
                                           Use use) {
  [[maybe_unused]] constexpr int kPaddedN = kWarpN + kLongestRun;
  [[maybe_unused]] Accumulator* rows =
      reinterpret_cast<Accumulator*>(shared) + threadIdx.x / 32 * 4 * kPaddedN;
#pragma unroll
  for (int m = 0; m < kThreadM; ++m) {
    if constexpr (kChangesPlaces) {
      __syncwarp();
#pragma unroll
      for (int n = 0; n < kThreadN; n += kRunN) {
        Vector<Accumulator, kRunN> part;
#pragma unroll
        for (int r = 0; r < kRunN; ++r) part.at[r] = sums[m * kThreadN + n + r];
        *reinterpret_cast<Vector<Accumulator, kRunN>*>(rows + LaneM() * kPaddedN +
                                                       PlaceOf<kRunN, 8>(n, LaneN())) = part;
      }
      __syncwarp();
      constexpr int kRunsOfRow = kWarpN / kRun;
      int first = WarpM() + PlaceOf<kRunM, 4>(m, 0);
      asm volatile("" : "+r"(first));  // addresses of all rows at once would not fit the registers
#pragma unroll
      for (int r = 0; r < 4 * kRunsOfRow / 32; ++r) {
        const int i = r * 32 + static_cast<int>(threadIdx.x) % 32;
        const int column = i % kRunsOfRow * kRun;
        Accumulator run[kRun];
#pragma unroll
        for (int e = 0; e < kRun; ++e) run[e] = rows[i / kRunsOfRow * kPaddedN + column + e];
        use(first + i / kRunsOfRow * kRunM, WarpN() + column, run);
      }
    } else {
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
}

// mma: tensor cores through mma.sync. Operands wait in shared memory as they lie in global memory;
// ldmatrix hands each thread its fragments, transposing where an operand is not contiguous along k.
//
// All types share one geometry: an mma.sync takes 16 rows of the left and 8 columns of the right
// operand, 32 bytes of k deep. Contiguous along k, ldmatrix moves 8 rows of 16 bytes a matrix,
// whatever is in them. Otherwise elements of 2 bytes are transposed by ldmatrix, and elements of 4
// are read one by one.

constexpr int kStepElements = 32 / sizeof(Lhs);  // of k
constexpr int kStepsOfBlock = kBlockK / kStepElements;
constexpr int kRowTiles = kWarpM / 16;
constexpr int kColumnTiles = kWarpN / 8;
constexpr int kSums = kRowTiles * kColumnTiles * 4;
constexpr int kSumThreads = kThreads;
constexpr int kWarpsM = kBlockM / kWarpM;

__device__ __forceinline__ void LoadMatrices(unsigned shared, unsigned (&to)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared));
}
__device__ __forceinline__ void LoadMatricesTransposed(unsigned shared, unsigned (&to)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(shared));
}

// 16 rows (m or n, from `outer`) by 32 bytes of k (step `step`) of a tile: fragments[0] and [1] are
// rows 0-7 and 8-15 of the first 16 bytes, [2] and [3] of the second.
template <typename Copy, bool kAlongK>
__device__ __forceinline__ void LoadFragments(unsigned tile, int outer, int step,
                                              unsigned (&fragments)[4]) {
  using T = typename Copy::T;
  const int lane = threadIdx.x % 32;
  if constexpr (kAlongK) {
    const int row = outer + lane % 16;
    const int chunk = step * 2 + lane / 16;
    LoadMatrices(tile + row * Copy::kRowBytes + (chunk ^ Copy::Swizzle(row)) * 16, fragments);
  } else if constexpr (sizeof(T) == 2) {
    const int k = step * kStepElements + lane / 16 * 8 + lane % 8;
    const int chunk = outer / 8 + lane / 8 % 2;
    LoadMatricesTransposed(tile + k * Copy::kRowBytes + (chunk ^ Copy::Swizzle(k)) * 16, fragments);
  } else {
    static_assert(sizeof(T) == 4, "bytes are contiguous along k");
#pragma unroll
    for (int f = 0; f < 4; ++f) {
      const int k = step * kStepElements + f / 2 * 4 + lane % 4;
      const int element = outer + f % 2 * 8 + lane / 4;
      const int chunk = (element / 4) ^ Copy::Swizzle(k);
      asm volatile("ld.shared.b32 %0, [%1];"
                   : "=r"(fragments[f])
                   : "r"(tile + k * Copy::kRowBytes + chunk * 16 + element % 4 * 4));
    }
  }
}

__device__ __forceinline__ int WarpM() { return threadIdx.x / 32 % kWarpsM * kWarpM; }
__device__ __forceinline__ int WarpN() { return threadIdx.x / 32 / kWarpsM * kWarpN; }

// The operands of one step of k: 16 rows, or columns, each.
struct Fragments {
  unsigned a[kRowTiles][4], b[kColumnTiles / 2][4];
};

// A tile's reads begin where it begins.
__device__ __forceinline__ unsigned LhsFirst() { return 0; }
__device__ __forceinline__ unsigned RhsFirst() { return 0; }

__device__ __forceinline__ void LoadStep(unsigned lhs, unsigned rhs, int step,
                                         Fragments& fragments) {
  const int warp_m = WarpM(), warp_n = WarpN();
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
    LoadFragments<LhsCopy, kLhsAlongK>(lhs, warp_m + i * 16, step, fragments.a[i]);
  }
#pragma unroll
  for (int j = 0; j < kColumnTiles / 2; ++j) {
    LoadFragments<RhsCopy, kRhsAlongK>(rhs, warp_n + j * 16, step, fragments.b[j]);
  }
}

// Sum 4 (i kColumnTiles + j) + 2 h + c of thread t stands in row 16 i + 8 h + t / 4, column 8 j + 2
// (t % 4) + c of the warp's tile.
__device__ __forceinline__ void MultiplyStep(const Fragments& fragments,
                                             Accumulator (&sums)[kSums]) {
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
    for (int j = 0; j < kColumnTiles; ++j) {
      // Back and forth, so that neighbours share an operand.
      const int column = i % 2 == 0 ? j : kColumnTiles - 1 - j;
      const auto& right = fragments.b[column / 2];
      Instruction<Lhs, Rhs>::Issue(fragments.a[i], right[column % 2], right[column % 2 + 2],
                                   sums + (i * kColumnTiles + column) * 4);
    }
  }
}

// Hands the sums out in runs along n, use(row, column, run) in the block's tile, by way of shared
// memory: so each warp writes whole lines. 16 rows of a warp's tile at a time, padded by 32 bytes.
// Runs are no longer than one store takes, so that what a warp stores at once is contiguous.
constexpr int kPaddedN = kWarpN + 8;
constexpr int kRun = kOutColumnStride != 1 || kOutAligned >= 4 ? 4 : kOutAligned;

template <typename Use>
__device__ __forceinline__ void ForEachRun(unsigned char* shared, Accumulator (&sums)[kSums],
                                           Use use) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  Accumulator* rows = reinterpret_cast<Accumulator*>(shared) + warp * 16 * kPaddedN;
#pragma unroll
  for (int i = 0; i < kRowTiles; ++i) {
    __syncwarp();
#pragma unroll
    for (int j = 0; j < kColumnTiles; ++j) {
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        Vector<Accumulator, 2> pair;
        pair.at[0] = sums[(i * kColumnTiles + j) * 4 + h * 2];
        pair.at[1] = sums[(i * kColumnTiles + j) * 4 + h * 2 + 1];
        *reinterpret_cast<Vector<Accumulator, 2>*>(rows + (h * 8 + lane / 4) * kPaddedN + j * 8 +
                                                   lane % 4 * 2) = pair;
      }
    }
    __syncwarp();
    constexpr int kRuns = 16 * kWarpN / kRun;
#pragma unroll
    for (int r = 0; r < kRuns / 32; ++r) {
      const int row = (r * 32 + lane) / (kWarpN / kRun);
      const int column = (r * 32 + lane) % (kWarpN / kRun) * kRun;
      const auto loaded =
          *reinterpret_cast<const Vector<Accumulator, kRun>*>(rows + row * kPaddedN + column);
      Accumulator run[kRun];
#pragma unroll
      for (int e = 0; e < kRun; ++e) run[e] = loaded.at[e];
      use(WarpM() + i * 16 + row, WarpN() + column, run);
    }
  }
}

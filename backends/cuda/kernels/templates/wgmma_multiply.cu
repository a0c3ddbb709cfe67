// What a warpgroup that multiplies does with the stages of a tile. Of the wgmma kernels.

// A shared-memory matrix as wgmma takes it: 128-byte swizzle, patterns of eight rows 1024 bytes
// apart, blocks of 64 columns kBlockK rows apart (of no meaning along k). Adding n to it moves it
// by 16 n bytes.
__device__ __forceinline__ unsigned long long Descriptor(unsigned address) {
  constexpr unsigned long long kShape =
      1ull << 62 | static_cast<unsigned long long>(1024 >> 4) << 32 |
      static_cast<unsigned long long>(kBlockK * kRowBytes >> 4) << 16;
  return kShape | (address & 0x3ffff) >> 4;
}

// Rows of the next 32 bytes of k.
template <bool kAlongK>
constexpr int kStepBytes = kAlongK ? 32 : kBlockK / kSteps* kRowBytes;

// Where a warpgroup that multiplies reads, and whom it tells that it has.
struct Consumer {
  unsigned stages, full_barriers, empty_barriers;
  int first_row;  // of the tile's rows (kTurned: columns)
  int tells;      // a block of the cluster that this lane tells, or -1
  int warp, lane;
  int place;  // among the threads that share the tile

  __device__ __forceinline__ void TakePlace(int thread) {
    place = thread;
    first_row = kPingPong ? 0 : thread / kWarpgroup * kConsumerRows;
    warp = thread % kWarpgroup / 32;
    lane = thread % 32;
  }

  // The operands of a stage: that of the instruction's rows, from first_row on; that of its
  // columns.
  __device__ __forceinline__ unsigned Rows(int stage) const {
    constexpr int kRowsOfBlock = kRowBytes / sizeof(Lhs);
    return stages + stage * kStageBytes + (kTurned ? kLhsBytes : 0) +
           (kRowsAlongK ? first_row : first_row / kRowsOfBlock * kBlockK) * kRowBytes;
  }
  __device__ __forceinline__ unsigned Columns(int stage) const {
    return stages + stage * kStageBytes + (kTurned ? 0 : kLhsBytes);
  }
  // Where in the tile this lane's row of instruction `m` is: of its first eight rows, or of the
  // other half.
  __device__ __forceinline__ int RowOf(int m, int half) const {
    if constexpr (kByRegisters) {
      return first_row + m / 2 * 128 + warp * 32 + RowChunk() * 4 + m % 2 * 2 + half;
    } else {
      return first_row + m * kInstructionRows + warp * 16 + half * 8 + lane / 4;
    }
  }
  // What goes through registers is read 16 bytes at a time: four neighbouring rows, which become
  // the two halves of two instructions. Lanes take them in an order in which no two meet in a bank.
  __device__ __forceinline__ int RowChunk() const { return (lane / 4 & 1) << 2 | lane / 8; }
  __device__ __forceinline__ void Wait(const Ring& ring) const {
    WaitFor(full_barriers + ring.stage * 8, ring.parity);
  }
  __device__ __forceinline__ void TellRead(int stage) const {
    if (stage >= 0 && tells >= 0) ArriveAt(empty_barriers + stage * 8, tells);
  }
};

__device__ __forceinline__ void FenceRegisters() {
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
__device__ __forceinline__ void CommitProducts() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}
// Until all groups of products before the last `kPending` are done.
template <int kPending>
__device__ __forceinline__ void WaitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

// Of an instruction's rows or columns: `first` is a descriptor of where the stage has them.
__device__ __forceinline__ unsigned long long RowsAt(unsigned long long first, int m, int step) {
  return first + (step * kStepBytes<kRowsAlongK> +
                  m * (kRowsAlongK ? kInstructionRows : kBlockK) * kRowBytes) /
                     16;
}
__device__ __forceinline__ unsigned long long ColumnsAt(unsigned long long first, int piece,
                                                        int step) {
  return first + (step * kStepBytes<kColumnsAlongK> + piece * kInstructionColumns * kRowBytes) / 16;
}

// Multiplies `steps` stages from the ring's on. Returns when all is issued: the stage that may
// still be read, which FinishMultiplying() then waits for, or -1. Calls `meanwhile(i)` while the
// tensor cores are busy with the i-th of them, where they are left to work by themselves.

#if SEEDTUNE_PROMOTE
// Sums of a stage are moved to f32 registers, 64 rows by kInstructionColumns at a time, while the
// other warpgroup multiplies.
template <typename Meanwhile>
__device__ __forceinline__ int Multiply(const Consumer& consumer, Ring& ring, int steps,
                                        Accumulator (&sums)[kInstructionsM][kTotalSums],
                                        const Meanwhile& meanwhile) {
#pragma unroll
  for (int m = 0; m < kInstructionsM; ++m) {
#pragma unroll
    for (int i = 0; i < kTotalSums; ++i) sums[m][i] = 0;
  }
#pragma unroll 1
  for (int k = 0; k < steps; ++k) {
    consumer.Wait(ring);
    const unsigned long long rows = Descriptor(consumer.Rows(ring.stage));
    const unsigned long long columns = Descriptor(consumer.Columns(ring.stage));
#pragma unroll
    for (int m = 0; m < kInstructionsM; ++m) {
#pragma unroll
      for (int piece = 0; piece < kPieces; ++piece) {
        Accumulator d[kSums];
        FenceRegisters();
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
          MultiplyAccumulate(d, RowsAt(rows, m, step), ColumnsAt(columns, piece, step), step > 0);
        }
        CommitProducts();
        if (m == 0 && piece == 0) meanwhile(k);
        WaitForProducts<0>();
        KeepInRegisters(d);
        if (m == kInstructionsM - 1 && piece == kPieces - 1) consumer.TellRead(ring.stage);
#pragma unroll
        for (int i = 0; i < kSums; ++i) sums[m][piece * kSums + i] += d[i];
      }
    }
    ring.Advance();
  }
  return -1;  // none
}

__device__ __forceinline__ void FinishMultiplying(const Consumer&, int,
                                                  Accumulator (&)[kInstructionsM][kTotalSums]) {}
#else
#if SEEDTUNE_BY_REGISTERS
// A step's rows, as the instruction takes them (PTX ISA, wgmma.mma_async, matrix A in registers):
// of lane's k and of that four further on, rows lane / 4 and eight below.
__device__ __forceinline__ void LoadRows(const Consumer& consumer, unsigned rows, int step,
                                         unsigned (&to)[kInstructionsM][4]) {
#pragma unroll
  for (int m = 0; m < kInstructionsM; m += 2) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int k = half * 4 + consumer.lane % 4;  // modulo 8
      const unsigned at = rows + ((m * 2 + consumer.warp) * kBlockK + step * 8 + k) * kRowBytes +
                          ((consumer.RowChunk() ^ k) << 4);
      asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(to[m][half * 2]), "=r"(to[m][half * 2 + 1]), "=r"(to[m + 1][half * 2]),
                     "=r"(to[m + 1][half * 2 + 1])
                   : "r"(at)
                   : "memory");
    }
  }
}

// The next step's rows are loaded while the tensor cores multiply this one's.
template <typename Meanwhile>
__device__ __forceinline__ int Multiply(const Consumer& consumer, Ring& ring, int steps,
                                        Accumulator (&d)[kInstructionsM][kTotalSums],
                                        const Meanwhile&) {
  int previous = -1;
  unsigned a[kSteps][kInstructionsM][4];
#pragma unroll 1
  for (int k = 0; k < steps; ++k) {
    consumer.Wait(ring);
    const unsigned rows = consumer.Rows(ring.stage);
    const unsigned long long columns = Descriptor(consumer.Columns(ring.stage));
    LoadRows(consumer, rows, 0, a[0]);
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      FenceRegisters();
#pragma unroll
      for (int m = 0; m < kInstructionsM; ++m) {
        MultiplyAccumulate(d[m], a[step][m], ColumnsAt(columns, 0, step), k > 0 || step > 0);
      }
      CommitProducts();
      if (step + 1 < kSteps) LoadRows(consumer, rows, step + 1, a[step + 1]);
      WaitForProducts<1>();
      if (step == 0) consumer.TellRead(previous);
    }
    previous = ring.stage;
    ring.Advance();
  }
  return previous;
}
#else
template <typename Meanwhile>
__device__ __forceinline__ int Multiply(const Consumer& consumer, Ring& ring, int steps,
                                        Accumulator (&d)[kInstructionsM][kTotalSums],
                                        const Meanwhile& meanwhile) {
  int previous = -1;  // the stage that is still being read
#pragma unroll 1
  for (int k = 0; k < steps; ++k) {
    consumer.Wait(ring);
    const unsigned long long rows = Descriptor(consumer.Rows(ring.stage));
    const unsigned long long columns = Descriptor(consumer.Columns(ring.stage));
    FenceRegisters();
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
#pragma unroll
      for (int m = 0; m < kInstructionsM; ++m) {
        MultiplyAccumulate(d[m], RowsAt(rows, m, step), ColumnsAt(columns, 0, step),
                           k > 0 || step > 0);
      }
    }
    CommitProducts();
    meanwhile(k);
    WaitForProducts<1>();
    consumer.TellRead(previous);
    previous = ring.stage;
    ring.Advance();
  }
  return previous;
}
#endif

__device__ __forceinline__ void FinishMultiplying(const Consumer& consumer, int last,
                                                  Accumulator (&d)[kInstructionsM][kTotalSums]) {
  WaitForProducts<0>();
  consumer.TellRead(last);
#pragma unroll
  for (int m = 0; m < kInstructionsM; ++m) KeepInRegisters(d[m]);
}
#endif

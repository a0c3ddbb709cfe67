// What two clusters that share a tile's k pass on: the first one leaves its sums in memory, the
// second one adds them to its own. Of the wgmma kernels; a block's counter starts at 0 and is left
// so.
//
// A thread's sums stay together, four at a time, in the order in which it has them. They come back
// through the ring, behind the stages of the operands.

constexpr int kQuadBytes = kTileThreads * 16;  // of all threads
constexpr int kStageQuads = kStageBytes / kQuadBytes;
constexpr int kSumStages = CeilDiv(kQuads, kStageQuads);
constexpr unsigned kLeavers = kTileThreads / 32;  // warps

__device__ __forceinline__ unsigned* CounterOf(const Arguments& arguments, int block) {
  return reinterpret_cast<unsigned*>(arguments.workspace) + block;
}
__device__ __forceinline__ unsigned char* SumsOf(const Arguments& arguments, int block) {
  return arguments.workspace + kPartialsOffset +
         static_cast<long long>(block) * (kQuads * kQuadBytes);
}

// Of a warpgroup that multiplies.
__device__ __forceinline__ void LeaveSums(const Accumulator (&d)[kInstructionsM][kTotalSums],
                                          const Arguments& arguments, const Consumer& consumer) {
  unsigned char* const to = SumsOf(arguments, blockIdx.x) + consumer.place * 16;
#pragma unroll
  for (int m = 0; m < kInstructionsM; ++m) {
#pragma unroll
    for (int i = 0; i < kTotalSums; i += 4) {
      *reinterpret_cast<Vector<Accumulator, 4>*>(to + (m * kTotalSums + i) / 4 * kQuadBytes) = {
          {d[m][i], d[m][i + 1], d[m][i + 2], d[m][i + 3]}};
    }
  }
}

// Whether that is told while the next tile is multiplied, since it takes as long as all others need
// to see the sums: where there is a next one, and the tensor cores work by themselves.
constexpr bool kTellsLater = !kPingPong && !kByRegisters;

__device__ __forceinline__ void TellLeft(const Arguments& arguments, const Consumer& consumer) {
  // They are read by the copy engine.
  asm volatile("fence.proxy.async;" ::: "memory");
  __syncwarp();
  if (consumer.lane == 0) {
    asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(CounterOf(arguments, blockIdx.x))
                 : "memory");
  }
}

// Of the producer: what this block's neighbour in the cluster before has left.
__device__ __forceinline__ void BringSums(Ring& ring, unsigned stages, unsigned full_barriers,
                                          unsigned empty_barriers, const Arguments& arguments) {
  const int block = static_cast<int>(blockIdx.x) - kClusterSize;
  unsigned* const counter = CounterOf(arguments, block);
  unsigned came;
  do {
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(came) : "l"(counter) : "memory");
  } while (came < kLeavers);
  *counter = 0;
  asm volatile("fence.proxy.async;" ::: "memory");
  const unsigned char* from = SumsOf(arguments, block);
#pragma unroll 1
  for (int quad = 0; quad < kQuads; quad += kStageQuads) {
    const int bytes = (kQuads - quad < kStageQuads ? kQuads - quad : kStageQuads) * kQuadBytes;
    const unsigned barrier = full_barriers + ring.stage * 8;
    WaitFor(empty_barriers + ring.stage * 8, ring.parity);
    ExpectBytes(barrier, bytes);
    asm volatile(
        "cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, "
        "[%3];" ::"r"(stages + ring.stage * kStageBytes),
        "l"(from + quad * kQuadBytes), "r"(bytes), "r"(barrier)
        : "memory");
    ring.Advance();
  }
}

// Of a warpgroup that multiplies.
__device__ __forceinline__ void AddSums(Accumulator (&d)[kInstructionsM][kTotalSums], Ring& ring,
                                        const Consumer& consumer) {
#pragma unroll
  for (int first = 0; first < kQuads; first += kStageQuads) {
    consumer.Wait(ring);
    const unsigned from = consumer.stages + ring.stage * kStageBytes + consumer.place * 16;
#pragma unroll
    for (int quad = first; quad < kQuads && quad < first + kStageQuads; ++quad) {
      Vector<Accumulator, 4> sums;
      unsigned(&bits)[4] = reinterpret_cast<unsigned(&)[4]>(sums);
      asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                   : "=r"(bits[0]), "=r"(bits[1]), "=r"(bits[2]), "=r"(bits[3])
                   : "r"(from + (quad - first) * kQuadBytes)
                   : "memory");
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        d[quad * 4 / kTotalSums][quad * 4 % kTotalSums + i] += sums.at[i];
      }
    }
    // Named barriers 3 to 5: all of this warpgroup have read the stage.
    asm volatile("bar.sync %0, 128;" ::"r"(2 + threadIdx.x / kWarpgroup) : "memory");
    consumer.TellRead(ring.stage);
    ring.Advance();
  }
}

// Hopper's tensor cores (wgmma, sm90a) at full rate: one warpgroup brings tiles of the operands
// into a ring of stages in shared memory by the bulk tensor copy engine, the others multiply them
// and write the output. Blocks are as many as run at once and take tile after tile.
//
// kPingPong false (cooperative): kConsumers warpgroups share each tile by rows. True: two take
// tiles in turns, so that one writes its tile while the other multiplies.
//
// The blocks of a cluster, kClusterM x kClusterN tiles of the output, bring each other's operands:
// a tile that several blocks read is brought once, each of them bringing its share to all.
//
// Tiles lie in shared memory as the 128-byte swizzle has them: rows of 128 bytes, eight to a
// pattern. An operand along k has a row for each of its rows; else there is a row for each k in
// each block of 128 bytes of columns. (PTX ISA, "Asynchronous warpgroup level matrix
// instructions".)
//
// kTurned: the instruction's rows are the output's columns, so the product is transposed on the
// way. kByRegisters: the operand of the instruction's rows goes through registers, since it lies
// along the other dimension and elements of four bytes are taken along k only.

constexpr int kWarpgroup = 128;
constexpr int kRowBytes = 128;
constexpr int kInstructionRows = 64;
constexpr int kSteps = 4;  // of a stage: an instruction takes 32 bytes of k
constexpr int kRows = kTurned ? kBlockN : kBlockM;
constexpr int kColumns = kTurned ? kBlockM : kBlockN;
constexpr int kConsumerRows = kPingPong ? kRows : kRows / kConsumers;
constexpr int kInstructionsM = kConsumerRows / kInstructionRows;
constexpr int kPieces = kColumns / kInstructionColumns;  // 1 unless kPromote
constexpr int kTotalSums = kPieces * kSums;              // of a thread for 64 rows
// Threads that hold a tile's sums, and how many each has, by fours.
constexpr int kTileThreads = kPingPong ? kWarpgroup : kConsumers * kWarpgroup;
constexpr int kQuads = kInstructionsM * kTotalSums / 4;
constexpr bool kRowsAlongK = kTurned ? kRhsAlongK : kLhsAlongK;
constexpr bool kColumnsAlongK = kTurned ? kLhsAlongK : kRhsAlongK;
// Rows of 128 bytes that an operand's tile takes of a stage: whole copies.
template <typename T, bool kAlongK>
__device__ constexpr int HeldRows(int block) {
  constexpr int kCopyColumns = kRowBytes / static_cast<int>(sizeof(T));
  return kAlongK ? block : CeilDiv(block, kCopyColumns) * kCopyColumns;
}
constexpr int kLhsBytes = HeldRows<Lhs, kLhsAlongK>(kBlockM) * kRowBytes;
constexpr int kStageBytes = kLhsBytes + HeldRows<Rhs, kRhsAlongK>(kBlockN) * kRowBytes;
constexpr int kClusterSize = kClusterM * kClusterN;
// A warp's 16 rows of the output on their way out, 128 bytes of each.
constexpr int kOutBufferBytes = 16 * kRowBytes;
constexpr int kOutBytes = kConsumers * 4 * kOutBuffers * kOutBufferBytes;

// CUtensorMap.
struct alignas(64) TensorMap {
  unsigned char opaque[128];
};

__device__ __forceinline__ unsigned SharedAddress(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

// ---- Barriers in shared memory

__device__ __forceinline__ void InitBarrier(unsigned barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals));
}

__device__ __forceinline__ void ExpectBytes(unsigned barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

__device__ __forceinline__ void WaitFor(unsigned barrier, int parity) {
  unsigned done = 0;
  while (!done) {
    asm volatile(
        "{\n"
        ".reg .pred p;\n"
        "mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n"
        "}"
        : "=r"(done)
        : "r"(barrier), "r"(parity)
        : "memory");
  }
}

// At the barrier of the same place in another block of the cluster.
__device__ __forceinline__ void ArriveAt(unsigned barrier, int block_of_cluster) {
  if constexpr (kClusterSize == 1) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory");
    return;
  }
  asm volatile(
      "{\n"
      ".reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [remote];\n"
      "}" ::"r"(barrier),
      "r"(block_of_cluster)
      : "memory");
}

// Named barriers 1 and 2: the turns of two warpgroups that take tiles alternately.
__device__ __forceinline__ void WaitForTurn(int consumer) {
  asm volatile("bar.sync %0, 256;" ::"r"(1 + consumer) : "memory");
}
__device__ __forceinline__ void TellTurn(int consumer) {
  asm volatile("bar.arrive %0, 256;" ::"r"(1 + consumer) : "memory");
}

// Named barrier 0: the warp that brings stages goes on, the warpgroups that multiply wait for it.
__device__ __forceinline__ void TellMultipliers() {
  asm volatile("bar.arrive 0, %0;" ::"n"(32 + kConsumers * kWarpgroup) : "memory");
}
__device__ __forceinline__ void WaitForProducer() {
  asm volatile("bar.sync 0, %0;" ::"n"(32 + kConsumers * kWarpgroup) : "memory");
}

__device__ __forceinline__ void ClusterSync() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::
                   : "memory");
}

// One lane of a whole warp. Unlike after a comparison of thread numbers, the compiler knows that
// one thread goes on: addresses of bulk copies stay in uniform registers, where they are taken
// from, and are not gathered from each thread that may be there, in a loop.
__device__ __forceinline__ bool ElectOne() {
  unsigned elected = 0;
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "elect.sync _|p, 0xffffffff;\n"
      "selp.u32 %0, 1, 0, p;\n"
      "}"
      : "=r"(elected));
  return elected != 0;
}

// ---- Copies

template <bool kToSeveralBlocks>
__device__ __forceinline__ void CopyIn(unsigned to, const TensorMap& map, unsigned barrier,
                                       int inner, int outer, int batch, unsigned short blocks) {
  if constexpr (kToSeveralBlocks) {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes"
        ".multicast::cluster [%0], [%1, {%3, %4, %5}], [%2], %6;" ::"r"(to),
        "l"(&map), "r"(barrier), "r"(inner), "r"(outer), "r"(batch), "h"(blocks)
        : "memory");
  } else {
    asm volatile(
        "cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes"
        " [%0], [%1, {%3, %4, %5}], [%2];" ::"r"(to),
        "l"(&map), "r"(barrier), "r"(inner), "r"(outer), "r"(batch)
        : "memory");
  }
}

__device__ __forceinline__ void CopyOut(const TensorMap& map, unsigned from, int inner, int outer,
                                        int batch) {
  asm volatile(
      "cp.async.bulk.tensor.3d.global.shared::cta.bulk_group [%0, {%2, %3, %4}], [%1];" ::"l"(&map),
      "r"(from), "r"(inner), "r"(outer), "r"(batch)
      : "memory");
  asm volatile("cp.async.bulk.commit_group;" ::: "memory");
}

// Until the copies out before the last `kPending` have read their source.
template <int kPending>
__device__ __forceinline__ void WaitForCopiesOut() {
  asm volatile("cp.async.bulk.wait_group.read %0;" ::"n"(kPending) : "memory");
}

// ---- Stages

// Brings this block's share of an operand's tile, for all blocks of the cluster that need it.
template <typename T, bool kAlongK, int kBlock, int kShares>
__device__ __forceinline__ void BringTile(unsigned stage, const TensorMap& map, unsigned barrier,
                                          int position, int k_block, int batch, int share,
                                          unsigned short blocks) {
  constexpr int kRows = kAlongK ? kBlock : kBlockK;
  constexpr int kCopyColumns = kRowBytes / static_cast<int>(sizeof(T));
  constexpr int kCopies = kAlongK ? 1 : CeilDiv(kBlock, kCopyColumns);
  constexpr int kShareRows = kRows / kShares;
#pragma unroll
  for (int copy = 0; copy < kCopies; ++copy) {
    const unsigned to = stage + copy * kRows * kRowBytes + share * kShareRows * kRowBytes;
    if constexpr (kAlongK) {
      CopyIn<(kShares > 1)>(to, map, barrier, k_block * kBlockK, position + share * kShareRows,
                            batch, blocks);
    } else {
      CopyIn<(kShares > 1)>(to, map, barrier, position + copy * kCopyColumns,
                            k_block * kBlockK + share * kShareRows, batch, blocks);
    }
  }
}

// Stages of a block's first tile that are asked for before anything else: all that are free. Not in
// a cluster, where each block waits until the others are there, nor of a tile that may be shared.
constexpr int kFirstStages = kClusterSize > 1 || kStreamK  ? 0
                             : kStages < kStepsK / kSplits ? kStages
                                                           : kStepsK / kSplits;

// The ring's stages, one after the other.
struct Ring {
  int stage = 0;
  int parity = 0;
  __device__ __forceinline__ void Advance() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
  __device__ __forceinline__ void Skip(int stages) {
    stage += stages;
    parity ^= stage / kStages & 1;
    stage %= kStages;
  }
};

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
// each block of 64 columns. (PTX ISA, "Asynchronous warpgroup level matrix instructions".)

constexpr int kWarpgroup = 128;
constexpr int kRowBytes = 128;
constexpr int kInstructionRows = 64;
constexpr int kSteps = 4;  // of a stage: an instruction takes 32 bytes of k
constexpr int kConsumerRows = kPingPong ? kBlockM : kBlockM / kConsumers;
constexpr int kInstructionsM = kConsumerRows / kInstructionRows;
constexpr int kLhsBytes = kBlockM * kRowBytes;
constexpr int kStageBytes = (kBlockM + kBlockN) * kRowBytes;
constexpr int kClusterSize = kClusterM * kClusterN;
// A warp's 16 rows of the output on their way out, 128 bytes of each, twice.
constexpr int kOutBufferBytes = 16 * kRowBytes;
constexpr int kOutBuffers = 2;
constexpr int kOutBytes = kConsumers * 4 * kOutBuffers * kOutBufferBytes;

__device__ constexpr int CeilDiv(int a, int b) { return (a + b - 1) / b; }
constexpr int kClusterTilesM = CeilDiv(kTilesM, kClusterM);
constexpr int kClusterTilesN = CeilDiv(kTilesN, kClusterN);
constexpr int kClusterTiles = kClusterTilesM * kClusterTilesN;
constexpr int kWork = kClusterTiles * kSplits * kBatch;

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

__device__ __forceinline__ void ClusterSync() {
  asm volatile("barrier.cluster.arrive.release.aligned;\nbarrier.cluster.wait.acquire.aligned;" ::
                   : "memory");
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

// ---- Work

// A tile of this block, and the blocks of k to sum.
struct Tile {
  int row, column, batch, split, begin, end;
};

__device__ __forceinline__ Tile TileOf(int work, int rank_m, int rank_n) {
  Tile tile;
  tile.batch = work / (kClusterTiles * kSplits);
  tile.split = work / kClusterTiles % kSplits;
  // kGroup rows of tiles at a time, so that tiles which run together share operands in L2.
  const int in_plane = work % kClusterTiles;
  const int group = in_plane / (kGroup * kClusterTilesN);
  const int first = group * kGroup;
  const int rows = kClusterTilesM - first < kGroup ? kClusterTilesM - first : kGroup;
  const int in_group = in_plane - group * kGroup * kClusterTilesN;
  tile.row = ((first + in_group % rows) * kClusterM + rank_m) * kBlockM;
  tile.column = (in_group / rows * kClusterN + rank_n) * kBlockN;
  tile.begin = static_cast<int>(static_cast<long long>(kStepsK) * tile.split / kSplits);
  tile.end = static_cast<int>(static_cast<long long>(kStepsK) * (tile.split + 1) / kSplits);
  return tile;
}

// Brings this block's share of an operand's tile, for all blocks of the cluster that need it.
template <bool kAlongK, int kBlock, int kShares>
__device__ __forceinline__ void BringTile(unsigned stage, const TensorMap& map, unsigned barrier,
                                          int position, int k_block, int batch, int share,
                                          unsigned short blocks) {
  constexpr int kRows = kAlongK ? kBlock : kBlockK;
  constexpr int kCopies = kAlongK ? 1 : kBlock / 64;
  constexpr int kShareRows = kRows / kShares;
#pragma unroll
  for (int copy = 0; copy < kCopies; ++copy) {
    const unsigned to = stage + copy * kRows * kRowBytes + share * kShareRows * kRowBytes;
    if constexpr (kAlongK) {
      CopyIn<(kShares > 1)>(to, map, barrier, k_block * kBlockK, position + share * kShareRows,
                            batch, blocks);
    } else {
      CopyIn<(kShares > 1)>(to, map, barrier, position + copy * 64,
                            k_block * kBlockK + share * kShareRows, batch, blocks);
    }
  }
}

// A shared-memory matrix as wgmma takes it: 128-byte swizzle, patterns of eight rows 1024 bytes
// apart, blocks of 64 columns `block_stride` bytes apart (of no meaning along k).
__device__ __forceinline__ unsigned long long Descriptor(unsigned address, int block_stride) {
  return static_cast<unsigned long long>((address & 0x3ffff) >> 4) |
         static_cast<unsigned long long>(block_stride >> 4) << 16 |
         static_cast<unsigned long long>(1024 >> 4) << 32 | 1ull << 62;
}

// Rows of the next 32 bytes of k.
template <bool kAlongK>
constexpr int kStepBytes = kAlongK ? 32 : kBlockK / kSteps* kRowBytes;

// ---- Epilogue

__device__ __forceinline__ void StorePartial(const Arguments& arguments, const Tile& tile, int row,
                                             int column, Accumulator x, Accumulator y) {
  if (row >= kM || column >= kN) return;
  Accumulator* to = reinterpret_cast<Accumulator*>(arguments.workspace + kPartialsOffset) +
                    ((static_cast<long long>(tile.split) * kBatch + tile.batch) * kM + row) * kN +
                    column;
  if constexpr (kN % 2 == 0) {
    *reinterpret_cast<Vector<Accumulator, 2>*>(to) = {x, y};
  } else {
    to[0] = x;
    if (column + 1 < kN) to[1] = y;
  }
}

// Two neighbouring elements of the output, as they lie in memory.
__device__ __forceinline__ Vector<Out, 2> Finished(const Arguments& arguments, const Tile& tile,
                                                   int row, int column, Accumulator x,
                                                   Accumulator y) {
  Accumulator values[2] = {x, y};
  if (row < kM && column < kN) Complete(arguments, tile.batch, row, column, kN - column, values);
  Vector<Out, 2> out;
  Narrow(values[0], out.at[0]);
  Narrow(values[1], out.at[1]);
  return out;
}

// A warp's 16 rows from `row` on, by way of shared memory: 128 bytes of columns at a time.
__device__ __forceinline__ void StoreThroughShared(const Accumulator (&d)[kSums], const Tile& tile,
                                                   int row, int lane, unsigned buffers,
                                                   int& buffers_used, const TensorMap& out_map,
                                                   const Arguments& arguments) {
  constexpr int kColumns = kRowBytes / static_cast<int>(sizeof(Out));
  constexpr int kFragments = kColumns / 8;  // of 8 columns
#pragma unroll
  for (int chunk = 0; chunk < kBlockN / kColumns; ++chunk) {
    const unsigned to = buffers + buffers_used % kOutBuffers * kOutBufferBytes;
    ++buffers_used;
    if (lane == 0) WaitForCopiesOut<kOutBuffers - 1>();
    __syncwarp();
#pragma unroll
    for (int f = 0; f < kFragments; f += 2) {
      Vector<Out, 2> parts[4];  // rows 0-7 of fragment f, rows 8-15, the same of f + 1
#pragma unroll
      for (int part = 0; part < 4; ++part) {
        const int j = chunk * kFragments + f + part / 2;
        const int i = j * 4 + part % 2 * 2;
        parts[part] = Finished(arguments, tile, row + lane / 4 + part % 2 * 8,
                               tile.column + j * 8 + lane % 4 * 2, d[i], d[i + 1]);
      }
      if constexpr (sizeof(Out) == 2) {
        const int r = lane % 16;
        const unsigned at = to + r * kRowBytes + (((f + lane / 16) ^ (r & 7)) << 4);
        const auto bits = [&](int part) { return *reinterpret_cast<unsigned*>(&parts[part]); };
        asm volatile("stmatrix.sync.aligned.m8n8.x4.shared.b16 [%0], {%1, %2, %3, %4};" ::"r"(at),
                     "r"(bits(0)), "r"(bits(1)), "r"(bits(2)), "r"(bits(3))
                     : "memory");
      } else {
#pragma unroll
        for (int part = 0; part < 4; ++part) {
          const int r = lane / 4 + part % 2 * 8;
          const int piece = (f + part / 2) * 2 + lane % 4 / 2;
          const unsigned at = to + r * kRowBytes + ((piece ^ (r & 7)) << 4) + lane % 2 * 8;
          const unsigned long long bits = *reinterpret_cast<unsigned long long*>(&parts[part]);
          asm volatile("st.shared.b64 [%0], %1;" ::"r"(at), "l"(bits) : "memory");
        }
      }
    }
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    __syncwarp();
    if (lane == 0) CopyOut(out_map, to, tile.column + chunk * kColumns, row, tile.batch);
  }
}

// A warp's 16 rows from `row` on of 64 x kBlockN sums.
__device__ __forceinline__ void StoreRows(const Accumulator (&d)[kSums], const Tile& tile, int row,
                                          int lane, unsigned buffers, int& buffers_used,
                                          const TensorMap& out_map, const Arguments& arguments) {
  if constexpr (kTmaStore) {
    StoreThroughShared(d, tile, row, lane, buffers, buffers_used, out_map, arguments);
  } else {
#pragma unroll
    for (int i = 0; i < kSums; i += 2) {
      const int at_row = row + lane / 4 + i % 4 / 2 * 8;
      const int column = tile.column + i / 4 * 8 + lane % 4 * 2;
      if constexpr (kSplits > 1) {
        StorePartial(arguments, tile, at_row, column, d[i], d[i + 1]);
      } else {
        Accumulator values[2] = {d[i], d[i + 1]};
        Finish(arguments, tile.batch, at_row, column, values);
      }
    }
  }
}

// ---- The kernel

__device__ __forceinline__ void Run(const TensorMap& lhs_map, const TensorMap& rhs_map,
                                    const TensorMap& out_map, const Arguments& arguments) {
  extern __shared__ unsigned char shared[];
  // The swizzle's patterns want 1024 bytes.
  const unsigned stages = (SharedAddress(shared) + 1023) & ~1023u;
  const unsigned out_buffers = stages + kStages * kStageBytes;
  const unsigned full_barriers = out_buffers + kOutBytes;
  const unsigned empty_barriers = full_barriers + kStages * 8;
  const int warpgroup = threadIdx.x / kWarpgroup;
  const int cluster = blockIdx.x / kClusterSize;
  const int clusters = gridDim.x / kClusterSize;
  const int rank = blockIdx.x % kClusterSize;
  const int rank_m = rank % kClusterM;
  const int rank_n = rank / kClusterM;

  if (threadIdx.x == 0) {
    // Who reads what this block's producer brings: the blocks of its row and of its column.
    constexpr int kReaders = (kClusterM + kClusterN - 1) * (kPingPong ? 1 : kConsumers);
    for (int s = 0; s < kStages; ++s) {
      InitBarrier(full_barriers + s * 8, 1);
      InitBarrier(empty_barriers + s * 8, kReaders);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("prefetch.tensormap [%0];" ::"l"(&lhs_map) : "memory");
    asm volatile("prefetch.tensormap [%0];" ::"l"(&rhs_map) : "memory");
  }
  if constexpr (kClusterSize > 1) {
    ClusterSync();
  } else {
    __syncthreads();
  }

  // The launch that adds up the parts may take its place on the machine.
  if constexpr (kSplits > 1) asm volatile("griddepcontrol.launch_dependents;" ::: "memory");

  if (warpgroup == 0) {
    if constexpr (kProducerRegisters > 0) {
      asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kProducerRegisters));
    }
    if (threadIdx.x == 0) {
      unsigned short row_blocks = 0;     // blocks of the cluster with the same rows
      unsigned short column_blocks = 0;  // and with the same columns
      for (int i = 0; i < kClusterN; ++i) row_blocks |= 1 << (rank_m + i * kClusterM);
      for (int i = 0; i < kClusterM; ++i) column_blocks |= 1 << (i + rank_n * kClusterM);
      int stage = 0;
      int parity = 1;  // of a barrier in its first round, the round before is over
      for (int work = cluster; work < kWork; work += clusters) {
        const Tile tile = TileOf(work, rank_m, rank_n);
        const int lhs_batch = kLhsBatched ? tile.batch : 0;
        const int rhs_batch = kRhsBatched ? tile.batch : 0;
        for (int k = tile.begin; k < tile.end; ++k) {
          WaitFor(empty_barriers + stage * 8, parity);
          const unsigned barrier = full_barriers + stage * 8;
          ExpectBytes(barrier, kStageBytes);
          const unsigned a = stages + stage * kStageBytes;
          BringTile<kLhsAlongK, kBlockM, kClusterN>(a, lhs_map, barrier, tile.row, k, lhs_batch,
                                                    rank_n, row_blocks);
          BringTile<kRhsAlongK, kBlockN, kClusterM>(a + kLhsBytes, rhs_map, barrier, tile.column, k,
                                                    rhs_batch, rank_m, column_blocks);
          if (++stage == kStages) {
            stage = 0;
            parity ^= 1;
          }
        }
      }
    }
  } else {
    if constexpr (kConsumerRegisters > 0) {
      asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kConsumerRegisters));
    }
    const int consumer = warpgroup - 1;
    const int thread = threadIdx.x % kWarpgroup;
    const int warp = thread / 32;
    const int lane = thread % 32;
    const unsigned buffers = out_buffers + (consumer * 4 + warp) * kOutBuffers * kOutBufferBytes;
    int buffers_used = 0;
    // Lanes of this warpgroup that tell one block each that a stage is read.
    int tells = -1;
    if (thread < kClusterN) {
      tells = rank_m + thread * kClusterM;
    } else if (thread < kClusterN + kClusterM - 1) {
      const int i = thread - kClusterN;
      tells = (i < rank_m ? i : i + 1) + rank_n * kClusterM;
    }
    const int first_row = kPingPong ? 0 : consumer * kConsumerRows;
    const unsigned a_offset =
        kLhsAlongK ? first_row * kRowBytes : first_row / 64 * kBlockK * kRowBytes;
    int stage = 0;
    int parity = 0;
    int turn = 0;
    // Ping-pong: whose turn it is to multiply. The other one is told when the last stage of a tile
    // is waited for, so that it waits for none more than a round ahead.
    if (kPingPong && consumer == 1) TellTurn(0);
    for (int work = cluster; work < kWork; work += clusters, ++turn) {
      const Tile tile = TileOf(work, rank_m, rank_n);
      if (kPingPong && turn % kConsumers != consumer) {
        stage += tile.end - tile.begin;
        parity ^= stage / kStages & 1;
        stage %= kStages;
        continue;
      }
      Accumulator d[kInstructionsM][kSums];
      Accumulator sum[kInstructionsM][kSums];  // kPromote only
      if constexpr (kPromote) {
#pragma unroll
        for (int m = 0; m < kInstructionsM; ++m) {
#pragma unroll
          for (int i = 0; i < kSums; ++i) sum[m][i] = 0;
        }
      }
      if constexpr (kPingPong) WaitForTurn(consumer);
      int previous = -1;  // the stage that is still being read
      for (int k = tile.begin; k < tile.end; ++k) {
        WaitFor(full_barriers + stage * 8, parity);
        const unsigned a = stages + stage * kStageBytes + a_offset;
        const unsigned b = stages + stage * kStageBytes + kLhsBytes;
        asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
          const unsigned long long b_matrix =
              Descriptor(b + step * kStepBytes<kRhsAlongK>, kBlockK * kRowBytes);
          const int accumulate = (kPromote ? 0 : k > tile.begin) || step > 0;
#pragma unroll
          for (int m = 0; m < kInstructionsM; ++m) {
            const unsigned at = a + step * kStepBytes<kLhsAlongK> +
                                m * (kLhsAlongK ? 64 * kRowBytes : kBlockK * kRowBytes);
            MultiplyAccumulate(d[m], Descriptor(at, kBlockK * kRowBytes), b_matrix, accumulate);
          }
        }
        asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
        if constexpr (kPromote) {
          asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
          for (int m = 0; m < kInstructionsM; ++m) {
            KeepInRegisters(d[m]);
#pragma unroll
            for (int i = 0; i < kSums; ++i) sum[m][i] += d[m][i];
          }
          if (tells >= 0) ArriveAt(empty_barriers + stage * 8, tells);
        } else {
          asm volatile("wgmma.wait_group.sync.aligned 1;" ::: "memory");
          if (previous >= 0 && tells >= 0) ArriveAt(empty_barriers + previous * 8, tells);
          previous = stage;
        }
        if (++stage == kStages) {
          stage = 0;
          parity ^= 1;
        }
      }
      if (kPingPong && work + clusters < kWork) TellTurn(1 - consumer);
      if constexpr (!kPromote) {
        asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
        if (tells >= 0) ArriveAt(empty_barriers + previous * 8, tells);
      }
#pragma unroll
      for (int m = 0; m < kInstructionsM; ++m) {
        if constexpr (!kPromote) KeepInRegisters(d[m]);
        const int row = tile.row + first_row + m * 64 + warp * 16;
        StoreRows((kPromote ? sum : d)[m], tile, row, lane, buffers, buffers_used, out_map,
                  arguments);
      }
    }
    if (kTmaStore && lane == 0) asm volatile("cp.async.bulk.wait_group 0;" ::: "memory");
  }
  __syncwarp();
  // No block ends while another one still writes to its memory or its barriers.
  if constexpr (kClusterSize > 1) ClusterSync();
}

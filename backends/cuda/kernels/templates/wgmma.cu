__device__ __forceinline__ void Run(const TensorMap& lhs_map, const TensorMap& rhs_map,
                                    const TensorMap& out_map, const Arguments& arguments) {
  extern __shared__ unsigned char shared[];
  // The swizzle's patterns want 1024 bytes.
  const unsigned stages = (SharedAddress(shared) + 1023) & ~1023u;
  const unsigned out_buffers = stages + kStages * kStageBytes;
  const unsigned full_barriers = out_buffers + kOutBytes;
  const unsigned empty_barriers = full_barriers + kStages * 8;
  const int warp = __shfl_sync(0xffffffffu, threadIdx.x / 32, 0);  // so known to be uniform
  const int warpgroup = warp / (kWarpgroup / 32);
  const int cluster = blockIdx.x / kClusterSize;
  const int rank = blockIdx.x % kClusterSize;
  const int rank_m = rank % kClusterM;
  const int rank_n = rank / kClusterM;

  if (warp == 0 && ElectOne()) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&lhs_map) : "memory");
    asm volatile("prefetch.tensormap [%0];" ::"l"(&rhs_map) : "memory");
    // Who reads what this block's producer brings: the blocks of its row and of its column.
    constexpr int kReaders = (kClusterM + kClusterN - 1) * (kPingPong ? 1 : kConsumers);
    for (int s = 0; s < kStages; ++s) {
      InitBarrier(full_barriers + s * 8, 1);
      InitBarrier(empty_barriers + s * 8, kReaders);
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  if constexpr (kClusterSize > 1) {
    ClusterSync();
  } else if (warp == 0) {
    __syncwarp();
    TellMultipliers();
  } else if (warpgroup > 0) {
    WaitForProducer();
  }

  const Walk walk(cluster, rank_m, rank_n);

  // The launch that adds up the parts may take its place on the machine.
  if constexpr (kSplits > 1 && !kAddsParts)
    asm volatile("griddepcontrol.launch_dependents;" ::: "memory");

  // This block's share of a stage.
  const auto bring = [&](int stage, const Tile& tile, int k) {
    unsigned short row_blocks = 0;     // blocks of the cluster with the same rows
    unsigned short column_blocks = 0;  // and with the same columns
    for (int i = 0; i < kClusterN; ++i) row_blocks |= 1 << (rank_m + i * kClusterM);
    for (int i = 0; i < kClusterM; ++i) column_blocks |= 1 << (i + rank_n * kClusterM);
    const unsigned barrier = full_barriers + stage * 8;
    ExpectBytes(barrier, kStageBytes);
    const unsigned a = stages + stage * kStageBytes;
    const int lhs_batch = kLhsBatched ? tile.batch : 0;
    const int rhs_batch = kRhsBatched ? tile.batch : 0;
    BringTile<Lhs, kLhsAlongK, kBlockM, kClusterN>(a, lhs_map, barrier, tile.row, k, lhs_batch,
                                                   rank_n, row_blocks);
    BringTile<Rhs, kRhsAlongK, kBlockN, kClusterM>(a + kLhsBytes, rhs_map, barrier, tile.column, k,
                                                   rhs_batch, rank_m, column_blocks);
  };
  if constexpr (kProducerRegisters > 0) {
    if (warpgroup == 0) {
      asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kProducerRegisters));
    }
  }
  if constexpr (kFirstStages > 0) {
    // For these, nobody has to be waited for; and this code is at hand, while the other stands
    // behind what multiplies, and comes from memory.
    if (warp == 0 && ElectOne()) {
      const Tile tile = walk.At(0);
#pragma unroll 1
      for (int stage = 0; stage < kFirstStages; ++stage) {
        bring(stage, tile, tile.split + stage * kSplits);
      }
    }
  }
  if (warpgroup == 0) {
    if (warp == 0 && ElectOne()) {
      Ring ring;
      ring.parity = 1;  // of a barrier in its first round, the round before is over
      ring.Skip(kFirstStages);
      int brought = kFirstStages;  // of this tile
      for (int turn = 0; turn < walk.turns; ++turn) {
        const Tile tile = walk.At(turn);
#pragma unroll 1
        for (int k = tile.split + brought * kSplits; k < tile.end; k += kSplits) {
          WaitFor(empty_barriers + ring.stage * 8, ring.parity);
          bring(ring.stage, tile, k);
          ring.Advance();
        }
        brought = 0;
#if SEEDTUNE_STREAM_K
        if (tile.GoesOn()) BringSums(ring, stages, full_barriers, empty_barriers, arguments);
#endif
      }
    }
  } else {
    if constexpr (kConsumerRegisters > 0) {
      asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kConsumerRegisters));
    }
#if SEEDTUNE_TMA_STORE
    if (warp == kWarpgroup / 32 && ElectOne()) {
      asm volatile("prefetch.tensormap [%0];" ::"l"(&out_map) : "memory");
    }
#endif
    const int thread = threadIdx.x % kWarpgroup;
    const int index = warpgroup - 1;
    Consumer consumer;
    consumer.stages = stages;
    consumer.full_barriers = full_barriers;
    consumer.empty_barriers = empty_barriers;
    consumer.TakePlace(kPingPong ? thread : threadIdx.x - kWarpgroup);
    // Lanes of this warpgroup that tell one block each that a stage is read.
    consumer.tells = -1;
    if (thread < kClusterN) {
      consumer.tells = rank_m + thread * kClusterM;
    } else if (thread < kClusterN + kClusterM - 1) {
      const int i = thread - kClusterN;
      consumer.tells = (i < rank_m ? i : i + 1) + rank_n * kClusterM;
    }
#if SEEDTUNE_TMA_STORE
    Waiting waiting;
    WayOut way;
    way.buffers = out_buffers + (index * 4 + consumer.warp) * kOutBuffers * kOutBufferBytes;
#endif
#if SEEDTUNE_STREAM_K
    bool left = false;  // sums, of which the next cluster does not know yet
#endif
    Ring ring;
    // Ping-pong: whose turn it is to multiply. The other one is told when the last stage of a tile
    // is waited for, so that it waits for none more than a round ahead.
    if (kPingPong && index == 1) TellTurn(0);
    for (int turn = 0; turn < walk.turns; ++turn) {
      const Tile tile = walk.At(turn);
      if (kPingPong && turn % kConsumers != index) {
        ring.Skip(tile.Steps());
#if SEEDTUNE_STREAM_K
        if (tile.GoesOn()) ring.Skip(kSumStages);
#endif
        continue;
      }
      const bool is_last = turn + 1 == walk.turns;
      Accumulator d[kInstructionsM][kTotalSums];
      if constexpr (kPingPong) WaitForTurn(index);
      // What the tile before has left to be stored goes out while this one is multiplied.
      const auto meanwhile = [&](int step) {
#if SEEDTUNE_STREAM_K
        if (left) TellLeft(arguments, consumer);
        left = false;
#endif
#if SEEDTUNE_TMA_STORE
        if constexpr (kDeferStores) {
          if (!waiting.any) return;
#pragma unroll
          for (int chunk = 0; chunk < kChunks; ++chunk) {
            // Of a tile that is only begun, stages may be fewer than chunks.
            if (chunk == step || (kStreamK && chunk > step && step + 1 == tile.Steps())) {
              waiting.StoreChunk(chunk, consumer, way, out_map);
            }
          }
        }
#endif
      };
#if SEEDTUNE_TMA_STORE
      const TileBias bias(arguments, tile, consumer.lane);
#endif
      const int last = Multiply(consumer, ring, tile.Steps(), d, meanwhile);
      if (kPingPong && !is_last && !tile.GoesOn()) TellTurn(1 - index);
      FinishMultiplying(consumer, last, d);
#if SEEDTUNE_STREAM_K
      if (tile.GoesOn()) {
        AddSums(d, ring, consumer);
        if (kPingPong && !is_last) TellTurn(1 - index);
      }
      if (tile.IsLeft()) {
        LeaveSums(d, arguments, consumer);
        left = kTellsLater;
        if (!kTellsLater) TellLeft(arguments, consumer);
#if SEEDTUNE_TMA_STORE
        waiting.any = false;
#endif
        continue;
      }
#endif
#if SEEDTUNE_TMA_STORE
      waiting.any = kDeferStores && !is_last;
      waiting.tile = tile;
#pragma unroll
      for (int chunk = 0; chunk < kChunks; ++chunk) {
        if constexpr (kDeferStores) {
#pragma unroll
          for (int i = 0; i < kChunkWords; i += 4) {
            Collect(d, chunk, i, tile, consumer, arguments, bias, waiting.words[chunk][i / 4]);
          }
          if (!waiting.any) waiting.StoreChunk(chunk, consumer, way, out_map);
        } else {
          Store(chunk, tile, consumer, way, out_map, [&](int i, unsigned(&words)[4]) {
            Collect(d, chunk, i, tile, consumer, arguments, bias, words);
          });
        }
      }
#elif SEEDTUNE_ADDS_PARTS
      AddParts(d, arguments, tile, consumer, out_buffers);
#else
      StoreSums(d, tile, consumer, arguments);
#endif
    }
#if SEEDTUNE_TMA_STORE
    Leave();
#endif
  }
  __syncwarp();
  // No block ends while another one still writes to its memory or its barriers.
  if constexpr (kClusterSize > 1) ClusterSync();
}

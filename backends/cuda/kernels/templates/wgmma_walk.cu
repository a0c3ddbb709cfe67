// Which tiles of the output, and how much of their k, is whose. Of the wgmma kernels.

__device__ constexpr int CeilDiv(int a, int b) { return (a + b - 1) / b; }

constexpr int kClusterTilesM = CeilDiv(kTilesM, kClusterM);
constexpr int kClusterTilesN = CeilDiv(kTilesN, kClusterN);
constexpr int kClusterTiles = kClusterTilesM * kClusterTilesN;
constexpr int kWork = kClusterTiles * kSplits * kBatch;

// A tile of this block, and the blocks of k to sum: from `split` on every kSplits-th, so that what
// is read at one time lies together, before `end`.
struct Tile {
  int row, column, batch, split;
  int end = kStepsK;
  __device__ __forceinline__ int Steps() const { return (end - split + kSplits - 1) / kSplits; }
  // Of a tile whose k is shared by two clusters: whether this is the second one's part, the first
  // one's.
  __device__ __forceinline__ bool GoesOn() const { return kStreamK && split > 0; }
  __device__ __forceinline__ bool IsLeft() const { return kStreamK && end < kStepsK; }
};

__device__ __forceinline__ Tile TileOf(int work, int rank_m, int rank_n) {
  Tile tile;
  tile.batch = work / (kClusterTiles * kSplits);
  tile.split = work / kClusterTiles % kSplits;
  // kGroup rows of tiles at a time, so that tiles which run together share operands in L2.
  const int in_plane = work % kClusterTiles;
  const int group = in_plane / (kGroup * kClusterTilesN);
  const int first = group * kGroup;
  const int rows = kClusterTilesM % kGroup == 0      ? kGroup
                   : kClusterTilesM < kGroup         ? kClusterTilesM
                   : kClusterTilesM - first < kGroup ? kClusterTilesM - first
                                                     : kGroup;
  const int in_group = in_plane - group * kGroup * kClusterTilesN;
  tile.row = ((first + in_group % rows) * kClusterM + rank_m) * kBlockM;
  tile.column = (in_group / rows * kClusterN + rank_n) * kBlockN;
  return tile;
}

// What a cluster does, in turns. Whole tiles; with kStreamK, all rounds of them but the last one or
// two, whose stages are then dealt out evenly, so that all clusters have done at the same time: a
// cluster begins a tile (Tile::IsLeft()) that the next one goes on with (GoesOn()), does a whole one
// where there is room, and ends the tile that the one before has begun. A share is a tile's stages
// at least, so that of no tile the second part ends before the first one has.
struct Walk {
  static constexpr int kRounds = kStreamK ? kWork / kClusters - 1 : 0;
  static constexpr int kDealt = kWork - kRounds * kClusters;  // tiles

  int cluster, rank_m, rank_n;
  int turns;

  __device__ __forceinline__ Walk(int cluster, int rank_m, int rank_n)
      : cluster(cluster), rank_m(rank_m), rank_n(rank_n) {
    if constexpr (kStreamK) {
      turns = kRounds + CeilDiv(Boundary(cluster + 1), kStepsK) - Boundary(cluster) / kStepsK;
    } else {
      turns = (kWork - cluster + kClusters - 1) / kClusters;
    }
  }

  // Where one cluster's share ends and the next one's begins, of the stages of all tiles that are
  // dealt out. Nobody takes but a few of a tile.
  static __device__ __forceinline__ int Boundary(int cluster) {
    const int at = static_cast<int>(static_cast<long long>(kDealt) * kStepsK * cluster / kClusters);
    const int in_tile = at % kStepsK;
    if (in_tile < kLeastStages) return at - in_tile;
    return in_tile > kStepsK - kLeastStages ? at - in_tile + kStepsK : at;
  }

  __device__ __forceinline__ Tile At(int turn) const {
    if (!kStreamK || turn < kRounds) return TileOf(cluster + turn * kClusters, rank_m, rank_n);
    // From the last tile, of which this cluster may have the first stages only, to the first one.
    const int number = Boundary(cluster) / kStepsK + turns - 1 - turn;
    Tile tile = TileOf(kRounds * kClusters + number, rank_m, rank_n);
    const int end = Boundary(cluster + 1) - number * kStepsK;
    if (end < kStepsK) tile.end = end;
    if (turn + 1 == turns) tile.split = Boundary(cluster) % kStepsK;
    return tile;
  }
};

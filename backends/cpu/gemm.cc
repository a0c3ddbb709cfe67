#include "backends/cpu/gemm.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "backends/cpu/gemm_epilogue.h"
#include "backends/cpu/gemm_kernels.h"
#include "backends/cpu/gemm_pack.h"
#include "backends/cpu/thread_pool.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using cpu_gemm::ALayout;
using cpu_gemm::EpilogueCall;
using cpu_gemm::kMaxTileRows;
using cpu_gemm::kMaxTileVectors;
using cpu_gemm::TileKernel;

constexpr int64_t kMaxWorkspaceBytes = int64_t{1} << 40;
constexpr int kMaxLanes = 16;  // Of the instruction sets in gemm_targets.h.
// Steps of k up to which a block with one row of tiles is computed in one call.
constexpr int64_t kMaxStreamDepth = 32;
constexpr size_t kAlignment = 64;  // Of workspaces: a cache line, and a vector of AVX-512.

// A half-open interval.
struct Range {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
};

// Part `index` of `parts` nearly equal ones of [0, extent), cut at multiples of `unit`.
Range PartOf(int64_t extent, int64_t unit, int parts, int index) {
  const int64_t units = CeilDiv(extent, unit);
  const auto cut = [&](int i) { return std::min(extent, units * i / parts * unit); };
  return {cut(index), cut(index + 1)};
}

// ---------------------------------------------------------------------------------------------------
// Choices that follow from problem and configuration.

enum Axis { kAxisM = 0, kAxisN = 1, kAxisK = 2 };

struct LoopNest {
  std::array<Axis, 3> axes;  // Outermost first.
  bool n_inside_m() const {
    for (const Axis axis : axes) {
      if (axis != kAxisK) return axis == kAxisM;
    }
    return false;
  }
};

LoopNest NestOf(GemmLoopOrder order) {
  switch (order) {
    case GemmLoopOrder::kNkm:
      return {{kAxisN, kAxisK, kAxisM}};
    case GemmLoopOrder::kKnm:
      return {{kAxisK, kAxisN, kAxisM}};
    case GemmLoopOrder::kMkn:
      return {{kAxisM, kAxisK, kAxisN}};
    case GemmLoopOrder::kKmn:
      return {{kAxisK, kAxisM, kAxisN}};
    case GemmLoopOrder::kNmk:
      return {{kAxisN, kAxisM, kAxisK}};
    case GemmLoopOrder::kMnk:
      return {{kAxisM, kAxisN, kAxisK}};
  }
  return {};
}

// How many threads divide each dimension.
struct Grid {
  int m = 1;
  int n = 1;
  int k = 1;
  int batch = 1;
  int threads() const { return m * n * k * batch; }
};

// `split` speaks of the rows and columns of `problem`.
Grid GridOf(const GemmProblem& problem, const GemmConfig& config, GemmThreadSplit split, int nr) {
  const auto at_most = [&](int64_t parts) {
    return static_cast<int>(std::min<int64_t>(config.threads, parts));
  };
  const int64_t row_tiles = CeilDiv(problem.m, config.mr);
  const int64_t column_tiles = CeilDiv(problem.n, nr);
  Grid grid;
  switch (split) {
    case GemmThreadSplit::kM:
      grid.m = at_most(row_tiles);
      break;
    case GemmThreadSplit::kN:
      grid.n = at_most(column_tiles);
      break;
    case GemmThreadSplit::kK:
      grid.k = at_most(problem.k);
      break;
    case GemmThreadSplit::kBatch:
      grid.batch = at_most(problem.batch);
      break;
    case GemmThreadSplit::kMN: {
      // The most threads; among those, the least A and B read in all, m n k (1/n_part + 1/m_part).
      double least = std::numeric_limits<double>::infinity();
      for (int m = 1; m <= at_most(row_tiles); ++m) {
        const int n = static_cast<int>(std::min<int64_t>(config.threads / m, column_tiles));
        const double traffic =
            static_cast<double>(n) * problem.m + static_cast<double>(m) * problem.n;
        if (m * n > grid.threads() || (m * n == grid.threads() && traffic < least)) {
          grid.m = m;
          grid.n = n;
          least = traffic;
        }
      }
      break;
    }
  }
  return grid;
}

// Kernels for the configured tile and for all smaller ones, which serve its edges.
class Kernels {
 public:
  explicit Kernels(const GemmConfig& config) : lanes_(VectorLanesF32()) {
    for (const GemmRegisterTile& tile : SupportedRegisterTiles()) {
      if (tile.mr > config.mr || tile.nr_vectors > config.nr_vectors) continue;
      for (const ALayout layout : {ALayout::kRowsAdjacent, ALayout::kDepthAdjacent}) {
        kernels_[tile.mr][tile.nr_vectors][static_cast<int>(layout)] =
            Find(tile.mr, tile.nr_vectors, config.k_unroll, layout);
        edge_kernels_[tile.mr][tile.nr_vectors][static_cast<int>(layout)] =
            Find(tile.mr, tile.nr_vectors, cpu_gemm::kEdgeTile, layout);
      }
    }
    for (int rows = config.mr; rows >= 1; --rows) {
      rows_covering_[rows] = kernels_[rows][1][0] != nullptr ? rows : rows_covering_[rows + 1];
    }
    for (int columns = 1; columns <= config.nr_vectors * lanes_; ++columns) {
      columns_covering_[columns] = static_cast<int>(RoundUp(columns, lanes_));
    }
  }

  // Entry i is the height (width, in columns) of the smallest tile that covers i rows (columns).
  const int* rows_covering() const { return rows_covering_.data(); }
  const int* columns_covering() const { return columns_covering_.data(); }

  TileKernel Get(int rows, int columns, ALayout layout) const {
    return kernels_[rows][columns / lanes_][static_cast<int>(layout)];
  }

  // Whether the last columns of a matrix can be read and written in place.
  bool has_edges() const { return edge_kernels_[1][1][0] != nullptr; }
  // Null where they cannot.
  TileKernel GetEdge(int rows, int columns, ALayout layout) const {
    return edge_kernels_[rows][columns / lanes_][static_cast<int>(layout)];
  }
  // Columns of the last vector of a tile, of which `columns` are there.
  int LastColumns(int64_t columns) const { return static_cast<int>((columns - 1) % lanes_) + 1; }

 private:
  static TileKernel Find(int mr, int nr_vectors, int unroll, ALayout layout) {
    switch (nr_vectors) {
      case 1:
        return cpu_gemm::FindTileKernel1(mr, unroll, layout);
      case 2:
        return cpu_gemm::FindTileKernel2(mr, unroll, layout);
      case 3:
        return cpu_gemm::FindTileKernel3(mr, unroll, layout);
      default:
        return cpu_gemm::FindTileKernel4(mr, unroll, layout);
    }
  }

  const int lanes_;
  TileKernel kernels_[kMaxTileRows + 1][kMaxTileVectors + 1][2] = {};
  TileKernel edge_kernels_[kMaxTileRows + 1][kMaxTileVectors + 1][2] = {};
  std::array<int, kMaxTileRows + 2> rows_covering_ = {};
  std::array<int, kMaxTileVectors* kMaxLanes + 1> columns_covering_ = {};
};

// ---------------------------------------------------------------------------------------------------
// Reading the operands.

// What the micro kernel reads of one operand for one tile: `present` rows of A or columns of B, and
// zeros up to `width`.
struct Sliver {
  const float* data = nullptr;
  int64_t stride = 0;  // TileCall::a_stride or b_stride.
  ALayout layout = ALayout::kRowsAdjacent;
  int64_t present = 0;
  int width = 0;
};

// How an operand lies in memory and how it is to be read. "Span" is m for A and n for B; "depth" is
// k.
struct ReadPlan {
  int64_t span_stride = 0;
  int64_t depth_stride = 0;
  int width = 0;  // Of a sliver: mr or nr.
  const int* covering =
      nullptr;                 // Widths for the slivers at the edge, by what is left of the span.
  bool pack = false;           // Every sliver, not only those that must be padded.
  bool edge_in_place = false;  // Kernels read a last sliver that is narrower as it is.

  // What a BlockReader needs for blocks of at most these sizes in a share of such a span.
  int64_t BufferFloats(int64_t span, int64_t span_block, int64_t depth_block) const {
    if (pack) return RoundUp(std::min(span, span_block), width) * depth_block;
    const bool even = span % width == 0 && (span <= span_block || span_block % width == 0);
    return even || edge_in_place ? 0 : width * depth_block;
  }
};

// Hands out the slivers of one block of an operand at a time, packing those that have to be.
class BlockReader {
 public:
  BlockReader(const ReadPlan& plan, float* buffer) : plan_(plan), buffer_(buffer) {}

  // Moves to the block of the matrix at `matrix`. Packs nothing if it is there already.
  void MoveTo(const float* matrix, Range span, Range depth) {
    const float* block = matrix + span.begin * plan_.span_stride + depth.begin * plan_.depth_stride;
    if (block == block_ && span.size() == span_ && depth.size() == depth_) return;
    block_ = block;
    span_ = span.size();
    depth_ = depth.size();
    const int64_t left = span_ % plan_.width;
    edge_width_ = plan_.covering[left];
    if (plan_.pack) {
      first_packed_ = 0;
    } else if (left != edge_width_ && !plan_.edge_in_place) {
      first_packed_ = span_ / plan_.width;
    } else {
      first_packed_ = slivers();
      return;
    }
    const int64_t in_place = first_packed_ * plan_.width;
    cpu_gemm::PackSlivers({.from = block_ + in_place * plan_.span_stride,
                           .span_stride = plan_.span_stride,
                           .depth_stride = plan_.depth_stride,
                           .span = span_ - in_place,
                           .depth = depth_,
                           .width = plan_.width,
                           .edge_width = edge_width_,
                           .to = buffer_});
  }

  int64_t slivers() const { return CeilDiv(span_, plan_.width); }
  // How far the data of a sliver lies from that of the one before it.
  int64_t step() const { return plan_.width * (first_packed_ == 0 ? depth_ : plan_.span_stride); }

  Sliver At(int64_t index) const {
    const int64_t begin = index * plan_.width;
    Sliver sliver;
    sliver.present = std::min<int64_t>(plan_.width, span_ - begin);
    sliver.width = sliver.present == plan_.width ? plan_.width : edge_width_;
    if (index >= first_packed_) {
      sliver.data = buffer_ + (index - first_packed_) * plan_.width * depth_;
      sliver.stride = sliver.width;
    } else if (plan_.span_stride == 1) {
      sliver.data = block_ + begin;
      sliver.stride = plan_.depth_stride;
    } else {
      sliver.data = block_ + begin * plan_.span_stride;
      sliver.stride = plan_.span_stride;
      sliver.layout = ALayout::kDepthAdjacent;
    }
    return sliver;
  }

 private:
  const ReadPlan plan_;
  float* const buffer_;
  const float* block_ = nullptr;
  int64_t span_ = 0;
  int64_t depth_ = 0;
  int edge_width_ = 0;
  int64_t first_packed_ = 0;
};

// ---------------------------------------------------------------------------------------------------
// Doing the work.

struct FreeAligned {
  void operator()(float* p) const { ::operator delete (p, std::align_val_t{kAlignment}); }
};
using Workspace = std::unique_ptr<float[], FreeAligned>;

// What one thread does, and with what.
struct Share {
  Range m, n, k, batch;  // Of the product that is computed.
  Workspace packed_a;
  Workspace packed_b;
  // Sums over this share's range of k, as they lie in C, without gaps; null if C itself takes them.
  Workspace partial;
};

struct Operands {
  const float* a = nullptr;
  const float* b = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;
  float* c = nullptr;
};

// Replaces strides that are ignored where the layout hangs on them.
GemmProblem Canonical(GemmProblem problem) {
  (problem.a_is_row_major() ? problem.a_col_stride : problem.a_row_stride) = 1;
  (problem.b_is_row_major() ? problem.b_col_stride : problem.b_row_stride) = 1;
  return problem;
}

// The product that is computed for a canonical `problem`: itself, or that of the transposes. C and
// the epilogue stay those of `problem`.
GemmProblem ProductOf(const GemmProblem& problem, bool transpose) {
  GemmProblem product = problem;
  if (!transpose) return product;
  std::swap(product.m, product.n);
  product.a_row_stride = problem.b_col_stride;
  product.a_col_stride = problem.b_row_stride;
  product.a_batch_stride = problem.b_batch_stride;
  product.b_row_stride = problem.a_col_stride;
  product.b_col_stride = problem.a_row_stride;
  product.b_batch_stride = problem.a_batch_stride;
  return product;
}

// How the work on the product that is computed is divided.
GemmThreadSplit SplitOf(const GemmConfig& config) {
  if (config.transpose && config.thread_split == GemmThreadSplit::kM) return GemmThreadSplit::kN;
  if (config.transpose && config.thread_split == GemmThreadSplit::kN) return GemmThreadSplit::kM;
  return config.thread_split;
}

cpu_gemm::EpilogueActivation ActivationOf(GemmActivation activation) {
  switch (activation) {
    case GemmActivation::kNone:
      break;
    case GemmActivation::kRelu:
      return cpu_gemm::EpilogueActivation::kRelu;
    case GemmActivation::kGelu:
      return cpu_gemm::EpilogueActivation::kGelu;
  }
  return cpu_gemm::EpilogueActivation::kNone;
}

}  // namespace

class GemmPlan::Impl {
 public:
  Impl(const GemmProblem& problem, const GemmConfig& config)
      : problem_(Canonical(problem)),
        product_(Canonical(ProductOf(problem_, config.transpose))),
        config_(config),
        kernels_(config),
        nest_(NestOf(config.loop_order)),
        read_a_{.span_stride = product_.a_row_stride,
                .depth_stride = product_.a_col_stride,
                .width = config.mr,
                .covering = kernels_.rows_covering(),
                .pack = config.pack_a},
        read_b_{.span_stride = product_.b_col_stride,
                .depth_stride = product_.b_row_stride,
                .width = config.nr_vectors * VectorLanesF32(),
                .covering = kernels_.columns_covering(),
                .pack = config.pack_b,
                .edge_in_place =
                    kernels_.has_edges() && !config.transpose && product_.b_col_stride == 1},
        grid_(GridOf(product_, config, SplitOf(config), read_b_.width)) {}

  // Allocates workspaces and finds threads.
  absl::Status Init(ThreadPool* pool);

  int64_t workspace_bytes() const { return workspace_bytes_; }
  int threads() const { return grid_.threads(); }

  void Run(const Operands& operands) const;

 private:
  // A share of the product of one batch entry.
  struct Job {
    const Operands& operands;
    const Share& share;
    int64_t entry = 0;
    // Element (0, 0) of C, or of the share's partial sums.
    float* c = nullptr;
    int64_t c_stride = 0;
  };
  using Block = std::array<Range, 3>;  // By Axis.

  absl::Status Allocate(int64_t floats, Workspace& workspace);
  float* MatrixC(const Operands& operands, int64_t entry) const {
    return operands.c + entry * problem_.c_batch_stride;
  }
  void RunShare(const Operands& operands, const Share& share, Range batch) const;
  void RunBlock(const Job& job, const Block& block, const BlockReader& a,
                const BlockReader& b) const;
  // Tiles of A's sliver and `tiles` of B's, the first of which is `b`.
  void RunTiles(const Sliver& a, const Sliver& b, int64_t tiles, int64_t b_tile_step, int64_t k,
                bool accumulate, float* c, int64_t c_stride) const;
  void AddPartials(const Operands& operands, int64_t entry, int index) const;
  void Finish(const Operands& operands, int64_t entry, Range m, Range n) const;

  const GemmProblem problem_;  // As asked for: C and the epilogue.
  const GemmProblem product_;  // As computed: extents, A and B.
  const GemmConfig config_;
  const Kernels kernels_;
  const LoopNest nest_;
  const ReadPlan read_a_;
  const ReadPlan read_b_;
  const Grid grid_;
  std::vector<Share> shares_;
  int64_t workspace_bytes_ = 0;
  std::unique_ptr<ThreadPool> own_pool_;
  ThreadPool* pool_ = nullptr;
};

absl::Status GemmPlan::Impl::Allocate(int64_t floats, Workspace& workspace) {
  if (floats == 0) return absl::OkStatus();
  constexpr int64_t kMaxFloats = kMaxWorkspaceBytes / sizeof(float);
  if (floats <= kMaxFloats) {
    workspace.reset(static_cast<float*>(
        ::operator new (floats * sizeof(float), std::align_val_t{kAlignment}, std::nothrow)));
  }
  if (workspace == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cpu gemm: no memory for a workspace of ", floats,
                     " floats; lower mc, nc, kc or threads, or turn packing off"));
  }
  workspace_bytes_ += floats * static_cast<int64_t>(sizeof(float));
  return absl::OkStatus();
}

absl::Status GemmPlan::Impl::Init(ThreadPool* pool) {
  const int threads = grid_.threads();
  if (pool != nullptr && pool->threads() < threads) {
    return absl::InvalidArgumentError(absl::StrCat(
        "cpu gemm: the thread pool has ", pool->threads(), " threads, want at least ", threads));
  }
  pool_ = pool;
  if (pool == nullptr && threads > 1) {
    SEEDTUNE_ASSIGN_OR_RETURN(own_pool_, ThreadPool::Create(threads));
    pool_ = own_pool_.get();
  }

  shares_.resize(threads);
  for (int i = 0; i < threads; ++i) {
    Share& share = shares_[i];
    int rest = i;
    const auto part = [&rest](int64_t extent, int64_t unit, int parts) {
      const int index = rest % parts;
      rest /= parts;
      return PartOf(extent, unit, parts, index);
    };
    share.m = part(product_.m, read_a_.width, grid_.m);
    share.n = part(product_.n, read_b_.width, grid_.n);
    share.k = part(product_.k, 1, grid_.k);
    share.batch = part(product_.batch, 1, grid_.batch);
    const int64_t depth = std::min(share.k.size(), config_.kc);
    SEEDTUNE_RETURN_IF_ERROR(
        Allocate(read_a_.BufferFloats(share.m.size(), config_.mc, depth), share.packed_a));
    SEEDTUNE_RETURN_IF_ERROR(
        Allocate(read_b_.BufferFloats(share.n.size(), config_.nc, depth), share.packed_b));
    if (share.k.begin > 0) {
      SEEDTUNE_RETURN_IF_ERROR(Allocate(problem_.m * problem_.n, share.partial));
    }
  }
  return absl::OkStatus();
}

void GemmPlan::Impl::Run(const Operands& operands) const {
  if (grid_.threads() == 1) return RunShare(operands, shares_[0], shares_[0].batch);
  if (grid_.k == 1) {
    return pool_->Run(grid_.threads(),
                      [&](int i) { RunShare(operands, shares_[i], shares_[i].batch); });
  }
  for (int64_t entry = 0; entry < problem_.batch; ++entry) {
    pool_->Run(grid_.k, [&](int i) { RunShare(operands, shares_[i], {entry, entry + 1}); });
    pool_->Run(grid_.k, [&](int i) { AddPartials(operands, entry, i); });
  }
}

// The three outer loops.
void GemmPlan::Impl::RunShare(const Operands& operands, const Share& share, Range batch) const {
  const Block limits = {share.m, share.n, share.k};
  const std::array<int64_t, 3> steps = {config_.mc, config_.nc, config_.kc};
  const auto from = [&](Axis axis, int64_t begin) {
    const int64_t left = limits[axis].end - begin;
    return Range{begin, begin + std::min(left, steps[axis])};
  };
  const auto first = [&](Axis axis) { return from(axis, limits[axis].begin); };
  const auto next = [&](Axis axis, Range range) { return from(axis, range.end); };
  const Axis x = nest_.axes[0];
  const Axis y = nest_.axes[1];
  const Axis z = nest_.axes[2];

  BlockReader a(read_a_, share.packed_a.get());
  BlockReader b(read_b_, share.packed_b.get());
  for (int64_t entry = batch.begin; entry < batch.end; ++entry) {
    const bool partial = share.partial != nullptr;
    const Job job = {.operands = operands,
                     .share = share,
                     .entry = entry,
                     .c = partial ? share.partial.get() : MatrixC(operands, entry),
                     .c_stride = partial ? problem_.n : problem_.c_row_stride};
    const float* matrix_a =
        (config_.transpose ? operands.b : operands.a) + entry * product_.a_batch_stride;
    const float* matrix_b =
        (config_.transpose ? operands.a : operands.b) + entry * product_.b_batch_stride;
    Block block;
    for (block[x] = first(x); !block[x].empty(); block[x] = next(x, block[x])) {
      for (block[y] = first(y); !block[y].empty(); block[y] = next(y, block[y])) {
        for (block[z] = first(z); !block[z].empty(); block[z] = next(z, block[z])) {
          a.MoveTo(matrix_a, block[kAxisM], block[kAxisK]);
          b.MoveTo(matrix_b, block[kAxisN], block[kAxisK]);
          RunBlock(job, block, a, b);
        }
      }
    }
  }
}

// The two loops over the tiles of a block.
void GemmPlan::Impl::RunBlock(const Job& job, const Block& block, const BlockReader& a,
                              const BlockReader& b) const {
  const Range m = block[kAxisM];
  const Range n = block[kAxisN];
  const Range k = block[kAxisK];
  const bool accumulate = k.begin > job.share.k.begin;
  const bool finish = k.end == job.share.k.end && grid_.k == 1;
  const auto run_tiles = [&](int64_t i, int64_t j, int64_t tiles) {
    const Sliver sliver_a = a.At(i);
    const Sliver sliver_b = b.At(j);
    const int64_t row = m.begin + i * read_a_.width;
    const int64_t column = n.begin + j * read_b_.width;
    float* c =
        job.c + (config_.transpose ? column * job.c_stride + row : row * job.c_stride + column);
    RunTiles(sliver_a, sliver_b, tiles, b.step(), k.size(), accumulate, c, job.c_stride);
    if (finish && !config_.transpose) {
      const int64_t end = column + (tiles - 1) * read_b_.width + sliver_b.present;
      Finish(job.operands, job.entry, {row, row + sliver_a.present}, {column, end});
    }
  };
  if (a.slivers() == 1 && m.size() == a.At(0).width && k.size() <= kMaxStreamDepth &&
      !config_.transpose) {
    // A few rows of B pass by: what a tile computes is too little for a call of its own.
    const int64_t whole = n.size() / read_b_.width;
    if (whole > 0) run_tiles(0, 0, whole);
    if (whole < b.slivers()) run_tiles(0, whole, 1);
  } else if (nest_.n_inside_m()) {
    for (int64_t i = 0; i < a.slivers(); ++i) {
      for (int64_t j = 0; j < b.slivers(); ++j) run_tiles(i, j, 1);
    }
  } else {
    for (int64_t j = 0; j < b.slivers(); ++j) {
      for (int64_t i = 0; i < a.slivers(); ++i) run_tiles(i, j, 1);
    }
  }
  // A tile's part of a row of C may be shorter than a vector: a block's is finished at once.
  if (finish && config_.transpose) Finish(job.operands, job.entry, n, m);
}

void GemmPlan::Impl::RunTiles(const Sliver& a, const Sliver& b, int64_t tiles, int64_t b_tile_step,
                              int64_t k, bool accumulate, float* c, int64_t c_stride) const {
  const bool is_edge = b.present != b.width && read_b_.edge_in_place;
  const TileKernel kernel = is_edge ? kernels_.GetEdge(a.width, b.width, a.layout)
                                    : kernels_.Get(a.width, b.width, a.layout);
  const int64_t streamed_a = config_.transpose ? config_.prefetch_distance : 0;
  const int64_t streamed_b = config_.transpose ? 0 : config_.prefetch_distance;
  cpu_gemm::TileCall call = {.k = k,
                             .a = a.data,
                             .a_stride = a.stride,
                             .b = b.data,
                             .b_stride = b.stride,
                             .tiles = tiles,
                             .b_tile_step = b_tile_step,
                             .c = c,
                             .c_stride = c_stride,
                             .prefetch_c = config_.prefetch_c && !config_.transpose,
                             .accumulate = accumulate,
                             .prefetch_distance_a = streamed_a,
                             .prefetch_distance_b = streamed_b};
  if (is_edge) call.last_columns = kernels_.LastColumns(b.present);
  const bool whole = a.present == a.width && (b.present == b.width || is_edge);
  if (whole && !config_.transpose) return kernel(call);

  // The tile sticks out of C or lies across it: it is computed elsewhere, and what belongs to C is
  // taken over.
  alignas(kAlignment) float scratch[kMaxTileRows * kMaxTileVectors * kMaxLanes];
  call.c = scratch;
  call.c_stride = b.width;
  call.accumulate = false;
  kernel(call);
  const cpu_gemm::MergeCall merge = {.from = scratch,
                                     .from_stride = b.width,
                                     .to = c,
                                     .to_stride = c_stride,
                                     .rows = a.present,
                                     .columns = b.present,
                                     .accumulate = accumulate};
  config_.transpose ? cpu_gemm::MergeTransposed(merge) : cpu_gemm::MergeTile(merge);
}

// Part `index` of C, by rows: adds the sums that other threads found over their ranges of k.
void GemmPlan::Impl::AddPartials(const Operands& operands, int64_t entry, int index) const {
  const Range rows = PartOf(problem_.m, 1, grid_.k, index);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    for (const Share& share : shares_) {
      if (share.partial == nullptr) continue;
      cpu_gemm::MergeTile({.from = share.partial.get() + row * problem_.n,
                           .from_stride = problem_.n,
                           .to = MatrixC(operands, entry) + row * problem_.c_row_stride,
                           .to_stride = problem_.c_row_stride,
                           .rows = 1,
                           .columns = problem_.n,
                           .accumulate = true});
    }
    Finish(operands, entry, {row, row + 1}, {0, problem_.n});
  }
}

// The epilogue, for a part of C that holds the product.
void GemmPlan::Impl::Finish(const Operands& operands, int64_t entry, Range m, Range n) const {
  const GemmEpilogue& epilogue = problem_.epilogue;
  if (!epilogue.bias && epilogue.activation == GemmActivation::kNone &&
      epilogue.residual == GemmResidual::kNone) {
    return;
  }
  EpilogueCall call = {.c = MatrixC(operands, entry) + m.begin * problem_.c_row_stride + n.begin,
                       .c_stride = problem_.c_row_stride,
                       .rows = m.size(),
                       .columns = n.size(),
                       .bias = epilogue.bias ? operands.bias + n.begin : nullptr,
                       .residual_stride = epilogue.residual_row_stride,
                       .activation = ActivationOf(epilogue.activation)};
  if (epilogue.residual != GemmResidual::kNone) {
    (epilogue.residual == GemmResidual::kBeforeActivation ? call.before : call.after) =
        operands.residual + entry * epilogue.residual_batch_stride +
        m.begin * epilogue.residual_row_stride + n.begin;
  }
  cpu_gemm::ApplyEpilogue(call);
}

// ---------------------------------------------------------------------------------------------------

std::vector<GemmRegisterTile> SupportedRegisterTiles() {
  std::vector<GemmRegisterTile> tiles;
  const auto add = [&tiles](const auto& heights, int nr_vectors) {
    for (const int mr : heights) {
      tiles.push_back({mr, nr_vectors, mr * nr_vectors + nr_vectors + 1});
    }
  };
  add(cpu_gemm::kTileRows1, 1);
  add(cpu_gemm::kTileRows2, 2);
  add(cpu_gemm::kTileRows3, 3);
  add(cpu_gemm::kTileRows4, 4);
  return tiles;
}

int VectorLanesF32() { return cpu_gemm::ActiveTarget().lanes; }
int VectorRegistersF32() { return cpu_gemm::ActiveTarget().vector_registers; }
std::string_view ActiveTargetName() { return cpu_gemm::ActiveTarget().name; }

absl::StatusOr<GemmPlan> GemmPlan::Create(const GemmProblem& problem, const GemmConfig& config,
                                          ThreadPool* pool) {
  SEEDTUNE_RETURN_IF_ERROR(ValidateGemm(problem, config));
  auto impl = std::make_unique<Impl>(problem, config);
  SEEDTUNE_RETURN_IF_ERROR(impl->Init(pool));
  return GemmPlan(std::move(impl));
}

GemmPlan::GemmPlan(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GemmPlan::GemmPlan(GemmPlan&&) noexcept = default;
GemmPlan& GemmPlan::operator=(GemmPlan&&) noexcept = default;
GemmPlan::~GemmPlan() = default;

int64_t GemmPlan::workspace_bytes() const { return impl_->workspace_bytes(); }
int GemmPlan::threads() const { return impl_->threads(); }

void GemmPlan::Run(const float* a, const float* b, const float* bias, const float* residual,
                   float* c) {
  impl_->Run({.a = a, .b = b, .bias = bias, .residual = residual, .c = c});
}

}  // namespace seedtune

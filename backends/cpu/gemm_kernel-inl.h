// The micro kernel, compiled once per instruction set: see foreach_target.h of Highway. Nothing in
// here may call an inline function or template from outside, such as std::min: its code could come
// to use this instruction set wherever the program calls it.

// The guard flips with every instruction set, so that the file is seen once for each.
#if defined(SEEDTUNE_BACKENDS_CPU_GEMM_KERNEL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SEEDTUNE_BACKENDS_CPU_GEMM_KERNEL_INL_H_
#undef SEEDTUNE_BACKENDS_CPU_GEMM_KERNEL_INL_H_
#else
#define SEEDTUNE_BACKENDS_CPU_GEMM_KERNEL_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

#include "backends/cpu/gemm_kernels.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seedtune::cpu_gemm {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Whether a masked load or store leaves what is masked out alone, so that the last columns of a
// matrix can be read and written in place.
inline constexpr bool kHasEdgeKernels = HWY_MEM_OPS_MIGHT_FAULT == 0;
// Steps of k per iteration in the kernels of edges: fewer of those are compiled.
inline constexpr int kEdgeUnroll = 2;

// The accumulators of a tile, and how they grow by one step of k. Of an edge, `last` masks the
// columns of the last vector that there are.
template <int kRows, int kVectors, ALayout kLayout, bool kEdge>
struct Tile {
  using D = hn::ScalableTag<float>;
  using V = hn::Vec<D>;
  using M = hn::Mask<D>;
  static constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kFloatsPerLine = 64 / sizeof(float);

  // Vector `v` of the row at `from`.
  static HWY_INLINE V Load(const float* HWY_RESTRICT from, int v, M last) {
    const D d;
    if (kEdge && v == kVectors - 1) return hn::MaskedLoad(last, d, from + v * kLanes);
    return hn::LoadU(d, from + v * kLanes);
  }
  static HWY_INLINE void Store(V x, float* HWY_RESTRICT to, int v, M last) {
    const D d;
    if (kEdge && v == kVectors - 1) return hn::BlendedStore(x, last, d, to + v * kLanes);
    hn::StoreU(x, d, to + v * kLanes);
  }

  // acc += A[:, p] * B[p, :], where `a` and `b` point at step p.
  static HWY_INLINE void Step(const float* HWY_RESTRICT a, int64_t a_stride,
                              const float* HWY_RESTRICT b, M last, V (&acc)[kRows][kVectors]) {
    const D d;
    V row[kVectors];
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) row[v] = Load(b, v, last);
    HWY_UNROLL(16)
    for (int i = 0; i < kRows; ++i) {
      const V element = hn::Set(d, kLayout == ALayout::kRowsAdjacent ? a[i] : a[i * a_stride]);
      HWY_UNROLL(8)
      for (int v = 0; v < kVectors; ++v) acc[i][v] = hn::MulAdd(element, row[v], acc[i][v]);
    }
  }

  // The cache lines of one row of B or C.
  static HWY_INLINE void PrefetchRow(const float* row) {
    HWY_UNROLL(4)
    for (int j = 0; j < kVectors * kLanes; j += kFloatsPerLine) hwy::Prefetch(row + j);
  }
};

// One tile: see TileCall, of which `b` and `c` are the tile's own.
template <int kRows, int kVectors, int kUnroll, ALayout kLayout, bool kEdge>
HWY_INLINE void RunTile(const TileCall& call, const float* HWY_RESTRICT b, float* HWY_RESTRICT c) {
  using T = Tile<kRows, kVectors, kLayout, kEdge>;
  using V = typename T::V;
  const typename T::D d;
  const typename T::M last = hn::FirstN(d, kEdge ? call.last_columns : T::kLanes);
  const int64_t a_stride = call.a_stride;
  const int64_t b_stride = call.b_stride;
  const int64_t c_stride = call.c_stride;
  const int64_t a_step = kLayout == ALayout::kRowsAdjacent ? a_stride : 1;
  const int64_t a_ahead = kLayout == ALayout::kDepthAdjacent ? call.prefetch_distance_a : 0;
  const int64_t b_ahead = call.prefetch_distance_b * b_stride;
  const float* HWY_RESTRICT a = call.a;

  V acc[kRows][kVectors];
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) acc[i][v] = hn::Zero(d);
  }

  if (call.prefetch_c) {
    for (int i = 0; i < kRows; ++i) T::PrefetchRow(c + i * c_stride);
  }

  int64_t left = call.k;
  while (left >= kUnroll) {
    // The steps that one line of each row of A serves, if it is to be prefetched; else all.
    int64_t steps = left;
    if (a_ahead != 0) {
      steps = HWY_MIN(left, int64_t{T::kFloatsPerLine});
      HWY_UNROLL(16)
      for (int i = 0; i < kRows; ++i) hwy::Prefetch(a + i * a_stride + a_ahead);
    }
    for (; steps >= kUnroll; steps -= kUnroll, left -= kUnroll) {
      HWY_UNROLL(8)
      for (int u = 0; u < kUnroll; ++u) {
        if (b_ahead != 0) T::PrefetchRow(b + b_ahead);
        T::Step(a, a_stride, b, last, acc);
        a += a_step;
        b += b_stride;
      }
    }
  }
  for (; left > 0; --left) {
    T::Step(a, a_stride, b, last, acc);
    a += a_step;
    b += b_stride;
  }

  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) {
      float* row = c + i * c_stride;
      T::Store(call.accumulate ? hn::Add(T::Load(row, v, last), acc[i][v]) : acc[i][v], row, v,
               last);
    }
  }
}

template <int kRows, int kVectors, int kUnroll, ALayout kLayout>
HWY_NOINLINE void RunTiles(const TileCall& call) {
  for (int64_t tile = 0; tile < call.tiles; ++tile) {
    RunTile<kRows, kVectors, kUnroll, kLayout, /*kEdge=*/false>(
        call, call.b + tile * call.b_tile_step,
        call.c + tile * kVectors * Tile<kRows, kVectors, kLayout, false>::kLanes);
  }
}

template <int kRows, int kVectors, ALayout kLayout>
HWY_NOINLINE void RunEdgeTile(const TileCall& call) {
  RunTile<kRows, kVectors, kEdgeUnroll, kLayout, /*kEdge=*/true>(call, call.b, call.c);
}

template <int kRows, int kVectors, int kUnroll>
TileKernel FindLayout(ALayout layout) {
  return layout == ALayout::kRowsAdjacent
             ? &RunTiles<kRows, kVectors, kUnroll, ALayout::kRowsAdjacent>
             : &RunTiles<kRows, kVectors, kUnroll, ALayout::kDepthAdjacent>;
}

template <int kRows, int kVectors>
TileKernel FindEdge(ALayout layout) {
  if constexpr (kHasEdgeKernels) {
    return layout == ALayout::kRowsAdjacent
               ? &RunEdgeTile<kRows, kVectors, ALayout::kRowsAdjacent>
               : &RunEdgeTile<kRows, kVectors, ALayout::kDepthAdjacent>;
  } else {
    return nullptr;
  }
}

template <int kRows, int kVectors>
TileKernel FindUnroll(int unroll, ALayout layout) {
  switch (unroll) {
    case kEdgeTile:
      return FindEdge<kRows, kVectors>(layout);
    case 1:
      return FindLayout<kRows, kVectors, 1>(layout);
    case 2:
      return FindLayout<kRows, kVectors, 2>(layout);
    case 4:
      return FindLayout<kRows, kVectors, 4>(layout);
    case 8:
      return FindLayout<kRows, kVectors, 8>(layout);
    default:
      return nullptr;
  }
}

template <int kVectors, const auto& kRows, size_t... kIndices>
TileKernel FindRows(int rows, int unroll, ALayout layout, std::index_sequence<kIndices...>) {
  TileKernel found = nullptr;
  (..., (rows == kRows[kIndices]
             ? static_cast<void>(found = FindUnroll<kRows[kIndices], kVectors>(unroll, layout))
             : static_cast<void>(0)));
  return found;
}

// The kernel of the tile `rows` x kVectors, where `rows` is an element of the array kRows.
template <int kVectors, const auto& kRows>
TileKernel FindRows(int rows, int unroll, ALayout layout) {
  return FindRows<kVectors, kRows>(rows, unroll, layout, std::make_index_sequence<kRows.size()>());
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seedtune::cpu_gemm
HWY_AFTER_NAMESPACE();

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_KERNEL_INL_H_

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

// The accumulators of a tile, and how they grow by one step of k.
template <int kRows, int kVectors, ALayout kLayout>
struct Tile {
  using D = hn::ScalableTag<float>;
  using V = hn::Vec<D>;
  static constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
  static constexpr int kFloatsPerLine = 64 / sizeof(float);

  // acc += A[:, p] * B[p, :], where `a` and `b` point at step p.
  static HWY_INLINE void Step(const float* HWY_RESTRICT a, int64_t a_stride,
                              const float* HWY_RESTRICT b, V (&acc)[kRows][kVectors]) {
    const D d;
    V row[kVectors];
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) row[v] = hn::LoadU(d, b + v * kLanes);
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

template <int kRows, int kVectors, int kUnroll, ALayout kLayout>
HWY_NOINLINE void RunTile(const TileCall& call) {
  using T = Tile<kRows, kVectors, kLayout>;
  using V = typename T::V;
  const typename T::D d;
  const int64_t a_stride = call.a_stride;
  const int64_t b_stride = call.b_stride;
  const int64_t a_step = kLayout == ALayout::kRowsAdjacent ? a_stride : 1;
  const int64_t a_ahead = kLayout == ALayout::kDepthAdjacent ? call.prefetch_distance_a : 0;
  const int64_t b_ahead = call.prefetch_distance_b * b_stride;
  const float* HWY_RESTRICT a = call.a;
  const float* HWY_RESTRICT b = call.b;

  V acc[kRows][kVectors];
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) acc[i][v] = hn::Zero(d);
  }

  if (call.prefetch_c) {
    for (int i = 0; i < kRows; ++i) T::PrefetchRow(call.c + i * call.c_stride);
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
        T::Step(a, a_stride, b, acc);
        a += a_step;
        b += b_stride;
      }
    }
  }
  for (; left > 0; --left) {
    T::Step(a, a_stride, b, acc);
    a += a_step;
    b += b_stride;
  }

  float* HWY_RESTRICT c = call.c;
  const int64_t c_stride = call.c_stride;
  HWY_UNROLL(16)
  for (int i = 0; i < kRows; ++i) {
    HWY_UNROLL(8)
    for (int v = 0; v < kVectors; ++v) {
      float* to = c + i * c_stride + v * T::kLanes;
      hn::StoreU(call.accumulate ? hn::Add(hn::LoadU(d, to), acc[i][v]) : acc[i][v], d, to);
    }
  }
}

template <int kRows, int kVectors, int kUnroll>
TileKernel FindLayout(ALayout layout) {
  return layout == ALayout::kRowsAdjacent
             ? &RunTile<kRows, kVectors, kUnroll, ALayout::kRowsAdjacent>
             : &RunTile<kRows, kVectors, kUnroll, ALayout::kDepthAdjacent>;
}

template <int kRows, int kVectors>
TileKernel FindUnroll(int unroll, ALayout layout) {
  switch (unroll) {
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

#include "backends/cpu/gemm_pack.h"

#include <cstdint>

#include "backends/cpu/gemm_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gemm_pack.cc"
#include "hwy/foreach_target.h"
// Must follow foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seedtune::cpu_gemm {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// A sliver whose elements at one depth are adjacent in memory, kVectors full vectors wide.
template <int kVectors>
void CopyVectors(const float* HWY_RESTRICT from, int64_t depth_stride, int64_t depth,
                 float* HWY_RESTRICT to) {
  const hn::ScalableTag<float> d;
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(hn::ScalableTag<float>()));
  for (int64_t p = 0; p < depth; ++p) {
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreU(hn::LoadU(d, from + v * kLanes), d, to + v * kLanes);
    }
    from += depth_stride;
    to += kVectors * kLanes;
  }
}

// As CopyVectors, `width` being whatever it is: in fours, then twos, then ones.
void CopyNarrow(const float* HWY_RESTRICT from, int64_t depth_stride, int64_t depth, int width,
                float* HWY_RESTRICT to) {
  const hn::CappedTag<float, 4> d4;
  const hn::CappedTag<float, 2> d2;
  const int lanes4 = static_cast<int>(hn::Lanes(d4));
  const int lanes2 = static_cast<int>(hn::Lanes(d2));
  for (int64_t p = 0; p < depth; ++p) {
    int s = 0;
    for (; s + lanes4 <= width; s += lanes4) hn::StoreU(hn::LoadU(d4, from + s), d4, to + s);
    for (; s + lanes2 <= width; s += lanes2) hn::StoreU(hn::LoadU(d2, from + s), d2, to + s);
    for (; s < width; ++s) to[s] = from[s];
    from += depth_stride;
    to += width;
  }
}

void CopySliver(const float* from, int64_t depth_stride, int64_t depth, int width, float* to) {
  constexpr int kLanes = static_cast<int>(hn::MaxLanes(hn::ScalableTag<float>()));
  switch (width % kLanes == 0 ? width / kLanes : 0) {
    case 1:
      return CopyVectors<1>(from, depth_stride, depth, to);
    case 2:
      return CopyVectors<2>(from, depth_stride, depth, to);
    case 3:
      return CopyVectors<3>(from, depth_stride, depth, to);
    case 4:
      return CopyVectors<4>(from, depth_stride, depth, to);
    default:
      return CopyNarrow(from, depth_stride, depth, width, to);
  }
}

#if HWY_TARGET != HWY_SCALAR

// Four rows of four steps each, transposed in registers.
HWY_INLINE void Transpose4x4(const float* HWY_RESTRICT from, int64_t span_stride, int64_t width,
                             float* HWY_RESTRICT to) {
  const hn::FixedTag<float, 4> d;
  const hn::RepartitionToWide<decltype(d)> d_wide;
  const auto row0 = hn::LoadU(d, from);
  const auto row1 = hn::LoadU(d, from + span_stride);
  const auto row2 = hn::LoadU(d, from + 2 * span_stride);
  const auto row3 = hn::LoadU(d, from + 3 * span_stride);
  const auto low01 = hn::BitCast(d_wide, hn::InterleaveLower(d, row0, row1));
  const auto low23 = hn::BitCast(d_wide, hn::InterleaveLower(d, row2, row3));
  const auto high01 = hn::BitCast(d_wide, hn::InterleaveUpper(d, row0, row1));
  const auto high23 = hn::BitCast(d_wide, hn::InterleaveUpper(d, row2, row3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d_wide, low01, low23)), d, to);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d_wide, low01, low23)), d, to + width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d_wide, high01, high23)), d, to + 2 * width);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d_wide, high01, high23)), d, to + 3 * width);
}

// Two rows of four steps each.
HWY_INLINE void Transpose2x4(const float* HWY_RESTRICT from, int64_t span_stride, int64_t width,
                             float* HWY_RESTRICT to) {
  const hn::FixedTag<float, 4> d;
  const hn::Half<decltype(d)> d_half;
  const auto row0 = hn::LoadU(d, from);
  const auto row1 = hn::LoadU(d, from + span_stride);
  const auto low = hn::InterleaveLower(d, row0, row1);
  const auto high = hn::InterleaveUpper(d, row0, row1);
  hn::StoreU(hn::LowerHalf(d_half, low), d_half, to);
  hn::StoreU(hn::UpperHalf(d_half, low), d_half, to + width);
  hn::StoreU(hn::LowerHalf(d_half, high), d_half, to + 2 * width);
  hn::StoreU(hn::UpperHalf(d_half, high), d_half, to + 3 * width);
}

#endif  // HWY_TARGET != HWY_SCALAR

// A sliver whose elements at one place of the span are adjacent in memory.
void TransposeSliver(const float* HWY_RESTRICT from, int64_t span_stride, int64_t depth, int width,
                     float* HWY_RESTRICT to) {
  int64_t p = 0;
#if HWY_TARGET != HWY_SCALAR
  // A cache line of each row at a time: rows whose distance is a power of two share a few sets of
  // the cache and push each other out before a second visit.
  constexpr int64_t kLine = 16;
  for (; p + kLine <= depth; p += kLine) {
    int s = 0;
    for (; s + 4 <= width; s += 4) {
      for (int64_t u = p; u < p + kLine; u += 4) {
        Transpose4x4(from + s * span_stride + u, span_stride, width, to + u * width + s);
      }
    }
    for (; s + 2 <= width; s += 2) {
      for (int64_t u = p; u < p + kLine; u += 4) {
        Transpose2x4(from + s * span_stride + u, span_stride, width, to + u * width + s);
      }
    }
    for (; s < width; ++s) {
      for (int64_t u = p; u < p + kLine; ++u) to[u * width + s] = from[s * span_stride + u];
    }
  }
#endif
  for (; p < depth; ++p) {
    for (int s = 0; s < width; ++s) to[p * width + s] = from[s * span_stride + p];
  }
}

// A single sliver that is not full.
void PackEdge(const PackCall& call) {
  float* to = call.to;
  for (int64_t p = 0; p < call.depth; ++p) {
    int64_t s = 0;
    for (; s < call.span; ++s) *to++ = call.from[s * call.span_stride + p * call.depth_stride];
    for (; s < call.width; ++s) *to++ = 0.0f;
  }
}

void Pack(const PackCall& call) {
  const int64_t full = call.span / call.width;
  if (call.span_stride == 1) {
    // A few depths of every sliver at a time: memory is read in long runs.
    constexpr int64_t kDepths = 8;
    for (int64_t p = 0; p < call.depth; p += kDepths) {
      const int64_t depths = call.depth - p < kDepths ? call.depth - p : kDepths;
      const float* from = call.from + p * call.depth_stride;
      float* to = call.to + p * call.width;
      for (int64_t q = 0; q < full; ++q) {
        CopySliver(from, call.depth_stride, depths, call.width, to);
        from += call.width;
        to += call.width * call.depth;
      }
    }
  } else {
    for (int64_t q = 0; q < full; ++q) {
      TransposeSliver(call.from + q * call.width * call.span_stride, call.span_stride, call.depth,
                      call.width, call.to + q * call.width * call.depth);
    }
  }

  const int64_t done = full * call.width;
  if (done == call.span) return;
  PackCall edge = call;
  edge.from += done * call.span_stride;
  edge.to += done * call.depth;
  edge.span -= done;
  edge.width = call.edge_width;
  if (edge.span == edge.width) {
    Pack(edge);
  } else {
    PackEdge(edge);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seedtune::cpu_gemm
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seedtune::cpu_gemm {

HWY_EXPORT(Pack);
void PackSlivers(const PackCall& call) { HWY_DYNAMIC_DISPATCH(Pack)(call); }

}  // namespace seedtune::cpu_gemm
#endif  // HWY_ONCE

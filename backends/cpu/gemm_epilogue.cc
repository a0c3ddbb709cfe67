#include "backends/cpu/gemm_epilogue.h"

#include <cstdint>

#include "backends/cpu/gemm_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gemm_epilogue.cc"
#include "hwy/foreach_target.h"
// Must follow foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seedtune::cpu_gemm {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));

// erf(x), to about two units in the last place: x P(x^2) / Q(x^2), fitted for the least relative
// error (2e-8) on |x| <= sqrt(15.5), beyond which erf rounds to 1. Lawson's iteration on the
// linearised problem, in float64.
HWY_INLINE V Erf(D d, V x) {
  constexpr float kLimit = 3.9370039f;
  const V clamped = hn::Min(hn::Max(x, hn::Set(d, -kLimit)), hn::Set(d, kLimit));
  const V t = hn::Mul(clamped, clamped);
  V p = hn::Set(d, 2.0359036e-6f);
  p = hn::MulAdd(p, t, hn::Set(d, 2.8476398e-4f));
  p = hn::MulAdd(p, t, hn::Set(d, 3.7904090e-3f));
  p = hn::MulAdd(p, t, hn::Set(d, 5.2822465e-2f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.9107352e-1f));
  p = hn::MulAdd(p, t, hn::Set(d, 1.1283791f));
  V q = hn::Set(d, 3.7939075e-5f);
  q = hn::MulAdd(q, t, hn::Set(d, 1.1673009e-3f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.5019231e-2f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.1437170e-1f));
  q = hn::MulAdd(q, t, hn::Set(d, 5.0266720e-1f));
  q = hn::MulAdd(q, t, hn::Set(d, 1.0f));
  const V one = hn::Set(d, 1.0f);
  const V erf = hn::Div(hn::Mul(clamped, p), q);
  return hn::Min(hn::Max(erf, hn::Neg(one)), one);
}

HWY_INLINE V Activate(D d, EpilogueActivation activation, V x) {
  switch (activation) {
    case EpilogueActivation::kNone:
      break;
    case EpilogueActivation::kRelu:
      return hn::Max(x, hn::Zero(d));
    case EpilogueActivation::kGelu: {
      const V half_x = hn::Mul(x, hn::Set(d, 0.5f));
      return hn::MulAdd(half_x, Erf(d, hn::Mul(x, hn::Set(d, 0.70710678f))), half_x);
    }
  }
  return x;
}

// The operands of one row, from some column on; null where there are none.
struct Row {
  float* c;
  const float* bias;
  const float* before;
  const float* after;
};

HWY_INLINE void ApplyVector(const Row& row, EpilogueActivation activation) {
  const D d;
  V x = hn::LoadU(d, row.c);
  if (row.bias != nullptr) x = hn::Add(x, hn::LoadU(d, row.bias));
  if (row.before != nullptr) x = hn::Add(x, hn::LoadU(d, row.before));
  x = Activate(d, activation, x);
  if (row.after != nullptr) x = hn::Add(x, hn::LoadU(d, row.after));
  hn::StoreU(x, d, row.c);
}

// The last few columns, fewer than a vector: by way of buffers, so that nothing beyond is touched.
void ApplyTail(const Row& row, EpilogueActivation activation, int64_t count) {
  HWY_ALIGN float buffers[4][kLanes] = {};
  const auto fill = [count](const float* from, float* to) -> float* {
    if (from == nullptr) return nullptr;
    for (int64_t j = 0; j < count; ++j) to[j] = from[j];
    return to;
  };
  Row padded;
  padded.c = fill(row.c, buffers[0]);
  padded.bias = fill(row.bias, buffers[1]);
  padded.before = fill(row.before, buffers[2]);
  padded.after = fill(row.after, buffers[3]);
  ApplyVector(padded, activation);
  for (int64_t j = 0; j < count; ++j) row.c[j] = padded.c[j];
}

void Apply(const EpilogueCall& call) {
  const auto at = [](const float* base, int64_t offset) {
    return base != nullptr ? base + offset : nullptr;
  };
  for (int64_t i = 0; i < call.rows; ++i) {
    const int64_t skip = i * call.residual_stride;
    for (int64_t j = 0; j < call.columns; j += kLanes) {
      const Row row = {call.c + i * call.c_stride + j, at(call.bias, j), at(call.before, skip + j),
                       at(call.after, skip + j)};
      if (call.columns - j >= kLanes) {
        ApplyVector(row, call.activation);
      } else {
        ApplyTail(row, call.activation, call.columns - j);
      }
    }
  }
}

void Merge(const MergeCall& call) {
  const D d;
  for (int64_t i = 0; i < call.rows; ++i) {
    const float* HWY_RESTRICT from = call.from + i * call.from_stride;
    float* HWY_RESTRICT to = call.to + i * call.to_stride;
    int64_t j = 0;
    for (; j + kLanes <= call.columns; j += kLanes) {
      const V x = hn::LoadU(d, from + j);
      hn::StoreU(call.accumulate ? hn::Add(hn::LoadU(d, to + j), x) : x, d, to + j);
    }
    for (; j < call.columns; ++j) to[j] = call.accumulate ? to[j] + from[j] : from[j];
  }
}

#if HWY_TARGET != HWY_SCALAR

// Four rows of four elements each, by way of registers.
HWY_INLINE void MergeTransposed4x4(const float* HWY_RESTRICT from, int64_t from_stride,
                                   float* HWY_RESTRICT to, int64_t to_stride, bool accumulate) {
  const hn::FixedTag<float, 4> d;
  const hn::RepartitionToWide<decltype(d)> d_wide;
  const auto row0 = hn::LoadU(d, from);
  const auto row1 = hn::LoadU(d, from + from_stride);
  const auto row2 = hn::LoadU(d, from + 2 * from_stride);
  const auto row3 = hn::LoadU(d, from + 3 * from_stride);
  const auto low01 = hn::BitCast(d_wide, hn::InterleaveLower(d, row0, row1));
  const auto low23 = hn::BitCast(d_wide, hn::InterleaveLower(d, row2, row3));
  const auto high01 = hn::BitCast(d_wide, hn::InterleaveUpper(d, row0, row1));
  const auto high23 = hn::BitCast(d_wide, hn::InterleaveUpper(d, row2, row3));
  const auto put = [&](int64_t row, auto wide) {
    const auto x = hn::BitCast(d, wide);
    float* at = to + row * to_stride;
    hn::StoreU(accumulate ? hn::Add(hn::LoadU(d, at), x) : x, d, at);
  };
  put(0, hn::InterleaveLower(d_wide, low01, low23));
  put(1, hn::InterleaveUpper(d_wide, low01, low23));
  put(2, hn::InterleaveLower(d_wide, high01, high23));
  put(3, hn::InterleaveUpper(d_wide, high01, high23));
}

#endif  // HWY_TARGET != HWY_SCALAR

void MergeTurned(const MergeCall& call) {
  const auto merge_one = [&call](int64_t i, int64_t j) {
    float* to = call.to + j * call.to_stride + i;
    const float x = call.from[i * call.from_stride + j];
    *to = call.accumulate ? *to + x : x;
  };
  int64_t i = 0;
#if HWY_TARGET != HWY_SCALAR
  for (; i + 4 <= call.rows; i += 4) {
    int64_t j = 0;
    for (; j + 4 <= call.columns; j += 4) {
      MergeTransposed4x4(call.from + i * call.from_stride + j, call.from_stride,
                         call.to + j * call.to_stride + i, call.to_stride, call.accumulate);
    }
    for (; j < call.columns; ++j) {
      for (int64_t u = i; u < i + 4; ++u) merge_one(u, j);
    }
  }
#endif
  for (int64_t j = 0; j < call.columns; ++j) {
    for (int64_t u = i; u < call.rows; ++u) merge_one(u, j);
  }
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seedtune::cpu_gemm
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seedtune::cpu_gemm {

HWY_EXPORT(Apply);
HWY_EXPORT(Merge);
HWY_EXPORT(MergeTurned);
void ApplyEpilogue(const EpilogueCall& call) { HWY_DYNAMIC_DISPATCH(Apply)(call); }
void MergeTile(const MergeCall& call) { HWY_DYNAMIC_DISPATCH(Merge)(call); }
void MergeTransposed(const MergeCall& call) { HWY_DYNAMIC_DISPATCH(MergeTurned)(call); }

}  // namespace seedtune::cpu_gemm
#endif  // HWY_ONCE

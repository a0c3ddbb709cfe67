// From a sum over k to the output: scale, bias, activation, residual, cast. The activation is a
// number so that one function serves: 0 none, 1 relu, 2 gelu, 3 silu.

// 2^x and 1 / x, to about 2^-22 of the result.
__device__ __forceinline__ float FastExp2(float x) {
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}
__device__ __forceinline__ float FastReciprocal(float x) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
}

template <typename T>
constexpr bool kIsBf16 = false;
template <>
constexpr bool kIsBf16<Bf16> = true;

// x (1 + erf(x / sqrt(2))) / 2 = max(x, 0) - |x| erfc(|x| / sqrt(2)) / 2, to 5e-7. The logarithm of
// erfc is a polynomial (fitted up to 6.5, beyond which the product is nothing): one instruction of
// the slow unit and nine others, where erff() has twice as many. One less, and erfc to 3e-4 of
// itself up to 5.5, where bf16's eight bits are all that is left of it. (f16 shows the difference,
// and so does a residual that cancels it.)
__device__ __forceinline__ float Gelu(float x) {
  float z, log2;
  if constexpr (kIsBf16<Out> && !kHasResidual) {
    z = fminf(fabsf(x), 5.5f);
    log2 = fmaf(-2.41187211e-4f, z, 4.98815644e-3f);
    log2 = fmaf(log2, z, -4.52383049e-2f);
    log2 = fmaf(log2, z, -0.468181893f);
    log2 = fmaf(log2, z, -1.14767514f);
  } else {
    z = fminf(fabsf(x), 6.5f);
    log2 = fmaf(2.92920231e-5f, z, -7.19430274e-4f);
    log2 = fmaf(log2, z, 7.8662131e-3f);
    log2 = fmaf(log2, z, -5.3012196e-2f);
    log2 = fmaf(log2, z, -0.459103107f);
    log2 = fmaf(log2, z, -1.15109551f);
  }
  const float half_erfc = FastExp2(fmaf(log2, z, -1.0f));
  float positive;  // a NaN stays one
  asm("max.NaN.f32 %0, %1, 0f00000000;" : "=f"(positive) : "f"(x));
  return fmaf(-z, half_erfc, positive);
}

template <typename T>
__device__ __forceinline__ T Activate(T x) {
  if constexpr (kActivation == 1) {
    return x > T(0) ? x : T(0);
  } else if constexpr (kActivation == 2) {
    if constexpr (sizeof(T) == 8) {
      return T(0.5) * x * (T(1) + erf(x * T(0.70710678118654752440)));
    } else {
      return Gelu(x);
    }
  } else if constexpr (kActivation == 3) {
    if constexpr (sizeof(T) == 8) {
      return x / (T(1) + exp(-x));
    } else {
      return x * FastReciprocal(1.0f + FastExp2(-1.44269504f * x));
    }
  } else {
    return x;
  }
}

// Adds kSize contiguous elements, of which the first `count` exist.
template <int kSize, int kAligned, typename T>
__device__ __forceinline__ void AddElements(const T* from, long long stride, int count,
                                            Accumulator (&values)[kSize]) {
  if (kSize <= kAligned && (kN % kSize == 0 || count >= kSize)) {
    const Vector<T, kSize> loaded = *reinterpret_cast<const Vector<T, kSize>*>(from);
#pragma unroll
    for (int i = 0; i < kSize; ++i) values[i] += static_cast<Accumulator>(Widen(loaded.at[i]));
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      if (kN % kSize == 0 || i < count) {
        values[i] += static_cast<Accumulator>(Widen(from[i * stride]));
      }
    }
  }
}

// Turns sums of row m, columns n to n + kSize - 1, of one batch entry into results: all but the
// cast. n is a multiple of kSize; the row exists, and `count` of the columns do. `add_bias` adds it
// to `values`.
template <int kSize, typename AddBias>
__device__ __forceinline__ void Complete(const Arguments& arguments, long long batch, int m, int n,
                                         int count, Accumulator (&values)[kSize],
                                         const AddBias& add_bias) {
  if constexpr (kHasScale) {
#pragma unroll
    for (int i = 0; i < kSize; ++i) values[i] *= static_cast<Accumulator>(kScale);
  }
  if constexpr (kHasBias) add_bias();
#pragma unroll
  for (int i = 0; i < kSize; ++i) values[i] = Activate(values[i]);
  if constexpr (kHasResidual) {
    AddElements<kSize, kResidualAligned>(arguments.residual + batch * kResidualBatchStride +
                                             m * kResidualRowStride + n * kResidualColumnStride,
                                         kResidualColumnStride, count, values);
  }
}

template <int kSize>
__device__ __forceinline__ void Complete(const Arguments& arguments, long long batch, int m, int n,
                                         int count, Accumulator (&values)[kSize]) {
  Complete(arguments, batch, m, n, count, values, [&] {
    AddElements<kSize, kBiasAligned>(arguments.bias + n, 1, count, values);
  });
}

// Completes and writes; what is outside the output is dropped.
template <int kSize>
__device__ __forceinline__ void Finish(const Arguments& arguments, long long batch, int m, int n,
                                       Accumulator (&values)[kSize]) {
  if (m >= kM || n >= kN) return;
  const int count = kN - n;
  Complete(arguments, batch, m, n, count, values);
  Out* to = arguments.out + batch * kOutBatchStride + m * kOutRowStride + n * kOutColumnStride;
  if (kSize <= kOutAligned && (kN % kSize == 0 || count >= kSize)) {
    Vector<Out, kSize> narrow;
#pragma unroll
    for (int i = 0; i < kSize; ++i) Narrow(values[i], narrow.at[i]);
    *reinterpret_cast<Vector<Out, kSize>*>(to) = narrow;
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      if (kN % kSize == 0 || i < count) Narrow(values[i], to[i * kOutColumnStride]);
    }
  }
}

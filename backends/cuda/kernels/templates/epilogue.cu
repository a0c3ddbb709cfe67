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

// x (1 + erf(x / sqrt(2))) / 2. Of z = |x| / sqrt(2), erfc is a polynomial in 1 / (1 + p z) times
// exp(-z^2), to 1.5e-7 (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26): half as
// many instructions as erff().
__device__ __forceinline__ float Gelu(float x) {
  constexpr float kP = 0.3275911f * 0.70710678f;
  constexpr float kHalfLog2E = 0.72134752f;
  const float z = fabsf(x);
  const float t = FastReciprocal(fmaf(kP, z, 1.0f));
  // Half of the polynomial's coefficients.
  float sum = fmaf(0.5307027145f, t, -0.7265760135f);
  sum = fmaf(sum, t, 0.7107068705f);
  sum = fmaf(sum, t, -0.142248368f);
  sum = fmaf(sum, t, 0.127414796f);
  const float half_erfc = sum * t * FastExp2(-kHalfLog2E * z * z);
  return fmaf(-z, half_erfc, fmaxf(x, 0.0f));
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
  if (kSize <= kAligned && count >= kSize) {
    const Vector<T, kSize> loaded = *reinterpret_cast<const Vector<T, kSize>*>(from);
#pragma unroll
    for (int i = 0; i < kSize; ++i) values[i] += static_cast<Accumulator>(Widen(loaded.at[i]));
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      if (i < count) values[i] += static_cast<Accumulator>(Widen(from[i * stride]));
    }
  }
}

// Turns sums of row m, columns n to n + kSize - 1, of one batch entry into results: all but the
// cast. n is a multiple of kSize; the row exists, and `count` of the columns do.
template <int kSize>
__device__ __forceinline__ void Complete(const Arguments& arguments, long long batch, int m, int n,
                                         int count, Accumulator (&values)[kSize]) {
  if constexpr (kHasScale) {
#pragma unroll
    for (int i = 0; i < kSize; ++i) values[i] *= static_cast<Accumulator>(kScale);
  }
  if constexpr (kHasBias) {
    AddElements<kSize, kBiasAligned>(arguments.bias + n, 1, count, values);
  }
#pragma unroll
  for (int i = 0; i < kSize; ++i) values[i] = Activate(values[i]);
  if constexpr (kHasResidual) {
    AddElements<kSize, kResidualAligned>(arguments.residual + batch * kResidualBatchStride +
                                             m * kResidualRowStride + n * kResidualColumnStride,
                                         kResidualColumnStride, count, values);
  }
}

// Completes and writes; what is outside the output is dropped.
template <int kSize>
__device__ __forceinline__ void Finish(const Arguments& arguments, long long batch, int m, int n,
                                       Accumulator (&values)[kSize]) {
  if (m >= kM || n >= kN) return;
  const int count = kN - n;
  Complete(arguments, batch, m, n, count, values);
  Out* to = arguments.out + batch * kOutBatchStride + m * kOutRowStride + n * kOutColumnStride;
  if (kSize <= kOutAligned && count >= kSize) {
    Vector<Out, kSize> narrow;
#pragma unroll
    for (int i = 0; i < kSize; ++i) Narrow(values[i], narrow.at[i]);
    *reinterpret_cast<Vector<Out, kSize>*>(to) = narrow;
  } else {
#pragma unroll
    for (int i = 0; i < kSize; ++i) {
      if (i < count) Narrow(values[i], to[i * kOutColumnStride]);
    }
  }
}

// What kernels are judged by: random inputs, the same matmul in double precision the plain way, and
// the comparison. Shares nothing with the generated kernels. Compiled behind
//
//   #define LHS_TYPE 4       DType's numbers of lhs, rhs, out, bias and residual
//   #define ACTIVATION 2     Activation's number
//   #define SCALE 0.125      of the sums
//
// Products of inputs are exact in double and their sums all but so.

typedef long long Int;
typedef unsigned long long Word;

enum Type { kF64 = 1, kF32, kTF32, kBF16, kF16, kF8E4M3, kF8E5M2, kI8, kI32 };

// Sign, exponent and mantissa of the types that C++ does not know.
struct Format {
  int exponent_bits, mantissa_bits, bias;
  bool finite;  // no infinity; only the greatest exponent with the greatest mantissa is no number
};

__device__ __forceinline__ Format FormatOf(int type) {
  switch (type) {
    case kTF32:
      return {8, 10, 127, false};
    case kBF16:
      return {8, 7, 127, false};
    case kF16:
      return {5, 10, 15, false};
    case kF8E4M3:
      return {4, 3, 7, true};
    default:
      return {5, 2, 15, false};  // kF8E5M2
  }
}

__device__ double Decode(unsigned bits, Format f) {
  const int greatest = (1 << f.exponent_bits) - 1;
  const int mantissa = bits & ((1 << f.mantissa_bits) - 1);
  const int exponent = (bits >> f.mantissa_bits) & greatest;
  const double sign = (bits >> (f.exponent_bits + f.mantissa_bits)) & 1 ? -1.0 : 1.0;
  if (exponent == greatest && (!f.finite || mantissa == (1 << f.mantissa_bits) - 1)) {
    const double infinity = __longlong_as_double(0x7ff0000000000000ll);
    return mantissa == 0 ? sign * infinity : infinity - infinity;
  }
  if (exponent == 0) return sign * scalbn(double(mantissa), 1 - f.bias - f.mantissa_bits);
  return sign * scalbn(double(mantissa + (1 << f.mantissa_bits)),
                       exponent - f.bias - f.mantissa_bits);
}

// Nearest, ties to even; `x` must be within range.
__device__ unsigned Encode(double x, Format f) {
  const unsigned sign = x < 0 ? 1u << (f.exponent_bits + f.mantissa_bits) : 0;
  x = fabs(x);
  if (x == 0) return sign;
  const int exponent = max(ilogb(x), 1 - f.bias);
  const unsigned scaled = unsigned(rint(scalbn(x, f.mantissa_bits - exponent)));
  // A carry out of the mantissa raises the exponent by itself.
  return sign | ((unsigned(exponent + f.bias - 1) << f.mantissa_bits) + scaled);
}

__device__ __forceinline__ double Load(const void* data, Int at, int type) {
  switch (type) {
    case kF64:
      return static_cast<const double*>(data)[at];
    case kF32:
    case kTF32:  // inputs are made so that they are tf32 already
      return static_cast<const float*>(data)[at];
    case kBF16:
      return __uint_as_float(unsigned(static_cast<const unsigned short*>(data)[at]) << 16);
    case kF16:
      return Decode(static_cast<const unsigned short*>(data)[at], FormatOf(type));
    case kI8:
      return static_cast<const signed char*>(data)[at];
    case kI32:
      return static_cast<const int*>(data)[at];
    default:
      return Decode(static_cast<const unsigned char*>(data)[at], FormatOf(type));
  }
}

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)
__device__ __forceinline__ Word Random(Word seed, Word index) {
  Word z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

// Uniform in [-amplitude, amplitude): integers where `type` is one.
extern "C" __global__ void fill_random(void* data, Int count, int type, Word seed,
                                       double amplitude) {
  const Int step = Int(gridDim.x) * blockDim.x;
  for (Int i = Int(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const double unit = double(Random(seed, i) >> 11) * 0x1p-53;
    const double x = amplitude * (2 * unit - 1);
    const int whole = int(floor((2 * amplitude + 1) * unit) - amplitude);
    switch (type) {
      case kF64:
        static_cast<double*>(data)[i] = x;
        break;
      case kF32:
        static_cast<float*>(data)[i] = float(x);
        break;
      case kTF32:
        static_cast<unsigned*>(data)[i] = Encode(x, FormatOf(type)) << 13;
        break;
      case kBF16:
      case kF16:
        static_cast<unsigned short*>(data)[i] = (unsigned short)(Encode(x, FormatOf(type)));
        break;
      case kI8:
        static_cast<signed char*>(data)[i] = (signed char)(whole);
        break;
      case kI32:
        static_cast<int*>(data)[i] = whole;
        break;
      default:
        static_cast<unsigned char*>(data)[i] = (unsigned char)(Encode(x, FormatOf(type)));
    }
  }
}

struct View {
  const void* data;
  Int row_stride, column_stride, batch_stride;
};

struct ReferenceArguments {
  View lhs, rhs, residual;  // residual.data may be null
  const void* bias;         // may be null
  double* want;             // batch x m x n, dense
  Int m, n, k, batch;
};

constexpr int kTile = 64, kDepth = 16, kSide = 16, kEach = kTile / kSide;

__device__ __forceinline__ double Activate(double x) {
#if ACTIVATION == 1
  return x > 0 ? x : 0;
#elif ACTIVATION == 2
  return 0.5 * x * (1 + erf(x * 0.70710678118654752440));
#elif ACTIVATION == 3
  return x / (1 + exp(-x));
#else
  return x;
#endif
}

// Blocks of 256 threads; blockIdx.x walks over the tiles of the output, blockIdx.y over the batch.
extern "C" __global__ void __launch_bounds__(256) reference(const ReferenceArguments arguments) {
  __shared__ double a_tile[kDepth][kTile + 1], b_tile[kDepth][kTile + 1];
  const Int m = arguments.m, n = arguments.n, k = arguments.k;
  const Int column_tiles = (n + kTile - 1) / kTile;
  const Int row0 = blockIdx.x / column_tiles * kTile, column0 = blockIdx.x % column_tiles * kTile;
  const int x = threadIdx.x % kSide, y = threadIdx.x / kSide;
  for (Int batch = blockIdx.y; batch < arguments.batch; batch += gridDim.y) {
    const View& lhs = arguments.lhs;
    const View& rhs = arguments.rhs;
    double sums[kEach][kEach] = {};
    for (Int k0 = 0; k0 < k; k0 += kDepth) {
      for (int i = threadIdx.x; i < kTile * kDepth; i += kSide * kSide) {
        // Neighbouring threads read neighbouring elements.
        const bool k_first = lhs.column_stride == 1, n_first = rhs.column_stride == 1;
        const int a_row = k_first ? i / kDepth : i % kTile, a_k = k_first ? i % kDepth : i / kTile;
        const int b_column = n_first ? i % kTile : i / kDepth,
                  b_k = n_first ? i / kTile : i % kDepth;
        a_tile[a_k][a_row] =
            row0 + a_row < m && k0 + a_k < k
                ? Load(lhs.data,
                       batch * lhs.batch_stride + (row0 + a_row) * lhs.row_stride +
                           (k0 + a_k) * lhs.column_stride,
                       LHS_TYPE)
                : 0;
        b_tile[b_k][b_column] =
            column0 + b_column < n && k0 + b_k < k
                ? Load(rhs.data,
                       batch * rhs.batch_stride + (k0 + b_k) * rhs.row_stride +
                           (column0 + b_column) * rhs.column_stride,
                       RHS_TYPE)
                : 0;
      }
      __syncthreads();
      for (int p = 0; p < kDepth; ++p) {
        double a[kEach], b[kEach];
#pragma unroll
        for (int i = 0; i < kEach; ++i) a[i] = a_tile[p][y + kSide * i];
#pragma unroll
        for (int j = 0; j < kEach; ++j) b[j] = b_tile[p][x + kSide * j];
#pragma unroll
        for (int i = 0; i < kEach; ++i) {
#pragma unroll
          for (int j = 0; j < kEach; ++j) sums[i][j] = fma(a[i], b[j], sums[i][j]);
        }
      }
      __syncthreads();
    }
#pragma unroll
    for (int i = 0; i < kEach; ++i) {
#pragma unroll
      for (int j = 0; j < kEach; ++j) {
        const Int row = row0 + y + kSide * i, column = column0 + x + kSide * j;
        if (row >= m || column >= n) continue;
        double value = SCALE * sums[i][j];
        if (arguments.bias != nullptr) value += Load(arguments.bias, column, BIAS_TYPE);
        value = Activate(value);
        const View& residual = arguments.residual;
        if (residual.data != nullptr) {
          value += Load(residual.data,
                        batch * residual.batch_stride + row * residual.row_stride +
                            column * residual.column_stride,
                        RESIDUAL_TYPE);
        }
        arguments.want[(batch * m + row) * n + column] = value;
      }
    }
  }
}

struct CompareArguments {
  View out;
  const double* want;
  Int m, n, batch;
  // |out - want| may be absolute + relative * |want|, `want` brought into [least, greatest] first.
  double absolute, relative, least, greatest;
  bool whole;     // the output is integers: `want` is rounded first
  Word* result;   // how many are wrong; the index of the first; the bits of the greatest error as
                  // a share of what is allowed (a float); the sums of squares of all errors and of
                  // all that is wanted (doubles)
};

extern "C" __global__ void compare(const CompareArguments arguments) {
  const Int count = arguments.batch * arguments.m * arguments.n;
  const Int step = Int(gridDim.x) * blockDim.x;
  float worst = 0;
  double squares[2] = {0, 0};
  for (Int i = Int(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    const Int column = i % arguments.n, row = i / arguments.n % arguments.m,
              batch = i / arguments.n / arguments.m;
    const View& out = arguments.out;
    const double got = Load(out.data,
                            batch * out.batch_stride + row * out.row_stride +
                                column * out.column_stride,
                            OUT_TYPE);
    double want = arguments.whole ? rint(arguments.want[i]) : arguments.want[i];
    want = fmin(fmax(want, arguments.least), arguments.greatest);
    const double allowed = arguments.absolute + arguments.relative * fabs(want);
    const double error = fabs(got - want);
    squares[0] += error * error;
    squares[1] += want * want;
    if (!(error <= allowed)) {
      atomicAdd(&arguments.result[0], 1ull);
      atomicMin(&arguments.result[1], Word(i));
    } else if (allowed > 0) {
      worst = fmaxf(worst, float(error / allowed));
    }
  }
  // Non-negative floats order as their bits do.
  if (worst > 0) atomicMax(&arguments.result[2], Word(__float_as_uint(worst)));
  for (int i = 0; i < 2; ++i) {
    for (int apart = 16; apart > 0; apart /= 2) {
      squares[i] += __shfl_down_sync(~0u, squares[i], apart);
    }
    if (threadIdx.x % 32 == 0) {
      atomicAdd(reinterpret_cast<double*>(&arguments.result[3 + i]), squares[i]);
    }
  }
}

// How many of `count` bytes are not `value`.
extern "C" __global__ void count_other_bytes(const unsigned char* data, Int count, int value,
                                             Word* result) {
  const Int step = Int(gridDim.x) * blockDim.x;
  Word other = 0;
  for (Int i = Int(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step) {
    other += data[i] != value;
  }
  if (other != 0) atomicAdd(result, other);
}

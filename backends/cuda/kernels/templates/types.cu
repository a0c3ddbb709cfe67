// Element types as they lie in memory, and their conversions. Nothing is included, so that NVRTC
// compiles this where the toolkit's headers are not.

struct Bf16 {
  unsigned short bits;
};
struct F16 {
  unsigned short bits;
};
struct F8E4M3 {
  unsigned char bits;
};
struct F8E5M2 {
  unsigned char bits;
};
struct Tf32 {
  float value;
};
typedef signed char I8;

// kSize elements that one load or store moves.
template <typename T, int kSize>
struct alignas(sizeof(T) * kSize) Vector {
  T at[kSize];
};

// What an element is worth, in a type to calculate with.
__device__ __forceinline__ double Widen(double x) { return x; }
__device__ __forceinline__ float Widen(float x) { return x; }
__device__ __forceinline__ float Widen(Tf32 x) { return x.value; }
__device__ __forceinline__ float Widen(Bf16 x) {
  return __uint_as_float(static_cast<unsigned>(x.bits) << 16);
}
__device__ __forceinline__ float Widen(F16 x) {
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(x.bits));
  return result;
}
__device__ __forceinline__ int Widen(I8 x) { return x; }
__device__ __forceinline__ int Widen(int x) { return x; }
#if __CUDA_ARCH__ >= 890
__device__ __forceinline__ float Widen(F8E4M3 x) {
  unsigned pair;
  asm("cvt.rn.f16x2.e4m3x2 %0, %1;" : "=r"(pair) : "h"(static_cast<unsigned short>(x.bits)));
  return Widen(F16{static_cast<unsigned short>(pair)});
}
__device__ __forceinline__ float Widen(F8E5M2 x) {
  unsigned pair;
  asm("cvt.rn.f16x2.e5m2x2 %0, %1;" : "=r"(pair) : "h"(static_cast<unsigned short>(x.bits)));
  return Widen(F16{static_cast<unsigned short>(pair)});
}
#endif

// A result as an element: rounded to the nearest, integers and fp8 saturated.
__device__ __forceinline__ void Narrow(double x, double& to) { to = x; }
__device__ __forceinline__ void Narrow(double x, float& to) { to = static_cast<float>(x); }
__device__ __forceinline__ void Narrow(float x, double& to) { to = x; }
__device__ __forceinline__ void Narrow(float x, float& to) { to = x; }
__device__ __forceinline__ void Narrow(float x, Tf32& to) {
  unsigned bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  to.value = __uint_as_float(bits);
}
__device__ __forceinline__ void Narrow(float x, Bf16& to) {
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(to.bits) : "f"(x));
}
__device__ __forceinline__ void Narrow(float x, F16& to) {
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(to.bits) : "f"(x));
}
#if __CUDA_ARCH__ >= 890
__device__ __forceinline__ void Narrow(float x, F8E4M3& to) {
  unsigned short pair;
  asm("cvt.rn.satfinite.e4m3x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
  to.bits = static_cast<unsigned char>(pair);
}
__device__ __forceinline__ void Narrow(float x, F8E5M2& to) {
  unsigned short pair;
  asm("cvt.rn.satfinite.e5m2x2.f32 %0, %1, %2;" : "=h"(pair) : "f"(0.0f), "f"(x));
  to.bits = static_cast<unsigned char>(pair);
}
#endif
__device__ __forceinline__ void Narrow(float x, int& to) { to = __float2int_rn(x); }
__device__ __forceinline__ void Narrow(float x, I8& to) {
  const int rounded = __float2int_rn(x);
  to = static_cast<I8>(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}
__device__ __forceinline__ void Narrow(int x, int& to) { to = x; }
__device__ __forceinline__ void Narrow(int x, I8& to) {
  to = static_cast<I8>(x < -128 ? -128 : x > 127 ? 127 : x);
}
// The rest goes by way of f32.
template <typename From, typename To>
__device__ __forceinline__ void Narrow(From x, To& to) {
  Narrow(static_cast<float>(x), to);
}

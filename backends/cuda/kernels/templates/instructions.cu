// mma.sync, by the types of its operands: 16 rows by 8 columns, 32 bytes of k deep.

#define MMA_SYNC(shape_and_types, constraint)                                               \
  asm volatile("mma.sync.aligned." shape_and_types                                          \
               " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"           \
               : "+" constraint(sums[0]), "+" constraint(sums[1]), "+" constraint(sums[2]), \
                 "+" constraint(sums[3])                                                    \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1))

// The types choose the instruction.
template <typename A, typename B>
struct Instruction;
template <>
struct Instruction<Bf16, Bf16> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k16.row.col.f32.bf16.bf16.f32", "f");
  }
};
template <>
struct Instruction<F16, F16> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k16.row.col.f32.f16.f16.f32", "f");
  }
};
template <>
struct Instruction<Tf32, Tf32> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k8.row.col.f32.tf32.tf32.f32", "f");
  }
};
template <>
struct Instruction<I8, I8> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               int* sums) {
    MMA_SYNC("m16n8k32.row.col.s32.s8.s8.s32", "r");
  }
};
#if __CUDA_ARCH__ >= 890
template <>
struct Instruction<F8E4M3, F8E4M3> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k32.row.col.f32.e4m3.e4m3.f32", "f");
  }
};
template <>
struct Instruction<F8E4M3, F8E5M2> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k32.row.col.f32.e4m3.e5m2.f32", "f");
  }
};
template <>
struct Instruction<F8E5M2, F8E4M3> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k32.row.col.f32.e5m2.e4m3.f32", "f");
  }
};
template <>
struct Instruction<F8E5M2, F8E5M2> {
  static __device__ __forceinline__ void Issue(const unsigned (&a)[4], unsigned b0, unsigned b1,
                                               float* sums) {
    MMA_SYNC("m16n8k32.row.col.f32.e5m2.e5m2.f32", "f");
  }
};
#endif
#undef MMA_SYNC

#ifndef SEEDTUNE_BACKENDS_CPU_GEMM_TARGETS_H_
#define SEEDTUNE_BACKENDS_CPU_GEMM_TARGETS_H_

// The instruction sets that the matmul is compiled for: a scalar fallback, SSE2 or SSE4, AVX2 and
// AVX3 (AVX-512) on x86, NEON on Arm. Include before anything of Highway's; every translation unit
// must see the same list.
//
// Left out: targets whose f32 arithmetic equals that of a target that is kept (SSSE3; all x86 ones
// above AVX3, which sit in lower bits), and targets without a vector length known to the compiler
// (SVE, RVV), because a register tile is an array of vectors.
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | (HWY_AVX3 - 1) | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_TARGETS_H_

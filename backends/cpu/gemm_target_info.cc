#include "backends/cpu/gemm_kernels.h"
#include "backends/cpu/gemm_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gemm_target_info.cc"
#include "hwy/foreach_target.h"
// Must follow foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seedtune::cpu_gemm {
namespace HWY_NAMESPACE {

TargetInfo Info() {
  TargetInfo info;
  info.name = hwy::TargetName(HWY_TARGET);
  info.lanes =
      static_cast<int>(hwy::HWY_NAMESPACE::MaxLanes(hwy::HWY_NAMESPACE::ScalableTag<float>()));
  // AVX-512 and AArch64 have 32; AVX, SSE, and the scalar code that x86-64 compiles to, 16.
#if HWY_ARCH_ARM_A64
  info.vector_registers = 32;
#else
  info.vector_registers = info.lanes >= 16 ? 32 : 16;
#endif
  return info;
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seedtune::cpu_gemm
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seedtune::cpu_gemm {

HWY_EXPORT(Info);
TargetInfo ActiveTarget() { return HWY_DYNAMIC_DISPATCH(Info)(); }

}  // namespace seedtune::cpu_gemm
#endif  // HWY_ONCE

#include "backends/cpu/gemm_kernels.h"
#include "backends/cpu/gemm_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gemm_kernels_nr1.cc"
#include "hwy/foreach_target.h"
// Must follow foreach_target.h.
#include "backends/cpu/gemm_kernel-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace seedtune::cpu_gemm {
namespace HWY_NAMESPACE {

TileKernel Find1(int rows, int unroll, ALayout layout) {
  return FindRows<1, kTileRows1>(rows, unroll, layout);
}

// NOLINTNEXTLINE(google-readability-namespace-comments)
}  // namespace HWY_NAMESPACE
}  // namespace seedtune::cpu_gemm
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace seedtune::cpu_gemm {

HWY_EXPORT(Find1);
TileKernel FindTileKernel1(int rows, int unroll, ALayout layout) {
  return HWY_DYNAMIC_DISPATCH(Find1)(rows, unroll, layout);
}

}  // namespace seedtune::cpu_gemm
#endif  // HWY_ONCE

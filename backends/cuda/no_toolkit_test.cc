// Stands for toolkit_abi_test where there is no toolkit.
#include "gtest/gtest.h"

TEST(ToolkitAbiTest, NeedsToolkit) {
  GTEST_SKIP() << "no CUDA toolkit of release 12 or newer here (cuda.h, nvrtc.h, cublasLt.h); set "
                  "CUDA_HOME";
}

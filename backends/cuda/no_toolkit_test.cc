// Stands for toolkit_abi_test where there is no toolkit.
#include "gtest/gtest.h"

TEST(ToolkitAbiTest, NeedsToolkit) {
  GTEST_SKIP() << "no CUDA toolkit here (cuda.h, nvrtc.h, cublasLt.h); set CUDA_HOME";
}

#include "backends/cuda/ptxas_log.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(PtxasLogTest, ReadsEachKernel) {
  // As NVRTC 13.0 prints it; a function that the second kernel calls stands between.
  EXPECT_THAT(ParsePtxasLog(R"(ptxas info    : 16 bytes gmem
ptxas info    : Compiling entry function 'matmul' for 'sm_90a'
ptxas info    : Function properties for matmul
ptxas         .     128 bytes stack frame, 24 bytes spill stores, 48 bytes spill loads
ptxas info    : Used 255 registers, used 2 barriers, 128 bytes cumulative stack size, 16640 bytes smem
ptxas info    : Compile time = 72.356 ms
ptxas info    : Compiling entry function 'reduce' for 'sm_90a'
ptxas info    : Function properties for helper
ptxas         .     8 bytes stack frame, 8 bytes spill stores, 8 bytes spill loads
ptxas info    : Function properties for reduce
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 32 registers, used 0 barriers
)"),
              ElementsAre(CudaKernelResources{.entry = "matmul",
                                              .registers = 255,
                                              .barriers = 2,
                                              .static_shared_bytes = 16640,
                                              .stack_bytes = 128,
                                              .spill_store_bytes = 24,
                                              .spill_load_bytes = 48},
                          CudaKernelResources{.entry = "reduce", .registers = 32}));
}

TEST(PtxasLogTest, ReadsOlderLines) {
  EXPECT_THAT(ParsePtxasLog(R"(ptxas info    : Compiling entry function 'f' for 'sm_80'
ptxas info    : Function properties for f
    0 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 40 registers, 1024 bytes smem, 380 bytes cmem[0])"),
              ElementsAre(CudaKernelResources{.entry = "f",
                                              .registers = 40,
                                              .static_shared_bytes = 1024,
                                              .spill_store_bytes = 4,
                                              .spill_load_bytes = 4}));
}

TEST(PtxasLogTest, NoticesWhenWgmmaWaits) {
  const auto kernels = ParsePtxasLog(
      R"(ptxas info    : (C7514) Potential Performance Loss: wgmma.mma_async instructions are serialized due to non wgmma instructions reading accumulator registers of  a wgmma between start and end of the pipeline stage in the function 'matmul'
ptxas info    : Compiling entry function 'pack' for 'sm_90a'
ptxas info    : Used 32 registers, used 0 barriers
ptxas info    : Compiling entry function 'matmul' for 'sm_90a'
ptxas info    : Used 168 registers, used 16 barriers
)");
  ASSERT_EQ(kernels.size(), 2u);
  EXPECT_FALSE(kernels[0].wgmma_serialized);
  EXPECT_TRUE(kernels[1].wgmma_serialized);
}

TEST(PtxasLogTest, OtherTextHasNoKernels) {
  EXPECT_THAT(ParsePtxasLog(""), IsEmpty());
  EXPECT_THAT(ParsePtxasLog("kernel.cu(3): warning: Used 12 registers"), IsEmpty());
}

}  // namespace
}  // namespace seedtune

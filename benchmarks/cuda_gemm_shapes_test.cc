#include "benchmarks/cuda_gemm_shapes.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "backends/cuda/kernels/generate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "ir/matmul.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"

namespace seedtune {
namespace {

using ::testing::SizeIs;

TEST(CudaGemmShapesTest, EachLineIsAGroupAndAKernelThatTheBackendRuns) {
  const HardwareInfo h100 = *FindSpec("h100_sxm");
  int kernels = 0;
  for (const absl::string_view line :
       absl::StrSplit(std::string(CudaGemmShapes()[0].contents), '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    SCOPED_TRACE(std::string(text));
    const std::vector<std::string> words = absl::StrSplit(text, ' ');
    ASSERT_THAT(words, SizeIs(2));
    ASSERT_OK_AND_ASSIGN(const MatmulSpec spec, ParseMatmulShortForm(words[1]));
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, BuildMatmul(spec));
    EXPECT_THAT(SupportsCudaKernel(kernel, h100), IsOk());
    ++kernels;
  }
  EXPECT_GT(kernels, 12);
}

}  // namespace
}  // namespace seedtune

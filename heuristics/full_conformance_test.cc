// The conformance suite over the full grid: a minute; `bazel test
// //heuristics:full_conformance_test`.
#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/conformance.h"
#include "heuristics/opened_files.h"

namespace seedtune {
namespace {

class FullConformanceTest : public ::testing::TestWithParam<std::string> {};

TEST_P(FullConformanceTest, EveryHeuristicOnTheFullGrid) {
  const std::vector<std::string> kernels = ConformanceKernels(ConformanceGrid::kFull);
  EXPECT_GE(kernels.size(), 2000u);
  EXPECT_GT(CheckConformance(BuiltinHeuristics(), GetParam(), kernels, {}), 0);
}

std::string TestName(const ::testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(Specs, FullConformanceTest, ::testing::ValuesIn(SpecNames()), TestName);

// Else a heuristic that opens one would pass.
TEST(OpenedFilesTest, CountsWhatIsOpened) {
  const int64_t before = OpenedFiles();
  std::ifstream file("/dev/null");
  EXPECT_TRUE(file.is_open());
  EXPECT_GT(OpenedFiles(), before);
}

}  // namespace
}  // namespace seedtune

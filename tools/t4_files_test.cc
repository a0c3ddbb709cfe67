#include "tools/t4_files.h"

#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(T4FilesTest, ResultsAndTheirSpaceDifferInNothingElse) {
  EXPECT_EQ(T4Stem("convolution/A100_T4.json.gz"), "A100");
  EXPECT_EQ(T4Stem("run.json"), "run");
  EXPECT_EQ(T4Stem("_T4.json"), "_T4");  // that is its name then
  EXPECT_EQ(SpacePathBeside("convolution/A100_T4.json.gz"), "convolution/A100_T1.json");
  EXPECT_EQ(SpacePathBeside("run"), "run_T1.json");
}

TEST(T4FilesTest, EachKernelHasItsFile) {
  EXPECT_EQ(PathForKernel("out/run_T4.json.gz", "ffn_down"), "out/run-ffn_down_T4.json.gz");
  EXPECT_EQ(PathForKernel("run", "../a b"), "run-.._a_b");
}

}  // namespace
}  // namespace seedtune

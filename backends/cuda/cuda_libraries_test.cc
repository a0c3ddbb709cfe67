#include "backends/cuda/cuda_libraries.h"

#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

class CudaLibrariesTest : public ::testing::Test {
 protected:
  std::string Touch(const std::string& path) const {
    const std::filesystem::path file = dir_.path() + "/" + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "";
    return file.string();
  }
  static size_t IndexOf(const std::vector<std::string>& all, const std::string& one) {
    return static_cast<size_t>(std::find(all.begin(), all.end(), one) - all.begin());
  }

  TempDir dir_;
};

TEST_F(CudaLibrariesTest, CudaHomeComesFirstNewestFirst) {
  const std::string newer = Touch("cuda/lib64/libnvrtc.so.13");
  const std::string older = Touch("cuda/lib64/libnvrtc.so.12");
  Touch("cuda/lib64/libnvrtc.alt.so.13");
  Touch("cuda/lib64/libnvrtc.so.13.0.48");
  setenv("CUDA_HOME", (dir_.path() + "/cuda").c_str(), 1);
  const std::vector<std::string> found = CudaLibraryCandidates("nvrtc");
  ASSERT_GE(found.size(), 3u);
  EXPECT_EQ(found[0], newer);
  EXPECT_EQ(found[1], older);
  EXPECT_EQ(found[2], "libnvrtc.so.13") << "then where the dynamic linker looks";
  EXPECT_THAT(found, Each(Not(HasSubstr(".alt."))));
}

TEST_F(CudaLibrariesTest, PythonsPackagesComeLast) {
  const std::string packaged =
      Touch("venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
  setenv("CUDA_HOME", "/nowhere", 1);
  setenv("VIRTUAL_ENV", (dir_.path() + "/venv").c_str(), 1);
  const std::vector<std::string> found = CudaLibraryCandidates("nvrtc");
  EXPECT_THAT(found, Contains(packaged));
  EXPECT_LT(IndexOf(found, "libnvrtc.so"), IndexOf(found, packaged));
}

TEST_F(CudaLibrariesTest, KnowsThePythonOfThePath) {
  const std::string python = Touch("opt/bin/python3");
  std::filesystem::permissions(python, std::filesystem::perms::owner_all);
  const std::string packaged =
      Touch("opt/lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12");
  setenv("PATH", ("/nowhere/bin:" + dir_.path() + "/opt/bin").c_str(), 1);
  EXPECT_THAT(CudaLibraryCandidates("cublasLt"), Contains(packaged));
}

}  // namespace
}  // namespace seedtune

#include "testing/temp_dir.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(TempDirTest, IsThereThenGone) {
  std::string path;
  {
    const TempDir dir;
    path = dir.path();
    EXPECT_TRUE(std::filesystem::is_empty(path));
    std::filesystem::create_directory(dir.Path("inner"));
    std::ofstream(dir.Path("inner/file")) << "x";
    EXPECT_TRUE(std::filesystem::exists(path + "/inner/file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(TempDirTest, EachIsAnother) {
  const TempDir a, b;
  EXPECT_NE(a.path(), b.path());
}

}  // namespace
}  // namespace seedtune

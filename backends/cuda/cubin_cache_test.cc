#include "backends/cuda/cubin_cache.h"

#include <filesystem>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::Eq;
using ::testing::Optional;

class CubinCacheTest : public ::testing::Test {
 protected:
  std::string Folder() const { return dir_.path() + "/cuda/cubins"; }
  CubinCache Cache(int64_t max_bytes = 1 << 20) const {
    return CubinCache({.folder = Folder(), .max_bytes = max_bytes});
  }

  TempDir dir_;
};

TEST_F(CubinCacheTest, GivesBackWhatWasPut) {
  const CubinCache cache = Cache();
  EXPECT_THAT(cache.Get("key"), Eq(std::nullopt));
  const std::string value("binary\0value\n", 13);
  ASSERT_THAT(cache.Put("key", value), IsOk());
  EXPECT_THAT(cache.Get("key"), Optional(value));
  EXPECT_THAT(Cache().Get("key"), Optional(value));
  EXPECT_THAT(cache.Get("another key"), Eq(std::nullopt));
}

TEST_F(CubinCacheTest, TheLastOnePutCounts) {
  const CubinCache cache = Cache();
  ASSERT_THAT(cache.Put("key", "one"), IsOk());
  ASSERT_THAT(cache.Put("key", "two"), IsOk());
  EXPECT_THAT(cache.Get("key"), Optional(std::string("two")));
}

TEST_F(CubinCacheTest, DamageIsAMissAndMendable) {
  const CubinCache cache = Cache();
  ASSERT_THAT(cache.Put("key", "a value of some length"), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::string whole, ReadFile(cache.PathOf("key")));
  for (size_t i = 0; i < whole.size(); ++i) {
    SCOPED_TRACE(i);
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    ASSERT_THAT(WriteFileAtomically(cache.PathOf("key"), damaged), IsOk());
    EXPECT_THAT(cache.Get("key"), Eq(std::nullopt));
    ASSERT_THAT(WriteFileAtomically(cache.PathOf("key"), whole.substr(0, i)), IsOk());
    EXPECT_THAT(cache.Get("key"), Eq(std::nullopt));
  }
  ASSERT_THAT(cache.Put("key", "a value of some length"), IsOk());
  EXPECT_THAT(cache.Get("key"), Optional(std::string("a value of some length")));
}

TEST_F(CubinCacheTest, AnEntryUnderAnotherNameIsAMiss) {
  const CubinCache cache = Cache();
  ASSERT_THAT(cache.Put("key", "value"), IsOk());
  std::filesystem::rename(cache.PathOf("key"), cache.PathOf("another key"));
  EXPECT_THAT(cache.Get("another key"), Eq(std::nullopt));
}

TEST_F(CubinCacheTest, WithoutAFolderNothingIsKept) {
  const CubinCache cache(CubinCache::Options{.folder = ""});
  EXPECT_THAT(cache.Put("key", "value"), IsOk());
  EXPECT_THAT(cache.Get("key"), Eq(std::nullopt));
}

TEST_F(CubinCacheTest, AFolderThatCannotBeMadeIsAnError) {
  ASSERT_THAT(WriteFileAtomically(dir_.path() + "/cuda", "a file"), IsOk());
  EXPECT_FALSE(Cache().Put("key", "value").ok());
  EXPECT_THAT(Cache().Get("key"), Eq(std::nullopt));
}

TEST_F(CubinCacheTest, TrimRemovesTheLongestUnused) {
  const CubinCache cache = Cache(/*max_bytes=*/3500);
  const auto now = std::filesystem::file_time_type::clock::now();
  for (int i = 0; i < 5; ++i) {
    const std::string key = std::to_string(i);
    ASSERT_THAT(cache.Put(key, std::string(1000, 'x')), IsOk());
    std::filesystem::last_write_time(cache.PathOf(key), now - std::chrono::hours(10 - i));
  }
  ASSERT_TRUE(cache.Get("0").has_value());  // now used last of all
  cache.Trim();
  EXPECT_TRUE(cache.Get("0").has_value());
  EXPECT_FALSE(cache.Get("1").has_value());
  EXPECT_FALSE(cache.Get("2").has_value());
  EXPECT_TRUE(cache.Get("4").has_value());
}

}  // namespace
}  // namespace seedtune

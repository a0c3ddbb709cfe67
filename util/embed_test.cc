#include <set>
#include <span>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "util/embedded_file.h"
#include "util/embedded_no_files.h"
#include "util/embedded_test_files.h"
#include "util/file.h"

namespace seedtune {
namespace {

TEST(EmbedTest, HoldsTheFilesByteForByte) {
  std::set<std::string> names;
  for (const EmbeddedFile& file : EmbeddedTestFiles()) {
    SCOPED_TRACE(file.path);
    EXPECT_THAT(ReadFile(file.path), IsOkAndHolds(file.contents));
    EXPECT_EQ(*(file.contents.data() + file.contents.size()), '\0');
    EXPECT_TRUE(names.insert(std::string(file.name)).second);
  }
  EXPECT_THAT(names, ::testing::ElementsAre("large", "small"));
}

TEST(EmbedTest, TakesNoFilesAtAll) { EXPECT_TRUE(EmbeddedNoFiles().empty()); }

TEST(EmbedTest, SortsByName) {
  EXPECT_EQ(EmbeddedTestFiles()[0].name, "large");
  EXPECT_GT(EmbeddedTestFiles()[0].contents.size(), 200000u);
}

}  // namespace
}  // namespace seedtune

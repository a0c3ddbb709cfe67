#include "util/string_view.h"

#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(StringViewTest, ViewsTheSameBytes) {
  const std::string text("a\0b", 3);
  const absl::string_view there = ToAbsl(text);
  EXPECT_EQ(there.data(), text.data());
  EXPECT_EQ(there.size(), 3u);
  const std::string_view back = ToStd(there);
  EXPECT_EQ(back.data(), text.data());
  EXPECT_EQ(back.size(), 3u);
}

TEST(StringViewTest, GoesIntoStrCat) {
  EXPECT_EQ(absl::StrCat("a", ToAbsl(std::string_view("bc").substr(1))), "ac");
}

}  // namespace
}  // namespace seedtune

#include "util/edit_distance.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

TEST(EditDistanceTest, CountsEdits) {
  const struct {
    const char *a, *b;
    int distance;
  } kCases[] = {
      {"", "", 0},         {"", "abc", 3},      {"abc", "abc", 0},
      {"abc", "ABC", 0},   {"naem", "name", 1}, {"kitten", "sitting", 3},
      {"bf61", "bf16", 1}, {"abcd", "acd", 1},  {"ca", "abc", 3},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.a) + " " + c.b);
    EXPECT_EQ(EditDistance(c.a, c.b), c.distance);
    EXPECT_EQ(EditDistance(c.b, c.a), c.distance);
  }
}

TEST(NearestNameTest, FindsWhatWasMeant) {
  const std::vector<std::string> known = {"num_warps", "num_stages", "block_size[m]", "BF16"};
  EXPECT_EQ(NearestName("num_warpz", known), "num_warps");
  EXPECT_EQ(NearestName("num_stage", known), "num_stages");
  EXPECT_EQ(NearestName("block_size(m)", known), "block_size[m]");
  EXPECT_EQ(NearestName("bf16", known), "BF16");
}

TEST(NearestNameTest, SaysNothingWhenNothingIsNear) {
  const std::vector<std::string> known = {"cpu", "cuda", "m"};
  EXPECT_EQ(NearestName("triton", known), std::nullopt);
  EXPECT_EQ(NearestName("x", known), std::nullopt);
  EXPECT_EQ(NearestName("", known), std::nullopt);
  EXPECT_EQ(NearestName(std::string(100000, 'c'), known), std::nullopt);
  EXPECT_EQ(NearestName("cpu", std::vector<std::string>{}), std::nullopt);
}

TEST(NearestNameTest, PrefersTheNearerThenTheFirst) {
  const std::vector<std::string_view> known = {"abcdef", "abcdeg", "abcdxx"};
  EXPECT_EQ(NearestName("abcdeg", known), "abcdeg");
  EXPECT_EQ(NearestName("abcdez", known), "abcdef");
}

}  // namespace
}  // namespace seedtune

#include "config/json_text.h"

#include <string>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JsonTextTest, KeepsSpellingAndOrder) {
  ASSERT_OK_AND_ASSIGN(
      const JsonValue json,
      ParseJson(R"({"b": 3.9761919975280760, "a": [1, -2, 1e-5, true, null, "x\n\u00e9"]})"));
  EXPECT_TRUE(json.is_object());
  EXPECT_THAT(json.keys, ElementsAre("b", "a"));
  EXPECT_EQ(json.Find("b")->text, "3.9761919975280760");
  const JsonValue& list = *json.Find("a");
  ASSERT_EQ(list.members.size(), 6u);
  EXPECT_EQ(list.members[0].text, "1");
  EXPECT_EQ(list.members[1].text, "-2");
  EXPECT_EQ(list.members[2].text, "1e-5");
  EXPECT_TRUE(list.members[3].boolean);
  EXPECT_EQ(list.members[4].kind, JsonValue::Kind::kNull);
  EXPECT_EQ(list.members[5].text, "x\n\xc3\xa9");
  EXPECT_EQ(json.Find("c"), nullptr);
  EXPECT_EQ(list.Find("b"), nullptr);
}

TEST(JsonTextTest, ReadsWhatPythonWritesOfNumbersThatAreNone) {
  ASSERT_OK_AND_ASSIGN(const JsonValue json,
                       ParseJson(R"([NaN, Infinity, -Infinity, "NaN", "\"NaN"])"));
  ASSERT_EQ(json.members.size(), 5u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(json.members[i].kind, JsonValue::Kind::kNull);
  EXPECT_EQ(json.members[3].text, "NaN");
  EXPECT_EQ(json.members[4].text, "\"NaN");
}

TEST(JsonTextTest, SaysWhereItIsWrong) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {"", "line 1, column 1: not JSON, the text ends too early"},
      {"{\n  \"a\": }", "line 2, column 8: not JSON, found"},
      {"[1, 2", "the text ends too early"},
      {"[1] 2", "line 1, column 5: not JSON"},
      {"[NaN, nan]", "not JSON"},
      {"\"\xff\"", "not JSON"},
      {std::string(65, '['), "nested deeper than 64 levels"},
      {std::string(100'000, '['), "nested deeper than 64 levels"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text.substr(0, 80));
    EXPECT_THAT(ParseJson(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(JsonTextTest, DescribesInOneShortLine) {
  ASSERT_OK_AND_ASSIGN(const JsonValue json,
                       ParseJson("[\"" + std::string(200, 'x') + "\", \"a\\nb\", {}, [], 12]"));
  EXPECT_LT(json.members[0].Describe().size(), 60u);
  EXPECT_EQ(json.members[1].Describe(), "\"a?b\"");
  EXPECT_EQ(json.members[2].Describe(), "an object");
  EXPECT_EQ(json.members[3].Describe(), "an array");
  EXPECT_EQ(json.members[4].Describe(), "12");
}

}  // namespace
}  // namespace seedtune

#include "config/config_io.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config.pb.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

PartialConfig EveryKind() {
  PartialConfig partial;
  partial.Set("block_size[m]", 64)
      .Set("large", std::numeric_limits<int64_t>::max())
      .Set("small", std::numeric_limits<int64_t>::min())
      .Set("off", false)
      .Set("on", true)
      .Set("order", std::vector<int>{2, 0, 1})
      .Set("none", std::vector<int>{})
      .Set("pid_type", "flat")
      .Set("quoted \"\\\n\x01\x7f", "\xc3\xa9");
  return partial;
}

TEST(ConfigIoTest, JsonReadsBackAsTheSame) {
  const std::string json = PartialConfigToJson(EveryKind());
  EXPECT_THAT(PartialConfigFromJson(json), IsOkAndHolds(EveryKind()));
  EXPECT_THAT(json, HasSubstr(R"("block_size[m]":64,)"));
  EXPECT_EQ(PartialConfigToJson(PartialConfig()), "{}");
  EXPECT_THAT(PartialConfigFromJson("{}"), IsOkAndHolds(PartialConfig()));
}

TEST(ConfigIoTest, JsonMayHaveSpaceAndEscapes) {
  PartialConfig wanted;
  wanted.Set("a/b", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\b\f\n\r\t").Set("n", 0);
  EXPECT_THAT(
      PartialConfigFromJson(
          " { \"a\\/b\" :\t\"\\u00e9\\u20AC\\ud83d\\ude00\\b\\f\\n\\r\\t\" ,\r\n\"n\":-0 } "),
      IsOkAndHolds(wanted));
}

TEST(ConfigIoTest, JsonErrorsNamePlaceAndFault) {
  const struct {
    const char* json;
    const char* error;
  } kCases[] = {
      {"", "offset 0: the end, want a configuration: an object"},
      {"[]", "offset 0: '[', want a configuration: an object"},
      {"{", "offset 1: the end, want a knob's name in quotes"},
      {"{a:1}", "offset 1: 'a', want a knob's name in quotes"},
      {"{\"a\"}", "offset 4: '}', want ':' after the knob's name"},
      {"{\"a\":}", "offset 5: '}', want an integer, true, false"},
      {"{\"a\":null}", "offset 5: 'n', want an integer, true, false"},
      {"{\"a\":1.5}", "offset 5: a number with a fraction or an exponent"},
      {"{\"a\":1e5}", "offset 5: a number with a fraction or an exponent"},
      {"{\"a\":-}", "offset 5: '-', want an integer"},
      {"{\"a\":007}", "offset 5: an integer with a leading zero"},
      {"{\"a\":9223372036854775808}", "offset 5: an integer that does not fit into 64 bits"},
      {"{\"a\":1 \"b\":2}", "offset 7: '\"', want ',' or '}'"},
      {"{\"a\":1,}", "offset 7: '}', want a knob's name"},
      {"{\"a\":1}x", "offset 7: 'x', want the end"},
      {"{\"a\":1,\"a\":2}", "offset 7: \"a\" a second time"},
      {"{\"\":1}", "offset 1: an empty name"},
      {"{\"a\":[1,-2]}", "offset 8: -2 in an array, want an index"},
      {"{\"a\":[1,4294967296]}", "offset 8: 4294967296 in an array"},
      {"{\"a\":[1", "offset 7: the end, want ',' or ']'"},
      {"{\"a\":[\"b\"]}", "offset 6: '\"', want an integer"},
      {"{\"a\":{}}", "offset 5: '{', want an integer"},
      {"{\"a", "offset 3: the end within a string"},
      {"{\"a\n\":1}", "offset 3: byte 0x0a within a string"},
      {"{\"\\q\":1}", "offset 2: an unknown escape"},
      {"{\"\\", "offset 3: the end within a string"},
      {"{\"\\u12g4\":1}", "offset 4: want four hexadecimal digits"},
      {"{\"\\u12", "offset 4: want four hexadecimal digits"},
      {"{\"\\ud800\":1}", "offset 2: half of a surrogate pair"},
      {"{\"\\udc00\":1}", "offset 2: half of a surrogate pair"},
      {"{\"\\ud800\\u0041\":1}", "offset 2: half of a surrogate pair"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.json);
    EXPECT_THAT(PartialConfigFromJson(c.json),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(ConfigIoTest, ProtoReadsBackAsTheSame) {
  EXPECT_THAT(PartialConfigFromProto(PartialConfigToProto(EveryKind())), IsOkAndHolds(EveryKind()));
}

TEST(ConfigIoTest, ProtoReadsAsTextproto) {
  ConfigProto proto;
  ASSERT_THAT(ParseTextProto("knob { name: \"block_size[m]\" int_value: 64 } "
                             "knob { name: \"pack[lhs]\" bool_value: false } "
                             "knob { name: \"pid_type\" enum_value: \"flat\" } "
                             "knob { name: \"order\" permutation_value { index: 1 index: 0 } }",
                             "test.textproto", &proto),
              IsOk());
  PartialConfig wanted;
  wanted.Set("block_size[m]", 64).Set("pack[lhs]", false).Set("pid_type", "flat");
  wanted.Set("order", std::vector<int>{1, 0});
  EXPECT_THAT(PartialConfigFromProto(proto), IsOkAndHolds(wanted));
}

TEST(ConfigIoTest, ProtoErrorsNamePlaceAndFault) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"knob { int_value: 1 }", "knob[0]: no name"},
      {"knob { name: \"a\" int_value: 1 } knob { name: \"b\" }", "knob[1]: \"b\" has no value"},
      {"knob { name: \"a\" int_value: 1 } knob { name: \"a\" int_value: 1 }",
       "knob[1]: \"a\" a second time"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ConfigProto proto;
    ASSERT_THAT(ParseTextProto(c.text, "test.textproto", &proto), IsOk());
    EXPECT_THAT(PartialConfigFromProto(proto),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

}  // namespace
}  // namespace seedtune

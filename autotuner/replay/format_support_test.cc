#include "autotuner/replay/format_support.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/json_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ScaleDecimalTest, RoundsOnce) {
  EXPECT_THAT(ScaleDecimal("3.2", 6), IsOkAndHolds(3'200'000.0));
  EXPECT_THAT(ScaleDecimal("0.1", 6), IsOkAndHolds(100'000.0));
  EXPECT_THAT(ScaleDecimal("-2.5E-3", 3), IsOkAndHolds(-2.5));
  EXPECT_THAT(ScaleDecimal("1e2", -6), IsOkAndHolds(1e-4));
  // 1.0000000000000002 * 10^6 rounds to what this is not.
  EXPECT_THAT(ScaleDecimal("1.0000000000000002", 6), IsOkAndHolds(1000000.0000000002));
}

TEST(ScaleDecimalTest, RejectsWhatIsNoFiniteNumber) {
  for (const char* text : {"", "x", "1e", "1e999", "nan", "inf", "0x10", "1e99999999999", "1 2"}) {
    SCOPED_TRACE(text);
    EXPECT_THAT(ScaleDecimal(text, 6), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

TEST(FormatDecimalTest, WritesForPeople) {
  EXPECT_EQ(FormatDecimal(3'200'000, -6), "3.2");
  EXPECT_EQ(FormatDecimal(0, -6), "0");
  EXPECT_EQ(FormatDecimal(1, -6), "1e-6");
  EXPECT_EQ(FormatDecimal(12, -6), "0.000012");
  EXPECT_EQ(FormatDecimal(-5e9, -6), "-5000");
  EXPECT_EQ(FormatDecimal(1e300, -6), "1e294");
  EXPECT_EQ(FormatDecimal(1234.5, 0), "1234.5");
}

TEST(FormatDecimalTest, IsReadBackToTheLastBit) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    double value = 0;
    if (i % 2 == 0) {
      const uint64_t bits = random();
      std::memcpy(&value, &bits, sizeof(value));
      if (!(value > -1e290 && value < 1e290) || (value > -1e-290 && value < 1e-290)) continue;
    } else {
      value = static_cast<double>(random() % 10'000'000'000u) / 64;
    }
    const std::string text = FormatDecimal(value, -6);
    ASSERT_THAT(ScaleDecimal(text, 6), IsOkAndHolds(value)) << text;
    ASSERT_TRUE(ParseJson(text).ok()) << text;
  }
}

TEST(ReadCostTest, IsZeroWhereThereIsNone) {
  const struct {
    const char* json;
    double want;
  } kCases[] = {{"2.5", 2.5e6}, {"[1, 2, null, 3]", 6e6}, {"null", 0}, {"\"x\"", 0},
                {"-1", 0},      {"[1, -2]", 1e6},         {"[]", 0},   {"{}", 0},
                {"true", 0}};
  EXPECT_EQ(ReadCost(nullptr, 6), 0);
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.json);
    ASSERT_OK_AND_ASSIGN(const JsonValue json, ParseJson(c.json));
    EXPECT_EQ(ReadCost(&json, 6), c.want);
  }
}

TEST(ReadSamplesTest, TakesNumbersAboveZero) {
  ASSERT_OK_AND_ASSIGN(const JsonValue json, ParseJson("[1.5, 0, -2, null, \"x\", [3], 4]"));
  EXPECT_THAT(ReadSamples(&json, 0), ElementsAre(1.5, 4));
  EXPECT_THAT(ReadSamples(nullptr, 0), IsEmpty());
  EXPECT_THAT(ReadSamples(&json.members[0], 0), IsEmpty());
}

}  // namespace
}  // namespace seedtune

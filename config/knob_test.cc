#include "config/knob.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<int64_t> Numerics(const Knob& knob) {
  std::vector<int64_t> numerics;
  for (int i = 0; i < knob.num_choices(); ++i) numerics.push_back(knob.numeric(i));
  return numerics;
}

TEST(KnobTest, ListsPowersOfTwo) {
  ASSERT_OK_AND_ASSIGN(const Knob knob, Knob::PowerOfTwo("warps", 1, 8, 4));
  EXPECT_THAT(Numerics(knob), ElementsAre(1, 2, 4, 8));
  EXPECT_EQ(knob.default_choice(), 2);
  EXPECT_TRUE(knob.is_ordered());
  ASSERT_OK_AND_ASSIGN(const Knob largest, Knob::PowerOfTwo("large", int64_t{1} << 61,
                                                            int64_t{1} << 62, int64_t{1} << 61));
  EXPECT_EQ(largest.num_choices(), 2);
}

TEST(KnobTest, ListsIntegersInSteps) {
  ASSERT_OK_AND_ASSIGN(const Knob knob, Knob::Integer("distance", -4, 9, 4, 0));
  EXPECT_THAT(Numerics(knob), ElementsAre(-4, 0, 4, 8));
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  ASSERT_OK_AND_ASSIGN(const Knob extreme, Knob::Integer("extreme", kMin, kMax, kMax, kMin));
  EXPECT_THAT(Numerics(extreme), ElementsAre(kMin, -1, kMax - 1));
}

TEST(KnobTest, ConstraintsSeeTheIndexOfAnEnumsChoice) {
  ASSERT_OK_AND_ASSIGN(const Knob knob, Knob::Enum("pid", {"flat", "xyz"}, "xyz"));
  EXPECT_THAT(Numerics(knob), ElementsAre(0, 1));
  EXPECT_EQ(knob.default_choice(), 1);
  EXPECT_FALSE(knob.is_ordered());
}

TEST(KnobTest, ListsPermutationsIdentityFirst) {
  ASSERT_OK_AND_ASSIGN(const Knob knob, Knob::Permutation("order", 3));
  EXPECT_EQ(knob.num_choices(), 6);
  EXPECT_EQ(knob.default_choice(), 0);
  EXPECT_EQ(knob.choice(0), KnobValue(std::vector<int>{0, 1, 2}));
  EXPECT_THAT(knob.Find(std::vector<int>{2, 0, 1}), IsOkAndHolds(4));
}

TEST(KnobTest, RejectsWhatIsNoKnob) {
  const struct {
    const char* name;
    absl::StatusOr<Knob> knob;
    const char* error;
  } kCases[] = {
      {"no name", Knob::Boolean("", false), "the name is empty"},
      {"no power", Knob::PowerOfTwo("p", 3, 8, 8), "p: the bounds are 3 and 8, want powers of two"},
      {"zero", Knob::PowerOfTwo("p", 0, 8, 8), "p: the bounds are 0 and 8"},
      {"empty powers", Knob::PowerOfTwo("p", 16, 8, 8), "p: the range is 16 to 8, empty"},
      {"default no power", Knob::PowerOfTwo("p", 1, 8, 3),
       "p: the default is 3, want a power of two from 1 to 8"},
      {"no step", Knob::Integer("i", 0, 8, 0, 0), "i: the step is 0, want at least 1"},
      {"empty integers", Knob::Integer("i", 9, 8, 1, 8), "i: the range is 9 to 8, empty"},
      {"too many", Knob::Integer("i", 0, 65535, 1, 0), "more than 65535 choices"},
      {"far too many",
       Knob::Integer("i", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                     1, 0),
       "more than 65535 choices"},
      {"no values", Knob::IntegerChoice("c", {}, 1), "c: no choices"},
      {"not ascending", Knob::IntegerChoice("c", {1, 3, 3}, 1), "want values strictly ascending"},
      {"no names", Knob::Enum("e", {}, "a"), "e: no choices"},
      {"a name twice", Knob::Enum("e", {"a", "b", "a"}, "a"), "e: \"a\" is listed twice"},
      {"unknown default", Knob::Enum("e", {"a", "b"}, "c"), "the default is \"c\""},
      {"no permutation", Knob::Permutation("o", 0), "a permutation of 0, want 1 to 6"},
      {"long permutation", Knob::Permutation("o", 7), "a permutation of 7, want 1 to 6"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(c.knob, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  EXPECT_THAT(Knob::Integer("i", 0, 65534, 1, 0), IsOk());
}

TEST(KnobTest, FindsChoicesOfItsOwnTypeOnly) {
  ASSERT_OK_AND_ASSIGN(const Knob integer, Knob::IntegerChoice("mr", {4, 6, 8}, 6));
  ASSERT_OK_AND_ASSIGN(const Knob boolean, Knob::Boolean("pack", false));
  EXPECT_THAT(integer.Find(int64_t{8}), IsOkAndHolds(2));
  EXPECT_THAT(integer.Find(int64_t{5}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "mr is 5, want an integer from 4 to 8 in steps of 2"));
  EXPECT_THAT(integer.Find(true),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is true")));
  EXPECT_THAT(boolean.Find(true), IsOkAndHolds(1));
  EXPECT_THAT(boolean.Find(int64_t{1}), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(boolean.Find(std::string("true")), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(KnobTest, FindsTheNearestChoice) {
  ASSERT_OK_AND_ASSIGN(const Knob power, Knob::PowerOfTwo("block", 16, 256, 16));
  const std::pair<int64_t, int64_t> kPowers[] = {
      {-5, 16}, {0, 16},  {16, 16}, {22, 16},   {23, 32},
      {45, 32}, {46, 64}, {48, 64}, {300, 256}, {std::numeric_limits<int64_t>::max(), 256}};
  for (const auto& [value, nearest] : kPowers) {
    SCOPED_TRACE(value);
    ASSERT_OK_AND_ASSIGN(const int choice, power.FindNearest(value));
    EXPECT_EQ(power.numeric(choice), nearest);
  }
  ASSERT_OK_AND_ASSIGN(const Knob integer, Knob::IntegerChoice("mr", {-2, 4, 6, 14}, 6));
  const std::pair<int64_t, int64_t> kIntegers[] = {{std::numeric_limits<int64_t>::min(), -2},
                                                   {1, -2},
                                                   {2, 4},
                                                   {5, 4},
                                                   {10, 6},
                                                   {11, 14},
                                                   {99, 14}};
  for (const auto& [value, nearest] : kIntegers) {
    SCOPED_TRACE(value);
    ASSERT_OK_AND_ASSIGN(const int choice, integer.FindNearest(value));
    EXPECT_EQ(integer.numeric(choice), nearest);
  }
}

TEST(KnobTest, NothingIsNearToANameOrAnotherType) {
  ASSERT_OK_AND_ASSIGN(const Knob pid, Knob::Enum("pid", {"flat", "xyz"}, "flat"));
  ASSERT_OK_AND_ASSIGN(const Knob power, Knob::PowerOfTwo("block", 16, 256, 16));
  EXPECT_THAT(pid.FindNearest(std::string("fla")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "pid is \"fla\", want one of \"flat\", \"xyz\""));
  EXPECT_THAT(power.FindNearest(std::string("16")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is \"16\"")));
}

TEST(KnobTest, KeepsSomeOfItsChoices) {
  ASSERT_OK_AND_ASSIGN(const Knob warps, Knob::PowerOfTwo("warps", 1, 16, 8));
  ASSERT_OK_AND_ASSIGN(const Knob run,
                       warps.Keeping({KnobValue(int64_t{4}), KnobValue(int64_t{2})}));
  EXPECT_THAT(Numerics(run), ElementsAre(2, 4));
  EXPECT_EQ(run.kind(), KnobKind::kPowerOfTwo);
  EXPECT_EQ(run.default_choice(), 1) << "4 is nearest to 8";
  ASSERT_OK_AND_ASSIGN(const Knob gaps,
                       warps.Keeping({KnobValue(int64_t{1}), KnobValue(int64_t{8})}));
  EXPECT_EQ(gaps.kind(), KnobKind::kInteger);
  EXPECT_EQ(gaps.DescribeChoices(), "one of 1, 8");

  ASSERT_OK_AND_ASSIGN(const Knob family, Knob::Enum("family", {"mma", "simt", "wgmma"}, "simt"));
  ASSERT_OK_AND_ASSIGN(const Knob two, family.Keeping({KnobValue(std::string("wgmma")),
                                                       KnobValue(std::string("mma"))}));
  EXPECT_THAT(Numerics(two), ElementsAre(0, 2)) << "constraints see what they saw";
  EXPECT_EQ(two.default_choice(), 0);
  EXPECT_EQ(two.Find(KnobValue(std::string("wgmma"))).value_or(-1), 1);

  ASSERT_OK_AND_ASSIGN(const Knob pack, Knob::Boolean("pack", false));
  ASSERT_OK_AND_ASSIGN(const Knob always, pack.Keeping({KnobValue(true)}));
  EXPECT_EQ(always.DescribeChoices(), "true");
  EXPECT_THAT(Numerics(always), ElementsAre(1));
}

TEST(KnobTest, DescribesItsChoices) {
  EXPECT_EQ(Knob::PowerOfTwo("p", 1, 8, 1)->DescribeChoices(), "a power of two from 1 to 8");
  EXPECT_EQ(Knob::PowerOfTwo("p", 8, 8, 8)->DescribeChoices(), "8");
  EXPECT_EQ(Knob::Integer("i", 0, 9, 1, 0)->DescribeChoices(), "an integer from 0 to 9");
  EXPECT_EQ(Knob::IntegerChoice("i", {6, 8, 12}, 6)->DescribeChoices(), "one of 6, 8, 12");
  EXPECT_EQ(Knob::IntegerChoice("i", {6, 8}, 6)->DescribeChoices(), "one of 6, 8");
  EXPECT_EQ(Knob::Boolean("b", false)->DescribeChoices(), "true or false");
  EXPECT_EQ(Knob::Permutation("o", 3)->DescribeChoices(), "a permutation of 0 to 2");
  std::vector<int64_t> squares;
  for (int64_t i = 0; i < 40; ++i) squares.push_back(i * i);
  EXPECT_EQ(Knob::IntegerChoice("i", squares, 0)->DescribeChoices(),
            "one of 40 integers from 0 to 1521");
}

TEST(KnobTest, PrintsValues) {
  EXPECT_EQ(KnobValueToString(int64_t{-64}), "-64");
  EXPECT_EQ(KnobValueToString(true), "true");
  EXPECT_EQ(KnobValueToString(std::string("flat")), "\"flat\"");
  EXPECT_EQ(KnobValueToString(std::vector<int>{1, 0}), "[1, 0]");
}

TEST(PartialConfigTest, SetKeepsTheTypeOfWhatIsGiven) {
  PartialConfig partial;
  partial.Set("int", 1).Set("wide", int64_t{1} << 40).Set("bool", true).Set("enum", "a");
  partial.Set("string", std::string("b")).Set("order", std::vector<int>{1, 0});
  EXPECT_EQ(partial.values["int"], KnobValue(int64_t{1}));
  EXPECT_EQ(partial.values["wide"], KnobValue(int64_t{1} << 40));
  EXPECT_EQ(partial.values["bool"], KnobValue(true));
  EXPECT_EQ(partial.values["enum"], KnobValue(std::string("a")));
  EXPECT_EQ(partial.values["string"], KnobValue(std::string("b")));
  EXPECT_EQ(partial.values["order"], KnobValue(std::vector<int>{1, 0}));
  partial.Set("int", 2);
  EXPECT_EQ(partial.values["int"], KnobValue(int64_t{2}));
}

}  // namespace
}  // namespace seedtune

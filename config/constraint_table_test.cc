#include "config/constraint_table.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Optional;
using ::testing::StrEq;

TabulatedKnob Numbers(std::string name, std::vector<int64_t> values) {
  TabulatedKnob knob{std::move(name), values, {}, /*is_ordered=*/true};
  for (const int64_t value : values) knob.spelling.push_back(absl::StrCat(value));
  return knob;
}

Constraint Holds(std::vector<std::string> knobs,
                 std::function<bool(std::span<const int64_t>)> holds) {
  return {"in_cxx", "", std::move(knobs), std::move(holds)};
}

TEST(ConstraintTableTest, SaysWhatIsLetThrough) {
  const std::vector<TabulatedKnob> x = {Numbers("x", {1, 2, 3, 4, 5, 6})};
  const struct {
    std::function<bool(int64_t)> holds;
    const char* text;
  } kCases[] = {
      {[](int64_t v) { return v <= 3; }, "x <= 3"},
      {[](int64_t v) { return v >= 3; }, "x >= 3"},
      {[](int64_t v) { return v > 1; }, "x >= 2"},
      {[](int64_t v) { return v > 1 && v < 5; }, "2 <= x <= 4"},
      {[](int64_t v) { return v == 5; }, "x == 5"},
      {[](int64_t v) { return v != 5; }, "x != 5"},
      {[](int64_t v) { return v % 2 == 0; }, "x in [2, 4, 6]"},
      {[](int64_t) { return true; }, "True"},
      {[](int64_t) { return false; }, "False"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(TabulateConstraint(
                    Holds({"x"}, [&](std::span<const int64_t> v) { return c.holds(v[0]); }), x),
                Optional(StrEq(c.text)));
  }
}

TEST(ConstraintTableTest, SaysTheSameOfSeveralChoicesOnce) {
  const std::vector<TabulatedKnob> knobs = {Numbers("threads", {1, 2, 4, 8}),
                                            {"split", {0, 1, 2}, {"'m'", "'n'", "'k'"}, false}};
  EXPECT_THAT(TabulateConstraint(Holds({"threads", "split"},
                                       [](std::span<const int64_t> v) {
                                         return v[0] > 1 ? v[1] != 2 : v[1] == 0;
                                       }),
                                 knobs),
              Optional(StrEq("split == 'm' or split == 'n' and threads >= 2")));
}

TEST(ConstraintTableTest, DeclinesWhatIsTooLarge) {
  std::vector<int64_t> many;
  for (int64_t i = 0; i < 600; ++i) many.push_back(i);
  const std::vector<TabulatedKnob> knobs = {Numbers("x", many), Numbers("y", many)};
  EXPECT_EQ(TabulateConstraint(
                Holds({"x", "y"}, [](std::span<const int64_t> v) { return v[0] < v[1]; }), knobs),
            std::nullopt);
  // No shape in it that an expression could use.
  const std::vector<TabulatedKnob> fewer = {Numbers("x", {many.begin(), many.begin() + 400}),
                                            Numbers("y", {many.begin(), many.begin() + 400})};
  EXPECT_EQ(TabulateConstraint(Holds({"x", "y"},
                                     [](std::span<const int64_t> v) {
                                       return (v[0] * 7919 ^ v[1] * 104729) % 3 != 0;
                                     }),
                               fewer),
            std::nullopt);
}

// Over generated spaces: what is read back from the text allows what the C++ allowed.
TEST(ConstraintTableTest, TextMeansWhatTheCodeMeans) {
  std::mt19937_64 random(7);
  const auto below = [&](int64_t n) { return static_cast<int64_t>(random() % n); };
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    ConfigSpace::Options options;
    options.name = "generated";
    ASSERT_OK_AND_ASSIGN(Knob a, Knob::PowerOfTwo("a[m]", 1, int64_t{1} << below(6), 1));
    ASSERT_OK_AND_ASSIGN(Knob b, Knob::Integer("b", 2, 2 + 3 * below(6), 3, 2));
    ASSERT_OK_AND_ASSIGN(Knob c, Knob::Enum("c", {"it's", "0.5", "kmn", ""}, "kmn"));
    ASSERT_OK_AND_ASSIGN(Knob d, Knob::Boolean("d", true));
    ASSERT_OK_AND_ASSIGN(Knob e, Knob::Permutation("e", 3));
    options.knobs = {a, b, c, d, e};
    const std::vector<std::string> names = {"a[m]", "b", "c", "d", "e"};
    for (int64_t n = 1 + below(3); n > 0; --n) {
      std::vector<std::string> reads = names;
      std::shuffle(reads.begin(), reads.end(), random);
      reads.resize(1 + below(4));
      const int64_t factor = 1 + below(1000), modulus = 2 + below(5);
      options.constraints.push_back(Holds(reads, [=](std::span<const int64_t> v) {
        int64_t sum = 0;
        for (const int64_t value : v) sum = sum * factor + value;
        return sum % modulus != 1;
      }));
      options.constraints.back().name = absl::StrCat("in_cxx_", n);
    }
    const auto space = ConfigSpace::Create(std::move(options));
    if (!space.ok()) continue;  // nothing is valid
    std::vector<std::string> left_out;
    ASSERT_OK_AND_ASSIGN(const T1Space t1, ReadT1(WriteT1(MakeT1(**space, &left_out))));
    EXPECT_THAT(left_out, ::testing::IsEmpty());
    ASSERT_OK_AND_ASSIGN(const auto again, MakeConfigSpace(t1));
    ASSERT_EQ(again->NumValid(), (*space)->NumValid());
    for (absl::uint128 i = 0; i < again->NumValid(); ++i) {
      ASSERT_TRUE((*space)->IsValid(again->At(i).choices()));
    }
  }
}

}  // namespace
}  // namespace seedtune

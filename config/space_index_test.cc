#include "config/space_index.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Knobs a0, a1, ... of that many choices each.
std::vector<Knob> Knobs(const std::vector<int>& choices) {
  std::vector<Knob> knobs;
  for (const int count : choices) {
    knobs.push_back(*Knob::Integer(absl::StrCat("a", knobs.size()), 0, count - 1, 1, 0));
  }
  return knobs;
}

Constraint Holding(bool (*holds)(std::span<const int64_t>)) { return {"test", "", {}, holds}; }

TEST(SpaceIndexTest, ArithmeticSaturates) {
  const absl::uint128 max = absl::Uint128Max();
  EXPECT_EQ(SaturatingAdd(max - 1, 1), max);
  EXPECT_EQ(SaturatingAdd(max - 1, 2), max);
  EXPECT_EQ(SaturatingAdd(max, max), max);
  EXPECT_EQ(SaturatingAdd(3, 4), 7);
  EXPECT_EQ(SaturatingMultiply(max, 0), 0);
  EXPECT_EQ(SaturatingMultiply(absl::uint128(1) << 64, absl::uint128(1) << 64), max);
  EXPECT_EQ(SaturatingMultiply(absl::uint128(1) << 64, absl::uint128(1) << 63), absl::uint128(1)
                                                                                    << 127);
  EXPECT_EQ(SaturatingMultiply(max / 3, 3), max / 3 * 3);
  EXPECT_EQ(SaturatingMultiply(max, max), max);
}

TEST(SpaceIndexTest, FreeSlotsStoreNothing) {
  const std::vector<Knob> knobs = Knobs(std::vector<int>(12, 1000));
  ASSERT_OK_AND_ASSIGN(const SpaceIndex index, SpaceIndex::Build(knobs, {}, {}));
  EXPECT_EQ(index.num_edges(), 0);
  absl::uint128 count = 1;
  for (int i = 0; i < 12; ++i) count *= 1000;
  EXPECT_EQ(index.count(), count);
}

TEST(SpaceIndexTest, AlikeSubtreesAreStoredOnce) {
  // A chain of which each link reads two neighbours: a tree has 10 * 3^19 leaves or so, the graph
  // 30 edges a level.
  const std::vector<Knob> knobs = Knobs(std::vector<int>(20, 10));
  const Constraint near =
      Holding([](std::span<const int64_t> v) { return v[0] - v[1] <= 1 && v[1] - v[0] <= 1; });
  std::vector<SpaceIndex::BoundConstraint> constraints;
  for (int i = 1; i < 20; ++i) constraints.push_back({&near, {i - 1, i}});
  ASSERT_OK_AND_ASSIGN(const SpaceIndex index, SpaceIndex::Build(knobs, constraints, {}));
  EXPECT_LE(index.num_edges(), 20 * 30);
  // Paths of 19 steps on a line of 10, by adding up.
  std::vector<uint64_t> paths(10, 1);
  for (int step = 1; step < 20; ++step) {
    std::vector<uint64_t> next(10, 0);
    for (int i = 0; i < 10; ++i) {
      for (int j = std::max(0, i - 1); j <= std::min(9, i + 1); ++j) next[j] += paths[i];
    }
    paths = next;
  }
  uint64_t sum = 0;
  for (const uint64_t count : paths) sum += count;
  EXPECT_EQ(index.count(), sum);
}

TEST(SpaceIndexTest, SubtreesThatTurnOutAlikeAreMerged) {
  // The function is opaque, so a0 is live all the way; that only its parity counts shows in the
  // subtrees.
  const std::vector<Knob> knobs = Knobs({1000, 50});
  const Constraint parity =
      Holding([](std::span<const int64_t> v) { return v[0] % 2 == v[1] % 2; });
  const std::vector<SpaceIndex::BoundConstraint> constraints = {{&parity, {0, 1}}};
  ASSERT_OK_AND_ASSIGN(const SpaceIndex index, SpaceIndex::Build(knobs, constraints, {}));
  EXPECT_EQ(index.count(), 1000 * 25);
  // Two subtrees instead of a thousand (or of fifty, with the levels the other way round).
  EXPECT_LE(index.num_edges(), 1000 + 2 * 25);
}

TEST(SpaceIndexTest, EarlyConstraintsKeepLargeProductsCheap) {
  // Eight pairs, each tied within itself, all tied by one sum: 32^16 combinations.
  const std::vector<Knob> knobs = Knobs(std::vector<int>(16, 32));
  const Constraint equal = Holding([](std::span<const int64_t> v) { return v[0] == v[1]; });
  std::vector<SpaceIndex::BoundConstraint> constraints;
  for (int i = 0; i < 16; i += 2) constraints.push_back({&equal, {i, i + 1}});
  const Constraint first_and_last =
      Holding([](std::span<const int64_t> v) { return v[0] + v[1] <= 31; });
  for (int i = 2; i < 16; i += 2) constraints.push_back({&first_and_last, {i - 2, i}});
  ASSERT_OK_AND_ASSIGN(const SpaceIndex index,
                       SpaceIndex::Build(knobs, constraints, {.max_edges = 20'000}));
  std::vector<uint16_t> choices(16);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    index.Sample(random, choices);
    for (int j = 0; j < 16; j += 2) EXPECT_EQ(choices[j], choices[j + 1]);
    for (int j = 2; j < 16; j += 2) EXPECT_LE(choices[j - 2] + choices[j], 31);
  }
}

TEST(SpaceIndexTest, GivesUpOnWorkThatLeadsToLittle) {
  const std::vector<Knob> knobs = Knobs({5000, 5000});
  const Constraint equal = Holding([](std::span<const int64_t> v) { return v[0] == v[1]; });
  const std::vector<SpaceIndex::BoundConstraint> constraints = {{&equal, {0, 1}}};
  EXPECT_THAT(SpaceIndex::Build(knobs, constraints, {.max_tries = 1'000'000}).status(),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("a0, a1"), HasSubstr("1000000 tries"))));
  EXPECT_THAT(SpaceIndex::Build(knobs, constraints, {}).status(), IsOk());
}

TEST(SpaceIndexTest, NearestLeavesValidGroupsAlone) {
  const std::vector<Knob> knobs = Knobs({10, 10, 10, 10});
  const Constraint below = Holding([](std::span<const int64_t> v) { return v[0] < v[1]; });
  const std::vector<SpaceIndex::BoundConstraint> constraints = {{&below, {0, 1}}, {&below, {2, 3}}};
  ASSERT_OK_AND_ASSIGN(const SpaceIndex index, SpaceIndex::Build(knobs, constraints, {}));
  std::vector<uint16_t> choices = {3, 4, 7, 2};
  const std::vector<uint16_t> wanted = choices;
  // Slot 3 is dear, so slot 2 moves.
  index.Nearest(choices, [&](int slot, int choice) -> int64_t {
    return std::abs(choice - wanted[slot]) * (slot == 3 ? 100 : 1);
  });
  EXPECT_THAT(choices, ::testing::ElementsAre(3, 4, 1, 2));
}

}  // namespace
}  // namespace seedtune

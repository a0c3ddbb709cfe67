#include "tools/seed_cover.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

CoverShape SquareOf(int64_t size, std::map<std::string, double> times_ns, double untuned_ns = 200) {
  return {.kind = "f32",
          .extents = {size, size, size, 1},
          .times_ns = std::move(times_ns),
          .untuned_ns = untuned_ns};
}

TEST(CoverShapesTest, PrefersTheConfigurationThatServesMost) {
  const std::vector<CoverShape> shapes = {SquareOf(64, {{"a", 100}, {"b", 104}}),
                                          SquareOf(128, {{"b", 100}, {"c", 103}}),
                                          SquareOf(256, {{"b", 101}, {"c", 100}})};
  const std::vector<CoverRule> rules = CoverShapes(shapes, {});
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].config, "b");
  EXPECT_THAT(rules[0].shapes, ElementsAre(0, 1, 2));
  EXPECT_THAT(rules[0].least, ElementsAre(64, 64, 64, 1));
  EXPECT_THAT(rules[0].most, ElementsAre(256, 256, 256, 1));
}

TEST(CoverShapesTest, T11_OfEqualsPrefersTheFastest) {
  const std::vector<CoverShape> shapes = {SquareOf(64, {{"a", 104}, {"b", 100}})};
  ASSERT_THAT(CoverShapes(shapes, {}), SizeIs(1));
  EXPECT_EQ(CoverShapes(shapes, {})[0].config, "b");
}

TEST(CoverShapesTest, LeavesOutWhatTheDefaultDoesAsWell) {
  EXPECT_THAT(CoverShapes(std::vector{SquareOf(64, {{"a", 100}}, /*untuned_ns=*/104)}, {}),
              IsEmpty());
}

TEST(CoverShapesTest, T11_ABoxHoldsNothingThatItsConfigurationDoesNotServe) {
  const std::vector<CoverShape> shapes = {SquareOf(64, {{"a", 100}}),
                                          SquareOf(128, {{"a", 150}, {"b", 100}}),
                                          SquareOf(256, {{"a", 100}})};
  const std::vector<CoverRule> rules = CoverShapes(shapes, {});
  ASSERT_THAT(rules, SizeIs(3));
  for (const CoverRule& rule : rules) EXPECT_EQ(rule.least, rule.most);
  EXPECT_EQ(rules[1].config, "b");
}

// As well as 128 above, but needing no rule: the default is good there, and the box says otherwise.
TEST(CoverShapesTest, ABoxHoldsNoShapeWhoseDefaultIsAsGood) {
  const std::vector<CoverShape> shapes = {
      SquareOf(64, {{"a", 100}}), SquareOf(128, {{"a", 150}, {"b", 100}}, /*untuned_ns=*/100),
      SquareOf(256, {{"a", 100}})};
  EXPECT_THAT(CoverShapes(shapes, {}), SizeIs(2));
}

TEST(CoverShapesTest, NeverMixesKinds) {
  std::vector<CoverShape> shapes = {SquareOf(64, {{"a", 100}}), SquareOf(128, {{"a", 100}})};
  shapes[1].kind = "bf16";
  EXPECT_THAT(CoverShapes(shapes, {}), SizeIs(2));
}

TEST(CoverShapesTest, WritesAtMostSoManyRules) {
  const std::vector<CoverShape> shapes = {SquareOf(64, {{"a", 100}}), SquareOf(128, {{"b", 100}}),
                                          SquareOf(256, {{"b", 100}})};
  const std::vector<CoverRule> rules = CoverShapes(shapes, {.max_rules = 1});
  ASSERT_THAT(rules, SizeIs(1));
  EXPECT_EQ(rules[0].config, "b");
}

// Random measurements: whatever they are, boxes are disjoint, each shape has at most one rule, and
// each that some configuration serves has one.
TEST(CoverShapesTest, RulesAreClearAndServe) {
  uint32_t state = 1;
  const auto random = [&state](uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  for (int round = 0; round < 50; ++round) {
    std::map<std::array<int64_t, 4>, CoverShape> by_extents;
    for (int i = 0; i < 12; ++i) {
      CoverShape shape;
      shape.kind = "f32";
      for (int64_t& extent : shape.extents) extent = 1 + random(4);
      for (const char* config : {"a", "b", "c"}) shape.times_ns[config] = 100 + random(10);
      shape.untuned_ns = 100 + random(20);
      by_extents[shape.extents] = shape;
    }
    std::vector<CoverShape> shapes;
    for (const auto& [extents, shape] : by_extents) shapes.push_back(shape);
    const std::vector<CoverRule> rules = CoverShapes(shapes, {});
    std::vector<int> served(shapes.size(), 0);
    for (size_t r = 0; r < rules.size(); ++r) {
      for (const size_t i : rules[r].shapes) {
        ++served[i];
        const double ns = shapes[i].times_ns.at(rules[r].config);
        EXPECT_LE(ns, 1.05 * shapes[i].best_ns());
        EXPECT_LE(1.05 * ns, shapes[i].untuned_ns);
      }
      for (size_t other = 0; other < r; ++other) {
        bool apart = false;
        for (size_t d = 0; d < 4; ++d) {
          apart = apart || rules[r].least[d] > rules[other].most[d] ||
                  rules[other].least[d] > rules[r].most[d];
        }
        EXPECT_TRUE(apart) << "round " << round;
      }
    }
    for (size_t i = 0; i < shapes.size(); ++i) {
      const bool deserves = 1.05 * shapes[i].best_ns() <= shapes[i].untuned_ns;
      EXPECT_EQ(served[i], deserves ? 1 : 0) << "round " << round << ", shape " << i;
    }
  }
}

}  // namespace
}  // namespace seedtune

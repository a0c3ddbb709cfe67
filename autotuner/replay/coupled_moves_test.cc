#include "autotuner/replay/coupled_moves.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// Two ordered knobs whose product is at most 64, and one that is not ordered.
std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "blocks";
  options.version = 1;
  options.knobs = {*Knob::IntegerChoice("x", {4, 8, 16, 32}, 8),
                   *Knob::IntegerChoice("y", {2, 4, 8, 16}, 4),
                   *Knob::Enum("order", {"xy", "yx"}, "xy")};
  options.constraints = {
      {"product", "x * y at most 64", {"x", "y"}, [](std::span<const int64_t> v) {
         return v[0] * v[1] <= 64;
       }}};
  return *ConfigSpace::Create(std::move(options));
}

Config At(const std::shared_ptr<const ConfigSpace>& space, int64_t x, int64_t y) {
  PartialConfig partial;
  partial.Set("x", x).Set("y", y);
  return *space->Normalize(partial, NormalizeMode::kReject);
}

std::vector<std::pair<int64_t, int64_t>> ValuesOf(const std::vector<Candidate>& moves) {
  std::vector<std::pair<int64_t, int64_t>> values;
  for (const Candidate& move : moves) {
    values.emplace_back(move.config.GetInt("x"), move.config.GetInt("y"));
  }
  return values;
}

TEST(CoupledMovesTest, TakesTwoKnobsAtOnceAndNothingThatTheSpaceForbids) {
  const auto space = Space();
  const std::vector<CoupledKnobs> pairs = {{"x", "y"}};
  EXPECT_THAT(ValuesOf(CoupledMoves(At(space, 8, 4), pairs)),
              UnorderedElementsAre(std::pair(16, 2), std::pair(4, 8), std::pair(4, 2),
                                   /*exchanged=*/std::pair(4, 8)));
  EXPECT_THAT(ValuesOf(CoupledMoves(At(space, 32, 2), pairs)),
              UnorderedElementsAre(std::pair(16, 4)));
}

TEST(CoupledMovesTest, SaysWhoProposedThem) {
  const std::vector<CoupledKnobs> pairs = {{"x", "y"}};
  for (const Candidate& move : CoupledMoves(At(Space(), 8, 4), pairs)) {
    EXPECT_EQ(move.origin, "neighbor");
    EXPECT_EQ(move.heuristic, "coupled");
  }
}

TEST(CoupledMovesTest, ASpaceWithoutTheKnobsHasNone) {
  const std::vector<CoupledKnobs> pairs = {{"x", "z"}};
  EXPECT_THAT(CoupledMoves(At(Space(), 8, 4), pairs), IsEmpty());
}

TEST(CoupledMovesTest, ReadsPairs) {
  const auto pair = ParseCoupledKnobs("MWG*MDIMC");
  ASSERT_THAT(pair, IsOk());
  EXPECT_EQ(*pair, CoupledKnobs("MWG", "MDIMC"));
  for (const char* text : {"", "MWG", "*MWG", "MWG*", "A*B*C"}) {
    EXPECT_THAT(ParseCoupledKnobs(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want two knobs such as")));
  }
}

TEST(CoupledMovesTest, NamesTheKnobThatIsMissing) {
  EXPECT_THAT(CheckCoupledKnobs(*Space(), std::vector<CoupledKnobs>{{"x", "y"}}), IsOk());
  EXPECT_THAT(CheckCoupledKnobs(*Space(), std::vector<CoupledKnobs>{{"x", "z"}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no knob \"z\"")));
  EXPECT_THAT(CheckCoupledKnobs(*Space(), std::vector<CoupledKnobs>{{"order", "x"}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("has no ordered knob \"order\"")));
}

}  // namespace
}  // namespace seedtune

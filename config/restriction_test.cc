#include "config/restriction.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/t1.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

// Of each kind of knob one, and a constraint that sees an enum by its choice's index.
std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "sample";
  options.knobs.push_back(*Knob::Enum("family", {"mma", "simt", "wgmma"}, "mma"));
  options.knobs.push_back(*Knob::PowerOfTwo("tile", 16, 128, 64));
  options.knobs.push_back(*Knob::IntegerChoice("stages", {2, 3, 4, 6}, 3));
  options.knobs.push_back(*Knob::Boolean("pack", false));
  options.knobs.push_back(*Knob::Permutation("order", 2));
  Constraint wide;
  wide.name = "wgmma_is_wide";
  wide.description = "tile at least 64 for wgmma";
  wide.knobs = {"family", "tile"};
  wide.holds = [](std::span<const int64_t> v) { return v[0] != 2 || v[1] >= 64; };
  options.constraints.push_back(std::move(wide));
  return *ConfigSpace::Create(std::move(options));
}

TEST(RestrictionTest, HoldsKnobsAndNarrowsOthers) {
  const auto space = Space();
  ASSERT_OK_AND_ASSIGN(
      const auto part,
      RestrictSpace(*space, R"({"family":"wgmma","stages":[6,2],"pack":true,"order":[1,0]})"));
  // Two tiles are wide enough, two stages are left.
  EXPECT_EQ(part->NumValid(), 4);
  for (uint64_t i = 0; i < 4; ++i) {
    const Config config = part->At(i);
    EXPECT_EQ(config.GetEnum("family"), "wgmma");
    EXPECT_TRUE(config.GetBool("pack"));
    EXPECT_GE(config.GetInt("tile"), 64);
    EXPECT_THAT(space->Normalize(config.ToPartial(), NormalizeMode::kReject), IsOk())
        << config.ToJson();
  }
  EXPECT_EQ(part->Default().GetInt("stages"), 2) << "nearest to 3";
  EXPECT_EQ(part->Default().GetInt("tile"), 64) << "what was not restricted keeps its default";
  EXPECT_EQ(part->knobs()[*part->FindKnob("stages")].num_choices(), 2);
  EXPECT_EQ(part->knobs()[*part->FindKnob("family")].num_choices(), 3) << "heuristics read them";
}

TEST(RestrictionTest, ListsOfPermutationsAreListsOfLists) {
  const auto space = Space();
  ASSERT_OK_AND_ASSIGN(const auto both, RestrictSpace(*space, R"({"order":[[0,1],[1,0]]})"));
  EXPECT_EQ(both->NumValid(), space->NumValid());
  ASSERT_OK_AND_ASSIGN(const auto one, RestrictSpace(*space, R"({"order":[[1,0]]})"));
  EXPECT_EQ(one->NumValid(), space->NumValid() / 2);
}

TEST(RestrictionTest, IsAPartOfTheSameWhole) {
  const auto space = Space();
  EXPECT_EQ(space->whole_id(), space->id());
  ASSERT_OK_AND_ASSIGN(const auto part, RestrictSpace(*space, R"({"family":["wgmma","mma"]})"));
  EXPECT_NE(part->id(), space->id());
  EXPECT_EQ(part->whole_id(), space->id());
  ASSERT_OK_AND_ASSIGN(const auto again, RestrictSpace(*space, R"({"family":["mma","wgmma"]})"));
  EXPECT_EQ(again->id(), part->id()) << "in whichever order it is asked for";
  ASSERT_OK_AND_ASSIGN(const auto other, RestrictSpace(*space, R"({"family":["wgmma","simt"]})"));
  EXPECT_NE(other->id(), part->id()) << "parts of the same knobs and choices";
  ASSERT_OK_AND_ASSIGN(const auto less, RestrictSpace(*part, R"({"stages":4})"));
  EXPECT_EQ(less->whole_id(), space->id());
  ASSERT_OK_AND_ASSIGN(const auto all, RestrictSpace(*space, "{}"));
  EXPECT_EQ(all->id(), space->id());
}

TEST(RestrictionTest, TravelsAsT1) {
  ASSERT_OK_AND_ASSIGN(
      const auto part,
      RestrictSpace(*Space(), R"({"family":["simt","wgmma"],"tile":[16,64],"pack":true})"));
  ASSERT_OK_AND_ASSIGN(const T1Space t1, ReadT1(WriteT1(MakeT1(*part))));
  ASSERT_OK_AND_ASSIGN(const auto read, MakeConfigSpace(t1));
  ASSERT_EQ(read->NumValid(), part->NumValid());
  for (uint64_t i = 0; i < static_cast<uint64_t>(part->NumValid()); ++i) {
    PartialConfig config = part->At(i).ToPartial();
    config.values["order"] = KnobValueToString(config.values["order"]);  // T1's way with them
    EXPECT_THAT(read->Normalize(config, NormalizeMode::kReject), IsOk()) << part->At(i).ToJson();
  }
}

TEST(RestrictionTest, SaysWhatIsWrong) {
  const struct {
    const char* json;
    const char* message;
  } kCases[] = {
      {"family=wgmma", "not JSON"},
      {"[1]", "want an object of knobs and the values that they keep"},
      {R"({"famly":"mma"})", R"(no knob named "famly" in sample; did you mean "family")"},
      {R"({"family":"tensor"})", R"(family is "tensor", want one of "mma", "simt", "wgmma")"},
      {R"({"stages":[2,5]})", "stages is 5, want one of 2, 3, 4, 6"},
      {R"({"stages":[]})", "stages: no values, want one of 2, 3, 4, 6"},
      {R"({"stages":[2,2]})", "stages: 2 a second time, want each once"},
      {R"({"tile":16,"tile":32})", R"("tile" a second time)"},
      {R"({"family":"wgmma","tile":[16,32]})", "wgmma_is_wide"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(RestrictSpace(*Space(), c.json).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.message)))
        << c.json;
  }
}

}  // namespace
}  // namespace seedtune

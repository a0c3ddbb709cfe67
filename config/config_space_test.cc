#include "config/config_space.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pointee;

std::shared_ptr<const ConfigSpace> Make(ConfigSpace::Options options) {
  auto space = ConfigSpace::Create(std::move(options));
  EXPECT_THAT(space, IsOk());
  return *std::move(space);
}

Constraint ProductAtMost(std::string name, std::vector<std::string> knobs, int64_t limit) {
  return {std::move(name), absl::StrCat("a product of at most ", limit), std::move(knobs),
          [limit](std::span<const int64_t> values) {
            int64_t product = 1;
            for (const int64_t value : values) product *= value;
            return product <= limit;
          }};
}

// 6 * 6 * 3 * 2 combinations, of which tile_fits leaves a part.
ConfigSpace::Options TileOptions() {
  ConfigSpace::Options options;
  options.name = "tile";
  options.knobs = {*Knob::PowerOfTwo("block_size[m]", 16, 512, 64),
                   *Knob::PowerOfTwo("block_size[n]", 16, 512, 64),
                   *Knob::Enum("order", {"mn", "nm", "z"}, "mn"), *Knob::Boolean("pack", true)};
  options.constraints = {ProductAtMost("tile_fits", {"block_size[m]", "block_size[n]"}, 128 * 128)};
  return options;
}

TEST(ConfigSpaceTest, CreateRejectsWhatIsNoSpace) {
  const struct {
    const char* name;
    void (*spoil)(ConfigSpace::Options&);
    const char* error;
  } kCases[] = {
      {"no name", [](auto& o) { o.name.clear(); }, "the name is empty"},
      {"no knobs", [](auto& o) { o.knobs.clear(); }, "no knobs"},
      {"two knobs of a name", [](auto& o) { o.knobs.push_back(o.knobs[1]); },
       "two knobs are named \"block_size[n]\""},
      {"two constraints of a name", [](auto& o) { o.constraints.push_back(o.constraints[0]); },
       "two constraints are named \"tile_fits\""},
      {"a constraint without name", [](auto& o) { o.constraints[0].name.clear(); }, "has no name"},
      {"a constraint without function", [](auto& o) { o.constraints[0].holds = nullptr; },
       "tile_fits: `holds` is empty"},
      {"unknown knob", [](auto& o) { o.constraints[0].knobs[1] = "block_size[o]"; },
       "tile_fits: no knob named \"block_size[o]\" in tile; did you mean"},
      {"nothing valid",
       [](auto& o) {
         o.constraints[0] = ProductAtMost("none", {"pack", "order"}, -1);
       },
       "no valid configuration: no choice of order, pack meets none"},
      {"a constraint that never holds",
       [](auto& o) { o.constraints[0] = ProductAtMost("never", {}, 0); },
       "no valid configuration: never never holds"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    ConfigSpace::Options options = TileOptions();
    c.spoil(options);
    EXPECT_THAT(ConfigSpace::Create(std::move(options)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(ConfigSpaceTest, CreateNamesTheGroupThatIsTooLarge) {
  ConfigSpace::Options options;
  options.name = "large";
  options.knobs = {*Knob::Boolean("free", false)};
  Constraint parity{"parity", "an even sum", {}, [](std::span<const int64_t> values) {
                      int64_t sum = 0;
                      for (const int64_t value : values) sum += value * value * 17 % 1009;
                      return sum % 2 == 0;
                    }};
  for (int i = 0; i < 5; ++i) {
    options.knobs.push_back(*Knob::Integer(absl::StrCat("wide", i), 0, 99, 1, 0));
    parity.knobs.push_back(absl::StrCat("wide", i));
  }
  options.constraints = {parity};
  options.max_group_edges = 100'000;
  EXPECT_THAT(ConfigSpace::Create(std::move(options)),
              StatusIs(absl::StatusCode::kResourceExhausted,
                       AllOf(HasSubstr("large: "), HasSubstr("wide0, wide1, wide2, wide3, wide4"),
                             HasSubstr("100000 edges"), Not(HasSubstr("free")))));
}

TEST(ConfigSpaceTest, ReadsAConstraintOverSingleChoicesAsAConstant) {
  ConfigSpace::Options options = TileOptions();
  options.knobs.push_back(*Knob::IntegerChoice("limit", {4096}, 4096));
  options.constraints = {{"within_limit",
                          "m times n within the limit",
                          {"limit", "block_size[m]", "block_size[n]"},
                          [](std::span<const int64_t> v) { return v[1] * v[2] <= v[0]; }}};
  const auto space = Make(options);
  for (absl::uint128 i = 0; i < space->NumValid(); ++i) {
    const Config config = space->At(i);
    EXPECT_LE(config.GetInt("block_size[m]") * config.GetInt("block_size[n]"), 4096);
  }
  // Pairs of exponents 4..9 with a sum of at most 12.
  EXPECT_EQ(space->NumValid(), (5 + 4 + 3 + 2 + 1) * 3 * 2);
}

TEST(ConfigSpaceTest, IdsTellSpacesApart) {
  const auto space = Make(TileOptions());
  EXPECT_EQ(space->id(), Make(TileOptions())->id());
  EXPECT_THAT(space->id(), ::testing::StartsWith("tile.v1."));
  std::set<std::string> ids = {space->id()};
  ConfigSpace::Options options = TileOptions();
  options.version = 2;
  EXPECT_TRUE(ids.insert(Make(options)->id()).second);
  options = TileOptions();
  options.knobs[0] = *Knob::PowerOfTwo("block_size[m]", 16, 256, 64);
  EXPECT_TRUE(ids.insert(Make(options)->id()).second);
  options = TileOptions();
  options.knobs[0] = *Knob::PowerOfTwo("block_size[k]", 16, 512, 64);
  options.constraints.clear();
  EXPECT_TRUE(ids.insert(Make(options)->id()).second);
  options = TileOptions();
  options.knobs[2] = *Knob::Enum("order", {"mn", "nm", "hilbert"}, "mn");
  EXPECT_TRUE(ids.insert(Make(options)->id()).second);
}

TEST(ConfigSpaceTest, CountsExactlyUpTo128Bits) {
  // 9 knobs of 2^14 choices make 2^126.
  std::vector<int64_t> values(1 << 14);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  ConfigSpace::Options options;
  options.name = "huge";
  for (int i = 0; i < 9; ++i) {
    options.knobs.push_back(*Knob::IntegerChoice(absl::StrCat("knob", i), values, 0));
  }
  const auto exact = Make(options);
  EXPECT_EQ(exact->NumValid(), absl::uint128(1) << 126);
  EXPECT_EQ(exact->CartesianSize(), absl::uint128(1) << 126);
  const absl::uint128 last = exact->NumValid() - 1;
  EXPECT_EQ(exact->IndexOf(exact->At(last)), last);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const Config config = exact->Sample(random);
    const auto index = exact->IndexOf(config);
    ASSERT_TRUE(index.has_value());
    EXPECT_EQ(exact->At(*index), config);
  }

  options.knobs.push_back(*Knob::Boolean("one", false));
  options.knobs.push_back(*Knob::Boolean("two", false));
  const auto saturated = Make(options);
  EXPECT_EQ(saturated->NumValid(), absl::Uint128Max());
  EXPECT_EQ(saturated->CartesianSize(), absl::Uint128Max());
  for (const absl::uint128 index :
       {absl::uint128(0), absl::uint128(1) << 90, absl::Uint128Max() - 1}) {
    EXPECT_EQ(saturated->IndexOf(saturated->At(index)), index);
  }
}

// A chain a0 <= a1 <= a2 ... ties all knobs into one group.
ConfigSpace::Options Chain(int knobs, int choices) {
  ConfigSpace::Options options;
  options.name = "chain";
  for (int i = 0; i < knobs; ++i) {
    options.knobs.push_back(*Knob::Integer(absl::StrCat("a", i), 0, choices - 1, 1, 0));
    if (i == 0) continue;
    options.constraints.push_back(
        {absl::StrCat("near", i),
         "neighbours differ by at most 40",
         {absl::StrCat("a", i - 1), absl::StrCat("a", i)},
         [](std::span<const int64_t> v) { return v[0] - v[1] <= 40 && v[1] - v[0] <= 40; }});
  }
  return options;
}

TEST(ConfigSpaceTest, CountsOneGroupOfMoreThan64Bits) {
  // With 41 choices all differences are allowed: 41^20 is about 2^107.
  const auto space = Make(Chain(20, 41));
  EXPECT_EQ(space->NumValid(), space->CartesianSize());
  EXPECT_GT(space->NumValid(), absl::uint128(1) << 100);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    const Config config = space->Sample(random);
    const auto index = space->IndexOf(config);
    ASSERT_TRUE(index.has_value());
    EXPECT_LT(*index, space->NumValid());
    EXPECT_EQ(space->At(*index), config);
  }
}

TEST(ConfigSpaceTest, SamplesOneGroupThatSaturates) {
  const auto space = Make(Chain(40, 60));
  EXPECT_EQ(space->NumValid(), absl::Uint128Max());
  for (const absl::uint128 index :
       {absl::uint128(0), absl::uint128(1) << 90, absl::Uint128Max() - 1}) {
    EXPECT_EQ(space->IndexOf(space->At(index)), index);
  }
  std::mt19937_64 random(1);
  std::set<std::vector<uint16_t>> seen;
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const Config config = space->Sample(random);
    EXPECT_TRUE(space->IsValid(config.choices()));
    EXPECT_TRUE(seen.emplace(config.choices().begin(), config.choices().end()).second);
    sum += config.GetInt("a20");
  }
  // The space is symmetric under a -> 59 - a, so the mean is 29.5; its standard error is below 0.6.
  EXPECT_NEAR(sum / 1000, 29.5, 3);
}

TEST(ConfigSpaceTest, GroupsOfMoreSlotsThanAWordHasBitsWork) {
  const auto space = Make(Chain(70, 3));
  std::mt19937_64 random(1);
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(space->IsValid(space->Sample(random).choices()));
  }
  EXPECT_EQ(space->NumValid(), space->CartesianSize());
}

TEST(ConfigSpaceTest, SamplesUniformlyFromASkewedSpace) {
  // `mode` 0 leaves 1 configuration, mode 1 leaves 4, mode 2 leaves 64: a walk down the tree that
  // chose each level uniformly would give mode 0 a third of all draws.
  ConfigSpace::Options options;
  options.name = "skewed";
  options.knobs = {*Knob::Integer("mode", 0, 2, 1, 0), *Knob::Integer("a", 0, 7, 1, 0),
                   *Knob::Integer("b", 0, 7, 1, 0)};
  options.constraints = {{"mode_limits_ab",
                          "a and b below 1, 2, 8",
                          {"mode", "a", "b"},
                          [](std::span<const int64_t> v) {
                            const int64_t limit = v[0] == 0 ? 1 : v[0] == 1 ? 2 : 8;
                            return v[1] < limit && v[2] < limit;
                          }}};
  const auto space = Make(options);
  ASSERT_EQ(space->NumValid(), 69);
  constexpr int kDraws = 69'000;
  std::vector<int> drawn(69, 0);
  std::mt19937_64 random(7);
  for (int i = 0; i < kDraws; ++i) {
    ++drawn[static_cast<size_t>(*space->IndexOf(space->Sample(random)))];
  }
  double chi_squared = 0;
  for (const int count : drawn) chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  // 68 degrees of freedom: mean 68, standard deviation 11.7; 0.999 of draws are below 112.3.
  EXPECT_LT(chi_squared, 112.3);
  EXPECT_GT(chi_squared, 30);
}

TEST(ConfigSpaceTest, OneSeedGivesOneSequence) {
  const auto space = Make(TileOptions());
  std::mt19937_64 a(5);
  std::mt19937_64 b(5);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(space->Sample(a), space->Sample(b));
}

TEST(ConfigSpaceTest, DefaultIsTheKnobsDefaultsWhereTheyAreValid) {
  const auto space = Make(TileOptions());
  EXPECT_EQ(space->Default().ToJson(),
            R"({"block_size[m]":64,"block_size[n]":64,"order":"mn","pack":true})");
}

TEST(ConfigSpaceTest, DefaultIsTheNearestValidWhereTheyAreNot) {
  ConfigSpace::Options options = TileOptions();
  options.knobs[0] = *Knob::PowerOfTwo("block_size[m]", 16, 512, 512);
  options.knobs[1] = *Knob::PowerOfTwo("block_size[n]", 64, 512, 64);
  options.constraints = {ProductAtMost("tile_fits", {"block_size[m]", "block_size[n]"}, 16384)};
  EXPECT_EQ(Make(options)->Default().ToJson(),
            R"({"block_size[m]":256,"block_size[n]":64,"order":"mn","pack":true})");
}

TEST(ConfigSpaceTest, NormalizeFillsInDefaults) {
  const auto space = Make(TileOptions());
  PartialConfig partial;
  partial.Set("block_size[m]", 128).Set("pack", false);
  ASSERT_OK_AND_ASSIGN(const Config config, space->Normalize(partial, NormalizeMode::kReject));
  EXPECT_EQ(config.ToJson(),
            R"({"block_size[m]":128,"block_size[n]":64,"order":"mn","pack":false})");
}

TEST(ConfigSpaceTest, NormalizeOverFillsInTheBase) {
  const auto space = Make(TileOptions());
  ASSERT_OK_AND_ASSIGN(const Config base,
                       space->Normalize(PartialConfig().Set("order", "z"), NormalizeMode::kReject));
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      space->NormalizeOver(base, PartialConfig().Set("block_size[n]", 32), NormalizeMode::kReject));
  EXPECT_EQ(config.ToJson(), R"({"block_size[m]":64,"block_size[n]":32,"order":"z","pack":true})");
  EXPECT_THAT(space->NormalizeOver(Config(), PartialConfig(), NormalizeMode::kReject),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not of this space")));
}

TEST(ConfigSpaceTest, NormalizeRejectsAndSaysWhy) {
  const auto space = Make(TileOptions());
  const struct {
    const char* name;
    PartialConfig partial;
    const char* error;
  } kCases[] = {
      {"unknown knob", PartialConfig().Set("block_sise[m]", 64),
       "no knob named \"block_sise[m]\" in tile; did you mean \"block_size[m]\""},
      {"unlike any knob", PartialConfig().Set("frobnicate", 64),
       "no knob named \"frobnicate\" in tile"},
      {"no choice", PartialConfig().Set("block_size[m]", 48),
       "block_size[m] is 48, want a power of two from 16 to 512"},
      {"wrong type", PartialConfig().Set("pack", 1), "pack is 1, want true or false"},
      {"unknown name", PartialConfig().Set("order", "km"),
       "order is \"km\", want one of \"mn\", \"nm\", \"z\""},
      {"violated constraint", PartialConfig().Set("block_size[n]", 512),
       "tile_fits: block_size[m] is 64, block_size[n] is 512, want: a product of at most 16384"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    EXPECT_THAT(space->Normalize(c.partial, NormalizeMode::kReject),
                StatusIs(absl::StatusCode::kInvalidArgument, c.error));
  }
}

TEST(ConfigSpaceTest, NormalizeRepairsAndSaysWhat) {
  const auto space = Make(TileOptions());
  std::vector<std::string> changes;
  ASSERT_OK_AND_ASSIGN(const Config config,
                       space->Normalize(PartialConfig().Set("block_size[m]", 500),
                                        NormalizeMode::kRepair, &changes));
  // What was asked for stays; the other block gives way.
  EXPECT_EQ(config.ToJson(),
            R"({"block_size[m]":512,"block_size[n]":32,"order":"mn","pack":true})");
  EXPECT_THAT(changes, ElementsAre("block_size[m]: 500 -> 512 (nearest choice)",
                                   "block_size[n]: 64 -> 32 (tile_fits)"));
}

TEST(ConfigSpaceTest, NormalizeMovesWhatWasAskedForOnlyWhereItMust) {
  const auto space = Make(TileOptions());
  std::vector<std::string> changes;
  ASSERT_OK_AND_ASSIGN(
      const Config config,
      space->Normalize(PartialConfig().Set("block_size[m]", 512).Set("block_size[n]", 64),
                       NormalizeMode::kRepair, &changes));
  EXPECT_LE(config.GetInt("block_size[m]") * config.GetInt("block_size[n]"), 16384);
  EXPECT_EQ(changes.size(), 1);
}

TEST(ConfigSpaceTest, NormalizeCannotRepairAnUnknownKnobOrName) {
  const auto space = Make(TileOptions());
  EXPECT_THAT(space->Normalize(PartialConfig().Set("blok", 1), NormalizeMode::kRepair),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no knob named \"blok\"")));
  EXPECT_THAT(space->Normalize(PartialConfig().Set("order", "km"), NormalizeMode::kRepair),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("order is \"km\"")));
}

TEST(ConfigSpaceTest, ChoicesOfAnotherSpaceAreNotValid) {
  const auto space = Make(TileOptions());
  std::mt19937_64 random(1);
  const std::vector<uint16_t> too_few = {0, 0};
  const std::vector<uint16_t> out_of_range = {0, 0, 3, 0};
  for (const auto& choices : {too_few, out_of_range}) {
    EXPECT_FALSE(space->IsValid(choices));
    EXPECT_EQ(space->Repair(choices, random), std::nullopt);
    EXPECT_EQ(space->IndexOf(Config(space, choices)), std::nullopt);
    EXPECT_THAT(space->Neighbors(Config(space, choices), NeighborKind::kHamming), IsEmpty());
  }
}

TEST(ConfigSpaceTest, FirstViolationNamesTheConstraint) {
  const auto space = Make(TileOptions());
  const std::vector<uint16_t> largest = {5, 5, 0, 0};
  ASSERT_NE(space->FirstViolation(largest), nullptr);
  EXPECT_EQ(space->FirstViolation(largest)->name, "tile_fits");
}

TEST(ConfigSpaceTest, RepairChoosesAmongEqualsByChance) {
  const auto space = Make(TileOptions());
  std::mt19937_64 random(3);
  std::set<std::string> repaired;
  for (int i = 0; i < 100; ++i) {
    // 256 x 128 is one step too large, on either side.
    repaired.insert(space->Repair({4, 3, 0, 0}, random)->ToJson());
  }
  EXPECT_EQ(repaired.size(), 2);
}

TEST(ConfigTest, T13_ConfigurationsAreValuesThatNothingChangesUnderAHashTable) {
  const auto space = Make(TileOptions());
  const Config a = space->At(7);
  const Config b = space->At(7);
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(), b.Hash());
  std::set<uint64_t> hashes;
  for (absl::uint128 i = 0; i < space->NumValid(); ++i) hashes.insert(space->At(i).Hash());
  EXPECT_EQ(hashes.size(), static_cast<size_t>(space->NumValid()));
  // A set of them holds what was put in, whatever becomes of copies.
  absl::flat_hash_set<Config> set = {space->Default()};
  Config copy = *set.begin();
  copy = space->At(space->NumValid() - 1);
  EXPECT_TRUE(set.contains(space->Default()));
  static_assert(std::is_const_v<std::remove_reference_t<decltype(copy.choices()[0])>>);
}

TEST(ConfigTest, ReadsKnobsByName) {
  const auto space = Make(TileOptions());
  const Config config = space->Default();
  EXPECT_EQ(config.GetInt("block_size[m]"), 64);
  EXPECT_TRUE(config.GetBool("pack"));
  EXPECT_EQ(config.GetEnum("order"), "mn");
  EXPECT_EQ(config.Get("pack"), KnobValue(true));
}

TEST(ConfigDeathTest, AKnobOfAnotherNameOrTypeIsABug) {
  const Config config = Make(TileOptions())->Default();
  EXPECT_DEATH(config.GetInt("blok"), "GetInt|no such knob");
  EXPECT_DEATH(config.GetInt("pack"), "not an integer");
  EXPECT_DEATH(config.GetBool("order"), "not a boolean");
  EXPECT_DEATH(config.GetEnum("pack"), "not an enum");
  EXPECT_DEATH(Config().GetInt("pack"), "of no space");
}

TEST(ConfigTest, PartialOfAConfigNormalizesToIt) {
  const auto space = Make(TileOptions());
  for (absl::uint128 i = 0; i < space->NumValid(); ++i) {
    const Config config = space->At(i);
    EXPECT_THAT(space->Normalize(config.ToPartial(), NormalizeMode::kReject), IsOkAndHolds(config));
  }
}

TEST(ConfigTest, OutlivesTheCallersHoldOnItsSpace) {
  auto space = Make(TileOptions());
  const Config config = space->At(3);
  const std::string json = config.ToJson();
  space.reset();
  EXPECT_EQ(config.ToJson(), json);
}

TEST(ConfigSpaceTest, AnswersAlikeWithAndWithoutItsIndex) {
  ConfigSpace::Options options = TileOptions();
  ASSERT_OK_AND_ASSIGN(const auto eager, ConfigSpace::Create(options));
  options.index_on_demand = true;
  ASSERT_OK_AND_ASSIGN(const auto lazy, ConfigSpace::Create(std::move(options)));
  EXPECT_EQ(lazy->id(), eager->id());
  EXPECT_EQ(lazy->Default(), eager->Default());
  std::vector<Config> configs;
  std::mt19937_64 random(1);
  for (int i = 0; i < 50; ++i) configs.push_back(eager->Sample(random));
  for (const Config& config : configs) EXPECT_TRUE(lazy->IsValid(config.choices()));
  std::vector<uint16_t> choices(eager->knobs().size(), 0);
  EXPECT_EQ(lazy->IsValid(choices), eager->IsValid(choices));
  // Now something asks for what only the index knows.
  EXPECT_EQ(lazy->NumValid(), eager->NumValid());
  for (const Config& config : configs) {
    EXPECT_EQ(lazy->IndexOf(config), eager->IndexOf(config));
    EXPECT_TRUE(lazy->IsValid(config.choices()));
  }
}

TEST(ConfigSpaceTest, NamesTheFirstViolation) {
  ASSERT_OK_AND_ASSIGN(const auto space, ConfigSpace::Create(TileOptions()));
  ASSERT_OK_AND_ASSIGN(const Constraint* none,
                       space->FirstViolationOf(space->Default().ToPartial()));
  EXPECT_EQ(none, nullptr);
  PartialConfig unknown;
  EXPECT_THAT(space->FirstViolationOf(unknown.Set("block_size[o]", 1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no knob named")));
}

}  // namespace
}  // namespace seedtune

#include "heuristics/consult.h"

#include <list>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "heuristics/fake_heuristic.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

using Seeds = std::vector<PartialConfig>;

PartialConfig Block(int64_t size) {
  PartialConfig partial;
  partial.Set("block_size[m]", KnobValue(size));
  return partial;
}

// Heuristics over a space of two knobs, of which large blocks want few stages.
class ConsultTest : public ::testing::Test {
 protected:
  ConsultTest() {
    ConfigSpace::Options options;
    options.name = "fake";
    options.knobs.push_back(*Knob::PowerOfTwo("block_size[m]", 16, 256, 32));
    options.knobs.push_back(*Knob::Integer("num_stages", 1, 4, 1, 2));
    options.constraints.push_back(
        {"fits",
         "block times stages is at most 512",
         {"block_size[m]", "num_stages"},
         [](std::span<const int64_t> values) { return values[0] * values[1] <= 512; }});
    space_ = *ConfigSpace::Create(std::move(options));
  }

  TuningContext Context() const { return {kernel_, {}, device_, *space_}; }

  FakeHeuristic::Options& Options(std::string name) {
    FakeHeuristic::Options options;
    options.name = std::move(name);
    return pending_.emplace_back(std::move(options));
  }
  // Adds an eligible heuristic with these seeds.
  FakeHeuristic::Options& Seeding(std::string name, Seeds seeds, bool promotes = false) {
    FakeHeuristic::Options& options = Options(std::move(name));
    options.seeds = [seeds](const TuningContext&) { return seeds; };
    options.promotes = [promotes](const TuningContext&) { return promotes; };
    return options;
  }

  HeuristicRegistry Registry() {
    HeuristicRegistry registry;
    for (FakeHeuristic::Options& options : pending_) {
      EXPECT_TRUE(registry.Add(std::make_unique<FakeHeuristic>(options)).ok());
    }
    return registry;
  }
  ConsultResult Consult(const ConsultOptions& options = {}) {
    return ConsultHeuristics(Registry(), "fake", Context(), options);
  }
  Config Normal(const PartialConfig& partial) const {
    return *space_->Normalize(partial, NormalizeMode::kReject);
  }

  Kernel kernel_;
  HardwareInfo device_;
  std::shared_ptr<const ConfigSpace> space_;
  std::list<FakeHeuristic::Options> pending_;
};

TEST_F(ConsultTest, PlantsSeedsInRegistryOrderAndRanksThem) {
  Seeding("first", {Block(64), Block(128)});
  Seeding("second", {Block(16)});
  const ConsultResult result = Consult();
  ASSERT_THAT(result.seeds, SizeIs(3));
  EXPECT_EQ(result.seeds[0].config, Normal(Block(64)));
  EXPECT_EQ(result.seeds[0].heuristic, "first");
  EXPECT_EQ(result.seeds[0].rank, 0);
  EXPECT_EQ(result.seeds[1].config, Normal(Block(128)));
  EXPECT_EQ(result.seeds[1].rank, 1);
  EXPECT_EQ(result.seeds[2].config, Normal(Block(16)));
  EXPECT_EQ(result.seeds[2].heuristic, "second");
  EXPECT_EQ(result.seeds[2].rank, 0);
  ASSERT_THAT(result.outcomes, SizeIs(2));
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.outcomes[0].seeds, ElementsAre(Normal(Block(64)), Normal(Block(128))));
  EXPECT_EQ(result.outcomes[0].detail, "fake");
}

TEST_F(ConsultTest, LetsTheSpaceDefaultStandWhereNobodyPromotes) {
  Seeding("first", {Block(64)});
  const ConsultResult result = Consult();
  EXPECT_EQ(result.untuned, space_->Default());
  EXPECT_EQ(result.untuned_origin, "space default");
  EXPECT_FALSE(result.outcomes[0].promoted);
}

TEST_F(ConsultTest, T6_TheFirstThatPromotesWinsAndTheOthersAreTold) {
  Seeding("quiet", {Block(16)});
  Seeding("first", {Block(64), Block(16)}, /*promotes=*/true);
  Seeding("late", {Block(128)}, /*promotes=*/true);
  const ConsultResult result = Consult();
  EXPECT_EQ(result.untuned, Normal(Block(64)));
  EXPECT_EQ(result.untuned_origin, "first");
  EXPECT_FALSE(result.outcomes[0].promoted);
  EXPECT_TRUE(result.outcomes[1].promoted);
  EXPECT_FALSE(result.outcomes[2].promoted);
  EXPECT_THAT(result.outcomes[2].detail, HasSubstr("not promoted: first comes first"));
}

TEST_F(ConsultTest, PromotesAPrimaryThatAnotherSeededBefore) {
  Seeding("quiet", {Block(64)});
  Seeding("promoting", {Block(64)}, /*promotes=*/true);
  const ConsultResult result = Consult();
  EXPECT_EQ(result.untuned_origin, "promoting");
  EXPECT_EQ(result.untuned, Normal(Block(64)));
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kDuplicate);
  EXPECT_TRUE(result.outcomes[1].promoted);
}

TEST_F(ConsultTest, T5_PromotesNothingThatTheSpaceDoesNotTake) {
  Seeding("bad", {Block(48), Block(64)}, /*promotes=*/true);
  Seeding("good", {Block(128)}, /*promotes=*/true);
  const ConsultResult result = Consult();
  EXPECT_EQ(result.untuned_origin, "good");
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("the space does not take the primary"));
}

TEST_F(ConsultTest, ReportsWhyAHeuristicDeclined) {
  Options("shy").is_eligible = [](const TuningContext&) {
    return Eligibility::No("aspect 2.0, want at least 8");
  };
  pending_.back().seeds = [](const TuningContext&) -> absl::StatusOr<Seeds> {
    ADD_FAILURE() << "asked for seeds though not eligible";
    return Seeds();
  };
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kDeclined);
  EXPECT_EQ(result.outcomes[0].detail, "aspect 2.0, want at least 8");
  EXPECT_THAT(result.seeds, IsEmpty());
}

TEST_F(ConsultTest, ReportsAnErrorAndLosesNobodyElsesSeeds) {
  Options("failing").seeds = [](const TuningContext&) -> absl::StatusOr<Seeds> {
    return absl::InternalError("the table is empty");
  };
  Seeding("good", {Block(64)});
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kFailed);
  EXPECT_EQ(result.outcomes[0].detail, "the table is empty");
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.seeds, SizeIs(1));
}

TEST_F(ConsultTest, CatchesWhateverIsThrown) {
  Options("eligibility").is_eligible = [](const TuningContext&) -> Eligibility {
    throw std::runtime_error("no such device");
  };
  Options("seeds").seeds = [](const TuningContext&) -> absl::StatusOr<Seeds> {
    throw std::out_of_range("map::at");
  };
  Options("integer").seeds = [](const TuningContext&) -> absl::StatusOr<Seeds> { throw 7; };
  Seeding("good", {Block(64)});
  const ConsultResult result = Consult();
  ASSERT_THAT(result.outcomes, SizeIs(4));
  for (int i : {0, 1, 2}) EXPECT_EQ(result.outcomes[i].kind, HeuristicOutcomeKind::kFailed);
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("no such device"));
  EXPECT_THAT(result.outcomes[1].detail, HasSubstr("map::at"));
  EXPECT_THAT(result.outcomes[2].detail, HasSubstr("no std::exception"));
  EXPECT_EQ(result.outcomes[3].kind, HeuristicOutcomeKind::kSeeded);
}

// Trap T5 of the reference system: a promotion that threw failed the whole compilation.
TEST_F(ConsultTest, T5_PromotionThatThrowsCostsThePromotionAndKeepsTheSeeds) {
  Seeding("throwing", {Block(64)}).promotes = [](const TuningContext&) -> bool {
    throw std::runtime_error("device query");
  };
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("not promoted: PromotesPrimary threw"));
  EXPECT_THAT(result.seeds, SizeIs(1));
  EXPECT_EQ(result.untuned_origin, "space default");
}

TEST_F(ConsultTest, CallsAnEligibleHeuristicWithoutSeedsAFailure) {
  Seeding("empty", {});
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kFailed);
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("gave no seed"));
}

TEST_F(ConsultTest, NamesTheKnobThatTheSpaceDoesNotTake) {
  PartialConfig unknown;
  unknown.Set("num_stagez", 2);
  Seeding("misspelt", {unknown});
  Seeding("off_grid", {Block(48)});
  PartialConfig too_large = Block(256);
  too_large.Set("num_stages", 4);
  Seeding("too_large", {too_large});
  const ConsultResult result = Consult();
  for (const HeuristicOutcome& outcome : result.outcomes) {
    SCOPED_TRACE(outcome.heuristic);
    EXPECT_EQ(outcome.kind, HeuristicOutcomeKind::kUntransferable);
    EXPECT_THAT(outcome.detail, StartsWith("seeds[0]: "));
  }
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("num_stagez"));
  EXPECT_THAT(result.outcomes[1].detail, AllOf(HasSubstr("block_size[m]"), HasSubstr("48")));
  EXPECT_THAT(result.outcomes[2].detail, HasSubstr("fits"));
  EXPECT_THAT(result.seeds, IsEmpty());
}

TEST_F(ConsultTest, LosesOnlyTheUntransferableSeedAmongGoodOnes) {
  Seeding("mixed", {Block(64), Block(48), Block(128)});
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.outcomes[0].detail, AllOf(StartsWith("fake; "), HasSubstr("seeds[1]: ")));
  ASSERT_THAT(result.seeds, SizeIs(2));
  EXPECT_EQ(result.seeds[1].rank, 2);
}

TEST_F(ConsultTest, NamesWhoseSeedsAreRepeated) {
  PartialConfig spelt_out = Block(64);
  spelt_out.Set("num_stages", 2);  // the default
  Seeding("first", {Block(64), spelt_out});
  Seeding("second", {spelt_out});
  const ConsultResult result = Consult();
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("seeds[1] repeats seeds[0] of first"));
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kDuplicate);
  EXPECT_EQ(result.outcomes[1].detail, "seeds[0] repeats seeds[0] of first");
  EXPECT_THAT(result.seeds, SizeIs(1));
}

TEST_F(ConsultTest, PutsTheUsersSeedsFirst) {
  Seeding("first", {Block(64), Block(128)}, /*promotes=*/true);
  ConsultOptions options;
  options.user_seeds = {Block(128), Block(48)};
  const ConsultResult result = Consult(options);
  ASSERT_THAT(result.outcomes, SizeIs(2));
  EXPECT_EQ(result.outcomes[0].heuristic, "user");
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.outcomes[0].detail, HasSubstr("seeds[1]: "));
  ASSERT_THAT(result.seeds, SizeIs(2));
  EXPECT_EQ(result.seeds[0].heuristic, "user");
  EXPECT_EQ(result.seeds[0].config, Normal(Block(128)));
  EXPECT_THAT(result.outcomes[1].detail, HasSubstr("seeds[1] repeats seeds[0] of user"));
  // What the user wants tried is not what runs untuned.
  EXPECT_EQ(result.untuned_origin, "first");
}

TEST_F(ConsultTest, RecordedSeedsComeLastAndAreNeverPromoted) {
  Seeding("first", {Block(64)});
  ConsultOptions options;
  options.recorded = {{.name = "recorded: a", .seeds = {Block(128)}, .detail = "near"},
                      {.name = "recorded: b", .seeds = {Block(64)}, .detail = "far"}};
  const ConsultResult result = Consult(options);
  ASSERT_THAT(result.outcomes, SizeIs(3));
  EXPECT_EQ(result.outcomes[1].heuristic, "recorded: a");
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_EQ(result.outcomes[1].detail, "near");
  EXPECT_EQ(result.outcomes[2].kind, HeuristicOutcomeKind::kDuplicate);
  ASSERT_THAT(result.seeds, SizeIs(2));
  EXPECT_EQ(result.seeds[1].heuristic, "recorded: a");
  EXPECT_EQ(result.seeds[1].config, Normal(Block(128)));
  EXPECT_EQ(result.untuned_origin, "space default");
}

TEST_F(ConsultTest, AsksNobodyWhoIsSwitchedOff) {
  Options("off").is_eligible = [](const TuningContext&) {
    ADD_FAILURE() << "asked though switched off";
    return Eligibility::No("");
  };
  Seeding("on", {Block(64)});
  ConsultOptions options;
  options.disabled = {"off"};
  const ConsultResult result = Consult(options);
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kDisabled);
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kSeeded);
}

TEST_F(ConsultTest, SwitchesAllOffButTheUser) {
  Seeding("first", {Block(64)}, /*promotes=*/true);
  Seeding("second", {Block(128)});
  ConsultOptions options;
  options.enabled = false;
  options.user_seeds = {Block(16)};
  const ConsultResult result = Consult(options);
  ASSERT_THAT(result.outcomes, SizeIs(3));
  EXPECT_EQ(result.outcomes[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_EQ(result.outcomes[1].kind, HeuristicOutcomeKind::kDisabled);
  EXPECT_EQ(result.outcomes[2].kind, HeuristicOutcomeKind::kDisabled);
  EXPECT_THAT(result.seeds, SizeIs(1));
  EXPECT_EQ(result.untuned_origin, "space default");
}

TEST_F(ConsultTest, AsksTheGivenBackendAlone) {
  Seeding("other", {Block(64)}).backend = "elsewhere";
  const ConsultResult result = Consult();
  EXPECT_THAT(result.outcomes, IsEmpty());
  EXPECT_THAT(result.seeds, IsEmpty());
}

TEST_F(ConsultTest, NeverFencesTheSpace) {
  const absl::uint128 before = space_->NumValid();
  const std::string id = space_->id();
  Seeding("first", {Block(64)}, /*promotes=*/true);
  const ConsultResult result = Consult();
  EXPECT_EQ(space_->NumValid(), before);
  EXPECT_EQ(space_->id(), id);
  EXPECT_EQ(&result.seeds[0].config.space(), space_.get());
}

TEST_F(ConsultTest, ConsultsTheSameTwice) {
  Seeding("first", {Block(64), Block(48)}, /*promotes=*/true);
  const ConsultResult a = Consult();
  const ConsultResult b = Consult();
  ASSERT_EQ(a.seeds.size(), b.seeds.size());
  EXPECT_EQ(a.seeds[0].config, b.seeds[0].config);
  EXPECT_EQ(a.outcomes[0].detail, b.outcomes[0].detail);
}

TEST_F(ConsultTest, GivesNeighborsThatAreValidNewAndNamed) {
  FakeHeuristic::Options& moves = Options("moves");
  moves.neighbors = [](const TuningContext&, const Config& config) {
    PartialConfig same;
    same.Set("num_stages", KnobValue(config.GetInt("num_stages")));
    PartialConfig forbidden = Block(256);
    forbidden.Set("num_stages", 4);
    return Seeds{same, Block(64), forbidden, Block(128)};
  };
  Options("repeats").neighbors = [](const TuningContext&, const Config&) {
    return Seeds{Block(128), Block(16)};
  };
  PartialConfig start = Block(32);
  start.Set("num_stages", 3);
  const std::vector<Seed> neighbors =
      HeuristicNeighbors(Registry(), "fake", Context(), Normal(start));
  ASSERT_THAT(neighbors, SizeIs(3));
  EXPECT_EQ(neighbors[0].config.GetInt("block_size[m]"), 64);
  EXPECT_EQ(neighbors[0].heuristic, "moves");
  EXPECT_EQ(neighbors[0].rank, 1);
  EXPECT_EQ(neighbors[1].config.GetInt("block_size[m]"), 128);
  EXPECT_EQ(neighbors[2].config.GetInt("block_size[m]"), 16);
  EXPECT_EQ(neighbors[2].heuristic, "repeats");
  for (const Seed& neighbor : neighbors) {
    EXPECT_EQ(neighbor.config.GetInt("num_stages"), 3) << "a knob that was left out moved";
  }
}

TEST_F(ConsultTest, AsksForNeighborsOnlyWhoIsEligibleAndOn) {
  const auto must_not_be_asked = [](const TuningContext&, const Config&) {
    ADD_FAILURE() << "asked all the same";
    return Seeds();
  };
  Options("off").neighbors = must_not_be_asked;
  FakeHeuristic::Options& shy = Options("shy");
  shy.is_eligible = [](const TuningContext&) { return Eligibility::No("no"); };
  shy.neighbors = must_not_be_asked;
  ConsultOptions options;
  options.disabled = {"off"};
  EXPECT_THAT(HeuristicNeighbors(Registry(), "fake", Context(), space_->Default(), options),
              IsEmpty());
}

TEST_F(ConsultTest, AsksNobodyForNeighborsWhereTheseAreSwitchedOff) {
  Options("on").neighbors = [](const TuningContext&, const Config&) {
    ADD_FAILURE() << "asked all the same";
    return Seeds();
  };
  ConsultOptions options;
  options.neighbors = false;
  EXPECT_THAT(HeuristicNeighbors(Registry(), "fake", Context(), space_->Default(), options),
              IsEmpty());
}

TEST_F(ConsultTest, CatchesWhatNeighborsThrow) {
  Options("throwing").neighbors = [](const TuningContext&, const Config&) -> Seeds {
    throw std::runtime_error("off the map");
  };
  Options("good").neighbors = [](const TuningContext&, const Config&) { return Seeds{Block(64)}; };
  std::vector<std::string> failures;
  const std::vector<Seed> neighbors =
      HeuristicNeighbors(Registry(), "fake", Context(), space_->Default(), {}, &failures);
  EXPECT_THAT(neighbors, SizeIs(1));
  EXPECT_THAT(failures, ElementsAre("throwing: threw \"off the map\""));
}

TEST(HeuristicOutcomeKindTest, EachKindHasItsOwnName) {
  std::vector<std::string_view> names;
  for (HeuristicOutcomeKind kind :
       {HeuristicOutcomeKind::kSeeded, HeuristicOutcomeKind::kDeclined,
        HeuristicOutcomeKind::kFailed, HeuristicOutcomeKind::kUntransferable,
        HeuristicOutcomeKind::kDuplicate, HeuristicOutcomeKind::kDisabled}) {
    const std::string_view name = HeuristicOutcomeKindName(kind);
    EXPECT_THAT(names, Not(testing::Contains(name)));
    names.push_back(name);
  }
}

}  // namespace
}  // namespace seedtune

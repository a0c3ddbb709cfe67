#include "heuristics/outcome_json.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/consult.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

std::shared_ptr<const ConfigSpace> Space() {
  ConfigSpace::Options options;
  options.name = "fake";
  options.knobs.push_back(*Knob::PowerOfTwo("block_size[m]", 16, 256, 32));
  options.knobs.push_back(*Knob::Enum("pid_type", {"flat", "xyz"}, "flat"));
  return *ConfigSpace::Create(std::move(options));
}

std::vector<HeuristicOutcome> Outcomes(const ConfigSpace& space) {
  HeuristicOutcome seeded;
  seeded.heuristic = "first";
  seeded.kind = HeuristicOutcomeKind::kSeeded;
  seeded.detail = "aspect \"16.0\"\nwide";
  seeded.seeds = {
      *space.Normalize(PartialConfig().Set("block_size[m]", 64), NormalizeMode::kReject),
      *space.Normalize(PartialConfig().Set("pid_type", "xyz"), NormalizeMode::kReject)};
  seeded.promoted = true;
  seeded.best_rank = 3;
  seeded.best_median_ns = 41200.5;
  seeded.best_is_retimed = true;
  seeded.winner_descends = true;
  HeuristicOutcome declined;
  declined.heuristic = "second";
  declined.kind = HeuristicOutcomeKind::kDeclined;
  declined.detail = "aspect 2.0, want at least 8";
  return {seeded, declined};
}

TEST(OutcomeJsonTest, SaysEverything) {
  const auto space = Space();
  EXPECT_EQ(
      HeuristicOutcomesToJson(Outcomes(*space)),
      R"([{"heuristic":"first","outcome":"seeded","detail":"aspect \"16.0\"\nwide",)"
      R"("promoted":true,"seeds":[{"block_size[m]":64,"pid_type":"flat"},)"
      R"({"block_size[m]":32,"pid_type":"xyz"}],"best_rank":3,"best_median_ns":41200.5,)"
      R"("best_is_retimed":true,"winner_descends":true},{"heuristic":"second","outcome":"declined",)"
      R"("detail":"aspect 2.0, want at least 8","promoted":false}])");
}

TEST(OutcomeJsonTest, ReadsReportsThatDoNotSayWhatWasTimedAgain) {
  ASSERT_OK_AND_ASSIGN(
      const std::vector<HeuristicOutcome> read,
      HeuristicOutcomesFromJson(
          R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"best_rank":1,)"
          R"("best_median_ns":41200.5,"winner_descends":true}])",
          *Space()));
  EXPECT_FALSE(read.at(0).best_is_retimed);
  EXPECT_TRUE(read[0].winner_descends);
}

TEST(OutcomeJsonTest, ReadsBackWhatItWrote) {
  const auto space = Space();
  const std::vector<HeuristicOutcome> outcomes = Outcomes(*space);
  ASSERT_OK_AND_ASSIGN(const std::vector<HeuristicOutcome> read,
                       HeuristicOutcomesFromJson(HeuristicOutcomesToJson(outcomes), *space));
  ASSERT_THAT(read, SizeIs(outcomes.size()));
  for (size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].heuristic, outcomes[i].heuristic);
    EXPECT_EQ(read[i].kind, outcomes[i].kind);
    EXPECT_EQ(read[i].detail, outcomes[i].detail);
    EXPECT_EQ(read[i].seeds, outcomes[i].seeds);
    EXPECT_EQ(read[i].promoted, outcomes[i].promoted);
    EXPECT_EQ(read[i].best_rank, outcomes[i].best_rank);
    EXPECT_EQ(read[i].best_median_ns, outcomes[i].best_median_ns);
    EXPECT_EQ(read[i].best_is_retimed, outcomes[i].best_is_retimed);
    EXPECT_EQ(read[i].winner_descends, outcomes[i].winner_descends);
  }
}

TEST(OutcomeJsonTest, WritesAnEmptyListAndBrokenText) {
  EXPECT_EQ(HeuristicOutcomesToJson({}), "[]");
  HeuristicOutcome outcome;
  outcome.heuristic = "fake";
  outcome.detail = "threw \"\xff\"";
  EXPECT_THAT(HeuristicOutcomesToJson({&outcome, 1}), HasSubstr("threw \\\"\xEF\xBF\xBD\\\""));
}

TEST(OutcomeJsonTest, NamesWhatIsWrong) {
  const auto space = Space();
  const struct {
    const char *json, *error;
  } kCases[] = {
      {"", "no JSON"},
      {"{}", "outcomes is {}, want an array"},
      {"[1]", "outcomes[0] is 1, want an object"},
      {"[{}]", "outcomes[0].heuristic is not set"},
      {R"([{"heuristic":"a"}])", "outcomes[0].outcome is not set"},
      {R"([{"heuristic":"a","outcome":"sprouted"}])", "outcomes[0].outcome is \"sprouted\""},
      {R"([{"heuristic":"a","outcome":"seeded","detail":1}])", "outcomes[0].detail is 1"},
      {R"([{"heuristic":"a","outcome":"seeded","detail":""}])", "outcomes[0].promoted is not set"},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"seeds":{}}])",
       "outcomes[0].seeds is {}"},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"seeds":[1]}])",
       "outcomes[0].seeds[0]: "},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,)"
       R"("seeds":[{"block_size[m]":48}]}])",
       "outcomes[0].seeds[0]: "},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"best_rank":"1"}])",
       "outcomes[0].best_rank is \"1\""},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"best_rank":1}])",
       "outcomes[0].best_median_ns is not set"},
      {R"([{"heuristic":"a","outcome":"seeded","detail":"","promoted":true,"best_rank":1,)"
       R"("best_median_ns":1,"best_is_retimed":1}])",
       "outcomes[0].best_is_retimed is 1"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.json);
    EXPECT_THAT(HeuristicOutcomesFromJson(c.json, *space),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

}  // namespace
}  // namespace seedtune

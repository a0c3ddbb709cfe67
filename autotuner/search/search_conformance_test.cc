// What every search algorithm has to do; run for each of them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/search/search.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Ne;
using ::testing::SizeIs;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::shared_ptr<const ConfigSpace> MakeSpace(std::string name, std::vector<Knob> knobs,
                                             std::vector<Constraint> constraints = {}) {
  ConfigSpace::Options options;
  options.name = std::move(name);
  options.knobs = std::move(knobs);
  options.constraints = std::move(constraints);
  absl::StatusOr<std::shared_ptr<const ConfigSpace>> space =
      ConfigSpace::Create(std::move(options));
  EXPECT_THAT(space, IsOk());
  return *std::move(space);
}

// 1, 2 or 10 configurations in one knob.
std::shared_ptr<const ConfigSpace> LineSpace(int size) {
  return MakeSpace(absl::StrCat("line", size), {*Knob::Integer("x", 1, size, 1, 1)});
}

// Every kind of knob and a constraint: some hundred configurations.
std::shared_ptr<const ConfigSpace> MixedSpace() {
  return MakeSpace("mixed",
                   {*Knob::PowerOfTwo("tile", 1, 64, 8), *Knob::Integer("stages", 1, 6, 1, 2),
                    *Knob::Enum("order", {"mn", "nm", "z"}, "mn"), *Knob::Boolean("pack", false)},
                   {{.name = "fits",
                     .description = "tile * stages is at most 128",
                     .knobs = {"tile", "stages"},
                     .holds = [](std::span<const int64_t> v) { return v[0] * v[1] <= 128; }}});
}

// More configurations than 128 bits can number.
std::shared_ptr<const ConfigSpace> EndlessSpace() {
  std::vector<Knob> knobs;
  for (int i = 0; i < 20; ++i) {
    knobs.push_back(*Knob::Integer(absl::StrCat("x", i), 0, 999, 1, 0));
  }
  return MakeSpace("endless", std::move(knobs));
}

// What is told of a configuration.
struct Landscape {
  std::string name;
  std::pair<OutcomeKind, double> (*at)(const Config&);
};

uint64_t Mix(const Config& config) {
  uint64_t mixed = 1469598103934665603u;
  for (const uint16_t choice : config.choices()) mixed = (mixed ^ choice) * 1099511628211u;
  return mixed ^ (mixed >> 29);
}

double Bowl(const Config& config) {
  double sum = 100;
  for (const uint16_t choice : config.choices()) sum += (choice - 2.0) * (choice - 2.0);
  return sum;
}

const Landscape kLandscapes[] = {
    {"bowl", [](const Config& c) { return std::pair(OutcomeKind::kOk, Bowl(c)); }},
    {"flat", [](const Config&) { return std::pair(OutcomeKind::kOk, 1.0); }},
    {"everything_fails",
     [](const Config&) { return std::pair(OutcomeKind::kCompileError, kInfinity); }},
    {"infinite", [](const Config&) { return std::pair(OutcomeKind::kOk, kInfinity); }},
    {"nan", [](const Config&) { return std::pair(OutcomeKind::kOk, std::nan("")); }},
    {"minus_infinite", [](const Config&) { return std::pair(OutcomeKind::kOk, -kInfinity); }},
    // A failure must not be ranked, whatever the number beside it.
    {"fast_but_wrong", [](const Config&) { return std::pair(OutcomeKind::kWrongResult, 0.001); }},
    {"censored", [](const Config& c) { return std::pair(OutcomeKind::kCensored, Bowl(c)); }},
    {"mixed",
     [](const Config& c) {
       switch (Mix(c) % 5) {
         case 0:
           return std::pair(OutcomeKind::kCrash, kInfinity);
         case 1:
           return std::pair(OutcomeKind::kCensored, Bowl(c) / 10);
         case 2:
           return std::pair(OutcomeKind::kOk, std::nan(""));
         default:
           return std::pair(OutcomeKind::kOk, Bowl(c));
       }
     }},
};

Observation Observe(const Candidate& candidate, const Landscape& landscape) {
  const auto [kind, objective_ns] = landscape.at(candidate.config);
  return {.candidate = candidate, .kind = kind, .objective_ns = objective_ns};
}

// How a search is driven: how many are asked for at once, how many may be under way, and in which
// order they are told.
struct Drive {
  int batch = 1;
  size_t under_way = 1;
  bool shuffled = false;
};

// Asks and tells until the search is done or `limit` have been asked; what it asked, in order.
std::vector<Candidate> RunSearch(SearchAlgorithm& search, const Landscape& landscape,
                                 const Drive& drive, size_t limit = SIZE_MAX) {
  std::mt19937_64 random(7);
  std::vector<Candidate> asked;
  std::vector<Candidate> waiting;
  while (asked.size() < limit) {
    bool stuck = true;
    while (waiting.size() < drive.under_way) {
      const std::vector<Candidate> batch = search.Ask(drive.batch);
      EXPECT_THAT(batch, SizeIs(Le(static_cast<size_t>(drive.batch))));
      if (batch.empty()) break;
      stuck = false;
      asked.insert(asked.end(), batch.begin(), batch.end());
      waiting.insert(waiting.end(), batch.begin(), batch.end());
    }
    if (waiting.empty()) {
      EXPECT_TRUE(search.IsDone()) << "it waits for nothing";
      if (stuck) break;
    }
    if (waiting.empty()) break;
    const size_t which = drive.shuffled ? random() % waiting.size() : 0;
    search.Tell(Observe(waiting[which], landscape));
    waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(which));
  }
  return asked;
}

std::vector<std::string> Trajectory(const std::vector<Candidate>& asked) {
  std::vector<std::string> lines;
  for (const Candidate& candidate : asked) {
    lines.push_back(
        absl::StrCat(candidate.config.ToJson(), " ", candidate.origin, " ", candidate.heuristic));
  }
  return lines;
}

class SearchConformanceTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<SearchAlgorithm> Make(SearchProblem problem) const {
    absl::StatusOr<std::unique_ptr<SearchAlgorithm>> search =
        MakeSearch(GetParam(), std::move(problem));
    EXPECT_THAT(search, IsOk());
    return *std::move(search);
  }
};

TEST_P(SearchConformanceTest, SaysItsName) {
  EXPECT_EQ(Make({.space = LineSpace(2)})->name(), GetParam());
}

TEST_P(SearchConformanceTest, T10_CoversSmallSpacesAndAsksNothingTwice) {
  const Drive kDrives[] = {
      {.batch = 1, .under_way = 1, .shuffled = false},
      {.batch = 1, .under_way = 8, .shuffled = true},
      {.batch = 7, .under_way = 1, .shuffled = true},
      {.batch = 1000, .under_way = 1000, .shuffled = true},
  };
  for (const auto& space : {LineSpace(1), LineSpace(2), LineSpace(10), MixedSpace()}) {
    for (const Landscape& landscape : kLandscapes) {
      for (const Drive& drive : kDrives) {
        SCOPED_TRACE(absl::StrCat(space->name(), " ", landscape.name, " in batches of ",
                                  drive.batch, ", ", drive.under_way, " under way"));
        const auto search = Make({.space = space, .random_seed = 3});
        EXPECT_FALSE(search->IsDone());
        const std::vector<Candidate> asked = RunSearch(*search, landscape, drive);
        absl::flat_hash_set<Config> different;
        for (const Candidate& candidate : asked) {
          EXPECT_TRUE(space->IndexOf(candidate.config).has_value());
          EXPECT_TRUE(different.insert(candidate.config).second) << candidate.config.ToJson();
        }
        EXPECT_EQ(absl::uint128(different.size()), space->NumValid());
        EXPECT_TRUE(search->IsDone());
        EXPECT_THAT(search->Ask(3), IsEmpty());
      }
    }
  }
}

TEST_P(SearchConformanceTest, IsNotDoneWhileSomethingIsLeft) {
  const auto search = Make({.space = LineSpace(10)});
  for (int asked = 0; asked < 10; ++asked) {
    EXPECT_FALSE(search->IsDone());
    const std::vector<Candidate> candidates = search->Ask(1);
    ASSERT_THAT(candidates, SizeIs(1));
    search->Tell(Observe(candidates[0], kLandscapes[0]));
  }
  EXPECT_TRUE(search->IsDone());
}

TEST_P(SearchConformanceTest, T16_AsksTheFirstCandidatesFirstAndOnce) {
  const auto space = MixedSpace();
  const Candidate untuned{.config = space->At(5), .origin = "default", .heuristic = ""};
  const Candidate seed{.config = space->At(100), .origin = "seed", .heuristic = "expert"};
  const Candidate same{.config = space->At(5), .origin = "seed", .heuristic = "late"};
  const Candidate last{.config = space->At(2), .origin = "seed", .heuristic = "late"};
  for (const int batch : {1, 2, 1000}) {
    SCOPED_TRACE(batch);
    const auto search = Make({.space = space, .first = {untuned, seed, same, seed, last}});
    const std::vector<Candidate> asked =
        RunSearch(*search, kLandscapes[0], {.batch = batch, .under_way = 1});
    ASSERT_EQ(absl::uint128(asked.size()), space->NumValid());
    EXPECT_THAT(Trajectory({asked.begin(), asked.begin() + 3}),
                ElementsAre(absl::StrCat(untuned.config.ToJson(), " default "),
                            absl::StrCat(seed.config.ToJson(), " seed expert"),
                            absl::StrCat(last.config.ToJson(), " seed late")));
  }
}

TEST_P(SearchConformanceTest, AsksAllOfTheFirstEvenInASpaceOfNothingElse) {
  const auto space = LineSpace(2);
  const auto search = Make({.space = space,
                            .first = {{.config = space->At(1), .origin = "default"},
                                      {.config = space->At(0), .origin = "seed"},
                                      {.config = space->At(1), .origin = "seed"}}});
  EXPECT_THAT(search->Ask(10), SizeIs(2));
  EXPECT_TRUE(search->IsDone());
}

TEST_P(SearchConformanceTest, SeedsNeverFenceInTheSearch) {
  const auto space = MixedSpace();
  // Seeds that are the worst there is, and heuristics that only ever point at them.
  std::vector<Candidate> first;
  for (int i = 0; i < 4; ++i) {
    first.push_back({.config = space->At(space->NumValid() - 1 - i), .origin = "seed"});
  }
  const auto search =
      Make({.space = space, .first = first, .heuristic_neighbors = [first](const Config&) {
              return first;
            }});
  const std::vector<Candidate> asked = RunSearch(*search, kLandscapes[0], {});
  EXPECT_EQ(absl::uint128(asked.size()), space->NumValid());
}

TEST_P(SearchConformanceTest, SurvivesWhateverHeuristicsPropose) {
  const auto space = MixedSpace();
  const auto elsewhere = LineSpace(10);
  const auto search = Make({.space = space, .heuristic_neighbors = [&](const Config& config) {
                              return std::vector<Candidate>{
                                  {.config = config},
                                  {.config = elsewhere->At(3)},
                                  {.config = Config()},
                                  {.config = Config(space, {6, 5, 0, 0})},  // breaks the constraint
                                  {.config = space->At(7)},
                                  {.config = space->At(7)},
                              };
                            }});
  const std::vector<Candidate> asked = RunSearch(*search, kLandscapes[0], {});
  absl::flat_hash_set<Config> different;
  for (const Candidate& candidate : asked) {
    EXPECT_TRUE(different.insert(candidate.config).second);
    EXPECT_TRUE(space->IndexOf(candidate.config).has_value());
  }
  EXPECT_EQ(absl::uint128(different.size()), space->NumValid());
}

TEST_P(SearchConformanceTest, OneSeedAndOneOrderOfAnswersGiveOneTrajectory) {
  for (const Drive& drive :
       {Drive{.batch = 1, .under_way = 1}, Drive{.batch = 3, .under_way = 9, .shuffled = true}}) {
    const auto once = Make({.space = MixedSpace(), .random_seed = 11});
    const auto again = Make({.space = MixedSpace(), .random_seed = 11});
    EXPECT_EQ(Trajectory(RunSearch(*once, kLandscapes[8], drive)),
              Trajectory(RunSearch(*again, kLandscapes[8], drive)));
  }
}

TEST_P(SearchConformanceTest, AnotherSeedGivesAnotherTrajectory) {
  if (GetParam() == "exhaustive") GTEST_SKIP() << "it leaves nothing to chance";
  const auto one = Make({.space = MixedSpace(), .random_seed = 1});
  const auto other = Make({.space = MixedSpace(), .random_seed = 2});
  EXPECT_NE(Trajectory(RunSearch(*one, kLandscapes[0], {})),
            Trajectory(RunSearch(*other, kLandscapes[0], {})));
}

// What a resumed run relies on: it replays asks that were answered with a candidate, and no others.
TEST_P(SearchConformanceTest, AnAskThatReturnsNothingChangesNothing) {
  const Landscape& landscape = kLandscapes[0];
  const auto patient = Make({.space = MixedSpace(), .random_seed = 5});
  const auto pressed = Make({.space = MixedSpace(), .random_seed = 5});
  std::vector<Candidate> waiting;
  std::vector<std::string> patient_asked, pressed_asked;
  while (!patient->IsDone()) {
    std::vector<Candidate> batch = patient->Ask(1);
    const std::vector<Candidate> same = pressed->Ask(1);
    ASSERT_EQ(Trajectory(batch), Trajectory(same));
    if (batch.empty()) {
      EXPECT_THAT(pressed->Ask(1), IsEmpty());
      EXPECT_THAT(pressed->Ask(100), IsEmpty());
    }
    waiting.insert(waiting.end(), batch.begin(), batch.end());
    // Up to 40 answers outstanding: long enough to make it wait, if it ever does.
    if (batch.empty() || waiting.size() == 40) {
      ASSERT_FALSE(waiting.empty());
      for (SearchAlgorithm* search : {patient.get(), pressed.get()}) {
        search->Tell(Observe(waiting.back(), landscape));
      }
      waiting.pop_back();
    }
  }
}

TEST_P(SearchConformanceTest, TakesAnswersThatItNeverAskedFor) {
  const auto space = MixedSpace();
  const auto elsewhere = LineSpace(10);
  const auto search = Make({.space = space, .random_seed = 5});
  search->Tell(
      {.candidate = {.config = space->At(3)}, .kind = OutcomeKind::kOk, .objective_ns = 1});
  search->Tell({.candidate = {.config = space->At(4)}, .kind = OutcomeKind::kCrash});
  // Twice, and not the same.
  search->Tell(
      {.candidate = {.config = space->At(3)}, .kind = OutcomeKind::kOk, .objective_ns = 2});
  // Not of this space.
  search->Tell({.candidate = {.config = elsewhere->At(3)}});
  search->Tell({.candidate = {.config = Config()}});
  search->Tell({.candidate = {.config = Config(space, {6, 5, 0, 0})}});
  search->Tell({.candidate = {.config = Config(space, {0, 0, 0, 77})}});
  search->Tell({.candidate = {.config = Config(space, {0})}});

  const std::vector<Candidate> asked =
      RunSearch(*search, kLandscapes[0], {.batch = 2, .under_way = 5});
  std::set<absl::uint128> different;
  for (const Candidate& candidate : asked) different.insert(*space->IndexOf(candidate.config));
  EXPECT_EQ(different.size(), asked.size());
  EXPECT_EQ(absl::uint128(asked.size()), space->NumValid() - 2)
      << "what is known need not be asked";
  EXPECT_FALSE(different.contains(3));
  EXPECT_FALSE(different.contains(4));
}

TEST_P(SearchConformanceTest, AsksTheFirstEvenIfTheyAreKnown) {
  const auto space = LineSpace(10);
  const auto search =
      Make({.space = space, .first = {{.config = space->At(3), .origin = "default"}}});
  search->Tell(
      {.candidate = {.config = space->At(3)}, .kind = OutcomeKind::kOk, .objective_ns = 1});
  const std::vector<Candidate> asked = RunSearch(*search, kLandscapes[0], {});
  ASSERT_THAT(asked, SizeIs(10));
  EXPECT_EQ(asked[0].config, space->At(3));
}

TEST_P(SearchConformanceTest, TakesAnAnswerTwice) {
  const auto space = MixedSpace();
  const auto search = Make({.space = space, .random_seed = 9});
  std::vector<Candidate> asked;
  std::mt19937_64 random(3);
  while (!search->IsDone()) {
    const std::vector<Candidate> batch = search->Ask(1);
    ASSERT_THAT(batch, SizeIs(1));
    asked.push_back(batch[0]);
    search->Tell(Observe(batch[0], kLandscapes[0]));
    // And an older one, for better or worse, or as a failure.
    const Candidate& older = asked[random() % asked.size()];
    const bool fails = random() % 4 == 0;
    search->Tell({.candidate = older,
                  .kind = fails ? OutcomeKind::kCrash : OutcomeKind::kOk,
                  .objective_ns = fails ? kInfinity : 50.0 + static_cast<double>(random() % 100)});
  }
  EXPECT_EQ(absl::uint128(asked.size()), space->NumValid());
}

TEST_P(SearchConformanceTest, SearchesSpacesThatNobodyCanNumber) {
  const auto space = EndlessSpace();
  ASSERT_EQ(space->NumValid(), absl::Uint128Max()) << "the space is meant to saturate the count";
  const auto search = Make({.space = space});
  const std::vector<Candidate> asked = RunSearch(*search, kLandscapes[0], {}, /*limit=*/300);
  absl::flat_hash_set<Config> different;
  for (const Candidate& candidate : asked) different.insert(candidate.config);
  EXPECT_THAT(different, SizeIs(300));
  EXPECT_FALSE(search->IsDone());
}

INSTANTIATE_TEST_SUITE_P(All, SearchConformanceTest, ::testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const std::string_view name : SearchAlgorithmNames()) {
                             names.emplace_back(name);
                           }
                           return names;
                         }()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace seedtune

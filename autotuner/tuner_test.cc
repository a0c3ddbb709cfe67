#include "autotuner/tuner.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autotuner/budget.h"
#include "autotuner/clock.h"
#include "autotuner/database/database.h"
#include "autotuner/example_tuning.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/hooked_database.h"
#include "autotuner/measurer.h"
#include "autotuner/memory_dir.h"
#include "autotuner/outcome.h"
#include "autotuner/record_key.h"
#include "autotuner/replay_measurer.h"
#include "autotuner/search/search_algorithm.h"
#include "autotuner/simulated_measurer.h"
#include "autotuner/virtual_clock.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/consult.h"
#include "heuristics/fake_heuristic.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::Ge;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::Lt;
using ::testing::Ne;
using ::testing::Not;
using ::testing::SizeIs;

class TunerTest : public ::testing::Test {
 protected:
  FakeMeasurer::Options FakeOptions() const {
    FakeMeasurer::Options options;
    options.info = ExampleMeasurerInfo();
    options.outcome = NoisyExampleOutcome;
    return options;
  }

  // Each call of Wait takes so long.
  FakeMeasurer::Options SlowOptions(int64_t wait_ns) {
    FakeMeasurer::Options options = FakeOptions();
    options.on_wait = [this, wait_ns] {
      clock_.AdvanceNs(wait_ns);
      return absl::OkStatus();
    };
    return options;
  }

  static TuneOptions Evaluations(int64_t evaluations) {
    TuneOptions options;
    options.budget = {.evaluations = evaluations, .seconds = 0};
    return options;
  }

  std::unique_ptr<Database> OpenDatabase() const {
    absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(directory_.Path("test.db"));
    EXPECT_THAT(database, IsOk());
    return *std::move(database);
  }

  absl::StatusOr<TuneResult> RunTune(Measurer& measurer, Database* database,
                                     const TuneOptions& options) {
    return Tune(kernel_, /*facts=*/{}, space_, registry_, measurer, database, clock_, options);
  }

  // A heuristic with these seeds.
  void AddHeuristic(const std::string& name, std::vector<Config> seeds, bool promotes = false) {
    FakeHeuristic::Options options;
    options.name = name;
    options.seeds = [seeds](const TuningContext&) {
      std::vector<PartialConfig> partials;
      for (const Config& seed : seeds) partials.push_back(seed.ToPartial());
      return partials;
    };
    options.promotes = [promotes](const TuningContext&) { return promotes; };
    EXPECT_THAT(registry_.Add(std::make_unique<FakeHeuristic>(options)), IsOk());
  }

  RecordKey Key() const { return MakeRecordKey(*kernel_, *space_, ExampleMeasurerInfo()); }

  // A run's log without its times, which depend on how often it was interrupted.
  static std::vector<std::string> Log(Database& database, const std::string& run_id) {
    absl::StatusOr<std::vector<RunEvent>> events = database.Events(run_id);
    EXPECT_THAT(events, IsOk());
    std::vector<std::string> lines;
    for (const RunEvent& event : *events) {
      lines.push_back(absl::StrCat(event.sequence, " ", static_cast<int>(event.kind), " ",
                                   event.ask_sequence, " ", event.config_json, " ", event.origin,
                                   " ", event.heuristic, " "));
      if (event.kind == RunEvent::Kind::kAsk) continue;
      absl::StrAppend(&lines.back(), static_cast<int>(event.outcome.kind), " ",
                      event.outcome.message, " ", event.outcome.lower_bound_ns);
      for (const double ns : event.outcome.samples_ns) absl::StrAppend(&lines.back(), " ", ns);
    }
    return lines;
  }

  const MemoryDir directory_;
  const std::shared_ptr<const Kernel> kernel_ = ExampleKernel();
  const std::shared_ptr<const ConfigSpace> space_ = ExampleSpace();
  HeuristicRegistry registry_;
  VirtualClock clock_;
};

// Requests that time a candidate for the first time.
std::vector<MeasureRequest> FirstRequests(const FakeMeasurer& measurer) {
  std::vector<MeasureRequest> first;
  absl::flat_hash_set<Config> seen;
  for (const MeasureRequest& request : measurer.requests()) {
    if (seen.insert(request.config).second) first.push_back(request);
  }
  return first;
}

TEST_F(TunerTest, RefusesImpossibleOptions) {
  const struct {
    const char* name;
    std::function<void(TuneOptions&)> change;
    const char* error;
  } kCases[] = {
      {"no budget", [](TuneOptions& o) { o.budget = {.evaluations = 0, .seconds = 0}; },
       "budget is none, want a limit of evaluations"},
      {"a target alone",
       [](TuneOptions& o) {
         o.budget = {.roofline_fraction = 0.5};
         o.roofline_ns = 10;
       },
       "budget is 50%roofline, want a limit"},
      {"a target without a roofline", [](TuneOptions& o) { o.budget.roofline_fraction = 0.5; },
       "roofline_ns is 0, want more than 0 for a budget of 5evals,50%roofline"},
      {"a target of more than all", [](TuneOptions& o) { o.budget.roofline_fraction = 1.5; },
       "budget.roofline_fraction is 1.5"},
      {"negative device seconds", [](TuneOptions& o) { o.budget.device_seconds = -2; },
       "budget.device_seconds is -2"},
      {"negative stale evaluations", [](TuneOptions& o) { o.budget.stale_evaluations = -2; },
       "budget.stale_evaluations is -2"},
      {"negative evaluations", [](TuneOptions& o) { o.budget.evaluations = -1; },
       "budget.evaluations is -1"},
      {"negative seconds", [](TuneOptions& o) { o.budget.seconds = -2; }, "budget.seconds is -2"},
      {"no number", [](TuneOptions& o) { o.budget.seconds = std::nan(""); },
       "budget.seconds is nan"},
      {"leaders", [](TuneOptions& o) { o.leaders = -1; }, "leaders is -1"},
      {"rounds", [](TuneOptions& o) { o.leader_rounds = -1; }, "leader_rounds is -1"},
      {"drop all", [](TuneOptions& o) { o.drop_factor = 0.5; }, "drop_factor is 0.5"},
      {"drop nan", [](TuneOptions& o) { o.drop_factor = std::nan(""); }, "drop_factor is nan"},
  };
  FakeMeasurer measurer(FakeOptions());
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    TuneOptions options = Evaluations(5);
    c.change(options);
    EXPECT_THAT(RunTune(measurer, nullptr, options),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
  EXPECT_THAT(Tune(nullptr, {}, space_, registry_, measurer, nullptr, clock_, Evaluations(5)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(measurer.requests(), IsEmpty());
}

TEST_F(TunerTest, RefusesAnUnknownAlgorithmBeforeAnythingIsRecorded) {
  FakeMeasurer measurer(FakeOptions());
  const auto database = OpenDatabase();
  TuneOptions options = Evaluations(5);
  options.algorithm = "patern";
  EXPECT_THAT(RunTune(measurer, database.get(), options),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("did you mean \"pattern\"")));
  EXPECT_THAT(database->ListRuns(), IsOkAndHolds(IsEmpty()));
}

TEST_F(TunerTest, MeasuresTheDefaultAndTheSeedsFirstAndInFull) {
  AddHeuristic("one", {space_->At(10), space_->At(20)});
  AddHeuristic("two", {space_->At(10), space_->At(30)});
  FakeMeasurer measurer(FakeOptions());
  TuneOptions options = Evaluations(20);
  options.drop_factor = 1.5;
  options.heuristics.user_seeds = {space_->At(40).ToPartial()};
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));

  std::vector<std::string> first;
  for (size_t i = 0; i < 5; ++i) {
    const Candidate& candidate = result.trials[i].candidate;
    first.push_back(absl::StrCat(absl::Uint128Low64(*space_->IndexOf(candidate.config)), " ",
                                 candidate.origin, " ", candidate.heuristic));
  }
  EXPECT_THAT(
      first, ElementsAre(
                 absl::StrCat(absl::Uint128Low64(*space_->IndexOf(space_->Default())), " default "),
                 "40 seed user", "10 seed one", "20 seed one", "30 seed two"));
  const std::vector<MeasureRequest> requests = FirstRequests(measurer);
  ASSERT_THAT(requests, SizeIs(20));
  double best_ns = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(requests[i].drop_above_ns, i < 5 ? 0 : 1.5 * best_ns) << i;
    EXPECT_TRUE(requests[i].check_result);
    EXPECT_EQ(requests[i].kernel, kernel_);
    best_ns = std::min(
        best_ns, result.trials[i].outcome.ok() ? result.trials[i].outcome.objective_ns() : best_ns);
  }
}

TEST_F(TunerTest, MeasuresAllSeedsWhateverTheBudget) {
  AddHeuristic("one", {space_->At(10), space_->At(20), space_->At(30)});
  for (const Budget& budget :
       {Budget{.evaluations = 1, .seconds = 0}, Budget{.evaluations = 0, .seconds = 1e-9}}) {
    FakeMeasurer measurer(SlowOptions(1'000'000));
    TuneOptions options;
    options.budget = budget;
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
    EXPECT_EQ(result.evaluations, 4);
  }
}

TEST_F(TunerTest, SpendsExactlyItsEvaluations) {
  for (const char* algorithm : {"exhaustive", "pattern", "random"}) {
    for (const int capacity : {1, 5}) {
      FakeMeasurer::Options fake = FakeOptions();
      fake.capacity = capacity;
      fake.order = FakeMeasurer::Order::kAny;
      FakeMeasurer measurer(fake);
      TuneOptions options = Evaluations(37);
      options.algorithm = algorithm;
      ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
      EXPECT_TRUE(result.finished);
      EXPECT_EQ(result.evaluations, 37);
      EXPECT_THAT(result.trials, SizeIs(37));
      EXPECT_EQ(result.failures,
                std::count_if(result.trials.begin(), result.trials.end(), [](const Trial& trial) {
                  return !trial.outcome.ok() && trial.outcome.kind != OutcomeKind::kCensored;
                }));
      EXPECT_THAT(FirstRequests(measurer), SizeIs(37));
      EXPECT_EQ(measurer.most_under_way(), static_cast<size_t>(capacity));
      EXPECT_EQ(result.run_id, "");
    }
  }
}

TEST_F(TunerTest, EndsWithTheSpace) {
  FakeMeasurer measurer(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(1'000'000)));
  EXPECT_EQ(absl::uint128(result.evaluations), space_->NumValid());
  EXPECT_TRUE(result.finished);
  EXPECT_THAT(result.best_outcome.objective_ns(),
              Le(1.03 * ExampleOutcome(ExampleOptimum(*space_)).objective_ns()));
}

// Trap T8 of the reference system: no final timing where the budget is spent, which is when it
// matters.
TEST_F(TunerTest, T8_KeepsToItsSecondsWithTimeLeftForTheLeaders) {
  for (const int workers : {1, 4}) {
    ReplayMeasurer::Options replay;
    replay.info = ExampleMeasurerInfo();
    replay.outcome = ExampleOutcome;
    replay.workers = workers;
    replay.request_noise = 0.01;
    ReplayMeasurer measurer(replay, clock_);
    TuneOptions options;
    options.budget = {.evaluations = 0, .seconds = 2};
    const int64_t begin_ns = clock_.NowNs();
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
    const double took = static_cast<double>(clock_.NowNs() - begin_ns) * 1e-9;
    EXPECT_THAT(took, AllOf(Gt(1.5), Lt(2.1)));
    EXPECT_DOUBLE_EQ(result.seconds, took);
    // One request takes 2 ms to compile and some to time.
    EXPECT_THAT(result.evaluations, Gt(100 * workers));
    EXPECT_THAT(result.best_outcome.samples_ns.size(), Ge(5 * 5u)) << "five rounds at least";
  }
}

// A compiler can take longer for what it was asked last than the whole budget.
TEST_F(TunerTest, GivesUpWhatDoesNotRunYetOnceTheTimeIsUp) {
  for (const bool gives_up : {false, true}) {
    SCOPED_TRACE(gives_up);
    FakeMeasurer::Options fake = SlowOptions(100'000'000);
    fake.capacity = 8;
    fake.gives_up = gives_up;
    FakeMeasurer measurer(fake);
    TuneOptions options;
    options.budget = {.evaluations = 0, .seconds = 5};
    options.leaders = 0;
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
    EXPECT_TRUE(result.finished);
    EXPECT_NEAR(result.seconds, gives_up ? 5 : 5.7, 0.11);
    EXPECT_EQ(result.evaluations + (gives_up ? 7 : 0),
              static_cast<int64_t>(FirstRequests(measurer).size()));
  }
}

TEST_F(TunerTest, GivesNothingUpBeforeTheSeedsAreMeasured) {
  AddHeuristic("expert", {space_->At(10), space_->At(20), space_->At(30)});
  FakeMeasurer::Options fake = SlowOptions(1'000'000'000);
  fake.capacity = 8;
  fake.gives_up = true;
  FakeMeasurer measurer(fake);
  TuneOptions options;
  options.budget = {.evaluations = 0, .seconds = 0.5};
  options.leaders = 0;
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
  EXPECT_EQ(result.evaluations, 4);
}

TEST_F(TunerTest, WhatWasGivenUpIsNotAskedForWhenARunIsGoneOnWith) {
  const auto database = OpenDatabase();
  FakeMeasurer::Options fake = SlowOptions(100'000'000);
  fake.capacity = 8;
  fake.gives_up = true;
  TuneOptions options;
  options.budget = {.evaluations = 0, .seconds = 5};
  int retimed = 0;
  HookedDatabase dying(*database, {.before_append = [&](const RunEvent& event) {
    const bool dies = event.kind == RunEvent::Kind::kRetime && ++retimed == 3;
    return dies ? absl::InternalError("dead") : absl::OkStatus();
  }});
  FakeMeasurer killed(fake);
  EXPECT_THAT(RunTune(killed, &dying, options), StatusIs(absl::StatusCode::kInternal));
  FakeMeasurer measurer(fake);
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), options));
  EXPECT_TRUE(result.resumed);
  EXPECT_TRUE(result.finished);
  EXPECT_THAT(measurer.requests(),
              AllOf(Not(IsEmpty()), Each(Field(&MeasureRequest::id, Ge(int64_t{1} << 32)))));
}

// T9: time-outs that adapted to a run changed settings that others shared, and only ever shrank.
TEST_F(TunerTest, T9_OneRunChangesNothingForTheNext) {
  const TuneOptions options = Evaluations(60);
  std::vector<std::tuple<std::string, double, double>> asked[2];
  for (auto& requests : asked) {
    FakeMeasurer measurer(FakeOptions());
    ASSERT_THAT(RunTune(measurer, nullptr, options), IsOk());
    for (const MeasureRequest& request : measurer.requests()) {
      requests.emplace_back(request.config.ToJson(), request.drop_above_ns, request.timeout_ns);
      EXPECT_EQ(request.timeout_ns, measurer.requests().front().timeout_ns);
    }
  }
  EXPECT_EQ(asked[0], asked[1]);
}

TEST_F(TunerTest, RetimesTheLeadersInTurnsWithTheDefault) {
  FakeMeasurer measurer(FakeOptions());
  TuneOptions options = Evaluations(60);
  options.leaders = 3;
  options.leader_rounds = 10;
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));

  std::vector<MeasureRequest> again(measurer.requests().begin() + 60, measurer.requests().end());
  ASSERT_THAT(again, SizeIs(Ge(5 * 4u)));
  std::set<int64_t> ids;
  for (const MeasureRequest& request : measurer.requests()) ids.insert(request.id);
  EXPECT_THAT(ids, SizeIs(measurer.requests().size())) << "each request has its own id";
  for (size_t round = 0; round < 5; ++round) {
    absl::flat_hash_set<Config> timed;
    for (size_t i = 0; i < 4; ++i) {
      const MeasureRequest& request = again[round * 4 + i];
      timed.insert(request.config);
      EXPECT_EQ(request.drop_above_ns, 0);
      EXPECT_EQ(request.check_result, round == 0);
    }
    EXPECT_THAT(timed, SizeIs(4)) << "each once";
    EXPECT_TRUE(timed.contains(space_->Default()));
    EXPECT_TRUE(timed.contains(result.best.config));
  }
  EXPECT_EQ(again[0].config, again[7].config) << "the second round goes the other way";
  EXPECT_EQ(result.evaluations, 60) << "re-timing is free";

  // The speed-up is of fresh samples of both.
  EXPECT_THAT(result.untuned_outcome.samples_ns, SizeIs(Ge(5 * 5u)));
  EXPECT_THAT(result.best_outcome.samples_ns, SizeIs(Ge(5 * 5u)));
}

TEST_F(TunerTest, TheLuckiestSampleDoesNotWin) {
  // One candidate was lucky when it was first measured: at 50 us, where in truth it takes 300.
  const Config lucky = space_->At(10);
  AddHeuristic("one", {lucky});
  FakeMeasurer::Options fake = FakeOptions();
  std::set<int64_t> seen;
  fake.outcome = [&](const MeasureRequest& request) {
    if (request.config != lucky) return NoisyExampleOutcome(request);
    return ExampleOk(request.id < (int64_t{1} << 32) ? 50e3 : 300e3);
  };
  FakeMeasurer measurer(fake);
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(40)));
  EXPECT_NE(result.best.config, lucky);
  EXPECT_THAT(result.best_outcome.objective_ns(), Lt(result.untuned_outcome.objective_ns()));
}

TEST_F(TunerTest, ALeaderThatFailsWhenTimedAgainHasLost) {
  const Config flaky = space_->At(10);
  AddHeuristic("one", {flaky});
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [&](const MeasureRequest& request) {
    if (request.config != flaky) return NoisyExampleOutcome(request);
    return request.id < (int64_t{1} << 32) ? ExampleOk(50e3)
                                           : ExampleFailure(OutcomeKind::kWrongResult, "races");
  };
  FakeMeasurer measurer(fake);
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(40)));
  EXPECT_NE(result.best.config, flaky);
  EXPECT_TRUE(result.best_outcome.ok());
}

TEST_F(TunerTest, TheDefaultWinsWhereNothingIsFaster) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [&](const MeasureRequest& request) {
    // All are alike, or slower.
    return ExampleOk(request.config == space_->Default() ? 100 : request.id % 2 == 0 ? 100 : 130);
  };
  for (const int leaders : {0, 4}) {
    FakeMeasurer measurer(fake);
    TuneOptions options = Evaluations(40);
    options.leaders = leaders;
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
    EXPECT_EQ(result.best.config, space_->Default());
    EXPECT_EQ(result.best.origin, "default");
    EXPECT_EQ(result.best_outcome, result.untuned_outcome);
  }
}

// T4: the default was the reference of what is right, and tuning ended where it failed.
TEST_F(TunerTest, T4_TunesOnWhereTheDefaultFails) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [&](const MeasureRequest& request) {
    if (request.config == space_->Default()) return ExampleFailure(OutcomeKind::kCrash, "signal 4");
    return NoisyExampleOutcome(request);
  };
  FakeMeasurer measurer(fake);
  const auto database = OpenDatabase();
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), Evaluations(40)));
  EXPECT_TRUE(result.best_outcome.ok());
  EXPECT_EQ(result.untuned_outcome.message, "signal 4");
}

TEST_F(TunerTest, SaysWhatTheCommonestFailureWasWhereAllFail) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [](const MeasureRequest& request) {
    if (request.id % 4 == 0) return ExampleFailure(OutcomeKind::kTimeout, "slow");
    return ExampleFailure(OutcomeKind::kCompileError,
                          request.id == 6 ? "rare" : "no such instruction: \"vfoo\"");
  };
  FakeMeasurer measurer(fake);
  const auto database = OpenDatabase();
  EXPECT_THAT(
      RunTune(measurer, database.get(), Evaluations(20)),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(HasSubstr("all of 20 candidates failed, 10 of them with compile_error"),
                     HasSubstr("no such instruction: \"vfoo\""), HasSubstr(kernel_->name))));
  EXPECT_THAT(database->ListBest(), IsOkAndHolds(IsEmpty()));

  // Somebody mends the machine and asks again: what failed then is not held against it.
  FakeMeasurer mended(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(mended, database.get(), Evaluations(20)));
  EXPECT_FALSE(result.resumed);
  EXPECT_THAT(result.notes, ElementsAre(AllOf(HasSubstr("unfinished run"),
                                              HasSubstr("all of its candidates failed; started"))));
}

TEST_F(TunerTest, AllLeadersMayFailWhenTimedAgain) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [](const MeasureRequest& request) {
    if (request.id < (int64_t{1} << 32)) return NoisyExampleOutcome(request);
    return ExampleFailure(OutcomeKind::kLaunchError, "device lost");
  };
  for (const int leaders : {1, 4}) {  // with 1, each after the first takes its place alone
    FakeMeasurer measurer(fake);
    TuneOptions options = Evaluations(12);
    options.leaders = leaders;
    EXPECT_THAT(RunTune(measurer, nullptr, options),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("device lost")));
    for (const MeasureRequest& request : measurer.requests()) EXPECT_TRUE(request.check_result);
  }
}

TEST_F(TunerTest, ReportsWhatBecameOfEachHeuristic) {
  const Config optimum = ExampleOptimum(*space_);
  const Config worst = ExampleWorst(*space_);
  AddHeuristic("harmful", {worst});
  AddHeuristic("expert", {optimum});
  AddHeuristic("echo", {optimum});
  FakeMeasurer measurer(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(50)));
  ASSERT_THAT(result.heuristics, SizeIs(3));

  EXPECT_EQ(result.heuristics[0].kind, HeuristicOutcomeKind::kSeeded);
  EXPECT_THAT(result.heuristics[0].best_rank, Gt(20));
  EXPECT_THAT(result.heuristics[0].best_median_ns, Ge(ExampleOutcome(worst).objective_ns()));
  EXPECT_FALSE(result.heuristics[0].winner_descends);

  EXPECT_FALSE(result.heuristics[0].best_is_retimed);
  EXPECT_EQ(result.heuristics[1].best_rank, 1);
  EXPECT_TRUE(result.heuristics[1].best_is_retimed);
  EXPECT_EQ(result.heuristics[1].best_median_ns, result.best_outcome.objective_ns());
  EXPECT_TRUE(result.heuristics[1].winner_descends);
  EXPECT_EQ(result.best.config, optimum);
  EXPECT_EQ(result.best.heuristic, "expert");

  EXPECT_EQ(result.heuristics[2].kind, HeuristicOutcomeKind::kDuplicate);
  EXPECT_EQ(result.heuristics[2].best_rank, 0);
}

TEST_F(TunerTest, CreditsAHeuristicWithWhatDescendsFromItsSeed) {
  // A few steps from the optimum, and far better than anything that 30 samples find.
  const Config optimum = ExampleOptimum(*space_);
  const std::vector<Config> near = space_->Neighbors(optimum, NeighborKind::kStrictlyAdjacent);
  Config seed = near[0];
  for (const Config& config : near) {
    if (ExampleOutcome(config).objective_ns() < ExampleOutcome(seed).objective_ns()) seed = config;
  }
  AddHeuristic("expert", {seed});
  FakeMeasurer measurer(FakeOptions());
  TuneOptions options = Evaluations(60);
  options.algorithm = "bayesian";  // looks around the seed at once
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
  ASSERT_NE(result.best.config, seed) << "the search is meant to find a better one";
  EXPECT_EQ(result.best.origin, "search");
  EXPECT_EQ(result.best.heuristic, "expert");
  EXPECT_TRUE(result.heuristics[0].winner_descends);
}

TEST_F(TunerTest, APromotedSeedIsTheDefault) {
  const Config promoted = space_->At(123);
  AddHeuristic("expert", {promoted}, /*promotes=*/true);
  FakeMeasurer measurer(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(10)));
  EXPECT_EQ(result.untuned, promoted);
  EXPECT_EQ(result.untuned_origin, "expert");
  EXPECT_EQ(result.trials[0].candidate.config, promoted);
  EXPECT_EQ(result.trials[0].candidate.origin, "default");
  EXPECT_EQ(result.trials[0].candidate.heuristic, "expert");
  EXPECT_EQ(result.evaluations, 10) << "it is measured once";
}

TEST_F(TunerTest, AsksHeuristicsForNeighborsAndTriesAllOfItsOwnAsWell) {
  FakeHeuristic::Options options;
  options.name = "expert";
  std::atomic<int> consulted = 0;
  options.neighbors = [&](const TuningContext& context, const Config& config) {
    ++consulted;
    EXPECT_EQ(&context.space, space_.get());
    PartialConfig more_stages;
    more_stages.Set("stages", static_cast<int>(config.GetInt("stages") % 4 + 1));
    PartialConfig impossible;
    impossible.Set("block_m", 7);
    return std::vector<PartialConfig>{more_stages, impossible};
  };
  ASSERT_THAT(registry_.Add(std::make_unique<FakeHeuristic>(options)), IsOk());
  FakeMeasurer measurer(FakeOptions());
  TuneOptions tuning = Evaluations(1'000'000);
  tuning.algorithm = "pattern";  // which asks them at every point that it climbs from
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, tuning));
  EXPECT_THAT(consulted, Gt(10));
  int proposed = 0;
  for (const Trial& trial : result.trials) {
    if (trial.candidate.origin != "neighbor") continue;
    ++proposed;
    EXPECT_EQ(trial.candidate.heuristic, "expert");
  }
  EXPECT_THAT(proposed, Gt(10));
  EXPECT_EQ(absl::uint128(result.evaluations), space_->NumValid());
}

TEST_F(TunerTest, HarmfulSeedsNeverNarrowTheSearch) {
  // Seeds and neighbours that all point into the worst corner.
  const Config worst = ExampleWorst(*space_);
  const std::vector<Config> corner = space_->Neighbors(worst, NeighborKind::kHamming);
  FakeHeuristic::Options options;
  options.name = "harmful";
  options.seeds = [&](const TuningContext&) {
    std::vector<PartialConfig> seeds = {worst.ToPartial()};
    for (const Config& config : corner) seeds.push_back(config.ToPartial());
    return seeds;
  };
  options.neighbors = [&](const TuningContext&, const Config&) {
    return std::vector<PartialConfig>{worst.ToPartial(), corner[0].ToPartial()};
  };
  ASSERT_THAT(registry_.Add(std::make_unique<FakeHeuristic>(options)), IsOk());
  for (const char* algorithm : {"exhaustive", "pattern", "random"}) {
    SCOPED_TRACE(algorithm);
    FakeMeasurer measurer(FakeOptions());
    TuneOptions tune = Evaluations(1'000'000);
    tune.algorithm = algorithm;
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, tune));
    absl::flat_hash_set<Config> reached;
    for (const Trial& trial : result.trials) reached.insert(trial.candidate.config);
    EXPECT_EQ(absl::uint128(reached.size()), space_->NumValid());
  }
}

TEST_F(TunerTest, DroppedCandidatesAreNoFailuresAndNeverWin) {
  FakeMeasurer measurer(FakeOptions());
  TuneOptions options = Evaluations(200);
  options.algorithm = "random";
  options.drop_factor = 1.2;
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
  const auto dropped = std::count_if(
      result.trials.begin(), result.trials.end(),
      [](const Trial& trial) { return trial.outcome.kind == OutcomeKind::kCensored; });
  EXPECT_THAT(dropped, Gt(50));
  EXPECT_THAT(result.failures, AllOf(Gt(5), Lt(60)));
  EXPECT_TRUE(result.best_outcome.ok());
}

TEST_F(TunerTest, ReportsProgress) {
  AddHeuristic("expert", {ExampleOptimum(*space_)});
  FakeMeasurer measurer(SlowOptions(1'000'000));
  TuneOptions options = Evaluations(30);
  std::vector<TuningProgress> told;
  options.progress = [&](const TuningProgress& progress) { told.push_back(progress); };
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));

  std::vector<std::string> phases;
  for (size_t i = 0; i < told.size(); ++i) {
    if (phases.empty() || phases.back() != told[i].phase) phases.push_back(told[i].phase);
    if (i == 0) continue;
    EXPECT_THAT(told[i].evaluations, Ge(told[i - 1].evaluations));
    EXPECT_THAT(told[i].failures, Ge(told[i - 1].failures));
    EXPECT_THAT(told[i].seconds, Ge(told[i - 1].seconds));
    if (told[i].phase == "re-timing" || told[i].evaluations == 0) continue;
    EXPECT_THAT(told[i].best_ns, Gt(0)) << "the default is measured first";
    if (told[i - 1].evaluations == 0) continue;
    EXPECT_THAT(told[i].best_ns, Le(told[i - 1].best_ns));
  }
  EXPECT_THAT(phases, ElementsAre("seeds", "search", "re-timing"));
  EXPECT_EQ(told.front().evaluations, 0);
  EXPECT_EQ(told.front().best_ns, 0);
  EXPECT_EQ(told.back().evaluations, 30);
  EXPECT_EQ(told.back().failures, result.failures);
  EXPECT_EQ(told.back().best_ns, result.best_outcome.objective_ns());
  EXPECT_EQ(told.back().default_ns, result.untuned_outcome.objective_ns());
  EXPECT_EQ(told.back().best_origin, "expert");
}

TEST_F(TunerTest, RecordsAllThatItKnowsAsSoonAsItKnowsIt) {
  AddHeuristic("expert", {space_->At(10)});
  const auto database = OpenDatabase();
  FakeMeasurer::Options fake = FakeOptions();
  fake.capacity = 3;
  // Whatever is submitted is in the log as asked.
  fake.on_submit = [&](const MeasureRequest& request) {
    const std::vector<RunInfo> runs = *database->ListRuns();
    const std::vector<RunEvent> events = *database->Events(runs[0].id);
    const bool is_logged = std::any_of(events.begin(), events.end(), [&](const RunEvent& event) {
      return event.kind == RunEvent::Kind::kAsk && event.config_json == request.config.ToJson();
    });
    EXPECT_TRUE(is_logged) << request.config.ToJson();
    return absl::OkStatus();
  };
  FakeMeasurer measurer(fake);
  clock_.AdvanceNs(5'000'000);
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), Evaluations(25)));

  ASSERT_OK_AND_ASSIGN(const std::vector<RunInfo> runs, database->ListRuns());
  ASSERT_THAT(runs, SizeIs(1));
  EXPECT_EQ(runs[0].id, result.run_id);
  EXPECT_EQ(runs[0].state, RunState::kFinished);
  EXPECT_EQ(runs[0].key, Key());
  EXPECT_EQ(runs[0].kernel_name, kernel_->name);
  EXPECT_THAT(runs[0].kernel_text, HasSubstr("axes"));
  EXPECT_THAT(runs[0].device_text, HasSubstr("Example CPU"));
  EXPECT_EQ(runs[0].started_unix_micros, 5'000);
  EXPECT_EQ(runs[0].settings.algorithm, "auto");
  EXPECT_EQ(runs[0].settings.budget_evaluations, 25);

  ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, database->Events(result.run_id));
  std::map<int64_t, const RunEvent*> asks;
  std::vector<const RunEvent*> tells;
  size_t retimings = 0;
  for (const RunEvent& event : events) {
    if (event.kind == RunEvent::Kind::kAsk) asks[event.sequence] = &event;
    if (event.kind == RunEvent::Kind::kTell) tells.push_back(&event);
    if (event.kind == RunEvent::Kind::kRetime) ++retimings;
  }
  EXPECT_EQ(measurer.requests().size(), 25 + retimings);
  ASSERT_THAT(tells, SizeIs(25));
  ASSERT_THAT(asks, SizeIs(25));
  for (size_t i = 0; i < tells.size(); ++i) {
    const RunEvent& ask = *asks.at(tells[i]->ask_sequence);
    EXPECT_EQ(ask.config_json, result.trials[i].candidate.config.ToJson());
    EXPECT_EQ(ask.origin, result.trials[i].candidate.origin);
    EXPECT_EQ(ask.heuristic, result.trials[i].candidate.heuristic);
    EXPECT_EQ(tells[i]->outcome, result.trials[i].outcome);
  }

  ASSERT_OK_AND_ASSIGN(const LookupResult lookup, database->Lookup(Key()));
  ASSERT_TRUE(lookup.record.has_value()) << lookup.miss_reason;
  EXPECT_EQ(lookup.record->config_json, result.best.config.ToJson());
  EXPECT_EQ(lookup.record->outcome, result.best_outcome);
  EXPECT_EQ(lookup.record->untuned_config_json, space_->Default().ToJson());
  EXPECT_EQ(lookup.record->untuned_outcome, result.untuned_outcome);
  EXPECT_EQ(lookup.record->untuned_origin, "space default");
  EXPECT_EQ(lookup.record->evaluations, 25);
  EXPECT_THAT(lookup.record->heuristics_json, HasSubstr("\"expert\""));
}

TEST_F(TunerTest, KeepsEverythingWhenStoppedAndGoesOnToTheSameEnd) {
  AddHeuristic("expert", {space_->At(10), space_->At(200)});
  const TuneOptions whole = Evaluations(25);
  for (const int capacity : {1, 3}) {
    FakeMeasurer::Options fake = FakeOptions();
    fake.capacity = capacity;
    std::vector<std::string> unbroken;
    std::string best;
    int waits = 0;
    {
      const MemoryDir directory;
      ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("unbroken.db")));
      FakeMeasurer::Options counting = fake;
      counting.on_wait = [&] {
        ++waits;
        return absl::OkStatus();
      };
      FakeMeasurer measurer(counting);
      ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), whole));
      unbroken = Log(*database, result.run_id);
      best = result.best.config.ToJson();
    }
    ASSERT_THAT(waits, Gt(45));

    for (int stop_at = 0; stop_at <= waits; ++stop_at) {
      SCOPED_TRACE(absl::StrCat("capacity ", capacity, ", stopped at wait ", stop_at));
      const MemoryDir directory;
      ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("stopped.db")));
      std::atomic<bool> stop = stop_at == 0;
      FakeMeasurer::Options stopping = fake;
      int until_stop = stop_at;
      stopping.on_wait = [&] {
        if (--until_stop == 0) stop = true;
        return absl::OkStatus();
      };
      FakeMeasurer first(stopping);
      TuneOptions options = whole;
      options.stop = &stop;
      ASSERT_OK_AND_ASSIGN(const TuneResult broken, RunTune(first, database.get(), options));
      EXPECT_FALSE(broken.finished);
      EXPECT_FALSE(broken.resumed);
      EXPECT_THAT(database->ListBest(), IsOkAndHolds(IsEmpty()));
      EXPECT_THAT(Log(*database, broken.run_id), SizeIs(Le(unbroken.size())));

      FakeMeasurer second(fake);
      ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(second, database.get(), whole));
      EXPECT_TRUE(result.finished);
      EXPECT_TRUE(result.resumed);
      EXPECT_THAT(result.notes, IsEmpty());
      EXPECT_EQ(result.run_id, broken.run_id);
      EXPECT_EQ(Log(*database, result.run_id), unbroken);
      EXPECT_EQ(result.best.config.ToJson(), best);
      EXPECT_EQ(result.evaluations, 25);
      EXPECT_THAT(result.trials, SizeIs(25));
    }
  }
}

TEST_F(TunerTest, KnowsTheBestSoFarWhenStopped) {
  std::atomic<bool> stop = true;
  TuneOptions options = Evaluations(25);
  options.stop = &stop;
  FakeMeasurer idle(FakeOptions());
  ASSERT_OK_AND_ASSIGN(TuneResult result, RunTune(idle, nullptr, options));
  EXPECT_FALSE(result.finished);
  EXPECT_THAT(idle.requests(), IsEmpty());
  EXPECT_EQ(result.best.config, space_->Default());
  EXPECT_THAT(result.best_outcome.message, HasSubstr("before it was measured"));
  EXPECT_THAT(result.untuned_outcome.message, HasSubstr("before it was measured"));

  stop = false;
  FakeMeasurer::Options fake = FakeOptions();
  int waits = 0;
  fake.on_wait = [&] {
    if (++waits == 15) stop = true;
    return absl::OkStatus();
  };
  FakeMeasurer measurer(fake);
  ASSERT_OK_AND_ASSIGN(result, RunTune(measurer, nullptr, options));
  EXPECT_EQ(result.evaluations, 15);
  double best_ns = std::numeric_limits<double>::infinity();
  for (const Trial& trial : result.trials) {
    best_ns = std::min(best_ns, trial.outcome.ok() ? trial.outcome.objective_ns() : best_ns);
  }
  EXPECT_EQ(result.best_outcome.objective_ns(), best_ns);
}

TEST_F(TunerTest, AMeasurerThatBreaksLosesNothing) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.capacity = 2;
  std::vector<std::string> unbroken;
  {
    const MemoryDir directory;
    ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("unbroken.db")));
    FakeMeasurer measurer(fake);
    ASSERT_OK_AND_ASSIGN(const TuneResult result,
                         RunTune(measurer, database.get(), Evaluations(20)));
    unbroken = Log(*database, result.run_id);
  }
  for (const bool on_submit : {false, true}) {
    for (int fail_at = 1; fail_at <= 35; fail_at += 3) {
      SCOPED_TRACE(absl::StrCat(on_submit ? "submit " : "wait ", fail_at));
      const MemoryDir directory;
      ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("broken.db")));
      FakeMeasurer::Options breaking = fake;
      int calls = 0;
      const auto fail = [&] {
        return ++calls == fail_at ? absl::UnavailableError("worker will not start")
                                  : absl::OkStatus();
      };
      if (on_submit) {
        breaking.on_submit = [&](const MeasureRequest&) { return fail(); };
      } else {
        breaking.on_wait = fail;
      }
      FakeMeasurer broken(breaking);
      EXPECT_THAT(RunTune(broken, database.get(), Evaluations(20)),
                  StatusIs(absl::StatusCode::kUnavailable, "worker will not start"));
      FakeMeasurer repaired(fake);
      ASSERT_OK_AND_ASSIGN(const TuneResult result,
                           RunTune(repaired, database.get(), Evaluations(20)));
      EXPECT_TRUE(result.resumed);
      EXPECT_EQ(Log(*database, result.run_id), unbroken);
    }
  }
}

TEST_F(TunerTest, ADatabaseThatFailsStopsTheRunAndStaysConsistent) {
  std::vector<std::string> unbroken;
  {
    const MemoryDir directory;
    ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("unbroken.db")));
    FakeMeasurer measurer(FakeOptions());
    ASSERT_OK_AND_ASSIGN(const TuneResult result,
                         RunTune(measurer, database.get(), Evaluations(12)));
    unbroken = Log(*database, result.run_id);
  }
  // Failing with the event lost, and (a lost acknowledgement) with the event kept all the same.
  for (const bool is_kept : {false, true}) {
    for (size_t fail_at = 0; fail_at <= unbroken.size(); ++fail_at) {
      SCOPED_TRACE(absl::StrCat("event ", fail_at, is_kept ? " kept" : " lost"));
      const MemoryDir directory;
      ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("failing.db")));
      HookedDatabase::Hooks hooks;
      const auto fail = [] { return absl::ResourceExhaustedError("disk full"); };
      const auto fail_append = [&](const RunEvent& event) {
        return event.sequence == static_cast<int64_t>(fail_at) ? fail() : absl::OkStatus();
      };
      if (fail_at == unbroken.size()) {
        if (is_kept) continue;  // finished and all
        hooks.before_finish = fail;
      } else if (is_kept) {
        hooks.after_append = fail_append;
      } else {
        hooks.before_append = fail_append;
      }
      HookedDatabase failing(*database, hooks);
      FakeMeasurer measurer(FakeOptions());
      EXPECT_THAT(RunTune(measurer, &failing, Evaluations(12)),
                  StatusIs(absl::StatusCode::kResourceExhausted, "disk full"));
      ASSERT_OK_AND_ASSIGN(const std::vector<RunInfo> runs, database->ListRuns());
      ASSERT_THAT(runs, SizeIs(1));
      EXPECT_EQ(runs[0].state, RunState::kUnfinished);
      EXPECT_THAT(Log(*database, runs[0].id), SizeIs(fail_at + (is_kept ? 1 : 0)));

      FakeMeasurer again(FakeOptions());
      ASSERT_OK_AND_ASSIGN(const TuneResult result,
                           RunTune(again, database.get(), Evaluations(12)));
      EXPECT_EQ(result.run_id, runs[0].id);
      EXPECT_EQ(Log(*database, result.run_id), unbroken);
    }
  }
}

// Stops after so many waits.
class StoppedTunerTest : public TunerTest {
 protected:
  TuneResult TuneAndStop(Database* database, TuneOptions options, int waits) {
    std::atomic<bool> stop = false;
    FakeMeasurer::Options fake = FakeOptions();
    fake.on_wait = [&] {
      clock_.AdvanceNs(100'000'000);
      if (--waits == 0) stop = true;
      return absl::OkStatus();
    };
    FakeMeasurer measurer(fake);
    options.stop = &stop;
    absl::StatusOr<TuneResult> result = RunTune(measurer, database, options);
    EXPECT_THAT(result, IsOk());
    EXPECT_FALSE(result->finished);
    return *std::move(result);
  }
};

TEST_F(StoppedTunerTest, StartsAfreshWhereAHeuristicHasChanged) {
  const auto database = OpenDatabase();
  AddHeuristic("expert", {space_->At(10)});
  const TuneResult stopped = TuneAndStop(database.get(), Evaluations(20), 8);
  registry_ = HeuristicRegistry();
  AddHeuristic("expert", {space_->At(11)});
  FakeMeasurer measurer(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), Evaluations(20)));
  EXPECT_FALSE(result.resumed);
  EXPECT_NE(result.run_id, stopped.run_id);
  EXPECT_EQ(result.evaluations, 20);
  EXPECT_THAT(result.notes,
              ElementsAre(AllOf(HasSubstr(stopped.run_id), HasSubstr(space_->At(10).ToJson()),
                                HasSubstr(space_->At(11).ToJson()), HasSubstr("started afresh"))));
  // What the other run had recorded is still there.
  EXPECT_THAT(Log(*database, stopped.run_id), SizeIs(Ge(16u)));
}

TEST_F(StoppedTunerTest, GoesOnOnlyWithTheSameQuestion) {
  const auto database = OpenDatabase();
  const TuneResult stopped = TuneAndStop(database.get(), Evaluations(20), 8);
  const struct {
    const char* name;
    std::function<void(TuneOptions&)> change;
  } kCases[] = {
      {"budget", [](TuneOptions& o) { o.budget.evaluations = 21; }},
      {"random seed", [](TuneOptions& o) { o.random_seed = 2; }},
      {"algorithm", [](TuneOptions& o) { o.algorithm = "random"; }},
      {"heuristics", [](TuneOptions& o) { o.heuristics.enabled = false; }},
      {"disabled", [](TuneOptions& o) { o.heuristics.disabled = {"expert"}; }},
      {"user seeds", [&](TuneOptions& o) { o.heuristics.user_seeds = {PartialConfig()}; }},
      {"told not to", [](TuneOptions& o) { o.resume = false; }},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    TuneOptions options = Evaluations(20);
    c.change(options);
    FakeMeasurer measurer(FakeOptions());
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, database.get(), options));
    EXPECT_FALSE(result.resumed);
    EXPECT_NE(result.run_id, stopped.run_id);
    EXPECT_THAT(result.notes, IsEmpty());
  }
  FakeMeasurer::Options other = FakeOptions();
  other.info.code_generator_version = "v2";
  FakeMeasurer recompiled(other);
  ASSERT_OK_AND_ASSIGN(const TuneResult result,
                       RunTune(recompiled, database.get(), Evaluations(20)));
  EXPECT_NE(result.run_id, stopped.run_id);
}

TEST_F(StoppedTunerTest, DoesNotGoOnWithAFinishedRun) {
  const auto database = OpenDatabase();
  FakeMeasurer measurer(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult one, RunTune(measurer, database.get(), Evaluations(9)));
  ASSERT_OK_AND_ASSIGN(const TuneResult two, RunTune(measurer, database.get(), Evaluations(9)));
  EXPECT_NE(one.run_id, two.run_id);
  EXPECT_FALSE(two.resumed);
}

TEST_F(StoppedTunerTest, SpendsOnlyTheSecondsThatAreLeft) {
  const auto database = OpenDatabase();
  TuneOptions options;
  options.budget = {.evaluations = 0, .seconds = 10};
  options.leaders = 0;
  // 0.1 s each: 100 fit.
  const TuneResult first = TuneAndStop(database.get(), options, 30);
  EXPECT_NEAR(first.seconds, 3, 1e-6);
  clock_.AdvanceNs(int64_t{1} << 50);  // the time between sessions does not count
  const TuneResult second = TuneAndStop(database.get(), options, 50);
  EXPECT_TRUE(second.resumed);
  EXPECT_NEAR(second.seconds, 8, 1e-6);
  ASSERT_OK_AND_ASSIGN(std::vector<RunInfo> runs, database->ListRuns());
  EXPECT_NEAR(runs[0].seconds_spent, 8, 1e-6);

  // The third is killed: nobody writes down how long it took but the log.
  {
    HookedDatabase dying(*database, {.before_append = [&](const RunEvent& event) {
      return event.at_seconds > 8.95 ? absl::InternalError("dead") : absl::OkStatus();
    }});
    FakeMeasurer measurer(SlowOptions(100'000'000));
    EXPECT_THAT(RunTune(measurer, &dying, options), StatusIs(absl::StatusCode::kInternal));
  }
  FakeMeasurer measurer(SlowOptions(100'000'000));
  ASSERT_OK_AND_ASSIGN(const TuneResult last, RunTune(measurer, database.get(), options));
  EXPECT_TRUE(last.finished);
  EXPECT_EQ(last.run_id, first.run_id);
  EXPECT_NEAR(last.seconds, 10, 0.11);
  EXPECT_THAT(last.evaluations, AllOf(Ge(96), Le(102)));
}

TEST_F(TunerTest, AnImpossibleOutcomeCostsOneCandidate) {
  FakeMeasurer::Options fake = FakeOptions();
  fake.outcome = [](const MeasureRequest& request) {
    return request.id == 4 ? ExampleOk(std::nan("")) : NoisyExampleOutcome(request);
  };
  FakeMeasurer measurer(fake);
  ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, Evaluations(10)));
  EXPECT_EQ(result.trials[2].outcome.kind, OutcomeKind::kCrash);
  EXPECT_THAT(result.trials[2].outcome.message, HasSubstr("samples_ns[0] is nan"));
  EXPECT_EQ(result.evaluations, 10);
}

// A measurer that answers what nobody asked.
class ConfusedMeasurer final : public Measurer {
 public:
  explicit ConfusedMeasurer(std::vector<int64_t> answers) : answers_(std::move(answers)) {}
  const MeasurerInfo& info() const override { return info_; }
  int capacity() const override { return 1; }
  absl::Status Submit(MeasureRequest /*request*/) override { return absl::OkStatus(); }
  absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t /*timeout_ns*/) override {
    std::vector<MeasureReply> replies;
    for (const int64_t id : answers_) replies.push_back({.id = id, .outcome = ExampleOk(1)});
    return replies;
  }

 private:
  const MeasurerInfo info_ = ExampleMeasurerInfo();
  const std::vector<int64_t> answers_;
};

TEST_F(TunerTest, RefusesAnswersToWhatItDidNotAsk) {
  for (const std::vector<int64_t>& answers : {std::vector<int64_t>{77}, {0, 0}}) {
    ConfusedMeasurer measurer(answers);
    EXPECT_THAT(RunTune(measurer, nullptr, Evaluations(5)),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("which is not under way")));
  }
}

TEST_F(TunerTest, KeepsManyWorkersBusyAndFindsNoLess) {
  const double optimum_ns = ExampleOutcome(ExampleOptimum(*space_)).objective_ns();
  for (const int workers : {1, 8}) {
    double busy_seconds = 0;
    double worker_seconds = 0;
    double mean_best = 0;
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      ReplayMeasurer::Options replay;
      replay.info = ExampleMeasurerInfo();
      replay.outcome = ExampleOutcome;
      replay.workers = workers;
      ReplayMeasurer measurer(replay, clock_);
      TuneOptions options = Evaluations(150);
      options.random_seed = seed;
      options.leaders = 0;
      ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
      for (const Trial& trial : result.trials) {
        busy_seconds += (trial.outcome.compile_ns + trial.outcome.measure_ns) * 1e-9;
      }
      worker_seconds += workers * result.seconds;
      mean_best += result.best_outcome.objective_ns() / 5;
    }
    EXPECT_THAT(busy_seconds / worker_seconds, Gt(0.9)) << workers << " workers";
    EXPECT_THAT(mean_best, Lt(1.1 * optimum_ns)) << workers << " workers";
  }
}

// Their speeds add up to what eight may do; a slow one holds nobody up.
TEST_F(TunerTest, WorkersOfUnequalSpeedReachTheSumOfTheirRatesAndFindNoLess) {
  const double optimum_ns = ExampleOutcome(ExampleOptimum(*space_)).objective_ns();
  const std::vector<double> kEight = {2, 1.5, 1, 1, 1, 0.5, 0.5, 0.25};
  double best_of_one = 0;
  for (const std::vector<double>& speeds : {std::vector<double>{1}, kEight}) {
    double work_seconds = 0, possible_seconds = 0, mean_best = 0;
    constexpr int kSeeds = 10;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      SimulatedMeasurer::Options simulated;
      simulated.info = ExampleMeasurerInfo();
      simulated.worker_speeds = speeds;
      simulated.answer = [&](const MeasureRequest& request) {
        SimulatedAnswer answer{.outcome = ExampleOutcome(request.config), .cost_ns = 0};
        answer.cost_ns = answer.outcome.compile_ns + answer.outcome.measure_ns;
        work_seconds += answer.cost_ns * 1e-9;
        return answer;
      };
      SimulatedMeasurer measurer(simulated, clock_);
      TuneOptions options = Evaluations(300);
      options.random_seed = seed;
      options.leaders = 0;
      options.drop_factor = 0;
      ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
      ASSERT_EQ(result.evaluations, 300);
      possible_seconds += std::accumulate(speeds.begin(), speeds.end(), 0.0) * result.seconds;
      mean_best += result.best_outcome.objective_ns() / kSeeds;
    }
    EXPECT_THAT(work_seconds / possible_seconds, AllOf(Ge(0.9), Le(1 + 1e-6)))
        << speeds.size() << " workers";
    EXPECT_THAT(mean_best, Lt(1.1 * optimum_ns)) << speeds.size() << " workers";
    if (speeds.size() == 1) best_of_one = mean_best;
    EXPECT_THAT(mean_best, Lt(1.03 * best_of_one)) << speeds.size() << " workers";
  }
}

// Each rule alone and all together: whichever holds first ends the search, the seeds come first
// whatever they say.
TEST_F(TunerTest, EndsByWhicheverStopRuleHoldsFirst) {
  const double optimum_ns = ExampleOutcome(ExampleOptimum(*space_)).objective_ns();
  const auto run = [&](const std::string& budget) {
    FakeMeasurer::Options fake = FakeOptions();
    fake.outcome = [](const MeasureRequest& request) {
      Outcome outcome = ExampleOutcome(request.config);
      outcome.measure_ns = 1e7;
      return outcome;
    };
    FakeMeasurer measurer(fake);
    TuneOptions options;
    options.algorithm = "random";
    options.drop_factor = 0;
    options.roofline_ns = optimum_ns / 2;
    options.budget = *ParseBudget(budget);
    absl::StatusOr<TuneResult> result = RunTune(measurer, nullptr, options);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  };
  const int64_t all = static_cast<int64_t>(space_->NumValid());
  EXPECT_EQ(run("0.2device-s").evaluations, 20);  // of 10 ms each
  EXPECT_EQ(run("0.2device-s,7evals").evaluations, 7);
  EXPECT_EQ(run("0.2device-s,70evals").evaluations, 20);

  const TuneResult stale = run("15stale,100000evals");
  ASSERT_GT(stale.evaluations, 15);
  ASSERT_LT(stale.evaluations, all);
  double best_before = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < stale.trials.size(); ++i) {
    const double ns = stale.trials[i].outcome.objective_ns();
    if (i + 15 >= stale.trials.size()) {
      EXPECT_GE(ns, best_before * 0.999) << "the last 15 bring nothing";
    } else {
      best_before = std::min(best_before, ns);
    }
  }

  // At most half of the roofline's speed is there: 40% of it is enough, 60% never reached.
  const TuneResult enough = run("40%roofline,100000evals");
  ASSERT_LT(enough.evaluations, all);
  EXPECT_LE(enough.trials.back().outcome.objective_ns(), optimum_ns / 2 / 0.4);
  for (size_t i = 0; i + 1 < enough.trials.size(); ++i) {
    EXPECT_GT(enough.trials[i].outcome.objective_ns(), optimum_ns / 2 / 0.4);
  }
  EXPECT_EQ(run("60%roofline,100000evals").evaluations, all);
  EXPECT_EQ(run("60%roofline,100000evals,15stale").evaluations, stale.evaluations);
}

TEST_F(TunerTest, SeedsAreMeasuredWhateverTheStopRules) {
  std::vector<Config> seeds;
  for (uint64_t i = 0; i < 6; ++i) seeds.push_back(space_->At(i * 3));
  AddHeuristic("six", seeds);
  for (const char* budget : {"0.000001device-s", "1stale", "1evals,1%roofline"}) {
    FakeMeasurer measurer(FakeOptions());
    TuneOptions options;
    options.roofline_ns = 1;
    options.budget = *ParseBudget(budget);
    ASSERT_OK_AND_ASSIGN(const TuneResult result, RunTune(measurer, nullptr, options));
    EXPECT_THAT(result.evaluations, Ge(6)) << budget;
  }
}

// Jumps about, back and forth, by up to years.
class JumpingClock final : public Clock {
 public:
  explicit JumpingClock(uint64_t seed) : random_(seed) {}
  int64_t NowNs() override { return Jump() * 1'000'000; }
  int64_t UnixMicros() override { return 1'700'000'000'000'000 + Jump(); }

 private:
  int64_t Jump() { return static_cast<int64_t>(random_() % 100'000'000'000) - 50'000'000'000; }
  std::mt19937_64 random_;
};

TEST_F(TunerTest, AClockThatJumpsCostsNothingButTime) {
  FakeMeasurer steady(FakeOptions());
  ASSERT_OK_AND_ASSIGN(const TuneResult want, RunTune(steady, nullptr, Evaluations(60)));
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const MemoryDir directory;
    JumpingClock clock(seed);
    ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(directory.Path("jumpy.db")));
    FakeMeasurer measurer(FakeOptions());
    ASSERT_OK_AND_ASSIGN(const TuneResult result,
                         Tune(kernel_, /*facts=*/{}, space_, registry_, measurer, database.get(),
                              clock, Evaluations(60)));
    EXPECT_EQ(result.best.config, want.best.config);
    EXPECT_EQ(result.best_outcome, want.best_outcome);
    EXPECT_EQ(result.evaluations, 60);
    EXPECT_GE(result.seconds, 0);
    ASSERT_OK_AND_ASSIGN(const std::vector<RunEvent> events, database->Events(result.run_id));
    double before = 0;
    for (const RunEvent& event : events) {
      EXPECT_GE(event.at_seconds, before);
      before = event.at_seconds;
    }
    EXPECT_TRUE(database->Lookup(Key())->record.has_value());
  }
}

}  // namespace
}  // namespace seedtune

#include "autotuner/replay/experiment.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_measurer.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/search/search.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;
using ::testing::Lt;
using ::testing::SizeIs;

// A bowl of 900 configurations with a rugged floor; one in nine fails. `spread`: how far the
// samples of one configuration lie apart. Of the configurations, the first `recorded`.
std::shared_ptr<const RecordedSpace> Bowl(std::string device, double spread = 0,
                                          uint64_t recorded = 900) {
  ConfigSpace::Options options;
  options.name = "bowl";
  options.knobs = {*Knob::Integer("x", 0, 29, 1, 0), *Knob::Integer("y", 0, 29, 1, 0)};
  const std::shared_ptr<const ConfigSpace> space = *ConfigSpace::Create(std::move(options));
  std::vector<RecordedConfig> configs;
  for (uint64_t i = 0; i < recorded; ++i) {
    RecordedConfig config{.config = space->At(i), .outcome = {}};
    const auto x = static_cast<double>(config.config.GetInt("x"));
    const auto y = static_cast<double>(config.config.GetInt("y"));
    const double ns = 1000 + (x - 11) * (x - 11) + (y - 23) * (y - 23) + 10 * std::sin(7 * x + y);
    config.compile_cost_ns = 1e9 + 1e7 * x;
    if (i % 9 == 4) {
      config.outcome.kind = OutcomeKind::kLaunchError;
    } else {
      config.outcome.kind = OutcomeKind::kOk;
      config.outcome.samples_ns = {ns * (1 - spread), ns, ns * (1 + spread)};
      config.benchmark_cost_ns = 1e8;
    }
    configs.push_back(config);
  }
  return *RecordedSpace::Create("bowl", std::move(device), space, std::move(configs));
}

// Asks for the optimum first.
class Oracle : public SearchAlgorithm {
 public:
  Oracle(std::shared_ptr<const RecordedSpace> space, std::unique_ptr<SearchAlgorithm> rest)
      : space_(std::move(space)), rest_(std::move(rest)) {}
  std::string_view name() const override { return "oracle"; }
  std::vector<Candidate> Ask(int max) override {
    if (std::exchange(asked_, true)) return rest_->Ask(max);
    const RecordedConfig* best = &space_->configs()[0];
    for (const RecordedConfig& config : space_->configs()) {
      if (RecordedValueNs(config) < RecordedValueNs(*best)) best = &config;
    }
    rest_->Tell({.candidate = {.config = best->config}});
    return {{.config = best->config}};
  }
  void Tell(const Observation& observation) override { rest_->Tell(observation); }
  bool IsDone() const override { return asked_ && rest_->IsDone(); }

 private:
  std::shared_ptr<const RecordedSpace> space_;
  std::unique_ptr<SearchAlgorithm> rest_;
  bool asked_ = false;
};

using Spaces = std::vector<std::shared_ptr<const RecordedSpace>>;

TEST(ExperimentTest, MeasuresTheFirstCandidatesOfEachSpaceFirst) {
  const Spaces spaces = {Bowl("a"), Bowl("b")};
  const RecordedConfig* best = &spaces[0]->configs()[0];
  for (const RecordedConfig& config : spaces[0]->configs()) {
    if (RecordedValueNs(config) < RecordedValueNs(*best)) best = &config;
  }
  ExperimentOptions options{.algorithms = {"random"}, .repeats = 3};
  options.first = {{{.config = best->config, .origin = "seed"}}, {}};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult result, RunExperiment(spaces, options));
  EXPECT_EQ(result.spaces[0].cells[0].score.mean_fraction[0], 1);
  EXPECT_THAT(result.spaces[1].cells[0].score.mean_fraction[0], Lt(1));

  options.first.pop_back();
  EXPECT_THAT(RunExperiment(spaces, options), StatusIs(absl::StatusCode::kInvalidArgument,
                                                       HasSubstr("first candidates of 1 spaces")));
}

TEST(ExperimentTest, OneSeedOneResultWhateverTheThreads) {
  const Spaces spaces = {Bowl("a", 0.05), Bowl("b", 0.05)};
  ExperimentOptions options{.algorithms = {"random", "pattern"}, .repeats = 6, .samples = 2};
  options.worker_speeds = {1, 2.5};
  options.threads = 1;
  ASSERT_OK_AND_ASSIGN(const ExperimentResult one, RunExperiment(spaces, options));
  options.threads = 5;
  ASSERT_OK_AND_ASSIGN(const ExperimentResult five, RunExperiment(spaces, options));
  options.seed = 2;
  ASSERT_OK_AND_ASSIGN(const ExperimentResult other, RunExperiment(spaces, options));
  ASSERT_THAT(one.spaces, SizeIs(2));
  for (size_t space = 0; space < 2; ++space) {
    ASSERT_THAT(one.spaces[space].cells, SizeIs(2));
    for (size_t algorithm = 0; algorithm < 2; ++algorithm) {
      const ExperimentCell& a = one.spaces[space].cells[algorithm];
      const ExperimentCell& b = five.spaces[space].cells[algorithm];
      EXPECT_EQ(a.algorithm, options.algorithms[algorithm]);
      EXPECT_EQ(a.score.time.p, b.score.time.p);
      EXPECT_EQ(a.score.evaluations.p, b.score.evaluations.p);
      EXPECT_EQ(a.score.mean_fraction, b.score.mean_fraction);
      EXPECT_EQ(a.mean_regret, b.mean_regret);
      EXPECT_EQ(a.mean_evaluations, b.mean_evaluations);
    }
  }
  EXPECT_EQ(one.totals[1].time.p, five.totals[1].time.p);
  EXPECT_NE(one.totals[1].time.p, other.totals[1].time.p);
}

TEST(ExperimentTest, WhatElseIsRunDoesNotMatter) {
  const ExperimentOptions alone{.algorithms = {"random"}, .repeats = 4};
  const ExperimentOptions together{.algorithms = {"pattern", "random"}, .repeats = 4};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult a, RunExperiment(Spaces{Bowl("b")}, alone));
  ASSERT_OK_AND_ASSIGN(const ExperimentResult b,
                       RunExperiment(Spaces{Bowl("a"), Bowl("b")}, together));
  EXPECT_EQ(a.spaces[0].cells[0].score.time.p, b.spaces[1].cells[1].score.time.p);
}

TEST(ExperimentTest, RandomScoresAboutZeroAndAnOracleOne) {
  const std::shared_ptr<const RecordedSpace> bowl = Bowl("a");
  ExperimentOptions options{.algorithms = {"random", "oracle"}, .repeats = 100};
  options.make_search =
      [&](std::string_view algorithm,
          SearchProblem problem) -> absl::StatusOr<std::unique_ptr<SearchAlgorithm>> {
    absl::StatusOr<std::unique_ptr<SearchAlgorithm>> random = MakeSearch("random", problem);
    if (algorithm == "random" || !random.ok()) return random;
    return std::make_unique<Oracle>(bowl, *std::move(random));
  };
  ASSERT_OK_AND_ASSIGN(const ExperimentResult result, RunExperiment(Spaces{bowl}, options));
  const ExperimentCell& random = result.spaces[0].cells[0];
  EXPECT_NEAR(random.score.time.score, 0, 0.2);
  EXPECT_NEAR(random.score.evaluations.score, 0, 0.2);
  const ExperimentCell& oracle = result.spaces[0].cells[1];
  EXPECT_NEAR(oracle.score.time.score, 1, 1e-12);
  EXPECT_NEAR(oracle.score.evaluations.score, 1, 1e-12);
  EXPECT_EQ(oracle.score.share_near_optimum, 1);
}

TEST(ExperimentTest, MoreAndFasterWorkersFindItSooner) {
  ExperimentOptions options{.algorithms = {"random"}, .repeats = 60};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult one, RunExperiment(Spaces{Bowl("a")}, options));
  options.worker_speeds = {1, 1, 1, 1};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult four, RunExperiment(Spaces{Bowl("a")}, options));
  options.worker_speeds = {0.2};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult slow, RunExperiment(Spaces{Bowl("a")}, options));
  const auto score = [](const ExperimentResult& result) {
    return result.spaces[0].cells[0].score.time.score;
  };
  EXPECT_GT(score(four), score(one) + 0.2);
  EXPECT_LT(score(slow), score(one) - 0.2);
}

TEST(ExperimentTest, NoiseMakesThePickRegretted) {
  const ExperimentOptions options{.algorithms = {"random"}, .repeats = 20};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult quiet, RunExperiment(Spaces{Bowl("a")}, options));
  EXPECT_EQ(quiet.spaces[0].cells[0].max_regret, 0);
  ASSERT_OK_AND_ASSIGN(const ExperimentResult noisy,
                       RunExperiment(Spaces{Bowl("a", 0.05)}, options));
  const ExperimentCell& cell = noisy.spaces[0].cells[0];
  EXPECT_THAT(cell.mean_regret, AllOf(Gt(0), Lt(cell.max_regret)));
  // Whoever wins by one sample is at most that much slower.
  EXPECT_THAT(cell.max_regret, Le(1.05 / 0.95 - 1 + 1e-12));
}

TEST(ExperimentTest, RunsEndWithTheirShareOfTheSpace) {
  ExperimentOptions options{.algorithms = {"exhaustive"}, .repeats = 2};
  options.score.checkpoints = {10, 2000};
  ASSERT_OK_AND_ASSIGN(const ExperimentResult all, RunExperiment(Spaces{Bowl("a")}, options));
  EXPECT_EQ(all.spaces[0].cells[0].mean_evaluations, 900);
  EXPECT_EQ(all.spaces[0].cells[0].score.mean_fraction[1], 1);
  options.max_share = 0.1;
  ASSERT_OK_AND_ASSIGN(const ExperimentResult tenth, RunExperiment(Spaces{Bowl("a")}, options));
  EXPECT_EQ(tenth.spaces[0].cells[0].mean_evaluations, 90);
}

TEST(ExperimentTest, TellsOfEveryRun) {
  std::set<int64_t> done;
  ExperimentOptions options{.algorithms = {"random", "exhaustive"}, .repeats = 3};
  options.threads = 4;
  options.progress = [&](const ExperimentProgress& progress) {
    EXPECT_EQ(progress.runs, 12);
    done.insert(progress.runs_done);
  };
  ASSERT_OK_AND_ASSIGN(const ExperimentResult result,
                       RunExperiment(Spaces{Bowl("a"), Bowl("b")}, options));
  EXPECT_THAT(done, SizeIs(12));
  EXPECT_EQ(*done.rbegin(), 12);
}

// As many runs as there are cores begin before any of them goes on.
TEST(ExperimentTest, UsesAllCores) {
  const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::mutex mutex;
  std::condition_variable all_here;
  std::set<std::thread::id> here;
  ExperimentOptions options{.algorithms = {"random"}};
  options.repeats = static_cast<int>(2 * cores);
  options.make_search = [&](std::string_view algorithm, SearchProblem problem) {
    std::unique_lock<std::mutex> lock(mutex);
    here.insert(std::this_thread::get_id());
    all_here.notify_all();
    // Long enough for a machine that is busy, and no wait where there are as many.
    all_here.wait_for(lock, std::chrono::seconds(20), [&] { return here.size() >= cores; });
    return MakeSearch(algorithm, std::move(problem));
  };
  ASSERT_THAT(RunExperiment(Spaces{Bowl("a")}, options), IsOk());
  EXPECT_EQ(here.size(), cores);
}

TEST(ExperimentTest, StopsWhenTold) {
  const std::atomic<bool> stop = true;
  ExperimentOptions options{.stop = &stop};
  EXPECT_THAT(RunExperiment(Spaces{Bowl("a")}, options), StatusIs(absl::StatusCode::kCancelled));
}

TEST(ExperimentTest, SaysWhatIsWrong) {
  const Spaces bowl = {Bowl("some GPU")};
  const auto error = [&](const ExperimentOptions& options) {
    return std::string(RunExperiment(bowl, options).status().message());
  };
  EXPECT_THAT(error({.algorithms = {"randon"}}), HasSubstr("did you mean \"random\""));
  EXPECT_THAT(error({.algorithms = {}}), HasSubstr("no algorithm"));
  EXPECT_THAT(error({.repeats = 0}), HasSubstr("repeats is 0"));
  EXPECT_THAT(error({.samples = -1}), HasSubstr("samples is -1"));
  EXPECT_THAT(error({.worker_speeds = {}}), HasSubstr("no worker"));
  EXPECT_THAT(error({.worker_speeds = {0}}), HasSubstr("speed is 0"));
  EXPECT_THAT(error({.max_share = 0}), HasSubstr("max_share is 0"));
  EXPECT_THAT(error({.threads = -1}), HasSubstr("threads is -1"));
  EXPECT_THAT(RunExperiment({}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no spaces")));
  EXPECT_THAT(RunExperiment(Spaces{Bowl("some GPU", 0, 899)}, {}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("bowl on some GPU: only 899 configurations were recorded")));
}

}  // namespace
}  // namespace seedtune

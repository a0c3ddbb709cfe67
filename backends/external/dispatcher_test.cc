#include "backends/external/dispatcher.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Action = Dispatcher::Action;
using Limits = Dispatcher::Limits;

constexpr double kFailed = std::numeric_limits<double>::infinity();

Dispatcher WithWorkers(const std::vector<Limits>& limits) {
  Dispatcher dispatcher(limits);
  for (size_t i = 0; i < limits.size(); ++i) dispatcher.Up(static_cast<int>(i));
  return dispatcher;
}

std::vector<Action> AllNext(Dispatcher& dispatcher) {
  std::vector<Action> actions;
  while (const std::optional<Action> action = dispatcher.Next()) actions.push_back(*action);
  return actions;
}

std::string Text(const Action& action) {
  switch (action.kind) {
    case Action::Kind::kCompile:
      return absl::StrCat("compile ", action.job, " on ", action.worker);
    case Action::Kind::kRun:
      return absl::StrCat("run ", action.job, " on ", action.worker);
    case Action::Kind::kRelease:
      return absl::StrCat("release on ", action.worker);
  }
  return "?";
}

std::vector<std::string> Texts(Dispatcher& dispatcher) {
  std::vector<std::string> texts;
  for (const Action& action : AllNext(dispatcher)) texts.push_back(Text(action));
  return texts;
}

TEST(DispatcherTest, ASimpleWorkerDoesOneThingAtATime) {
  Dispatcher dispatcher = WithWorkers({Limits{}});
  EXPECT_EQ(dispatcher.capacity(), 1);
  dispatcher.Add(1, "a");
  dispatcher.Add(2, "b");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0"));
  dispatcher.Compiled(1);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0"));
  dispatcher.Ran(1, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 2 on 0"));
  dispatcher.CompileFailed(2);
  EXPECT_FALSE(dispatcher.has_jobs());
}

TEST(DispatcherTest, CompilesWhileRunningWhereTheWorkerCan) {
  Dispatcher dispatcher =
      WithWorkers({{.max_compiles = 2, .compiles_while_running = true, .max_candidates = 8}});
  EXPECT_EQ(dispatcher.capacity(), 4);
  for (int job = 1; job <= 4; ++job) dispatcher.Add(job, absl::StrCat(job));
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0", "compile 2 on 0"));
  dispatcher.Compiled(2);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 2 on 0", "compile 3 on 0"));
  dispatcher.Compiled(1);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 4 on 0"));
  dispatcher.Ran(2, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0"));
}

TEST(DispatcherTest, CompilesInBatchesWhereItMayNotOverlap) {
  Dispatcher dispatcher = WithWorkers({{.max_compiles = 2}});
  for (int job = 1; job <= 4; ++job) dispatcher.Add(job, absl::StrCat(job));
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0", "compile 2 on 0"));
  dispatcher.Compiled(1);
  EXPECT_THAT(Texts(dispatcher), IsEmpty());
  dispatcher.Compiled(2);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0"));
  dispatcher.Ran(1, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 2 on 0"));
  dispatcher.Ran(2, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 3 on 0", "compile 4 on 0"));
}

TEST(DispatcherTest, WhatWasMeasuredIsTimedAgainOnTheFirstWorker) {
  Dispatcher dispatcher = WithWorkers({Limits{}, Limits{}});
  dispatcher.Add(1, "a");
  dispatcher.Add(2, "b");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0", "compile 2 on 1"));
  dispatcher.Compiled(1);
  dispatcher.Compiled(2);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0", "run 2 on 1"));
  dispatcher.Ran(1, 5);
  dispatcher.Ran(2, 4);
  dispatcher.Add(3, "b");  // is compiled on the other one
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 3 on 0"));
  dispatcher.Compiled(3);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 3 on 0"));
  dispatcher.Ran(3, 4);
  dispatcher.Add(4, "a");
  dispatcher.Add(5, "b");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 4 on 0"));
  dispatcher.Ran(4, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 5 on 0"));
}

TEST(DispatcherTest, ReleasesTheSlowestOnceTheWorkerIsFull) {
  Dispatcher dispatcher = WithWorkers({{.max_compiles = 1, .max_candidates = 2}});
  std::map<int64_t, int64_t> candidate_of;
  const auto measure = [&](int64_t job, const std::string& key, double ns) {
    std::vector<Action> all;
    dispatcher.Add(job, key);
    for (const Action& action : AllNext(dispatcher)) {
      all.push_back(action);
      if (action.kind == Action::Kind::kCompile) {
        candidate_of[job] = action.candidate;
        dispatcher.Compiled(job);
      }
    }
    for (const Action& action : AllNext(dispatcher)) all.push_back(action);
    dispatcher.Ran(job, ns);
    return all;
  };
  measure(1, "a", 5);
  measure(2, "b", 9);
  const std::vector<Action> third = measure(3, "c", 7);
  EXPECT_EQ(Text(third[0]), "release on 0");
  EXPECT_EQ(third[0].candidate, candidate_of[2]);
  EXPECT_EQ(measure(4, "d", kFailed)[0].candidate, candidate_of[3]);
  EXPECT_EQ(measure(5, "e", 1)[0].candidate, candidate_of[4]) << "what failed goes first";
}

TEST(DispatcherTest, OneThingUnderWayIsToBlame) {
  Dispatcher dispatcher = WithWorkers({Limits{}});
  dispatcher.Add(1, "a");
  dispatcher.Add(2, "b");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0"));
  EXPECT_THAT(dispatcher.Died(0), ElementsAre(1));
  EXPECT_THAT(Texts(dispatcher), IsEmpty()) << "the worker is down";
  dispatcher.Up(0);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 2 on 0"));
}

TEST(DispatcherTest, OfSeveralOnlyTheCulpritPays) {
  Dispatcher dispatcher =
      WithWorkers({{.max_compiles = 3, .compiles_while_running = true, .max_candidates = 8}});
  for (int job = 1; job <= 4; ++job) dispatcher.Add(job, absl::StrCat(job));
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0", "compile 2 on 0", "compile 3 on 0"));
  EXPECT_THAT(dispatcher.Died(0), IsEmpty());
  dispatcher.Up(0);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0")) << "each by itself";
  dispatcher.Compiled(1);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0"));
  dispatcher.Ran(1, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 2 on 0"));
  EXPECT_THAT(dispatcher.Died(0), ElementsAre(2));
  dispatcher.Up(0);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 3 on 0"));
  dispatcher.Compiled(3);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 3 on 0"));
  dispatcher.Ran(3, 5);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 4 on 0"));
}

TEST(DispatcherTest, AJobThatIsReadyIsNotToBlameAtOnce) {
  Dispatcher dispatcher = WithWorkers({Limits{}});
  dispatcher.Add(1, "a");
  for (int death = 1; death <= 3; ++death) {
    EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0"));
    dispatcher.Compiled(1);
    if (death < 3) {
      EXPECT_THAT(dispatcher.Died(0), IsEmpty());
    } else {
      EXPECT_THAT(dispatcher.Died(0), ElementsAre(1)) << "again and again";
    }
    dispatcher.Up(0);
  }
}

TEST(DispatcherTest, WhatIsGivenUpDoesNotRun) {
  Dispatcher dispatcher =
      WithWorkers({{.max_compiles = 2, .compiles_while_running = true, .max_candidates = 3}});
  for (int job = 1; job <= 4; ++job) dispatcher.Add(job, absl::StrCat(job));
  AllNext(dispatcher);
  dispatcher.Compiled(1);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("run 1 on 0", "compile 3 on 0"));
  dispatcher.Compiled(2);
  AllNext(dispatcher);
  EXPECT_FALSE(dispatcher.GiveUp(1)) << "it runs";
  EXPECT_TRUE(dispatcher.GiveUp(2)) << "it is ready";
  EXPECT_TRUE(dispatcher.GiveUp(3)) << "it is compiled";
  EXPECT_TRUE(dispatcher.GiveUp(4)) << "it waits";
  dispatcher.Ran(1, 5);
  EXPECT_THAT(Texts(dispatcher), IsEmpty());
  dispatcher.Compiled(3);
  EXPECT_THAT(Texts(dispatcher), IsEmpty());
  EXPECT_FALSE(dispatcher.has_jobs());
  // What they left makes room.
  dispatcher.Add(5, "5");
  dispatcher.Add(6, "1");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("release on 0", "compile 5 on 0", "run 6 on 0"));
}

TEST(DispatcherTest, WhatIsGivenUpEndsWithItsWorker) {
  Dispatcher dispatcher =
      WithWorkers({{.max_compiles = 2, .compiles_while_running = true, .max_candidates = 3}});
  dispatcher.Add(1, "a");
  dispatcher.Add(2, "b");
  AllNext(dispatcher);
  EXPECT_TRUE(dispatcher.GiveUp(1));
  EXPECT_THAT(dispatcher.Died(0), IsEmpty());
  dispatcher.Up(0);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 2 on 0"));
  EXPECT_TRUE(dispatcher.GiveUp(2));
  dispatcher.Ended(0, std::nullopt);
  EXPECT_FALSE(dispatcher.has_jobs());
}

TEST(DispatcherTest, WorkOfALostWorkerGoesToOthers) {
  Dispatcher dispatcher = WithWorkers({Limits{}, Limits{}});
  dispatcher.Add(1, "a");
  dispatcher.Add(2, "b");
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 0", "compile 2 on 1"));
  dispatcher.Ended(0, std::nullopt);
  dispatcher.Remove(0);
  EXPECT_EQ(dispatcher.capacity(), 1);
  dispatcher.CompileFailed(2);
  EXPECT_THAT(Texts(dispatcher), ElementsAre("compile 1 on 1"));
  dispatcher.Ended(1, 1);
  dispatcher.Remove(1);
  EXPECT_FALSE(dispatcher.has_jobs());
  EXPECT_FALSE(dispatcher.has_workers());
}

// Plays workers in virtual time. Durations are unequal: of compiles, of runs, and of workers.
class Simulation {
 public:
  Simulation(std::vector<Limits> limits, uint64_t seed, double death_rate)
      : limits_(std::move(limits)),
        dispatcher_(WithWorkers(limits_)),
        random_(seed),
        death_rate_(death_rate),
        busy_s_(limits_.size()),
        until_s_(limits_.size()) {}

  // Keeps the dispatcher full until so many jobs are answered.
  void Play(int jobs) {
    while (static_cast<int>(answered_.size()) < jobs) {
      while (added_ < jobs &&
             added_ - static_cast<int>(answered_.size()) < dispatcher_.capacity()) {
        ++added_;
        dispatcher_.Add(added_, absl::StrCat(added_));
      }
      while (const std::optional<Action> action = dispatcher_.Next()) Start(*action);
      ASSERT_FALSE(events_.empty()) << "stuck at " << answered_.size();
      const Event event = events_.top();
      events_.pop();
      now_s_ = event.at_s;
      if (event.epoch == epoch_[event.action.worker]) Finish(event.action);
    }
  }

  double now_s() const { return now_s_; }
  double busy_share(size_t worker) const { return busy_s_[worker] / now_s_; }
  const std::set<int64_t>& answered() const { return answered_; }

 private:
  struct Event {
    double at_s = 0;
    int epoch = 0;  // how often its worker had died
    Action action;
    bool operator<(const Event& other) const { return at_s > other.at_s; }
  };

  double Uniform(double from, double to) {
    return std::uniform_real_distribution<double>(from, to)(random_);
  }

  void Start(const Action& action) {
    const Limits& limits = limits_[action.worker];
    Running& running = running_[action.worker];
    if (action.kind == Action::Kind::kRelease) {
      EXPECT_EQ(held_[action.worker].erase(action.candidate), 1u);
      return;
    }
    double seconds = 0;
    if (action.kind == Action::Kind::kCompile) {
      ASSERT_LT(running.compiles, limits.max_compiles);
      ASSERT_TRUE(limits.compiles_while_running || running.runs == 0);
      ++running.compiles;
      ASSERT_TRUE(held_[action.worker].insert(action.candidate).second);
      ASSERT_LE(static_cast<int>(held_[action.worker].size()), limits.max_candidates);
      seconds = Uniform(0.1, 1);
    } else {
      ASSERT_EQ(running.runs, 0);
      ASSERT_TRUE(limits.compiles_while_running || running.compiles == 0);
      ASSERT_EQ(held_[action.worker].count(action.candidate), 1u);
      ++running.runs;
      seconds = Uniform(0.1, 0.5) * (1 + 0.25 * action.worker);
      busy_s_[action.worker] += seconds;
    }
    events_.push({now_s_ + seconds, epoch_[action.worker], action});
  }

  void Finish(const Action& action) {
    Running& running = running_[action.worker];
    if (Uniform(0, 1) < death_rate_) {
      ++epoch_[action.worker];
      running = {};
      held_[action.worker].clear();
      for (const int64_t job : dispatcher_.Died(action.worker)) Answer(job);
      dispatcher_.Up(action.worker);
      return;
    }
    if (action.kind == Action::Kind::kCompile) {
      --running.compiles;
      dispatcher_.Compiled(action.job);
    } else {
      --running.runs;
      dispatcher_.Ran(action.job, Uniform(1, 2));
      Answer(action.job);
    }
  }

  void Answer(int64_t job) { EXPECT_TRUE(answered_.insert(job).second) << job << " twice"; }

  struct Running {
    int compiles = 0, runs = 0;
  };
  const std::vector<Limits> limits_;
  Dispatcher dispatcher_;
  std::mt19937_64 random_;
  const double death_rate_;
  double now_s_ = 0;
  int added_ = 0;
  std::priority_queue<Event> events_;
  std::map<int, int> epoch_;
  std::map<int, Running> running_;
  std::map<int, std::set<int64_t>> held_;
  std::set<int64_t> answered_;
  std::vector<double> busy_s_, until_s_;
};

TEST(DispatcherTest, EightWorkersKeepEightDevicesBusy) {
  // Compiling takes twice as long as running; four at once keep ahead of it.
  Simulation simulation(
      std::vector<Limits>(
          8, {.max_compiles = 4, .compiles_while_running = true, .max_candidates = 16}),
      /*seed=*/1, /*death_rate=*/0);
  simulation.Play(4000);
  for (size_t worker = 0; worker < 8; ++worker) {
    EXPECT_GT(simulation.busy_share(worker), 0.97) << worker;
    RecordProperty(absl::StrCat("busy_share_", worker),
                   absl::StrCat(simulation.busy_share(worker)));
  }
}

TEST(DispatcherTest, EveryJobIsAnsweredOnceWhateverDies) {
  for (uint64_t seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    std::vector<Limits> limits;
    for (uint64_t i = 0; i <= random() % 4; ++i) {
      const int compiles = 1 + static_cast<int>(random() % 4);
      limits.push_back({.max_compiles = compiles,
                        .compiles_while_running = random() % 2 == 0,
                        .max_candidates = compiles + static_cast<int>(random() % 3)});
    }
    Simulation simulation(limits, seed, /*death_rate=*/0.1);
    simulation.Play(300);
    EXPECT_EQ(simulation.answered().size(), 300u);
  }
}

}  // namespace
}  // namespace seedtune

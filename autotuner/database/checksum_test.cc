#include "autotuner/database/checksum.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "autotuner/database/example_records.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

// Changes of one field each.
constexpr void (*kOutcomeChanges[])(Outcome&) = {
    [](Outcome& o) { o.kind = OutcomeKind::kTimeout; },
    [](Outcome& o) { o.samples_ns[1] += 1e-9; },
    [](Outcome& o) { o.samples_ns.pop_back(); },
    [](Outcome& o) { o.lower_bound_ns = 1; },
    [](Outcome& o) { o.message += "x"; },
    [](Outcome& o) { o.compile_ns += 1; },
    [](Outcome& o) { o.measure_ns += 1; },
};
constexpr void (*kKeyChanges[])(RecordKey&) = {
    [](RecordKey& k) { k.kernel_fingerprint += "x"; },
    [](RecordKey& k) { k.backend += "x"; },
    [](RecordKey& k) { k.space_id += "x"; },
    [](RecordKey& k) { k.device_key += "x"; },
    [](RecordKey& k) { k.code_generator_version += "x"; },
    [](RecordKey& k) { k.compiler_version += "x"; },
    [](RecordKey& k) { k.driver_version += "x"; },
};

TEST(ChecksumTest, EveryFieldOfARunCounts) {
  constexpr void (*kChanges[])(RunInfo&) = {
      [](RunInfo& r) { r.id.back() = 'f'; },
      [](RunInfo& r) { r.settings.algorithm += "x"; },
      [](RunInfo& r) { r.settings.random_seed += 1; },
      [](RunInfo& r) { r.settings.budget_evaluations += 1; },
      [](RunInfo& r) { r.settings.budget_seconds += 1; },
      [](RunInfo& r) { r.settings.seed_policy += "x"; },
      [](RunInfo& r) { r.kernel_name += "x"; },
      [](RunInfo& r) { r.kernel_text += "x"; },
      [](RunInfo& r) { r.device_text += "x"; },
      [](RunInfo& r) { r.started_unix_micros += 1; },
      [](RunInfo& r) { r.state = RunState::kFinished; },
      [](RunInfo& r) { r.seconds_spent += 1; },
      [](RunInfo& r) { r.heuristics_json += "x"; },
  };
  const RunInfo run = ExampleRun(1);
  std::set<int64_t> seen = {Checksum(run)};
  EXPECT_TRUE(seen.contains(Checksum(ExampleRun(1))));
  for (const auto change : kChanges) {
    RunInfo changed = run;
    change(changed);
    EXPECT_TRUE(seen.insert(Checksum(changed)).second);
  }
  for (const auto change : kKeyChanges) {
    RunInfo changed = run;
    change(changed.key);
    EXPECT_TRUE(seen.insert(Checksum(changed)).second);
  }
}

TEST(ChecksumTest, EveryFieldOfAnEventCounts) {
  constexpr void (*kAskChanges[])(RunEvent&) = {
      [](RunEvent& e) { e.sequence += 1; },      [](RunEvent& e) { e.at_seconds += 1; },
      [](RunEvent& e) { e.config_json += " "; }, [](RunEvent& e) { e.origin += "x"; },
      [](RunEvent& e) { e.heuristic += "x"; },
  };
  constexpr void (*kTellChanges[])(RunEvent&) = {
      [](RunEvent& e) { e.sequence += 1; },
      [](RunEvent& e) { e.at_seconds += 1; },
      [](RunEvent& e) { e.kind = RunEvent::Kind::kRetime; },
      [](RunEvent& e) { e.ask_sequence += 1; },
  };
  const RunEvent ask = Ask(3, ExampleConfig(1));
  const RunEvent tell = Tell(4, ask, OkOutcome({1, 2, 3}));
  const std::string id = ExampleRun(1).id;
  std::set<int64_t> seen = {Checksum(id, ask), Checksum(id, tell)};
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.insert(Checksum(ExampleRun(2).id, ask)).second);
  EXPECT_TRUE(seen.insert(Checksum(ExampleRun(2).id, tell)).second);
  for (const auto change : kAskChanges) {
    RunEvent changed = ask;
    change(changed);
    EXPECT_TRUE(seen.insert(Checksum(id, changed)).second);
  }
  for (const auto change : kTellChanges) {
    RunEvent changed = tell;
    change(changed);
    EXPECT_TRUE(seen.insert(Checksum(id, changed)).second);
  }
  for (const auto change : kOutcomeChanges) {
    RunEvent changed = tell;
    change(changed.outcome);
    EXPECT_TRUE(seen.insert(Checksum(id, changed)).second);
  }
  RunEvent brief = tell;
  brief.config_json = "";
  EXPECT_EQ(Checksum(id, brief), Checksum(id, tell));
}

TEST(ChecksumTest, EveryFieldOfAnAnswerCounts) {
  constexpr void (*kChanges[])(BestRecord&) = {
      [](BestRecord& b) { b.run_id.back() = 'f'; },
      [](BestRecord& b) { b.kernel_name += "x"; },
      [](BestRecord& b) { b.config_json += " "; },
      [](BestRecord& b) { b.origin += "x"; },
      [](BestRecord& b) { b.heuristic += "x"; },
      [](BestRecord& b) { b.untuned_config_json += " "; },
      [](BestRecord& b) { b.untuned_origin += "x"; },
      [](BestRecord& b) { b.evaluations += 1; },
      [](BestRecord& b) { b.seconds += 1; },
      [](BestRecord& b) { b.recorded_unix_micros += 1; },
      [](BestRecord& b) { b.heuristics_json += " "; },
  };
  BestRecord best = ExampleBest(ExampleRun(1), ExampleConfig(1), OkOutcome({1, 2, 3}));
  std::set<int64_t> seen = {Checksum(best, 3, 9)};
  EXPECT_TRUE(seen.insert(Checksum(best, 4, 9)).second);
  EXPECT_TRUE(seen.insert(Checksum(best, 3, 10)).second);
  for (const auto change : kChanges) {
    BestRecord changed = best;
    change(changed);
    EXPECT_TRUE(seen.insert(Checksum(changed, 3, 9)).second);
  }
  for (const auto change : kKeyChanges) {
    BestRecord changed = best;
    change(changed.key);
    EXPECT_TRUE(seen.insert(Checksum(changed, 3, 9)).second);
  }
  for (const auto change : kOutcomeChanges) {
    BestRecord changed = best;
    change(changed.outcome);
    EXPECT_TRUE(seen.insert(Checksum(changed, 3, 9)).second);
    changed = best;
    change(changed.untuned_outcome = OkOutcome({4, 5, 6}));
    EXPECT_TRUE(seen.insert(Checksum(changed, 3, 9)).second);
  }
}

TEST(ChecksumTest, TheSignOfZeroDoesNotCount) {
  RunInfo run = ExampleRun(1);
  run.seconds_spent = 0.0;
  const int64_t positive = Checksum(run);
  run.seconds_spent = -0.0;
  EXPECT_EQ(Checksum(run), positive);
}

// Files of schema version 1 hold these: a change of the computation needs another version.
TEST(ChecksumTest, ValuesAreThoseOfSchemaVersion1) {
  const RunInfo run = ExampleRun(1);
  const RunEvent ask = Ask(0, ExampleConfig(1));
  EXPECT_EQ(Checksum(run), -1644588431287965617);
  EXPECT_EQ(Checksum(run.id, ask), 6759015013887003008);
  EXPECT_EQ(Checksum(run.id, Tell(1, ask, OkOutcome({1.5, 2}))), 2246478186521178621);
  EXPECT_EQ(Checksum(ExampleBest(run, ask.config_json, OkOutcome({1.5, 2})), 0, 2),
            8381666904030994504);
}

}  // namespace
}  // namespace seedtune

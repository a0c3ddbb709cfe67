#include "autotuner/database/example_records.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"

namespace seedtune {

RecordKey ExampleKey() {
  RecordKey key;
  key.kernel_fingerprint = "9f86d081884c7d65";
  key.backend = "cpu";
  key.space_id = "cpu/1";
  key.device_key = "cpu|AMD EPYC 9454|znver4";
  key.code_generator_version = "3";
  key.compiler_version = "";
  key.driver_version = "linux 6.1";
  return key;
}

RunInfo ExampleRun(int number) {
  RunInfo run;
  run.id = absl::StrFormat("%032x", 0xabc000 + number);
  run.key = ExampleKey();
  run.settings.algorithm = "pattern";
  run.settings.random_seed = 7;
  run.settings.budget_evaluations = 200;
  run.settings.seed_policy = "heuristics: all";
  run.kernel_name = "attention_out";
  run.kernel_text = "name: \"attention_out\"\n";
  run.device_text = "name: \"AMD EPYC 9454\"\n";
  run.started_unix_micros = 1'800'000'000'000'000 + number;
  return run;
}

std::string ExampleConfig(int number) {
  return absl::StrCat("{\"block_size[m]\":", 16 + number, ",\"order\":\"mnk\"}");
}

Outcome OkOutcome(std::vector<double> samples_ns) {
  Outcome outcome;
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns = std::move(samples_ns);
  outcome.compile_ns = 1500;
  outcome.measure_ns = 2.5e6;
  return outcome;
}

Outcome FailedOutcome(OutcomeKind kind, std::string message) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.message = std::move(message);
  return outcome;
}

RunEvent Ask(int64_t sequence, std::string config_json) {
  RunEvent event;
  event.sequence = sequence;
  event.kind = RunEvent::Kind::kAsk;
  event.config_json = std::move(config_json);
  event.origin = "search";
  event.at_seconds = 0.125 * static_cast<double>(sequence);
  return event;
}

RunEvent Tell(int64_t sequence, const RunEvent& ask, Outcome outcome) {
  RunEvent event;
  event.sequence = sequence;
  event.kind = RunEvent::Kind::kTell;
  event.ask_sequence = ask.sequence;
  event.config_json = ask.config_json;
  event.outcome = std::move(outcome);
  event.at_seconds = 0.125 * static_cast<double>(sequence);
  return event;
}

RunEvent Retime(int64_t sequence, const RunEvent& ask, Outcome outcome) {
  RunEvent event = Tell(sequence, ask, std::move(outcome));
  event.kind = RunEvent::Kind::kRetime;
  return event;
}

BestRecord ExampleBest(const RunInfo& run, std::string config_json, Outcome outcome) {
  BestRecord best;
  best.run_id = run.id;
  best.kernel_name = run.kernel_name;
  best.key = run.key;
  best.config_json = std::move(config_json);
  best.origin = "search";
  best.outcome = std::move(outcome);
  best.untuned_config_json = ExampleConfig(0);
  best.untuned_origin = "default";
  best.untuned_outcome = OkOutcome({5000, 5100});
  best.evaluations = 12;
  best.seconds = 3.25;
  best.recorded_unix_micros = run.started_unix_micros + 3'250'000;
  best.heuristics_json = "[]";
  return best;
}

RunDocument ExampleDocument(int number) {
  RunDocument document;
  RunInfo& run = document.run;
  run = ExampleRun(number);
  run.settings.random_seed = std::numeric_limits<uint64_t>::max();
  run.settings.budget_seconds = 0.1;  // no finite binary fraction
  run.kernel_name = "quote \" backslash \\ feed \n unit \x1f euro \xe2\x82\xac";
  run.seconds_spent = 1.0 / 3;

  std::vector<RunEvent>& events = document.events;
  std::vector<RunEvent> asks;
  for (int i = 0; i < 9; ++i) {
    asks.push_back(Ask(i, ExampleConfig(i)));
    asks.back().origin = i < 4 ? "seed" : "search";
    asks.back().heuristic = i < 4 ? "cpu_blocking" : "";
    events.push_back(asks.back());
  }
  const auto next = [&] { return static_cast<int64_t>(events.size()); };
  events.push_back(Tell(next(), asks[3], OkOutcome({1.0 / 3, 5e-324, 1.7976931348623157e308})));
  events.push_back(Tell(next(), asks[0], OkOutcome({100.5, 101, 99.25})));
  Outcome censored = FailedOutcome(OutcomeKind::kCensored, "slower than 3 times the best");
  censored.lower_bound_ns = 123456789.123456789;
  censored.samples_ns = {123456789.123456789};
  events.push_back(Tell(next(), asks[1], censored));
  const OutcomeKind failures[] = {OutcomeKind::kCompileError, OutcomeKind::kLaunchError,
                                  OutcomeKind::kWrongResult,  OutcomeKind::kTimeout,
                                  OutcomeKind::kCrash,        OutcomeKind::kOutOfResources};
  const int failed[] = {2, 4, 5, 6, 7, 8};
  for (int i = 0; i < 6; ++i) {
    const std::string message(i == 0 ? std::string(9'000, 'x') : std::string("nul \0 tab \t", 11));
    events.push_back(Tell(next(), asks[failed[i]], FailedOutcome(failures[i], message)));
  }
  events.push_back(Retime(next(), asks[0], OkOutcome({98, 97.125})));

  run.state = RunState::kFinished;
  run.heuristics_json = "[{\"name\":\"cpu_blocking\",\"outcome\":\"seeded\"}]";
  document.best = ExampleBest(run, asks[0].config_json, OkOutcome({100.5, 101, 99.25, 98, 97.125}));
  document.best->origin = "seed";
  document.best->heuristic = "cpu_blocking";
  document.best->heuristics_json = run.heuristics_json;
  return document;
}

}  // namespace seedtune

// What the tuning database holds, as plain values: thread-compatible. In every string "" means
// unknown or none.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_RECORDS_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_RECORDS_H_

#include <cstdint>
#include <string>

#include "autotuner/outcome.h"

namespace seedtune {

// What decides whether a recorded time still means anything.
struct RecordKey {
  std::string kernel_fingerprint;
  std::string backend;
  std::string space_id;
  std::string device_key;  // DeviceKey(HardwareInfo)
  std::string code_generator_version;
  std::string compiler_version;
  std::string driver_version;
  friend bool operator==(const RecordKey&, const RecordKey&) = default;
};

// How a search was asked for: two runs with equal keys and settings are the same question.
struct RunSettings {
  std::string algorithm;
  uint64_t random_seed = 0;
  int64_t budget_evaluations = 0;
  double budget_seconds = 0;
  // Canonical text: heuristics on or off, which are disabled, the user's seeds; and the rules that
  // end a search before its budget, if there are any.
  std::string seed_policy;
  friend bool operator==(const RunSettings&, const RunSettings&) = default;
};

enum class RunState { kUnfinished = 1, kFinished = 2 };

struct RunInfo {
  std::string id;  // 32 random hex digits; StartRun fills it in when empty
  RecordKey key;
  RunSettings settings;
  std::string kernel_name;
  std::string kernel_text;  // KernelProto as textproto: what was tuned, for people and for mining
  std::string device_text;  // HardwareSpec as textproto
  int64_t started_unix_micros = 0;
  RunState state = RunState::kUnfinished;
  double seconds_spent = 0;  // over all its sessions
  // What became of the seeds: what was planted, and once it is finished, what that was worth.
  std::string heuristics_json;
  friend bool operator==(const RunInfo&, const RunInfo&) = default;
};

// One line of a run's log, in order. An ask is a candidate sent off; a tell is its outcome; a
// re-timing is more samples of a leader.
struct RunEvent {
  enum class Kind { kAsk = 1, kTell = 2, kRetime = 3 };
  int64_t sequence = 0;  // 0, 1, 2, ...
  Kind kind = Kind::kAsk;
  int64_t ask_sequence = 0;  // kTell, kRetime: of the ask that it answers
  // Canonical, a JSON object. kTell, kRetime: may be left empty, and reads back as the ask's.
  std::string config_json;
  std::string origin;     // kAsk
  std::string heuristic;  // kAsk
  Outcome outcome;        // kTell, kRetime
  double at_seconds = 0;  // since the run's start, time between sessions left out
  friend bool operator==(const RunEvent&, const RunEvent&) = default;
};

struct BestRecord {
  std::string run_id;
  std::string kernel_name;
  RecordKey key;
  std::string config_json;
  std::string origin;
  std::string heuristic;
  Outcome outcome;  // of the winner, all its samples
  std::string untuned_config_json;
  std::string untuned_origin;
  Outcome untuned_outcome;
  int64_t evaluations = 0;
  double seconds = 0;
  int64_t recorded_unix_micros = 0;
  std::string heuristics_json;
  friend bool operator==(const BestRecord&, const BestRecord&) = default;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_RECORDS_H_

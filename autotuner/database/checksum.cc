#include "autotuner/database/checksum.h"

#include <cstdint>
#include <string>

#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "util/stable_hash.h"

namespace seedtune {
namespace {

// SQLite keeps no sign of a zero.
void Add(CanonicalBytes& bytes, double value) { bytes.Add(value == 0 ? 0.0 : value); }

void Add(CanonicalBytes& bytes, const RecordKey& key) {
  bytes.Add(key.kernel_fingerprint)
      .Add(key.backend)
      .Add(key.space_id)
      .Add(key.device_key)
      .Add(key.code_generator_version)
      .Add(key.compiler_version)
      .Add(key.driver_version);
}

void Add(CanonicalBytes& bytes, const Outcome& outcome) {
  bytes.Add(static_cast<int64_t>(outcome.kind))
      .Add(static_cast<int64_t>(outcome.samples_ns.size()));
  for (const double sample : outcome.samples_ns) Add(bytes, sample);
  bytes.Add(outcome.message);
  for (const double value : {outcome.lower_bound_ns, outcome.compile_ns, outcome.measure_ns}) {
    Add(bytes, value);
  }
}

int64_t Hash(const CanonicalBytes& bytes) {
  return static_cast<int64_t>(HashBytes(bytes.bytes()).low);
}

}  // namespace

int64_t Checksum(const RunInfo& run) {
  CanonicalBytes bytes;
  bytes.Add(run.id);
  Add(bytes, run.key);
  bytes.Add(run.settings.algorithm)
      .Add(static_cast<int64_t>(run.settings.random_seed))
      .Add(run.settings.budget_evaluations)
      .Add(run.settings.seed_policy)
      .Add(run.kernel_name)
      .Add(run.kernel_text)
      .Add(run.device_text)
      .Add(run.started_unix_micros)
      .Add(static_cast<int64_t>(run.state))
      .Add(run.heuristics_json);
  Add(bytes, run.settings.budget_seconds);
  Add(bytes, run.seconds_spent);
  return Hash(bytes);
}

int64_t Checksum(const std::string& run_id, const RunEvent& event) {
  CanonicalBytes bytes;
  bytes.Add(run_id).Add(event.sequence).Add(static_cast<int64_t>(event.kind));
  Add(bytes, event.at_seconds);
  if (event.kind == RunEvent::Kind::kAsk) {
    bytes.Add(event.config_json).Add(event.origin).Add(event.heuristic);
  } else {
    bytes.Add(event.ask_sequence);
    Add(bytes, event.outcome);
  }
  return Hash(bytes);
}

int64_t Checksum(const BestRecord& best, int64_t ask_sequence, int64_t log_size) {
  CanonicalBytes bytes;
  bytes.Add(best.run_id).Add(best.kernel_name);
  Add(bytes, best.key);
  bytes.Add(ask_sequence).Add(log_size).Add(best.config_json).Add(best.origin).Add(best.heuristic);
  Add(bytes, best.outcome);
  bytes.Add(best.untuned_config_json).Add(best.untuned_origin);
  Add(bytes, best.untuned_outcome);
  bytes.Add(best.evaluations).Add(best.recorded_unix_micros).Add(best.heuristics_json);
  Add(bytes, best.seconds);
  return Hash(bytes);
}

}  // namespace seedtune

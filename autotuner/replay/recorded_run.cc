#include "autotuner/replay/recorded_run.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/records.h"
#include "autotuner/outcome.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_io.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<std::vector<RecordedConfig>> ResultsOfRun(
    std::span<const RunEvent> events, const std::shared_ptr<const ConfigSpace>& space) {
  struct Ask {
    RecordedConfig result;
    bool is_told = false;
  };
  std::vector<Ask> asks;
  absl::flat_hash_map<int64_t, size_t> index_of;  // by sequence
  for (const RunEvent& event : events) {
    const auto wrong = [&](auto... what) {
      return absl::InvalidArgumentError(absl::StrCat("event ", event.sequence, ": ", what...));
    };
    if (event.kind == RunEvent::Kind::kAsk) {
      const absl::StatusOr<PartialConfig> partial = PartialConfigFromJson(event.config_json);
      if (!partial.ok()) return wrong(partial.status().message());
      absl::StatusOr<Config> config = space->Normalize(*partial, NormalizeMode::kReject);
      if (!config.ok()) return wrong(config.status().message());
      index_of[event.sequence] = asks.size();
      asks.push_back({.result = {.config = *std::move(config), .outcome = {}}});
      continue;
    }
    const auto found = index_of.find(event.ask_sequence);
    if (found == index_of.end()) return wrong("answers ", event.ask_sequence, ", want an ask");
    Ask& ask = asks[found->second];
    Outcome& outcome = ask.result.outcome;
    if (event.kind == RunEvent::Kind::kTell) {
      outcome = event.outcome;
      ask.result.compile_cost_ns = outcome.compile_ns;
      ask.result.benchmark_cost_ns = outcome.measure_ns;
      ask.is_told = true;
    } else if (outcome.ok() && event.outcome.ok()) {
      outcome.samples_ns.insert(outcome.samples_ns.end(), event.outcome.samples_ns.begin(),
                                event.outcome.samples_ns.end());
    }
  }
  std::vector<RecordedConfig> results;
  for (Ask& ask : asks) {
    if (ask.is_told) results.push_back(std::move(ask.result));
  }
  return results;
}

}  // namespace seedtune

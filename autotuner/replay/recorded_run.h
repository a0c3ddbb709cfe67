// What a tuning run measured, as the results that a recorded space is made of: so that our own runs
// become T4 (t4.h), and exhaustive ones spaces to replay.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_RUN_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_RUN_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/database/records.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"

namespace seedtune {

// Each configuration that was measured, once, in the order asked. Samples of a re-timing follow the
// first ones; its cost is not counted, since it is no search's. What was asked but not answered is
// left out. `events` are a run's whole log, its configurations of `space`. Thread-safe.
// kInvalidArgument: a configuration of another space (says which), an answer to no ask.
absl::StatusOr<std::vector<RecordedConfig>> ResultsOfRun(
    std::span<const RunEvent> events, const std::shared_ptr<const ConfigSpace>& space);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_RUN_H_

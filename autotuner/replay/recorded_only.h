// A record taken for its own space, where nobody knows the conditions that shaped it.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_ONLY_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_ONLY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"

namespace seedtune {

// The same record over a space of the same knobs and constraints in which nothing is valid but what
// was recorded, so that it is exhaustive. Thread-safe. kResourceExhausted: the constraints leave
// too many combinations to go through them all.
absl::StatusOr<std::shared_ptr<const RecordedSpace>> RestrictToRecorded(
    const RecordedSpace& record);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_ONLY_H_

// T4: the auto-tuning community's format for tuning results, as JSON
// (https://github.com/odgaard/TuningSchema), for a space that is known (config/t1.h).
//
// Read as it is found: times in metadata.timeunit (milliseconds unless it says otherwise, also
// where that is misspelt "miliseconds"), the cost of compiling under `compilation` or
// `compilation_time`, the cost of benchmarking under `benchmark` or else the sum of the runtimes,
// numbers that are NaN or missing as 0, failures by `invalidity`: compile, runtime, correctness,
// timeout, and constraints (allowed by the space but not by the tuner: out of resources).
//
// Written so that others read it and nothing is lost to us: milliseconds with all their digits, and
// for what T4 has no word for (crash, censored, an error's text) an object "seedtune" beside the
// result.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_T4_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_T4_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"

namespace seedtune {

struct T4Names {
  std::string kernel = {};     // empty: as the file says, if it does
  std::string device = {};     // empty: as the file says, if it does
  std::string timestamp = {};  // written only: when it was recorded, "2026-11-23 09:54:05+00:00"
};

// Thread-safe. What was left out is said in `notes`, one line each, if that is not null.
// kInvalidArgument: no T4, or of another space: `results[3]: block_size_x is 17, want one of ...`.
absl::StatusOr<std::shared_ptr<const RecordedSpace>> ReadT4(
    std::string_view text, std::shared_ptr<const ConfigSpace> space, const T4Names& names = {},
    std::vector<std::string>* notes = nullptr);

// Configurations may stand there more than once, as in a tuning run that took its leaders' time
// again. Times are finite and not negative.
std::string WriteT4(std::span<const RecordedConfig> results, const T4Names& names);
std::string WriteT4(const RecordedSpace& space);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_T4_H_

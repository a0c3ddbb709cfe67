// Kernel Tuner's cache files, as JSON: the parameters, and one entry a configuration, appended
// while tuning.
//
// A tuner that was stopped leaves a file without its closing `}}`, perhaps with half an entry at
// its end: what is whole is read, the rest dropped with a note. Times are milliseconds; a failure
// has the name of an error for its time ("CompilationFailedConfig", "RuntimeFailedConfig",
// "InvalidConfig", ...).
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_KERNEL_TUNER_CACHE_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_KERNEL_TUNER_CACHE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"

namespace seedtune {

struct KernelTunerCacheOptions {
  // The cache lists parameters and their values, but no conditions. Either the space is given whole
  // (its knobs must have every value in the cache's entries), ...
  std::shared_ptr<const ConfigSpace> space = nullptr;
  // ... or it is made of the file's parameters and these conditions (expressions, as in T1; see
  // config/expression.h).
  std::vector<std::string> conditions = {};
};

// Thread-safe. What was repaired or left out is said in `notes`, one line each, if that is not
// null. kInvalidArgument: not such a file, cut off before its first entry, or of another space.
absl::StatusOr<std::shared_ptr<const RecordedSpace>> ReadKernelTunerCache(
    std::string_view text, const KernelTunerCacheOptions& options = {},
    std::vector<std::string>* notes = nullptr);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_KERNEL_TUNER_CACHE_H_

// The untuned answer: microseconds, no device touched, no file opened.
#ifndef SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_
#define SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"

namespace seedtune {

struct UntunedConfig {
  Config config;
  std::string origin;  // the heuristic that it came from, or "space default"
};

// Thread-safe. Errors: the config space's own (unknown backend, a kernel it cannot express). Pass
// the registry of
// //heuristics:builtin, or your own.
absl::StatusOr<UntunedConfig> DefaultConfig(const HeuristicRegistry& registry,
                                            std::string_view backend, const Kernel& kernel,
                                            const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_

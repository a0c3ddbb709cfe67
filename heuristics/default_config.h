// The untuned answer: microseconds, no device touched, no file opened.
#ifndef SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_
#define SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"

namespace seedtune {

using UntunedConfig = UntunedDefault;

// Thread-safe. Errors: the config space's own (unknown backend, a kernel it cannot express). Pass
// the registry of //heuristics:builtin, or your own; `options` switch heuristics off, their user
// seeds play no part.
absl::StatusOr<UntunedConfig> DefaultConfig(const HeuristicRegistry& registry,
                                            std::string_view backend, const Kernel& kernel,
                                            const HardwareInfo& device,
                                            const ConsultOptions& options = {});

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_DEFAULT_CONFIG_H_

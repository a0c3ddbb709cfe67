// Configurations in any of the forms that Seedtune reads and writes.
#ifndef SEEDTUNE_CONFIG_INTERCHANGE_FOREIGN_CONFIG_H_
#define SEEDTUNE_CONFIG_INTERCHANGE_FOREIGN_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/knob.h"

namespace seedtune {

enum class ConfigFormat {
  kSeedtune,  // {"block_size[m]":128,...}, see config_io.h
  kHelion,    // see helion_config.h
  kTriton,    // see triton_config.h
};
// kInvalidArgument: none of seedtune, helion and triton.
absl::StatusOr<ConfigFormat> ParseConfigFormat(std::string_view name);

// Thread-safe, both of them.

// Sees by itself which form it is. Errors of those.
absl::StatusOr<PartialConfig> ReadAnyConfig(std::string_view text);
absl::StatusOr<std::string> WriteConfig(const PartialConfig& partial, ConfigFormat format);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_INTERCHANGE_FOREIGN_CONFIG_H_

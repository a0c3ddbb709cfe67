// Configurations as text: textproto (seedtune.ConfigProto) and JSON.
#ifndef SEEDTUNE_CONFIG_CONFIG_IO_H_
#define SEEDTUNE_CONFIG_CONFIG_IO_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/config.pb.h"
#include "config/knob.h"

namespace seedtune {

// One flat JSON object, knob name to integer, boolean, string or array of integers.
// kInvalidArgument: the offset and what is wrong.
absl::StatusOr<PartialConfig> PartialConfigFromJson(std::string_view json);
std::string PartialConfigToJson(const PartialConfig& partial);

// knob { name: "block_size[m]" int_value: 64 }
absl::StatusOr<PartialConfig> PartialConfigFromProto(const ConfigProto& proto);
ConfigProto PartialConfigToProto(const PartialConfig& partial);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_CONFIG_IO_H_

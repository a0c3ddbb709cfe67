// Which device a command is about.
#ifndef SEEDTUNE_TOOLS_DEVICE_H_
#define SEEDTUNE_TOOLS_DEVICE_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"
#include "hardware/system_reader.h"

namespace seedtune {

// `device_argument`: "" for the first device here that the backend runs on, an index among those, a
// spec's name
// ("h100_sxm"), or a spec file's path. Only an empty argument or an index looks at this machine,
// and only at the kind of device in question. kNotFound: none such; says what there is.
// kInvalidArgument: the spec file is wrong, or the device is of a kind that the backend does not
// run on.
absl::StatusOr<HardwareInfo> ResolveDevice(std::string_view device_argument,
                                           std::string_view backend, const SystemReader& reader);

// A device of this machine by kind and index: "cpu", "cuda:0", "rocm:1". kInvalidArgument: no such
// name. kNotFound: there is none; says why.
absl::StatusOr<HardwareInfo> DetectDevice(std::string_view device, const SystemReader& reader);

// A known device by its name, or a spec file. Looks at nothing else.
absl::StatusOr<HardwareInfo> ReadSpec(std::string_view device_argument);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_DEVICE_H_

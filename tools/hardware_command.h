// `seedtune hardware`: the devices of this machine, or a known device's record.
#ifndef SEEDTUNE_TOOLS_HARDWARE_COMMAND_H_
#define SEEDTUNE_TOOLS_HARDWARE_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct HardwareCommandOptions {
  std::string device;  // a spec's name or file; "": look at this machine
  bool list_specs = false;
  bool json = false;
};

absl::Status RunHardware(const HardwareCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_HARDWARE_COMMAND_H_

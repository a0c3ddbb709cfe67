// What a look at a machine found.
#ifndef SEEDTUNE_HARDWARE_DETECTED_HARDWARE_H_
#define SEEDTUNE_HARDWARE_DETECTED_HARDWARE_H_

#include <string>
#include <vector>

#include "hardware/hardware_info.h"

namespace seedtune {

// A value type; thread-compatible.
struct DetectedHardware {
  std::vector<HardwareInfo> devices;  // of one kind in its driver's order
  // For people, a line each: why there is no device of a kind, or what could not be learnt of one.
  std::vector<std::string> notes;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_DETECTED_HARDWARE_H_

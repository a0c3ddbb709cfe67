// The HIP runtime of this machine.
#ifndef SEEDTUNE_HARDWARE_REAL_HIP_API_H_
#define SEEDTUNE_HARDWARE_REAL_HIP_API_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "hardware/hip_api.h"

namespace seedtune {

// Opens the first library of `names` that is there. kNotFound: none is. kUnavailable: it does not
// load or lacks a function. Devices are first looked for when they are first asked for.
absl::StatusOr<std::unique_ptr<HipApi>> OpenHipApi(std::span<const std::string> names);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_REAL_HIP_API_H_

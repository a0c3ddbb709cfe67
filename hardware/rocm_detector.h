// Describes AMD's GPUs through HIP and through the kernel's KFD topology.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_ROCM_DETECTOR_H_
#define SEEDTUNE_HARDWARE_ROCM_DETECTOR_H_

#include "hardware/detected_hardware.h"
#include "hardware/system_reader.h"

namespace seedtune {

// The devices that HIP shows this process, in HIP's order, completed from KFD
// (/sys/class/kfd/kfd/topology); without HIP those of KFD, in the kernel's order, whose
// architectures then have no features, since KFD does not tell whether XNACK is on. Neither is no
// error: a note says so. `driver_version` is the amdgpu module's, `runtime_version` HIP's.
DetectedHardware DetectRocm(const SystemReader& reader);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_ROCM_DETECTOR_H_

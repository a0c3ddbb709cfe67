// Describes NVIDIA's GPUs through the CUDA driver and NVML.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_CUDA_DETECTOR_H_
#define SEEDTUNE_HARDWARE_CUDA_DETECTOR_H_

#include "hardware/detected_hardware.h"
#include "hardware/system_reader.h"

namespace seedtune {

// The devices that CUDA shows this process, in CUDA's order. No driver is no error: a note says so.
// `driver_version` is the kernel driver's, `runtime_version` the newest CUDA that it runs. The
// driver tells nothing of first-level caches. Initialises the driver, which takes up to seconds,
// and must not be followed by a fork without exec that uses CUDA.
DetectedHardware DetectCuda(const SystemReader& reader);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_CUDA_DETECTOR_H_

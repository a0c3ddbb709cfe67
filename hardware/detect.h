// Everything that kernels could be tuned for on one machine.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_DETECT_H_
#define SEEDTUNE_HARDWARE_DETECT_H_

#include "hardware/detected_hardware.h"
#include "hardware/system_reader.h"

namespace seedtune {

// The processors first, then CUDA's devices, then ROCm's, and a note for each kind that is not
// there. Whoever needs one kind only asks its own detector, which opens no other vendor's library.
DetectedHardware DetectAll(const SystemReader& reader);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_DETECT_H_

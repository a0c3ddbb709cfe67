// Describes the processors that this process may use.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_CPU_DETECTOR_H_
#define SEEDTUNE_HARDWARE_CPU_DETECTOR_H_

#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"
#include "hardware/system_reader.h"

namespace seedtune {

// The processors as one device. `compute_units` are the cores that this process gets: those that
// its cpuset and its affinity allow, and no more than its cgroup's quota pays for. What is not told
// stays unknown; bandwidth is known where a spec (specs.h) describes a processor of this name.
// Errors: of reading the topology, without which there is nothing to tell.
absl::StatusOr<HardwareInfo> DetectCpu(const SystemReader& reader);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_CPU_DETECTOR_H_

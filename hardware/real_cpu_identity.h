// The processor that this program runs on, through Google's cpu_features. One source file for each
// kind of processor; the BUILD file picks.
#ifndef SEEDTUNE_HARDWARE_REAL_CPU_IDENTITY_H_
#define SEEDTUNE_HARDWARE_REAL_CPU_IDENTITY_H_

#include "absl/status/statusor.h"
#include "hardware/system_reader.h"

namespace seedtune {

// kUnimplemented: cpu_features has no way to ask this kind of processor. Thread-safe.
absl::StatusOr<CpuIdentity> ReadThisCpuIdentity();

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_REAL_CPU_IDENTITY_H_

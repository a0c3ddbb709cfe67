// What the ROCm detector asks of the HIP runtime. An interface, so that recorded devices replay in
// tests.
//
// Implementations are thread-compatible and say in their errors which call failed and how.
#ifndef SEEDTUNE_HARDWARE_HIP_API_H_
#define SEEDTUNE_HARDWARE_HIP_API_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// Numbered as hipDeviceAttribute_t is from ROCm 5.0 on, where removed entries keep their places
// (https://rocm.docs.amd.com/projects/HIP/en/latest/doxygen/html/group___global_defs.html).
enum class HipAttribute {
  kClockRate = 5,  // kHz
  kL2CacheSize = 19,
  kMaxThreadsPerBlock = 56,
  kMaxThreadsPerMultiprocessor = 57,
  kMultiprocessorCount = 63,
  kMaxSharedMemoryPerBlock = 74,
  kWarpSize = 87,
  kMaxSharedMemoryPerMultiprocessor = 10002,
  kNumberOfXccs = 10018,  // newer releases only
};

// By their names in hip_runtime_api.h without "hipDeviceAttribute", for recordings.
struct HipAttributeName {
  HipAttribute attribute;
  std::string_view name;
};
inline constexpr HipAttributeName kHipAttributeNames[] = {
    {HipAttribute::kClockRate, "ClockRate"},
    {HipAttribute::kL2CacheSize, "L2CacheSize"},
    {HipAttribute::kMaxThreadsPerBlock, "MaxThreadsPerBlock"},
    {HipAttribute::kMaxThreadsPerMultiprocessor, "MaxThreadsPerMultiProcessor"},
    {HipAttribute::kMultiprocessorCount, "MultiprocessorCount"},
    {HipAttribute::kMaxSharedMemoryPerBlock, "MaxSharedMemoryPerBlock"},
    {HipAttribute::kWarpSize, "WarpSize"},
    {HipAttribute::kMaxSharedMemoryPerMultiprocessor, "MaxSharedMemoryPerMultiprocessor"},
    {HipAttribute::kNumberOfXccs, "NumberOfXccs"},
};

class HipApi {
 public:
  virtual ~HipApi() = default;

  // hipRuntimeGetVersion: 60342131 for HIP 6.3.42131.
  virtual absl::StatusOr<int> RuntimeVersion() const = 0;
  virtual absl::StatusOr<int> DeviceCount() const = 0;
  // `device` counts from 0 and heeds HIP_VISIBLE_DEVICES.
  virtual absl::StatusOr<std::string> DeviceName(int device) const = 0;
  // gcnArchName of the properties: "gfx942:sramecc+:xnack-".
  virtual absl::StatusOr<std::string> ArchName(int device) const = 0;
  virtual absl::StatusOr<int64_t> TotalMemoryBytes(int device) const = 0;
  virtual absl::StatusOr<int> Attribute(int device, HipAttribute attribute) const = 0;
  // "0000:c1:00.0"
  virtual absl::StatusOr<std::string> PciBusId(int device) const = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_HIP_API_H_

// What the CUDA detector asks of NVIDIA's driver: the few calls of the CUDA driver API and of NVML
// that say what a device is. An interface, so that recorded devices replay in tests.
//
// Implementations are thread-compatible and say in their errors which call failed and how.
#ifndef SEEDTUNE_HARDWARE_CUDA_API_H_
#define SEEDTUNE_HARDWARE_CUDA_API_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// Numbered as CUdevice_attribute is
// (https://docs.nvidia.com/cuda/cuda-driver-api/group__CUDA__TYPES.html).
enum class CudaAttribute {
  kMaxThreadsPerBlock = 1,
  kMaxSharedMemoryPerBlock = 8,
  kWarpSize = 10,
  kClockRate = 13,  // kHz
  kMultiprocessorCount = 16,
  kMemoryClockRate = 36,       // kHz
  kGlobalMemoryBusWidth = 37,  // bits
  kL2CacheSize = 38,
  kMaxThreadsPerMultiprocessor = 39,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kMaxSharedMemoryPerMultiprocessor = 81,
  kMaxRegistersPerMultiprocessor = 82,
  kMaxSharedMemoryPerBlockOptin = 97,
};

// By their names in cuda.h without "CU_DEVICE_ATTRIBUTE_", for recordings.
struct CudaAttributeName {
  CudaAttribute attribute;
  std::string_view name;
};
inline constexpr CudaAttributeName kCudaAttributeNames[] = {
    {CudaAttribute::kMaxThreadsPerBlock, "MAX_THREADS_PER_BLOCK"},
    {CudaAttribute::kMaxSharedMemoryPerBlock, "MAX_SHARED_MEMORY_PER_BLOCK"},
    {CudaAttribute::kWarpSize, "WARP_SIZE"},
    {CudaAttribute::kClockRate, "CLOCK_RATE"},
    {CudaAttribute::kMultiprocessorCount, "MULTIPROCESSOR_COUNT"},
    {CudaAttribute::kMemoryClockRate, "MEMORY_CLOCK_RATE"},
    {CudaAttribute::kGlobalMemoryBusWidth, "GLOBAL_MEMORY_BUS_WIDTH"},
    {CudaAttribute::kL2CacheSize, "L2_CACHE_SIZE"},
    {CudaAttribute::kMaxThreadsPerMultiprocessor, "MAX_THREADS_PER_MULTIPROCESSOR"},
    {CudaAttribute::kComputeCapabilityMajor, "COMPUTE_CAPABILITY_MAJOR"},
    {CudaAttribute::kComputeCapabilityMinor, "COMPUTE_CAPABILITY_MINOR"},
    {CudaAttribute::kMaxSharedMemoryPerMultiprocessor, "MAX_SHARED_MEMORY_PER_MULTIPROCESSOR"},
    {CudaAttribute::kMaxRegistersPerMultiprocessor, "MAX_REGISTERS_PER_MULTIPROCESSOR"},
    {CudaAttribute::kMaxSharedMemoryPerBlockOptin, "MAX_SHARED_MEMORY_PER_BLOCK_OPTIN"},
};

// The CUDA driver API, initialised.
class CudaApi {
 public:
  virtual ~CudaApi() = default;

  // cuDriverGetVersion: 13000 for CUDA 13.0.
  virtual absl::StatusOr<int> DriverVersion() const = 0;
  virtual absl::StatusOr<int> DeviceCount() const = 0;
  // `device` counts from 0 and heeds CUDA_VISIBLE_DEVICES.
  virtual absl::StatusOr<std::string> DeviceName(int device) const = 0;
  virtual absl::StatusOr<int64_t> TotalMemoryBytes(int device) const = 0;
  virtual absl::StatusOr<int> Attribute(int device, CudaAttribute attribute) const = 0;
  // "0000:1b:00.0"
  virtual absl::StatusOr<std::string> PciBusId(int device) const = 0;
};

// NVML, initialised. Its devices go by PCI bus id, since it does not heed CUDA_VISIBLE_DEVICES.
class NvmlApi {
 public:
  virtual ~NvmlApi() = default;

  // nvmlSystemGetDriverVersion: "580.95.05".
  virtual absl::StatusOr<std::string> DriverVersion() const = 0;
  // nvmlDeviceGetMaxClockInfo of the SMs.
  virtual absl::StatusOr<int> MaxSmClockMhz(const std::string& pci_bus_id) const = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_CUDA_API_H_

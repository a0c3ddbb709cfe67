#include "hardware/cuda_detector.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hardware/arch.h"
#include "hardware/cuda_api.h"
#include "hardware/detected_hardware.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "hardware/system_reader.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Tensor memory of an SM: 512 columns of 128 lanes of 32 bits (PTX ISA, "Tensor Memory").
constexpr int64_t kTensorMemoryBytes = 512 * 128 * 4;

// Compute capability 7.0 brought tensor cores, but the chips of the GeForce GTX 16 series (7.5) go
// without (NVIDIA Turing GPU Architecture, appendix on TU116).
bool HasTensorCores(int major, const std::string& name) {
  return major >= 7 && !absl::StrContains(name, "GTX 16");
}

absl::StatusOr<HardwareInfo> DescribeDevice(const CudaApi& cuda, const NvmlApi* nvml, int device) {
  HardwareInfo info;
  info.kind = DeviceKind::kCuda;
  SEEDTUNE_ASSIGN_OR_RETURN(info.name, cuda.DeviceName(device));
  SEEDTUNE_ASSIGN_OR_RETURN(const int major,
                            cuda.Attribute(device, CudaAttribute::kComputeCapabilityMajor));
  SEEDTUNE_ASSIGN_OR_RETURN(const int minor,
                            cuda.Attribute(device, CudaAttribute::kComputeCapabilityMinor));
  SEEDTUNE_ASSIGN_OR_RETURN(info.arch, Arch::Parse(absl::StrCat("sm", major, minor)));
  SEEDTUNE_ASSIGN_OR_RETURN(info.compute_units,
                            cuda.Attribute(device, CudaAttribute::kMultiprocessorCount));
  SEEDTUNE_ASSIGN_OR_RETURN(info.warp_size, cuda.Attribute(device, CudaAttribute::kWarpSize));
  SEEDTUNE_ASSIGN_OR_RETURN(info.max_threads_per_block,
                            cuda.Attribute(device, CudaAttribute::kMaxThreadsPerBlock));
  SEEDTUNE_ASSIGN_OR_RETURN(info.memory_bytes, cuda.TotalMemoryBytes(device));

  // What an old driver does not know stays unknown.
  const auto attribute_or_0 = [&](CudaAttribute attribute) -> int64_t {
    return cuda.Attribute(device, attribute).value_or(0);
  };
  info.threads_per_unit =
      static_cast<int>(attribute_or_0(CudaAttribute::kMaxThreadsPerMultiprocessor));
  info.registers_per_unit = attribute_or_0(CudaAttribute::kMaxRegistersPerMultiprocessor);
  info.shared_memory_per_block_bytes = attribute_or_0(CudaAttribute::kMaxSharedMemoryPerBlockOptin);
  if (info.shared_memory_per_block_bytes == 0) {
    info.shared_memory_per_block_bytes = attribute_or_0(CudaAttribute::kMaxSharedMemoryPerBlock);
  }
  info.shared_memory_per_unit_bytes =
      attribute_or_0(CudaAttribute::kMaxSharedMemoryPerMultiprocessor);
  info.l2_bytes = attribute_or_0(CudaAttribute::kL2CacheSize);
  info.clock_hz = 1000 * attribute_or_0(CudaAttribute::kClockRate);
  if (info.clock_hz == 0 && nvml != nullptr) {
    if (const absl::StatusOr<std::string> pci = cuda.PciBusId(device); pci.ok()) {
      info.clock_hz = int64_t{1'000'000} * nvml->MaxSmClockMhz(*pci).value_or(0);
    }
  }
  info.has_tensor_cores = HasTensorCores(major, info.name);
  if (ArchFamily(info.arch.base) == "blackwell") {
    info.tensor_memory_per_unit_bytes = kTensorMemoryBytes;
  }
  // The data sheet's bandwidth where there is one; the driver's clock is not always the product's.
  FillRatesFromSpec(/*packages=*/1, &info);
  if (info.memory_bandwidth_bytes_per_s == 0) {
    // Twice a clock, as NVIDIA's own deviceQuery sample counts.
    info.memory_bandwidth_bytes_per_s = 2 * 1000 * attribute_or_0(CudaAttribute::kMemoryClockRate) *
                                        attribute_or_0(CudaAttribute::kGlobalMemoryBusWidth) / 8;
  }
  return info;
}

}  // namespace

DetectedHardware DetectCuda(const SystemReader& reader) {
  DetectedHardware result;
  const absl::StatusOr<std::unique_ptr<CudaApi>> cuda = reader.OpenCuda();
  if (!cuda.ok()) {
    result.notes.push_back(absl::StrCat("no CUDA: ", cuda.status().message()));
    return result;
  }
  const absl::StatusOr<int> count = (*cuda)->DeviceCount();
  if (!count.ok() || *count == 0) {
    result.notes.push_back(absl::StrCat(
        "no CUDA: ", count.ok() ? "the driver shows no device" : count.status().message()));
    return result;
  }

  const absl::StatusOr<std::unique_ptr<NvmlApi>> nvml = reader.OpenNvml();
  std::string driver_version;
  if (nvml.ok()) {
    driver_version = (*nvml)->DriverVersion().value_or("");
  } else {
    result.notes.push_back(
        absl::StrCat("CUDA: the driver's version is unknown: ", nvml.status().message()));
  }
  std::string runtime_version;
  if (const absl::StatusOr<int> version = (*cuda)->DriverVersion(); version.ok()) {
    runtime_version = absl::StrCat(*version / 1000, ".", *version % 1000 / 10);
  }
  for (int device = 0; device < *count; ++device) {
    absl::StatusOr<HardwareInfo> info =
        DescribeDevice(**cuda, nvml.ok() ? nvml->get() : nullptr, device);
    if (!info.ok()) {
      result.notes.push_back(absl::StrCat("CUDA device ", device, ": ", info.status().message()));
      continue;
    }
    info->driver_version = driver_version;
    info->runtime_version = runtime_version;
    result.devices.push_back(*std::move(info));
  }
  return result;
}

}  // namespace seedtune

#include "hardware/rocm_detector.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hardware/arch.h"
#include "hardware/detected_hardware.h"
#include "hardware/hardware_fields.h"
#include "hardware/hardware_info.h"
#include "hardware/hip_api.h"
#include "hardware/kfd_topology.h"
#include "hardware/specs.h"
#include "hardware/system_reader.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// The KFD node at a PCI address ("0000:c1:00.0"), null if there is none.
const KfdGpu* FindNode(const std::vector<KfdGpu>& gpus, const std::string& pci_bus_id) {
  const std::vector<std::string> parts = absl::StrSplit(pci_bus_id, absl::ByAnyChar(":."));
  uint32_t domain = 0, bus = 0, device = 0, function = 0;
  if (parts.size() != 4 || !absl::SimpleHexAtoi(parts[0], &domain) ||
      !absl::SimpleHexAtoi(parts[1], &bus) || !absl::SimpleHexAtoi(parts[2], &device) ||
      !absl::SimpleHexAtoi(parts[3], &function)) {
    return nullptr;
  }
  const uint32_t location = bus << 8 | device << 3 | function;
  const auto it = std::find_if(gpus.begin(), gpus.end(), [&](const KfdGpu& gpu) {
    return gpu.pci_domain == domain && gpu.pci_location == location;
  });
  return it == gpus.end() ? nullptr : &*it;
}

absl::StatusOr<HardwareInfo> DescribeDevice(const HipApi& hip, const std::vector<KfdGpu>& kfd,
                                            int device) {
  HardwareInfo info;
  info.kind = DeviceKind::kRocm;
  SEEDTUNE_ASSIGN_OR_RETURN(info.name, hip.DeviceName(device));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string arch, hip.ArchName(device));
  SEEDTUNE_ASSIGN_OR_RETURN(info.arch, Arch::Parse(arch));
  SEEDTUNE_ASSIGN_OR_RETURN(info.compute_units,
                            hip.Attribute(device, HipAttribute::kMultiprocessorCount));
  SEEDTUNE_ASSIGN_OR_RETURN(info.warp_size, hip.Attribute(device, HipAttribute::kWarpSize));
  SEEDTUNE_ASSIGN_OR_RETURN(info.max_threads_per_block,
                            hip.Attribute(device, HipAttribute::kMaxThreadsPerBlock));
  SEEDTUNE_ASSIGN_OR_RETURN(info.memory_bytes, hip.TotalMemoryBytes(device));

  const auto attribute_or_0 = [&](HipAttribute attribute) {
    return hip.Attribute(device, attribute).value_or(0);
  };
  info.threads_per_unit = attribute_or_0(HipAttribute::kMaxThreadsPerMultiprocessor);
  info.shared_memory_per_block_bytes = attribute_or_0(HipAttribute::kMaxSharedMemoryPerBlock);
  info.shared_memory_per_unit_bytes =
      attribute_or_0(HipAttribute::kMaxSharedMemoryPerMultiprocessor);
  info.clock_hz = int64_t{1000} * attribute_or_0(HipAttribute::kClockRate);
  // HIP's own figure of registers is the same for all devices.
  const std::string_view family = ArchFamily(info.arch.base);
  info.registers_per_unit = VectorRegistersPerComputeUnit(family);
  info.has_tensor_cores = HasMatrixUnits(family);

  const absl::StatusOr<std::string> pci = hip.PciBusId(device);
  const KfdGpu* node = pci.ok() ? FindNode(kfd, *pci) : nullptr;
  info.num_xcds = attribute_or_0(HipAttribute::kNumberOfXccs);
  if (info.num_xcds == 0 && node != nullptr) info.num_xcds = node->info.num_xcds;
  // HIP tells the second level of one die.
  info.l2_bytes = int64_t{std::max(1, info.num_xcds)} * attribute_or_0(HipAttribute::kL2CacheSize);
  if (node != nullptr) {
    if (info.name.empty()) info.name = node->info.name;
    for (const HardwareField& field : kHardwareFields) {
      if (field.Get(info) == 0) field.Set(field.Get(node->info), &info);
    }
  }
  FillRatesFromSpec(/*packages=*/1, &info);
  return info;
}

// HIP_VERSION's decimal packing: 60342131 is 6.3.42131.
std::string HipVersionName(int version) {
  return absl::StrCat(version / 10'000'000, ".", version / 100'000 % 100, ".", version % 100'000);
}

}  // namespace

DetectedHardware DetectRocm(const SystemReader& reader) {
  DetectedHardware result;
  const std::vector<KfdGpu> kfd = ReadKfdTopology(reader).value_or(std::vector<KfdGpu>());
  std::string driver_version;
  if (const absl::StatusOr<std::string> text = reader.ReadFile("/sys/module/amdgpu/version");
      text.ok()) {
    driver_version = std::string(absl::StripAsciiWhitespace(*text));
  }

  const absl::StatusOr<std::unique_ptr<HipApi>> hip = reader.OpenHip();
  const absl::StatusOr<int> count =
      hip.ok() ? (*hip)->DeviceCount() : absl::StatusOr<int>(hip.status());
  if (!count.ok() || *count == 0) {
    const std::string why =
        count.ok() ? "HIP shows no device" : std::string(count.status().message());
    if (kfd.empty()) {
      result.notes.push_back(absl::StrCat("no ROCm: ", why));
      return result;
    }
    result.notes.push_back(absl::StrCat(
        "ROCm: devices are described from the kernel's KFD topology, and no kernel can "
        "run on them: ",
        why));
    for (const KfdGpu& gpu : kfd) {
      result.devices.push_back(gpu.info);
      result.devices.back().driver_version = driver_version;
    }
    return result;
  }

  std::string runtime_version;
  if (const absl::StatusOr<int> version = (*hip)->RuntimeVersion(); version.ok()) {
    runtime_version = HipVersionName(*version);
  }
  for (int device = 0; device < *count; ++device) {
    absl::StatusOr<HardwareInfo> info = DescribeDevice(**hip, kfd, device);
    if (!info.ok()) {
      result.notes.push_back(absl::StrCat("ROCm device ", device, ": ", info.status().message()));
      continue;
    }
    info->driver_version = driver_version;
    info->runtime_version = runtime_version;
    result.devices.push_back(*std::move(info));
  }
  return result;
}

}  // namespace seedtune

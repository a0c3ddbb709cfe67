#include "hardware/fake_system_reader.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "hardware/cuda_api.h"
#include "hardware/hip_api.h"
#include "hardware/recorded_machine.pb.h"
#include "hardware/synthetic_topology.h"
#include "hardware/system_reader.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/string_view.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

// Devices of a recording by their number. kUnavailable: there is no such device.
template <typename Devices>
absl::StatusOr<const typename Devices::value_type*> Find(const Devices& devices, int device) {
  if (device < 0 || device >= devices.size()) {
    return absl::UnavailableError(absl::StrCat("no device ", device, " is recorded"));
  }
  return &devices.Get(device);
}

// An attribute of a recorded device by its name in one of the tables of names.
template <typename Device, typename Names, typename Attribute>
absl::StatusOr<int> FindAttribute(const Device& device, const Names& names, Attribute attribute) {
  for (const auto& entry : names) {
    if (entry.attribute != attribute) continue;
    const auto it = device.attributes().find(std::string(entry.name));
    if (it != device.attributes().end()) return it->second;
    return absl::UnavailableError(
        absl::StrCat("attribute ", ToAbsl(entry.name), " is not recorded"));
  }
  return absl::UnavailableError(
      absl::StrCat("attribute ", static_cast<int>(attribute), " has no name"));
}

class FakeCudaApi : public CudaApi {
 public:
  explicit FakeCudaApi(RecordedMachine::Cuda cuda) : cuda_(std::move(cuda)) {}

  absl::StatusOr<int> DriverVersion() const override { return cuda_.driver_version(); }
  absl::StatusOr<int> DeviceCount() const override { return cuda_.devices_size(); }
  absl::StatusOr<std::string> DeviceName(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(cuda_.devices(), device));
    return found->name();
  }
  absl::StatusOr<int64_t> TotalMemoryBytes(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(cuda_.devices(), device));
    return found->total_memory_bytes();
  }
  absl::StatusOr<int> Attribute(int device, CudaAttribute attribute) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(cuda_.devices(), device));
    return FindAttribute(*found, kCudaAttributeNames, attribute);
  }
  absl::StatusOr<std::string> PciBusId(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(cuda_.devices(), device));
    return found->pci_bus_id();
  }

 private:
  RecordedMachine::Cuda cuda_;
};

class FakeNvmlApi : public NvmlApi {
 public:
  explicit FakeNvmlApi(RecordedMachine::Cuda cuda) : cuda_(std::move(cuda)) {}

  absl::StatusOr<std::string> DriverVersion() const override { return cuda_.nvml_driver_version(); }
  absl::StatusOr<int> MaxSmClockMhz(const std::string& pci_bus_id) const override {
    for (const RecordedMachine::CudaDevice& device : cuda_.devices()) {
      if (device.pci_bus_id() == pci_bus_id && device.max_sm_clock_mhz() != 0) {
        return device.max_sm_clock_mhz();
      }
    }
    return absl::UnavailableError("no clock is recorded");
  }

 private:
  RecordedMachine::Cuda cuda_;
};

class FakeHipApi : public HipApi {
 public:
  explicit FakeHipApi(RecordedMachine::Hip hip) : hip_(std::move(hip)) {}

  absl::StatusOr<int> RuntimeVersion() const override { return hip_.runtime_version(); }
  absl::StatusOr<int> DeviceCount() const override { return hip_.devices_size(); }
  absl::StatusOr<std::string> DeviceName(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(hip_.devices(), device));
    return found->name();
  }
  absl::StatusOr<std::string> ArchName(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(hip_.devices(), device));
    return found->arch_name();
  }
  absl::StatusOr<int64_t> TotalMemoryBytes(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(hip_.devices(), device));
    return found->total_memory_bytes();
  }
  absl::StatusOr<int> Attribute(int device, HipAttribute attribute) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(hip_.devices(), device));
    return FindAttribute(*found, kHipAttributeNames, attribute);
  }
  absl::StatusOr<std::string> PciBusId(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const auto* found, Find(hip_.devices(), device));
    return found->pci_bus_id();
  }

 private:
  RecordedMachine::Hip hip_;
};

}  // namespace

absl::StatusOr<FakeSystemReader> FakeSystemReader::Load(std::string_view folder) {
  FakeSystemReader reader;
  const std::filesystem::path base(folder);
  const std::string machine = (base / "machine.textproto").string();
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, seedtune::ReadFile(machine));
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, machine, &reader.machine_));
  if (std::filesystem::exists(base / "topology.xml")) {
    SEEDTUNE_ASSIGN_OR_RETURN(reader.topology_xml_,
                              seedtune::ReadFile((base / "topology.xml").string()));
  } else if (!reader.machine_.synthetic_topology().empty()) {
    SEEDTUNE_ASSIGN_OR_RETURN(
        reader.topology_xml_,
        SyntheticTopologyXml(reader.machine_.synthetic_topology(), reader.machine_.cpu().brand()));
  }
  const std::filesystem::path root = base / "root";
  if (!std::filesystem::exists(root)) return reader;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.is_directory()) continue;
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string contents,
                              seedtune::ReadFile(entry.path().string()));
    reader.SetFile("/" + entry.path().lexically_relative(root).string(), contents);
  }
  return reader;
}

void FakeSystemReader::SetFile(std::string_view path, std::string_view contents) {
  files_.insert_or_assign(std::string(path), std::string(contents));
}

void FakeSystemReader::RemoveFile(std::string_view path) {
  const auto it = files_.find(path);
  if (it != files_.end()) files_.erase(it);
}

void FakeSystemReader::SetFileError(std::string_view path, absl::Status error) {
  files_.insert_or_assign(std::string(path), std::move(error));
}

void FakeSystemReader::SetTopologyXml(std::string_view xml) { topology_xml_ = std::string(xml); }

absl::StatusOr<std::string> FakeSystemReader::ReadFile(std::string_view path) const {
  const auto it = files_.find(path);
  if (it != files_.end()) return it->second;
  return absl::NotFoundError(absl::StrCat(ToAbsl(path), ": no such file or directory"));
}

absl::StatusOr<std::vector<std::string>> FakeSystemReader::ListFolder(std::string_view path) const {
  const std::string prefix = absl::StrCat(ToAbsl(path), "/");
  std::set<std::string> names;
  for (const auto& [file, contents] : files_) {
    if (!absl::StartsWith(file, prefix)) continue;
    const std::string rest = file.substr(prefix.size());
    names.insert(rest.substr(0, rest.find('/')));
  }
  if (names.empty()) {
    return absl::NotFoundError(absl::StrCat(ToAbsl(path), ": no such file or directory"));
  }
  return std::vector<std::string>(names.begin(), names.end());
}

absl::StatusOr<std::string> FakeSystemReader::TopologyXml() const {
  if (topology_xml_.empty()) return absl::InternalError("no topology is recorded");
  return topology_xml_;
}

absl::StatusOr<CpuIdentity> FakeSystemReader::ReadCpuIdentity() const {
  if (!machine_.has_cpu()) return absl::UnimplementedError("no processor is recorded");
  const RecordedMachine::Cpu& cpu = machine_.cpu();
  CpuIdentity identity;
  identity.vendor = cpu.vendor();
  identity.brand = cpu.brand();
  identity.family = cpu.family();
  identity.model = cpu.model();
  identity.stepping = cpu.stepping();
  identity.implementer = cpu.implementer();
  identity.part = cpu.part();
  identity.features.assign(cpu.features().begin(), cpu.features().end());
  return identity;
}

absl::StatusOr<std::unique_ptr<CudaApi>> FakeSystemReader::OpenCuda() const {
  if (!cuda_error_.ok()) return cuda_error_;
  if (!machine_.has_cuda()) return absl::NotFoundError("libcuda.so.1 is not installed");
  return std::make_unique<FakeCudaApi>(machine_.cuda());
}

absl::StatusOr<std::unique_ptr<NvmlApi>> FakeSystemReader::OpenNvml() const {
  if (machine_.cuda().nvml_driver_version().empty()) {
    return absl::NotFoundError("libnvidia-ml.so.1 is not installed");
  }
  return std::make_unique<FakeNvmlApi>(machine_.cuda());
}

absl::StatusOr<std::unique_ptr<HipApi>> FakeSystemReader::OpenHip() const {
  if (!hip_error_.ok()) return hip_error_;
  if (!machine_.has_hip()) return absl::NotFoundError("libamdhip64.so is not installed");
  return std::make_unique<FakeHipApi>(machine_.hip());
}

}  // namespace seedtune

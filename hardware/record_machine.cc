// Writes this machine down as detection sees it, so that a test can replay it:
//
//   bazel run //hardware:record_machine -- "$PWD/hardware/testdata/machines/my_machine"
//
// Then say in machine.textproto what it is, and read all of it before it is shared.
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "hardware/cuda_api.h"
#include "hardware/detect.h"
#include "hardware/detected_hardware.h"
#include "hardware/hardware_info.h"
#include "hardware/hip_api.h"
#include "hardware/real_system_reader.h"
#include "hardware/recorded_machine.pb.h"
#include "hardware/system_reader.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

// Passes everything on and keeps the files that were read.
class RecordingReader : public SystemReader {
 public:
  explicit RecordingReader(const SystemReader& reader) : reader_(reader) {}

  const std::map<std::string, std::string>& files() const { return files_; }

  absl::StatusOr<std::string> ReadFile(std::string_view path) const override {
    absl::StatusOr<std::string> contents = reader_.ReadFile(path);
    if (contents.ok()) files_.insert_or_assign(std::string(path), *contents);
    return contents;
  }
  absl::StatusOr<std::vector<std::string>> ListFolder(std::string_view path) const override {
    return reader_.ListFolder(path);
  }
  absl::StatusOr<std::string> TopologyXml() const override { return reader_.TopologyXml(); }
  absl::StatusOr<CpuIdentity> ReadCpuIdentity() const override { return reader_.ReadCpuIdentity(); }
  absl::StatusOr<std::unique_ptr<CudaApi>> OpenCuda() const override { return reader_.OpenCuda(); }
  absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvml() const override { return reader_.OpenNvml(); }
  absl::StatusOr<std::unique_ptr<HipApi>> OpenHip() const override { return reader_.OpenHip(); }

 private:
  const SystemReader& reader_;
  mutable std::map<std::string, std::string> files_;
};

void RecordCpu(const SystemReader& reader, RecordedMachine* machine) {
  const absl::StatusOr<CpuIdentity> identity = reader.ReadCpuIdentity();
  if (!identity.ok()) return;
  RecordedMachine::Cpu* cpu = machine->mutable_cpu();
  cpu->set_vendor(identity->vendor);
  cpu->set_brand(identity->brand);
  cpu->set_family(identity->family);
  cpu->set_model(identity->model);
  cpu->set_stepping(identity->stepping);
  cpu->set_implementer(identity->implementer);
  cpu->set_part(identity->part);
  for (const std::string& feature : identity->features) cpu->add_features(feature);
}

void RecordCuda(const SystemReader& reader, RecordedMachine* machine) {
  const absl::StatusOr<std::unique_ptr<CudaApi>> api = reader.OpenCuda();
  if (!api.ok()) return;
  const absl::StatusOr<std::unique_ptr<NvmlApi>> nvml = reader.OpenNvml();
  RecordedMachine::Cuda* cuda = machine->mutable_cuda();
  cuda->set_driver_version((*api)->DriverVersion().value_or(0));
  if (nvml.ok()) cuda->set_nvml_driver_version((*nvml)->DriverVersion().value_or(""));
  for (int i = 0; i < (*api)->DeviceCount().value_or(0); ++i) {
    RecordedMachine::CudaDevice* device = cuda->add_devices();
    device->set_name((*api)->DeviceName(i).value_or(""));
    device->set_pci_bus_id((*api)->PciBusId(i).value_or(""));
    device->set_total_memory_bytes((*api)->TotalMemoryBytes(i).value_or(0));
    if (nvml.ok()) {
      device->set_max_sm_clock_mhz((*nvml)->MaxSmClockMhz(device->pci_bus_id()).value_or(0));
    }
    for (const CudaAttributeName& entry : kCudaAttributeNames) {
      const absl::StatusOr<int> value = (*api)->Attribute(i, entry.attribute);
      if (value.ok()) (*device->mutable_attributes())[std::string(entry.name)] = *value;
    }
  }
}

void RecordHip(const SystemReader& reader, RecordedMachine* machine) {
  const absl::StatusOr<std::unique_ptr<HipApi>> api = reader.OpenHip();
  if (!api.ok()) return;
  RecordedMachine::Hip* hip = machine->mutable_hip();
  hip->set_runtime_version((*api)->RuntimeVersion().value_or(0));
  for (int i = 0; i < (*api)->DeviceCount().value_or(0); ++i) {
    RecordedMachine::HipDevice* device = hip->add_devices();
    device->set_name((*api)->DeviceName(i).value_or(""));
    device->set_arch_name((*api)->ArchName(i).value_or(""));
    device->set_pci_bus_id((*api)->PciBusId(i).value_or(""));
    device->set_total_memory_bytes((*api)->TotalMemoryBytes(i).value_or(0));
    for (const HipAttributeName& entry : kHipAttributeNames) {
      const absl::StatusOr<int> value = (*api)->Attribute(i, entry.attribute);
      if (value.ok()) (*device->mutable_attributes())[std::string(entry.name)] = *value;
    }
  }
}

// hwloc's XML without what tells whose machine it is: of the infos, only those on processors stay.
std::string WithoutPrivateInfos(const std::string& xml) {
  std::string result;
  for (const absl::string_view line : absl::StrSplit(xml, '\n', absl::SkipEmpty())) {
    if (absl::StrContains(line, "<info name=\"") && !absl::StrContains(line, "<info name=\"CPU")) {
      continue;
    }
    absl::StrAppend(&result, line, "\n");
  }
  return result;
}

absl::Status Write(const std::filesystem::path& path, const std::string& contents) {
  std::filesystem::create_directories(path.parent_path());
  return WriteFileAtomically(path.string(), contents);
}

absl::Status Record(const std::filesystem::path& folder) {
  const std::unique_ptr<SystemReader> real = NewRealSystemReader();
  const RecordingReader reader(*real);
  const DetectedHardware detected = DetectAll(reader);
  for (const HardwareInfo& info : detected.devices) {
    std::fputs(DescribeHardware(info).c_str(), stderr);
  }
  for (const std::string& note : detected.notes) std::fprintf(stderr, "%s\n", note.c_str());

  RecordedMachine machine;
  machine.set_description("what is it?");
  machine.set_provenance("record_machine on a real machine, on which day?");
  RecordCpu(reader, &machine);
  RecordCuda(reader, &machine);
  RecordHip(reader, &machine);
  const std::string header =
      "# proto-file: hardware/recorded_machine.proto\n"
      "# proto-message: seedtune.RecordedMachine\n";
  SEEDTUNE_RETURN_IF_ERROR(Write(folder / "machine.textproto", header + PrintTextProto(machine)));
  if (const absl::StatusOr<std::string> xml = reader.TopologyXml(); xml.ok()) {
    SEEDTUNE_RETURN_IF_ERROR(Write(folder / "topology.xml", WithoutPrivateInfos(*xml)));
  }
  for (const auto& [path, contents] : reader.files()) {
    SEEDTUNE_RETURN_IF_ERROR(Write(folder / "root" / path.substr(1), contents));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: record_machine FOLDER\n");
    return 2;
  }
  const absl::Status status = seedtune::Record(seedtune::ResolveUserPath(argv[1]));
  if (!status.ok()) {
    std::fprintf(stderr, "record_machine: %s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}

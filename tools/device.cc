#include "tools/device.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "hardware/cpu_detector.h"
#include "hardware/cuda_detector.h"
#include "hardware/detected_hardware.h"
#include "hardware/rocm_detector.h"
#include "hardware/specs.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// What a backend's code runs on.
std::vector<DeviceKind> KindsOf(std::string_view backend) {
  if (backend == "cpu") return {DeviceKind::kCpu};
  if (backend == "cuda" || backend == "cute") return {DeviceKind::kCuda};
  if (backend == "triton") return {DeviceKind::kCuda, DeviceKind::kRocm};
  return {};  // its config space will say that there is no such backend
}

bool RunsOn(std::string_view backend, DeviceKind kind) {
  const std::vector<DeviceKind> kinds = KindsOf(backend);
  return kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// Asks that kind's own detector, which opens no other vendor's library.
DetectedHardware Detect(DeviceKind kind, const SystemReader& reader) {
  switch (kind) {
    case DeviceKind::kCuda:
      return DetectCuda(reader);
    case DeviceKind::kRocm:
      return DetectRocm(reader);
    default: {
      absl::StatusOr<HardwareInfo> cpu = DetectCpu(reader);
      if (!cpu.ok()) return {{}, {std::string(cpu.status().message())}};
      return {{*std::move(cpu)}, {}};
    }
  }
}

absl::StatusOr<HardwareInfo> FromMachine(int index, std::string_view backend,
                                         const SystemReader& reader) {
  std::vector<HardwareInfo> devices;
  std::vector<std::string> notes;
  for (const DeviceKind kind : KindsOf(backend)) {
    DetectedHardware detected = Detect(kind, reader);
    devices.insert(devices.end(), detected.devices.begin(), detected.devices.end());
    notes.insert(notes.end(), detected.notes.begin(), detected.notes.end());
  }
  if (index < static_cast<int>(devices.size())) return devices[index];
  const std::string why = notes.empty() ? "" : absl::StrCat(" (", absl::StrJoin(notes, "; "), ")");
  if (devices.empty()) {
    return absl::NotFoundError(absl::StrCat("no device for the ", std::string(backend),
                                            " backend here", why,
                                            "; name a known one with --device, such as h100_sxm"));
  }
  return absl::NotFoundError(absl::StrCat("--device=", index, ": this machine has ", devices.size(),
                                          " for the ", std::string(backend),
                                          " backend, counted from 0", why));
}

// A name that is no spec's, but a file's.
bool LooksLikeFile(std::string_view argument) {
  return argument.find('/') != std::string_view::npos ||
         argument.find('.') != std::string_view::npos;
}

}  // namespace

absl::StatusOr<HardwareInfo> ReadSpec(std::string_view device_argument) {
  if (!LooksLikeFile(device_argument)) return FindSpec(device_argument);
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(ResolveUserPath(device_argument)));
  return ParseSpec(text, device_argument);
}

absl::StatusOr<HardwareInfo> DetectDevice(std::string_view device, const SystemReader& reader) {
  const size_t colon = device.find(':');
  const std::string kind_name(device.substr(0, colon));
  int index = 0;
  const bool has_index = colon == std::string_view::npos ||
                         (absl::SimpleAtoi(ToAbsl(device.substr(colon + 1)), &index) && index >= 0);
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kCuda, DeviceKind::kRocm}) {
    if (!has_index || kind_name != DeviceKindName(kind)) continue;
    const DetectedHardware detected = Detect(kind, reader);
    if (index < static_cast<int>(detected.devices.size())) return detected.devices[index];
    return absl::NotFoundError(absl::StrCat(
        "\"", std::string(device), "\": this machine has ", detected.devices.size(),
        " of them, counted from 0",
        detected.notes.empty() ? ""
                               : absl::StrCat(" (", absl::StrJoin(detected.notes, "; "), ")")));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("\"", std::string(device), "\", want cpu, cuda:N or rocm:N"));
}

absl::StatusOr<HardwareInfo> ResolveDevice(std::string_view device_argument,
                                           std::string_view backend, const SystemReader& reader) {
  // An unknown backend runs on nothing, and its kernels' config space says so best.
  if (KindsOf(backend).empty()) return HardwareInfo();
  if (device_argument.empty()) return FromMachine(0, backend, reader);
  if (std::all_of(device_argument.begin(), device_argument.end(), absl::ascii_isdigit)) {
    int index = 0;
    if (!absl::SimpleAtoi(ToAbsl(device_argument), &index)) {
      return absl::NotFoundError(
          absl::StrCat("--device=", std::string(device_argument), ": no such device"));
    }
    return FromMachine(index, backend, reader);
  }
  SEEDTUNE_ASSIGN_OR_RETURN(HardwareInfo device, ReadSpec(device_argument));
  if (!RunsOn(backend, device.kind)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--device=", std::string(device_argument), ": ", device.name, " is a ",
                     std::string(DeviceKindName(device.kind)), " device, which the ",
                     std::string(backend), " backend does not run on"));
  }
  return device;
}

}  // namespace seedtune

#include "hardware/detect.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hardware/cpu_detector.h"
#include "hardware/cuda_detector.h"
#include "hardware/detected_hardware.h"
#include "hardware/hardware_info.h"
#include "hardware/rocm_detector.h"
#include "hardware/system_reader.h"

namespace seedtune {

DetectedHardware DetectAll(const SystemReader& reader) {
  DetectedHardware all;
  if (absl::StatusOr<HardwareInfo> cpu = DetectCpu(reader); cpu.ok()) {
    all.devices.push_back(*std::move(cpu));
  } else {
    all.notes.push_back(absl::StrCat("no CPU: ", cpu.status().message()));
  }
  for (DetectedHardware part : {DetectCuda(reader), DetectRocm(reader)}) {
    std::move(part.devices.begin(), part.devices.end(), std::back_inserter(all.devices));
    std::move(part.notes.begin(), part.notes.end(), std::back_inserter(all.notes));
  }
  return all;
}

}  // namespace seedtune

// Prototypes and numbers are of NVML (https://docs.nvidia.com/deploy/nvml-api).
#include "backends/cuda/clock_watch.h"

#include <chrono>
#include <thread>

#include "absl/status/statusor.h"
#include "hardware/dynamic_library.h"

namespace seedtune {
namespace {

constexpr int kNvmlSuccess = 0;
constexpr unsigned kClockSm = 1, kClockMemory = 2;
// nvmlClocksEventReason*
constexpr uint64_t kHwSlowdown = 0x8, kSwThermalSlowdown = 0x20, kHwThermalSlowdown = 0x40,
                   kHwPowerBrakeSlowdown = 0x80;
constexpr uint64_t kForced =
    kHwSlowdown | kSwThermalSlowdown | kHwThermalSlowdown | kHwPowerBrakeSlowdown;

}  // namespace

ClockWatch ClockWatch::Open(const std::string& pci_bus_id) {
  ClockWatch watch;
  const std::string names[] = {"libnvidia-ml.so.1", "libnvidia-ml.so"};
  const absl::StatusOr<DynamicLibrary> library = DynamicLibrary::Open(names);
  int (*init)() = nullptr;
  int (*get_handle)(const char*, void**) = nullptr;
  if (!library.ok() || !library->Find("nvmlInit_v2", &init).ok() ||
      !library->Find("nvmlDeviceGetHandleByPciBusId_v2", &get_handle).ok() ||
      !library->Find("nvmlDeviceGetCurrentClocksThrottleReasons", &watch.get_reasons_).ok() ||
      !library->Find("nvmlDeviceGetClockInfo", &watch.get_clock_).ok() ||
      !library->Find("nvmlDeviceGetPowerUsage", &watch.get_power_).ok() || init() != kNvmlSuccess ||
      get_handle(pci_bus_id.c_str(), &watch.device_) != kNvmlSuccess) {
    return ClockWatch();
  }
  return watch;
}

uint64_t ClockWatch::Reasons() const {
  unsigned long long reasons = 0;
  if (device_ == nullptr || get_reasons_(device_, &reasons) != kNvmlSuccess) return 0;
  return reasons;
}

void ClockWatch::Reset() { at_reset_ = Reasons(); }

bool ClockWatch::SlowedDown() const { return ((at_reset_ | Reasons()) & kForced) != 0; }

void ClockWatch::WaitForCool() const {
  for (int i = 0; i < 50 && (Reasons() & kForced) != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

int ClockWatch::ClockMhz(unsigned type) const {
  unsigned mhz = 0;
  if (device_ == nullptr || get_clock_(device_, type, &mhz) != kNvmlSuccess) return 0;
  return static_cast<int>(mhz);
}

int ClockWatch::SmClockMhz() const { return ClockMhz(kClockSm); }
int ClockWatch::MemoryClockMhz() const { return ClockMhz(kClockMemory); }

int ClockWatch::PowerMilliwatts() const {
  unsigned milliwatts = 0;
  if (device_ == nullptr || get_power_(device_, &milliwatts) != kNvmlSuccess) return 0;
  return static_cast<int>(milliwatts);
}

}  // namespace seedtune

// Whether a device had to slow down, as NVML tells. Reads only; sets nothing.
#ifndef SEEDTUNE_BACKENDS_CUDA_CLOCK_WATCH_H_
#define SEEDTUNE_BACKENDS_CUDA_CLOCK_WATCH_H_

#include <cstdint>
#include <string>

namespace seedtune {

// Movable; not thread-safe. Without NVML, or on a device that it does not know, it sees nothing.
class ClockWatch {
 public:
  ClockWatch() = default;  // sees nothing
  static ClockWatch Open(const std::string& pci_bus_id);

  // From here on.
  void Reset();
  // Whether heat or the power supply have slowed the device down since. The limit of its own power
  // that it is set to does not count: large matmuls run into it all the time, and so will they for
  // whoever uses them.
  bool SlowedDown() const;
  // Returns when the device runs freely again, or after five seconds.
  void WaitForCool() const;

  // MHz now; 0: unknown.
  int SmClockMhz() const;
  int MemoryClockMhz() const;
  // Of the device, in milliwatts; 0: unknown.
  int PowerMilliwatts() const;

 private:
  uint64_t Reasons() const;  // why clocks are below the highest, as bits
  int ClockMhz(unsigned type) const;

  void* device_ = nullptr;
  int (*get_reasons_)(void* device, unsigned long long* reasons) = nullptr;
  int (*get_clock_)(void* device, unsigned type, unsigned* mhz) = nullptr;
  int (*get_power_)(void* device, unsigned* milliwatts) = nullptr;
  uint64_t at_reset_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CLOCK_WATCH_H_

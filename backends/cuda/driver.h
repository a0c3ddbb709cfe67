// The CUDA driver, opened when the program runs (libcuda.so.1): a device, its memory, modules,
// launches and events, with errors that carry CUDA's names.
//
// Error codes of everything here: kResourceExhausted: out of device memory, or a kernel takes more
// registers or threads than a block may have. kAborted: the device or the kernel failed in a way
// that stays (illegal address, misaligned access, launch failure, ...): nothing in this process can
// use the device any more. kDeadlineExceeded: see Wait. kInvalidArgument: CUDA calls an argument
// wrong. kInternal: any other error of CUDA's.
//
// One thread uses a device and what it made; nothing here may outlive its CudaDevice.
#ifndef SEEDTUNE_BACKENDS_CUDA_DRIVER_H_
#define SEEDTUNE_BACKENDS_CUDA_DRIVER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/driver_abi.h"

namespace seedtune {

// The functions of libcuda. Thread-safe.
class CudaDriver {
 public:
  // Opens and initialises it. kNotFound: no NVIDIA driver here. kUnavailable: it does not load, or
  // finds no device.
  static absl::StatusOr<std::shared_ptr<const CudaDriver>> Open();

  const CuFunctions& functions() const { return f_; }
  // OK, or "cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY (out of memory)".
  absl::Status Check(std::string_view call, CuResult result) const;

 private:
  explicit CudaDriver(const CuFunctions& functions) : f_(functions) {}
  const CuFunctions f_;
};

// Bytes of device memory; freed with the object. Movable.
class CudaMemory {
 public:
  CudaMemory() = default;
  CudaMemory(std::shared_ptr<const CudaDriver> driver, CuDevicePointer address, int64_t bytes)
      : driver_(std::move(driver)), address_(address), bytes_(bytes) {}
  CudaMemory(CudaMemory&& other) noexcept { *this = std::move(other); }
  CudaMemory& operator=(CudaMemory&& other) noexcept;
  ~CudaMemory();

  CuDevicePointer address() const { return address_; }  // a multiple of 256
  int64_t bytes() const { return bytes_; }

 private:
  std::shared_ptr<const CudaDriver> driver_;
  CuDevicePointer address_ = 0;
  int64_t bytes_ = 0;
};

// Loaded machine code; unloaded with the object. Movable.
class CudaModule {
 public:
  CudaModule() = default;
  CudaModule(std::shared_ptr<const CudaDriver> driver, CuModule module)
      : driver_(std::move(driver)), module_(module) {}
  CudaModule(CudaModule&& other) noexcept { *this = std::move(other); }
  CudaModule& operator=(CudaModule&& other) noexcept;
  ~CudaModule();

  // kNotFound: no such kernel in it.
  absl::StatusOr<CuFunction> Function(const std::string& entry) const;

 private:
  std::shared_ptr<const CudaDriver> driver_;
  CuModule module_ = nullptr;
};

// A point in a stream, with the time at which it was passed; destroyed with the object. Movable.
class CudaEvent {
 public:
  CudaEvent() = default;
  CudaEvent(std::shared_ptr<const CudaDriver> driver, CuEvent event)
      : driver_(std::move(driver)), event_(event) {}
  CudaEvent(CudaEvent&& other) noexcept { *this = std::move(other); }
  CudaEvent& operator=(CudaEvent&& other) noexcept;
  ~CudaEvent();

  CuEvent get() const { return event_; }

 private:
  std::shared_ptr<const CudaDriver> driver_;
  CuEvent event_ = nullptr;
};

struct CudaLaunchShape {
  std::array<int64_t, 3> grid = {1, 1, 1};
  std::array<int64_t, 3> block = {1, 1, 1};
  std::array<int64_t, 3> cluster = {1, 1, 1};
  int64_t dynamic_shared_bytes = 0;
  bool overlaps_previous = false;  // programmatic dependent launch
  bool runs_at_once = false;       // cooperative launch
};

// One device with its primary context, which is the calling thread's from Open on.
class CudaDevice {
 public:
  // `ordinal` counts from 0 and heeds CUDA_VISIBLE_DEVICES. With a stream of its own.
  static absl::StatusOr<std::unique_ptr<CudaDevice>> Open(std::shared_ptr<const CudaDriver> driver,
                                                          int ordinal);
  ~CudaDevice();
  CudaDevice(const CudaDevice&) = delete;
  CudaDevice& operator=(const CudaDevice&) = delete;

  const std::string& name() const { return name_; }
  const std::string& pci_bus_id() const { return pci_bus_id_; }
  CuStream stream() const { return stream_; }
  const CudaDriver& driver() const { return *driver_; }

  absl::StatusOr<int64_t> FreeBytes() const;
  // At least one byte.
  absl::StatusOr<CudaMemory> Allocate(int64_t bytes) const;
  // kInvalidArgument: not machine code that this device and driver run.
  absl::StatusOr<CudaModule> Load(const std::string& cubin) const;
  absl::StatusOr<CudaEvent> NewEvent() const;

  // In the order of `stream`; ToHost waits for it, ToDevice may return before the copy is done but
  // keeps no reference to `from`.
  absl::Status ToDevice(CuDevicePointer to, const void* from, int64_t bytes) const;
  absl::Status ToHost(void* to, CuDevicePointer from, int64_t bytes) const;
  absl::Status Fill(CuDevicePointer to, uint8_t value, int64_t bytes) const;

  // Lets a kernel have so much shared memory of its own size, and clusters of more than 8 blocks.
  absl::Status Prepare(CuFunction function, const CudaLaunchShape& shape) const;
  // `parameters`: a pointer to the value of each, as cuLaunchKernel takes them.
  absl::Status Launch(CuFunction function, const CudaLaunchShape& shape,
                      std::span<void*> parameters, CuStream stream) const;

  absl::Status Record(const CudaEvent& event) const;
  // Until the stream has passed `event`. kDeadlineExceeded: it has not within `timeout_ns`; what
  // runs there cannot be stopped but by ending the process.
  absl::Status Wait(const CudaEvent& event, double timeout_ns) const;
  absl::Status Synchronize() const;
  absl::StatusOr<double> ElapsedNs(const CudaEvent& start, const CudaEvent& end) const;

 private:
  CudaDevice(std::shared_ptr<const CudaDriver> driver, CuDevice device)
      : driver_(std::move(driver)), device_(device) {}

  const std::shared_ptr<const CudaDriver> driver_;
  const CuDevice device_;
  CuContext context_ = nullptr;
  CuStream stream_ = nullptr;
  std::string name_;
  std::string pci_bus_id_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_DRIVER_H_

#include "backends/cuda/driver.h"

#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "hardware/dynamic_library.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// A waiting thread first asks again and again, then sleeps between: short kernels are not slept
// over, long ones cost no core.
constexpr std::chrono::microseconds kSpin(200), kSleep(50);

constexpr int64_t kDefaultSharedBytes = 48 << 10;  // more than this has to be asked for
constexpr int64_t kPortableClusterBlocks = 8;

absl::StatusCode CodeOf(CuResult result) {
  switch (result) {
    case kCuErrorOutOfMemory:
    case kCuErrorLaunchOutOfResources:
      return absl::StatusCode::kResourceExhausted;
    case kCuErrorInvalidValue:
    case kCuErrorInvalidImage:
    case kCuErrorNoBinaryForGpu:
      return absl::StatusCode::kInvalidArgument;
    case kCuErrorNotFound:
      return absl::StatusCode::kNotFound;
    case kCuErrorEccUncorrectable:
    case kCuErrorIllegalAddress:
    case kCuErrorLaunchTimeout:
    case kCuErrorContextIsDestroyed:
    case kCuErrorAssert:
    case kCuErrorHardwareStackError:
    case kCuErrorIllegalInstruction:
    case kCuErrorMisalignedAddress:
    case kCuErrorInvalidAddressSpace:
    case kCuErrorInvalidPc:
    case kCuErrorLaunchFailed:
      return absl::StatusCode::kAborted;
    default:
      return absl::StatusCode::kInternal;
  }
}

// Drivers up to CUDA 12 call it one thing, later ones may change the number behind "_v2": ask for
// the names that cuda.h of CUDA 12 and 13 give these prototypes.
absl::Status FindAll(const DynamicLibrary& library, CuFunctions& f) {
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuInit", &f.init));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuGetErrorName", &f.get_error_name));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuGetErrorString", &f.get_error_string));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDriverGetVersion", &f.driver_get_version));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetCount", &f.device_get_count));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGet", &f.device_get));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetAttribute", &f.device_get_attribute));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetName", &f.device_get_name));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetPCIBusId", &f.device_get_pci_bus_id));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDevicePrimaryCtxRetain", &f.primary_ctx_retain));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDevicePrimaryCtxRelease_v2", &f.primary_ctx_release));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuCtxSetCurrent", &f.ctx_set_current));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuCtxSynchronize", &f.ctx_synchronize));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemGetInfo_v2", &f.mem_get_info));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemAlloc_v2", &f.mem_alloc));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemFree_v2", &f.mem_free));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemcpyHtoDAsync_v2", &f.memcpy_h_to_d_async));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemcpyDtoHAsync_v2", &f.memcpy_d_to_h_async));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemsetD8Async", &f.memset_d8_async));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuMemsetD32Async", &f.memset_d32_async));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuModuleLoadData", &f.module_load_data));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuModuleUnload", &f.module_unload));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuModuleGetFunction", &f.module_get_function));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuFuncSetAttribute", &f.func_set_attribute));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuLaunchKernel", &f.launch_kernel));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuStreamCreate", &f.stream_create));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuStreamDestroy_v2", &f.stream_destroy));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuStreamSynchronize", &f.stream_synchronize));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuEventCreate", &f.event_create));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuEventDestroy_v2", &f.event_destroy));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuEventRecord", &f.event_record));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuEventQuery", &f.event_query));
  SEEDTUNE_RETURN_IF_ERROR(library.Find("cuEventElapsedTime", &f.event_elapsed_time));
  library.Find("cuLaunchKernelEx", &f.launch_kernel_ex).IgnoreError();  // may be missing
  library.Find("cuTensorMapEncodeTiled", &f.tensor_map_encode_tiled).IgnoreError();
  return absl::OkStatus();
}

unsigned ToUnsigned(int64_t value) { return static_cast<unsigned>(value); }

}  // namespace

absl::StatusOr<std::shared_ptr<const CudaDriver>> CudaDriver::Open() {
  // The second is for a system with development files alone.
  const std::string names[] = {"libcuda.so.1", "libcuda.so"};
  const absl::StatusOr<DynamicLibrary> library = DynamicLibrary::Open(names);
  if (absl::IsNotFound(library.status())) {
    return absl::NotFoundError("no NVIDIA driver here (libcuda.so.1 is not installed)");
  }
  SEEDTUNE_RETURN_IF_ERROR(library.status());
  CuFunctions f = {};
  SEEDTUNE_RETURN_IF_ERROR(FindAll(*library, f));
  std::shared_ptr<const CudaDriver> driver(new CudaDriver(f));
  if (const absl::Status status = driver->Check("cuInit", f.init(0)); !status.ok()) {
    return absl::UnavailableError(std::string(status.message()));
  }
  return driver;
}

absl::Status CudaDriver::Check(std::string_view call, CuResult result) const {
  if (result == kCuSuccess) return absl::OkStatus();
  const char* name = nullptr;
  const char* text = nullptr;
  f_.get_error_name(result, &name);
  f_.get_error_string(result, &text);
  return absl::Status(CodeOf(result),
                      absl::StrCat(std::string(call), " failed: ",
                                   name == nullptr ? absl::StrCat("error ", result) : name,
                                   text == nullptr ? "" : absl::StrCat(" (", text, ")")));
}

CudaMemory& CudaMemory::operator=(CudaMemory&& other) noexcept {
  std::swap(driver_, other.driver_);
  std::swap(address_, other.address_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

CudaMemory::~CudaMemory() {
  if (address_ != 0) driver_->functions().mem_free(address_);
}

CudaModule& CudaModule::operator=(CudaModule&& other) noexcept {
  std::swap(driver_, other.driver_);
  std::swap(module_, other.module_);
  return *this;
}

CudaModule::~CudaModule() {
  if (module_ != nullptr) driver_->functions().module_unload(module_);
}

absl::StatusOr<CuFunction> CudaModule::Function(const std::string& entry) const {
  CuFunction function = nullptr;
  SEEDTUNE_RETURN_IF_ERROR(
      driver_->Check(absl::StrCat("cuModuleGetFunction(\"", entry, "\")"),
                     driver_->functions().module_get_function(&function, module_, entry.c_str())));
  return function;
}

CudaEvent& CudaEvent::operator=(CudaEvent&& other) noexcept {
  std::swap(driver_, other.driver_);
  std::swap(event_, other.event_);
  return *this;
}

CudaEvent::~CudaEvent() {
  if (event_ != nullptr) driver_->functions().event_destroy(event_);
}

absl::StatusOr<std::unique_ptr<CudaDevice>> CudaDevice::Open(
    std::shared_ptr<const CudaDriver> driver, int ordinal) {
  const CuFunctions& f = driver->functions();
  CuDevice handle = 0;
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check(absl::StrCat("cuDeviceGet(", ordinal, ")"), f.device_get(&handle, ordinal)));
  char name[256] = {}, pci_bus_id[32] = {};
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check("cuDeviceGetName", f.device_get_name(name, sizeof(name) - 1, handle)));
  SEEDTUNE_RETURN_IF_ERROR(driver->Check(
      "cuDeviceGetPCIBusId", f.device_get_pci_bus_id(pci_bus_id, sizeof(pci_bus_id) - 1, handle)));
  std::unique_ptr<CudaDevice> device(new CudaDevice(driver, handle));
  device->name_ = name;
  device->pci_bus_id_ = pci_bus_id;
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check("cuDevicePrimaryCtxRetain", f.primary_ctx_retain(&device->context_, handle)));
  SEEDTUNE_RETURN_IF_ERROR(driver->Check("cuCtxSetCurrent", f.ctx_set_current(device->context_)));
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check("cuStreamCreate", f.stream_create(&device->stream_, kCuStreamNonBlocking)));
  return device;
}

CudaDevice::~CudaDevice() {
  const CuFunctions& f = driver_->functions();
  if (stream_ != nullptr) f.stream_destroy(stream_);
  if (context_ != nullptr) f.primary_ctx_release(device_);
}

absl::StatusOr<int64_t> CudaDevice::FreeBytes() const {
  size_t free = 0, total = 0;
  SEEDTUNE_RETURN_IF_ERROR(
      driver_->Check("cuMemGetInfo", driver_->functions().mem_get_info(&free, &total)));
  return static_cast<int64_t>(free);
}

absl::StatusOr<CudaMemory> CudaDevice::Allocate(int64_t bytes) const {
  CuDevicePointer address = 0;
  const size_t size = bytes > 0 ? static_cast<size_t>(bytes) : 1;
  SEEDTUNE_RETURN_IF_ERROR(driver_->Check(absl::StrCat("cuMemAlloc(", size, ")"),
                                          driver_->functions().mem_alloc(&address, size)));
  return CudaMemory(driver_, address, bytes);
}

absl::StatusOr<CudaModule> CudaDevice::Load(const std::string& cubin) const {
  CuModule module = nullptr;
  SEEDTUNE_RETURN_IF_ERROR(driver_->Check(
      "cuModuleLoadData", driver_->functions().module_load_data(&module, cubin.data())));
  return CudaModule(driver_, module);
}

absl::StatusOr<CudaEvent> CudaDevice::NewEvent() const {
  CuEvent event = nullptr;
  SEEDTUNE_RETURN_IF_ERROR(
      driver_->Check("cuEventCreate", driver_->functions().event_create(&event, kCuEventDefault)));
  return CudaEvent(driver_, event);
}

absl::Status CudaDevice::ToDevice(CuDevicePointer to, const void* from, int64_t bytes) const {
  // Pageable memory is copied to a staging buffer before the call returns.
  return driver_->Check("cuMemcpyHtoDAsync", driver_->functions().memcpy_h_to_d_async(
                                                 to, from, static_cast<size_t>(bytes), stream_));
}

absl::Status CudaDevice::ToHost(void* to, CuDevicePointer from, int64_t bytes) const {
  SEEDTUNE_RETURN_IF_ERROR(driver_->Check(
      "cuMemcpyDtoHAsync",
      driver_->functions().memcpy_d_to_h_async(to, from, static_cast<size_t>(bytes), stream_)));
  return Synchronize();
}

absl::Status CudaDevice::Fill(CuDevicePointer to, uint8_t value, int64_t bytes) const {
  return driver_->Check("cuMemsetD8Async", driver_->functions().memset_d8_async(
                                               to, value, static_cast<size_t>(bytes), stream_));
}

absl::Status CudaDevice::Prepare(CuFunction function, const CudaLaunchShape& shape) const {
  const CuFunctions& f = driver_->functions();
  if (shape.dynamic_shared_bytes > kDefaultSharedBytes) {
    const CuResult result = f.func_set_attribute(function, kCuFunctionMaxDynamicSharedSize,
                                                 static_cast<int>(shape.dynamic_shared_bytes));
    if (result == kCuErrorInvalidValue) {
      return absl::ResourceExhaustedError(
          absl::StrCat("the kernel asks for ", shape.dynamic_shared_bytes,
                       " bytes of shared memory, more than a block may have"));
    }
    SEEDTUNE_RETURN_IF_ERROR(driver_->Check("cuFuncSetAttribute", result));
  }
  if (shape.cluster[0] * shape.cluster[1] * shape.cluster[2] > kPortableClusterBlocks) {
    SEEDTUNE_RETURN_IF_ERROR(driver_->Check(
        "cuFuncSetAttribute",
        f.func_set_attribute(function, kCuFunctionNonPortableClusterSizeAllowed, 1)));
  }
  return absl::OkStatus();
}

absl::Status CudaDevice::Launch(CuFunction function, const CudaLaunchShape& shape,
                                std::span<void*> parameters, CuStream stream) const {
  const CuFunctions& f = driver_->functions();
  const bool clustered = shape.cluster != std::array<int64_t, 3>{1, 1, 1};
  if (!clustered && !shape.runs_at_once &&
      (!shape.overlaps_previous || f.launch_kernel_ex == nullptr)) {
    return driver_->Check(
        "cuLaunchKernel",
        f.launch_kernel(function, ToUnsigned(shape.grid[0]), ToUnsigned(shape.grid[1]),
                        ToUnsigned(shape.grid[2]), ToUnsigned(shape.block[0]),
                        ToUnsigned(shape.block[1]), ToUnsigned(shape.block[2]),
                        ToUnsigned(shape.dynamic_shared_bytes), stream, parameters.data(),
                        nullptr));
  }
  if (f.launch_kernel_ex == nullptr) {
    return absl::InternalError(
        "the driver launches no clusters and no kernels whose blocks wait for each other (no "
        "cuLaunchKernelEx); update it");
  }
  std::array<CuLaunchAttribute, 3> attributes;
  CuLaunchConfig config;
  if (clustered) {
    CuLaunchAttribute& attribute = attributes[config.num_attributes++];
    attribute.id = kCuLaunchAttributeClusterDimension;
    attribute.value.cluster = {ToUnsigned(shape.cluster[0]), ToUnsigned(shape.cluster[1]),
                               ToUnsigned(shape.cluster[2])};
  }
  if (shape.overlaps_previous) {
    CuLaunchAttribute& attribute = attributes[config.num_attributes++];
    attribute.id = kCuLaunchAttributeProgrammaticStreamSerialization;
    attribute.value.programmatic_stream_serialization = 1;
  }
  if (shape.runs_at_once) {
    CuLaunchAttribute& attribute = attributes[config.num_attributes++];
    attribute.id = kCuLaunchAttributeCooperative;
    attribute.value.cooperative = 1;
  }
  config.grid_x = ToUnsigned(shape.grid[0]);
  config.grid_y = ToUnsigned(shape.grid[1]);
  config.grid_z = ToUnsigned(shape.grid[2]);
  config.block_x = ToUnsigned(shape.block[0]);
  config.block_y = ToUnsigned(shape.block[1]);
  config.block_z = ToUnsigned(shape.block[2]);
  config.shared_bytes = ToUnsigned(shape.dynamic_shared_bytes);
  config.stream = stream;
  config.attributes = attributes.data();
  return driver_->Check("cuLaunchKernelEx",
                        f.launch_kernel_ex(&config, function, parameters.data(), nullptr));
}

absl::Status CudaDevice::Record(const CudaEvent& event) const {
  return driver_->Check("cuEventRecord", driver_->functions().event_record(event.get(), stream_));
}

absl::Status CudaDevice::Wait(const CudaEvent& event, double timeout_ns) const {
  const auto start = std::chrono::steady_clock::now();
  while (true) {
    // The time before the question: however long this thread is kept from running, an event that
    // came in time is not late.
    const auto waited = std::chrono::steady_clock::now() - start;
    const CuResult result = driver_->functions().event_query(event.get());
    if (result != kCuErrorNotReady) return driver_->Check("the kernel", result);
    if (std::chrono::duration<double, std::nano>(waited).count() > timeout_ns) {
      return absl::DeadlineExceededError(
          absl::StrFormat("the kernel has not ended within %.3g s", timeout_ns / 1e9));
    }
    if (waited > kSpin) std::this_thread::sleep_for(kSleep);
  }
}

absl::Status CudaDevice::Synchronize() const {
  return driver_->Check("cuStreamSynchronize", driver_->functions().stream_synchronize(stream_));
}

absl::StatusOr<double> CudaDevice::ElapsedNs(const CudaEvent& start, const CudaEvent& end) const {
  float milliseconds = 0;
  SEEDTUNE_RETURN_IF_ERROR(driver_->Check(
      "cuEventElapsedTime",
      driver_->functions().event_elapsed_time(&milliseconds, start.get(), end.get())));
  return double{milliseconds} * 1e6;
}

}  // namespace seedtune

// Prototypes and numbers are of the CUDA Driver API
// (https://docs.nvidia.com/cuda/cuda-driver-api) and of NVML
// (https://docs.nvidia.com/deploy/nvml-api); both keep what a function name stands for, and give a
// changed function a new one ("_v2"). Written down here so that no toolkit is needed to build.
#include "hardware/real_cuda_api.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hardware/cuda_api.h"
#include "hardware/dynamic_library.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using CUresult = int;
using CUdevice = int;
using NvmlReturn = int;
using NvmlDevice = void*;

constexpr CUresult kCudaSuccess = 0;
constexpr NvmlReturn kNvmlSuccess = 0;
constexpr unsigned kNvmlClockSm = 1;

struct CudaFunctions {
  CUresult (*init)(unsigned flags);
  CUresult (*driver_get_version)(int* version);
  CUresult (*device_get_count)(int* count);
  CUresult (*device_get)(CUdevice* device, int ordinal);
  CUresult (*device_get_name)(char* name, int length, CUdevice device);
  CUresult (*device_total_mem)(size_t* bytes, CUdevice device);
  CUresult (*device_get_attribute)(int* value, int attribute, CUdevice device);
  CUresult (*device_get_pci_bus_id)(char* id, int length, CUdevice device);
  CUresult (*get_error_name)(CUresult error, const char** name);
  CUresult (*get_error_string)(CUresult error, const char** text);
};

class RealCudaApi : public CudaApi {
 public:
  static absl::StatusOr<std::unique_ptr<CudaApi>> Open(const DynamicLibrary& library) {
    CudaFunctions f;
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuInit", &f.init));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDriverGetVersion", &f.driver_get_version));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetCount", &f.device_get_count));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGet", &f.device_get));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetName", &f.device_get_name));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceTotalMem_v2", &f.device_total_mem));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetAttribute", &f.device_get_attribute));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuDeviceGetPCIBusId", &f.device_get_pci_bus_id));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuGetErrorName", &f.get_error_name));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("cuGetErrorString", &f.get_error_string));
    auto api = std::unique_ptr<RealCudaApi>(new RealCudaApi(f));
    SEEDTUNE_RETURN_IF_ERROR(api->Check("cuInit", f.init(0)));
    return api;
  }

  absl::StatusOr<int> DriverVersion() const override {
    int version = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("cuDriverGetVersion", f_.driver_get_version(&version)));
    return version;
  }

  absl::StatusOr<int> DeviceCount() const override {
    int count = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("cuDeviceGetCount", f_.device_get_count(&count)));
    return count;
  }

  absl::StatusOr<std::string> DeviceName(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const CUdevice handle, Handle(device));
    char name[256] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        Check("cuDeviceGetName", f_.device_get_name(name, sizeof(name) - 1, handle)));
    return std::string(name);
  }

  absl::StatusOr<int64_t> TotalMemoryBytes(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const CUdevice handle, Handle(device));
    size_t bytes = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("cuDeviceTotalMem", f_.device_total_mem(&bytes, handle)));
    return static_cast<int64_t>(bytes);
  }

  absl::StatusOr<int> Attribute(int device, CudaAttribute attribute) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const CUdevice handle, Handle(device));
    int value = 0;
    const int number = static_cast<int>(attribute);
    SEEDTUNE_RETURN_IF_ERROR(Check(absl::StrCat("cuDeviceGetAttribute(", number, ")"),
                                   f_.device_get_attribute(&value, number, handle)));
    return value;
  }

  absl::StatusOr<std::string> PciBusId(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const CUdevice handle, Handle(device));
    char id[32] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        Check("cuDeviceGetPCIBusId", f_.device_get_pci_bus_id(id, sizeof(id) - 1, handle)));
    return std::string(id);
  }

 private:
  explicit RealCudaApi(const CudaFunctions& functions) : f_(functions) {}

  absl::StatusOr<CUdevice> Handle(int device) const {
    CUdevice handle = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("cuDeviceGet", f_.device_get(&handle, device)));
    return handle;
  }

  absl::Status Check(const std::string& call, CUresult result) const {
    if (result == kCudaSuccess) return absl::OkStatus();
    const char* name = nullptr;
    const char* text = nullptr;
    f_.get_error_name(result, &name);
    f_.get_error_string(result, &text);
    return absl::UnavailableError(
        absl::StrCat(call, " failed: ", name == nullptr ? absl::StrCat("error ", result) : name,
                     text == nullptr ? "" : absl::StrCat(" (", text, ")")));
  }

  CudaFunctions f_;
};

struct NvmlFunctions {
  NvmlReturn (*init)();
  NvmlReturn (*shutdown)();
  NvmlReturn (*get_driver_version)(char* version, unsigned length);
  NvmlReturn (*get_handle_by_pci_bus_id)(const char* id, NvmlDevice* device);
  NvmlReturn (*get_max_clock_info)(NvmlDevice device, unsigned type, unsigned* mhz);
  const char* (*error_string)(NvmlReturn result);
};

class RealNvmlApi : public NvmlApi {
 public:
  static absl::StatusOr<std::unique_ptr<NvmlApi>> Open(const DynamicLibrary& library) {
    NvmlFunctions f;
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvmlInit_v2", &f.init));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvmlShutdown", &f.shutdown));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvmlSystemGetDriverVersion", &f.get_driver_version));
    SEEDTUNE_RETURN_IF_ERROR(
        library.Find("nvmlDeviceGetHandleByPciBusId_v2", &f.get_handle_by_pci_bus_id));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvmlDeviceGetMaxClockInfo", &f.get_max_clock_info));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("nvmlErrorString", &f.error_string));
    SEEDTUNE_RETURN_IF_ERROR(Check(f, "nvmlInit", f.init()));
    return std::unique_ptr<NvmlApi>(new RealNvmlApi(f));
  }

  ~RealNvmlApi() override { f_.shutdown(); }

  absl::StatusOr<std::string> DriverVersion() const override {
    char version[128] = {};
    SEEDTUNE_RETURN_IF_ERROR(Check(f_, "nvmlSystemGetDriverVersion",
                                   f_.get_driver_version(version, sizeof(version) - 1)));
    return std::string(version);
  }

  absl::StatusOr<int> MaxSmClockMhz(const std::string& pci_bus_id) const override {
    NvmlDevice device = nullptr;
    SEEDTUNE_RETURN_IF_ERROR(Check(f_, "nvmlDeviceGetHandleByPciBusId",
                                   f_.get_handle_by_pci_bus_id(pci_bus_id.c_str(), &device)));
    unsigned mhz = 0;
    SEEDTUNE_RETURN_IF_ERROR(
        Check(f_, "nvmlDeviceGetMaxClockInfo", f_.get_max_clock_info(device, kNvmlClockSm, &mhz)));
    return static_cast<int>(mhz);
  }

 private:
  explicit RealNvmlApi(const NvmlFunctions& functions) : f_(functions) {}

  static absl::Status Check(const NvmlFunctions& f, const char* call, NvmlReturn result) {
    if (result == kNvmlSuccess) return absl::OkStatus();
    const char* text = f.error_string(result);
    return absl::UnavailableError(
        absl::StrCat(call, " failed: ", text == nullptr ? absl::StrCat("error ", result) : text));
  }

  NvmlFunctions f_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CudaApi>> OpenCudaApi(std::span<const std::string> names) {
  SEEDTUNE_ASSIGN_OR_RETURN(const DynamicLibrary library, DynamicLibrary::Open(names));
  return RealCudaApi::Open(library);
}

absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvmlApi(std::span<const std::string> names) {
  SEEDTUNE_ASSIGN_OR_RETURN(const DynamicLibrary library, DynamicLibrary::Open(names));
  return RealNvmlApi::Open(library);
}

}  // namespace seedtune

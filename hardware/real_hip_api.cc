// Prototypes and numbers are of HIP's runtime API
// (https://rocm.docs.amd.com/projects/HIP/en/latest/doxygen/html/group___device.html), release 5.0
// and newer. Written down here so that no toolkit is needed to build.
#include "hardware/real_hip_api.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "hardware/dynamic_library.h"
#include "hardware/hip_api.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

using HipError = int;
using HipDevice = int;

constexpr HipError kHipSuccess = 0;
constexpr HipError kHipErrorNoDevice = 100;

// The architecture's name stands only in the properties, whose layout changed once: releases 5 fill
// hipDeviceProp_tR0000 (792 bytes), newer ones export hipGetDevicePropertiesR0600 beside it, which
// fills hipDeviceProp_tR0600 (1472 bytes).
constexpr size_t kArchNameOffsetR0000 = 396;
constexpr size_t kArchNameOffsetR0600 = 1160;
constexpr size_t kArchNameBytes = 256;
constexpr size_t kPropertiesBytes = 8192;  // more than either will ever take

struct HipFunctions {
  HipError (*runtime_get_version)(int* version);
  HipError (*get_device_count)(int* count);
  HipError (*device_get)(HipDevice* device, int ordinal);
  HipError (*device_get_name)(char* name, int length, HipDevice device);
  HipError (*device_total_mem)(size_t* bytes, HipDevice device);
  HipError (*device_get_attribute)(int* value, int attribute, int ordinal);
  HipError (*device_get_pci_bus_id)(char* id, int length, int ordinal);
  HipError (*get_device_properties)(void* properties, int ordinal);
  const char* (*get_error_name)(HipError error);
  const char* (*get_error_string)(HipError error);
};

class RealHipApi : public HipApi {
 public:
  static absl::StatusOr<std::unique_ptr<HipApi>> Open(const DynamicLibrary& library) {
    HipFunctions f;
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipRuntimeGetVersion", &f.runtime_get_version));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipGetDeviceCount", &f.get_device_count));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipDeviceGet", &f.device_get));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipDeviceGetName", &f.device_get_name));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipDeviceTotalMem", &f.device_total_mem));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipDeviceGetAttribute", &f.device_get_attribute));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipDeviceGetPCIBusId", &f.device_get_pci_bus_id));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipGetErrorName", &f.get_error_name));
    SEEDTUNE_RETURN_IF_ERROR(library.Find("hipGetErrorString", &f.get_error_string));
    size_t arch_name_offset = kArchNameOffsetR0600;
    if (!library.Find("hipGetDevicePropertiesR0600", &f.get_device_properties).ok()) {
      arch_name_offset = kArchNameOffsetR0000;
      SEEDTUNE_RETURN_IF_ERROR(library.Find("hipGetDeviceProperties", &f.get_device_properties));
    }
    return std::unique_ptr<HipApi>(new RealHipApi(f, arch_name_offset));
  }

  absl::StatusOr<int> RuntimeVersion() const override {
    int version = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("hipRuntimeGetVersion", f_.runtime_get_version(&version)));
    return version;
  }

  absl::StatusOr<int> DeviceCount() const override {
    int count = 0;
    const HipError result = f_.get_device_count(&count);
    if (result == kHipErrorNoDevice) return 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("hipGetDeviceCount", result));
    return count;
  }

  absl::StatusOr<std::string> DeviceName(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const HipDevice handle, Handle(device));
    char name[256] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        Check("hipDeviceGetName", f_.device_get_name(name, sizeof(name) - 1, handle)));
    return std::string(name);
  }

  absl::StatusOr<std::string> ArchName(int device) const override {
    alignas(std::max_align_t) char properties[kPropertiesBytes] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        Check("hipGetDeviceProperties", f_.get_device_properties(properties, device)));
    const char* name = properties + arch_name_offset_;
    return std::string(name, strnlen(name, kArchNameBytes));
  }

  absl::StatusOr<int64_t> TotalMemoryBytes(int device) const override {
    SEEDTUNE_ASSIGN_OR_RETURN(const HipDevice handle, Handle(device));
    size_t bytes = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("hipDeviceTotalMem", f_.device_total_mem(&bytes, handle)));
    return static_cast<int64_t>(bytes);
  }

  absl::StatusOr<int> Attribute(int device, HipAttribute attribute) const override {
    int value = 0;
    const int number = static_cast<int>(attribute);
    SEEDTUNE_RETURN_IF_ERROR(Check(absl::StrCat("hipDeviceGetAttribute(", number, ")"),
                                   f_.device_get_attribute(&value, number, device)));
    return value;
  }

  absl::StatusOr<std::string> PciBusId(int device) const override {
    char id[32] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        Check("hipDeviceGetPCIBusId", f_.device_get_pci_bus_id(id, sizeof(id) - 1, device)));
    return std::string(id);
  }

 private:
  RealHipApi(const HipFunctions& functions, size_t arch_name_offset)
      : f_(functions), arch_name_offset_(arch_name_offset) {}

  absl::StatusOr<HipDevice> Handle(int device) const {
    HipDevice handle = 0;
    SEEDTUNE_RETURN_IF_ERROR(Check("hipDeviceGet", f_.device_get(&handle, device)));
    return handle;
  }

  absl::Status Check(const std::string& call, HipError result) const {
    if (result == kHipSuccess) return absl::OkStatus();
    const char* name = f_.get_error_name(result);
    const char* text = f_.get_error_string(result);
    return absl::UnavailableError(
        absl::StrCat(call, " failed: ", name == nullptr ? absl::StrCat("error ", result) : name,
                     text == nullptr ? "" : absl::StrCat(" (", text, ")")));
  }

  HipFunctions f_;
  size_t arch_name_offset_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<HipApi>> OpenHipApi(std::span<const std::string> names) {
  SEEDTUNE_ASSIGN_OR_RETURN(const DynamicLibrary library, DynamicLibrary::Open(names));
  return RealHipApi::Open(library);
}

}  // namespace seedtune

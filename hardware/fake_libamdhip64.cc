// A stand-in for libamdhip64.so with one device, for real_hip_api_test. Built twice: as release 6,
// which exports hipGetDevicePropertiesR0600, and as release 5, which does not.
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kInvalidValue = 1;
constexpr int kNoDevice = 100;
constexpr int kInvalidDevice = 101;

int CopyText(const char* text, char* to, int length) {
  if (static_cast<int>(std::strlen(text)) >= length) return kInvalidValue;
  std::strcpy(to, text);
  return 0;
}

// Fills properties as hip_runtime_api.h lays them out, with rubbish where the name is not.
int FillProperties(char* properties, int device, size_t size, size_t arch_name_offset) {
  if (device != 0) return kInvalidDevice;
  std::memset(properties, 'x', size);
  std::memset(properties + arch_name_offset, 0, 256);
  std::strcpy(properties + arch_name_offset, "gfx942:sramecc+:xnack-");
  return 0;
}

}  // namespace

extern "C" {

int hipRuntimeGetVersion(int* version) {
  *version = 60342131;
  return 0;
}
int hipGetDeviceCount(int* count) {
  if (std::getenv("FAKE_HIP_NO_DEVICE") != nullptr) {
    *count = 77;  // not to be looked at
    return kNoDevice;
  }
  *count = 1;
  return 0;
}
int hipDeviceGet(int* device, int ordinal) {
  *device = ordinal;
  return ordinal == 0 ? 0 : kInvalidDevice;
}
int hipDeviceGetName(char* name, int length, int device) {
  return device == 0 ? CopyText("Fake Instinct", name, length) : kInvalidDevice;
}
int hipDeviceTotalMem(size_t* bytes, int device) {
  *bytes = size_t{192} << 30;
  return device == 0 ? 0 : kInvalidDevice;
}
int hipDeviceGetAttribute(int* value, int attribute, int device) {
  if (device != 0) return kInvalidDevice;
  if (attribute == 10018) return kInvalidValue;  // as a release too old for it
  *value = 1000 + attribute;
  return 0;
}
int hipDeviceGetPCIBusId(char* id, int length, int device) {
  return device == 0 ? CopyText("0000:c1:00.0", id, length) : kInvalidDevice;
}
#ifdef FAKE_HIP_RELEASE_6
int hipGetDevicePropertiesR0600(void* properties, int device) {
  return FillProperties(static_cast<char*>(properties), device, 1472, 1160);
}
#endif
int hipGetDeviceProperties(void* properties, int device) {
  return FillProperties(static_cast<char*>(properties), device, 792, 396);
}
const char* hipGetErrorName(int error) {
  return error == kInvalidDevice ? "hipErrorInvalidDevice" : "hipErrorInvalidValue";
}
const char* hipGetErrorString(int error) {
  return error == kInvalidDevice ? "invalid device ordinal" : nullptr;
}

}  // extern "C"

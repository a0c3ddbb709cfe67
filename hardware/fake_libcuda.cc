// A stand-in for libcuda.so.1 and libnvidia-ml.so.1 with one device, for real_cuda_api_test: shows
// that functions are found, called with what they take, and their errors understood.
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace {

constexpr int kInvalidValue = 1;
constexpr int kNoDevice = 100;
constexpr int kInvalidDevice = 101;
// cuDeviceGet must have been called: handles are no ordinals.
constexpr int kHandle = 7;

int CopyText(const char* text, char* to, int length) {
  if (static_cast<int>(std::strlen(text)) >= length) return kInvalidValue;
  std::strcpy(to, text);
  return 0;
}

}  // namespace

extern "C" {

int cuInit(unsigned flags) {
  if (flags != 0) return kInvalidValue;
  return std::getenv("FAKE_CUDA_NO_DEVICE") == nullptr ? 0 : kNoDevice;
}
int cuDriverGetVersion(int* version) {
  *version = 13000;
  return 0;
}
int cuDeviceGetCount(int* count) {
  *count = 1;
  return 0;
}
int cuDeviceGet(int* device, int ordinal) {
  if (ordinal != 0) return kInvalidDevice;
  *device = kHandle;
  return 0;
}
int cuDeviceGetName(char* name, int length, int device) {
  return device == kHandle ? CopyText("Fake GPU", name, length) : kInvalidDevice;
}
int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = size_t{80} << 30;
  return device == kHandle ? 0 : kInvalidDevice;
}
int cuDeviceGetAttribute(int* value, int attribute, int device) {
  if (device != kHandle) return kInvalidDevice;
  if (attribute == 97) return kInvalidValue;  // as a driver too old for it
  *value = 1000 + attribute;
  return 0;
}
int cuDeviceGetPCIBusId(char* id, int length, int device) {
  return device == kHandle ? CopyText("0000:1b:00.0", id, length) : kInvalidDevice;
}
int cuGetErrorName(int error, const char** name) {
  if (error != kNoDevice && error != kInvalidDevice) return kInvalidValue;
  *name = error == kNoDevice ? "CUDA_ERROR_NO_DEVICE" : "CUDA_ERROR_INVALID_DEVICE";
  return 0;
}
int cuGetErrorString(int error, const char** text) {
  if (error != kNoDevice) return kInvalidValue;
  *text = "no CUDA-capable device is detected";
  return 0;
}

int nvmlInit_v2() { return 0; }
int nvmlShutdown() { return 0; }
int nvmlSystemGetDriverVersion(char* version, unsigned length) {
  return CopyText("580.95.05", version, static_cast<int>(length));
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  static int the_device;
  if (std::strcmp(id, "0000:1b:00.0") != 0) return 6;
  *device = &the_device;
  return 0;
}
int nvmlDeviceGetMaxClockInfo(void* device, unsigned type, unsigned* mhz) {
  if (device == nullptr || type != 1) return 2;
  *mhz = 1980;
  return 0;
}
const char* nvmlErrorString(int result) { return result == 6 ? "Not Found" : "Invalid Argument"; }

}  // extern "C"

// The part of cuda.h that driver.cc calls. Written down here so that no toolkit is needed to build;
// toolkit_abi_test compares it with cuda.h where that is installed.
//
// Names and numbers are of the CUDA driver API (https://docs.nvidia.com/cuda/cuda-driver-api),
// which keeps what a name stands for and gives a changed function a new one ("_v2").
#ifndef SEEDTUNE_BACKENDS_CUDA_DRIVER_ABI_H_
#define SEEDTUNE_BACKENDS_CUDA_DRIVER_ABI_H_

#include <cstddef>
#include <cstdint>

namespace seedtune {

using CuResult = int;
using CuDevice = int;
using CuDevicePointer = unsigned long long;
using CuContext = struct OpaqueCuContext*;
using CuModule = struct OpaqueCuModule*;
using CuFunction = struct OpaqueCuFunction*;
using CuStream = struct OpaqueCuStream*;
using CuEvent = struct OpaqueCuEvent*;

inline constexpr CuResult kCuSuccess = 0;
inline constexpr CuResult kCuErrorInvalidValue = 1;
inline constexpr CuResult kCuErrorOutOfMemory = 2;
inline constexpr CuResult kCuErrorInvalidImage = 200;
inline constexpr CuResult kCuErrorNoBinaryForGpu = 209;
inline constexpr CuResult kCuErrorEccUncorrectable = 214;
inline constexpr CuResult kCuErrorNotFound = 500;
inline constexpr CuResult kCuErrorNotReady = 600;
inline constexpr CuResult kCuErrorIllegalAddress = 700;
inline constexpr CuResult kCuErrorLaunchOutOfResources = 701;
inline constexpr CuResult kCuErrorLaunchTimeout = 702;
inline constexpr CuResult kCuErrorContextIsDestroyed = 709;
inline constexpr CuResult kCuErrorAssert = 710;
inline constexpr CuResult kCuErrorHardwareStackError = 714;
inline constexpr CuResult kCuErrorIllegalInstruction = 715;
inline constexpr CuResult kCuErrorMisalignedAddress = 716;
inline constexpr CuResult kCuErrorInvalidAddressSpace = 717;
inline constexpr CuResult kCuErrorInvalidPc = 718;
inline constexpr CuResult kCuErrorLaunchFailed = 719;

inline constexpr int kCuFunctionMaxDynamicSharedSize = 8;
inline constexpr int kCuFunctionNonPortableClusterSizeAllowed = 14;
inline constexpr int kCuLaunchAttributeCooperative = 2;
inline constexpr int kCuLaunchAttributeClusterDimension = 4;
inline constexpr int kCuLaunchAttributeProgrammaticStreamSerialization = 6;
inline constexpr unsigned kCuStreamNonBlocking = 1;
inline constexpr unsigned kCuEventDefault = 0;

// CUtensorMapDataType
inline constexpr int kCuTensorMapUint8 = 0;
inline constexpr int kCuTensorMapInt32 = 3;
inline constexpr int kCuTensorMapFloat16 = 6;
inline constexpr int kCuTensorMapFloat32 = 7;
inline constexpr int kCuTensorMapFloat64 = 8;
inline constexpr int kCuTensorMapBfloat16 = 9;
inline constexpr int kCuTensorMapTfloat32 = 11;
// CUtensorMapInterleave, CUtensorMapL2promotion, CUtensorMapFloatOOBfill
inline constexpr int kCuTensorMapInterleaveNone = 0;
inline constexpr int kCuTensorMapL2Promotion128B = 2;
inline constexpr int kCuTensorMapFillZeros = 0;

struct alignas(128) CuTensorMap {
  uint64_t opaque[16];
};

struct CuLaunchAttribute {
  int id = 0;
  char pad[4] = {};
  union {
    char bytes[64];
    struct {
      unsigned x, y, z;
    } cluster;
    int cooperative;
    int programmatic_stream_serialization;
  } value = {};
};

struct CuLaunchConfig {
  unsigned grid_x = 1, grid_y = 1, grid_z = 1;
  unsigned block_x = 1, block_y = 1, block_z = 1;
  unsigned shared_bytes = 0;
  CuStream stream = nullptr;
  CuLaunchAttribute* attributes = nullptr;
  unsigned num_attributes = 0;
};

struct CuFunctions {
  CuResult (*init)(unsigned flags);
  CuResult (*get_error_name)(CuResult error, const char** name);
  CuResult (*get_error_string)(CuResult error, const char** text);
  CuResult (*driver_get_version)(int* version);
  CuResult (*device_get_count)(int* count);
  CuResult (*device_get)(CuDevice* device, int ordinal);
  CuResult (*device_get_attribute)(int* value, int attribute, CuDevice device);
  CuResult (*device_get_name)(char* name, int length, CuDevice device);
  CuResult (*device_get_pci_bus_id)(char* id, int length, CuDevice device);
  CuResult (*primary_ctx_retain)(CuContext* context, CuDevice device);
  CuResult (*primary_ctx_release)(CuDevice device);
  CuResult (*ctx_set_current)(CuContext context);
  CuResult (*ctx_synchronize)();
  CuResult (*mem_get_info)(size_t* free, size_t* total);
  CuResult (*mem_alloc)(CuDevicePointer* pointer, size_t bytes);
  CuResult (*mem_free)(CuDevicePointer pointer);
  CuResult (*memcpy_h_to_d_async)(CuDevicePointer to, const void* from, size_t bytes,
                                  CuStream stream);
  CuResult (*memcpy_d_to_h_async)(void* to, CuDevicePointer from, size_t bytes, CuStream stream);
  CuResult (*memset_d8_async)(CuDevicePointer to, unsigned char value, size_t bytes,
                              CuStream stream);
  CuResult (*memset_d32_async)(CuDevicePointer to, unsigned value, size_t words, CuStream stream);
  CuResult (*module_load_data)(CuModule* module, const void* image);
  CuResult (*module_unload)(CuModule module);
  CuResult (*module_get_function)(CuFunction* function, CuModule module, const char* name);
  CuResult (*func_set_attribute)(CuFunction function, int attribute, int value);
  CuResult (*launch_kernel)(CuFunction function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                            unsigned block_x, unsigned block_y, unsigned block_z,
                            unsigned shared_bytes, CuStream stream, void** parameters,
                            void** extra);
  CuResult (*launch_kernel_ex)(const CuLaunchConfig* config, CuFunction function, void** parameters,
                               void** extra);
  CuResult (*stream_create)(CuStream* stream, unsigned flags);
  CuResult (*stream_destroy)(CuStream stream);
  CuResult (*stream_synchronize)(CuStream stream);
  CuResult (*event_create)(CuEvent* event, unsigned flags);
  CuResult (*event_destroy)(CuEvent event);
  CuResult (*event_record)(CuEvent event, CuStream stream);
  CuResult (*event_query)(CuEvent event);
  CuResult (*event_elapsed_time)(float* milliseconds, CuEvent start, CuEvent end);
  // Drivers before CUDA 12 have neither this nor launch_kernel_ex: nullptr.
  CuResult (*tensor_map_encode_tiled)(CuTensorMap* map, int data_type, unsigned rank, void* address,
                                      const uint64_t* sizes, const uint64_t* stride_bytes,
                                      const uint32_t* box, const uint32_t* element_strides,
                                      int interleave, int swizzle, int l2_promotion, int fill);
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_DRIVER_ABI_H_

// What *_abi.h declare is what the toolkit's headers say: numbers, structures, and of every
// function how many arguments of what sizes it takes. Holds as soon as it compiles.
#include <cublasLt.h>
#include <cuda.h>
#include <nvrtc.h>

#include <array>
#include <cstddef>
#include <type_traits>

#include "backends/cuda/cublaslt_abi.h"
#include "backends/cuda/driver_abi.h"
#include "backends/cuda/nvrtc_abi.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

// Of a function: the sizes of what it returns and takes, pointers told from numbers.
template <typename Result, typename... Arguments>
constexpr std::array<int, 1 + sizeof...(Arguments)> Shape(Result (*)(Arguments...)) {
  return {static_cast<int>(sizeof(Result)),
          static_cast<int>(sizeof(Arguments)) + (std::is_pointer_v<Arguments> ? 100 : 0)...};
}

template <typename Ours, typename Theirs>
constexpr bool SameShape(Ours ours, Theirs theirs) {
  const auto a = Shape(ours);
  const auto b = Shape(theirs);
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// None is called: only the types count.
#define EXPECT_SAME(table, field, function) \
  EXPECT_TRUE(SameShape(decltype(table::field){nullptr}, decltype(&function){nullptr})) << #function

TEST(ToolkitAbiTest, DriverFunctions) {
  EXPECT_SAME(CuFunctions, init, cuInit);
  EXPECT_SAME(CuFunctions, get_error_name, cuGetErrorName);
  EXPECT_SAME(CuFunctions, get_error_string, cuGetErrorString);
  EXPECT_SAME(CuFunctions, driver_get_version, cuDriverGetVersion);
  EXPECT_SAME(CuFunctions, device_get_count, cuDeviceGetCount);
  EXPECT_SAME(CuFunctions, device_get, cuDeviceGet);
  EXPECT_SAME(CuFunctions, device_get_attribute, cuDeviceGetAttribute);
  EXPECT_SAME(CuFunctions, device_get_name, cuDeviceGetName);
  EXPECT_SAME(CuFunctions, device_get_pci_bus_id, cuDeviceGetPCIBusId);
  EXPECT_SAME(CuFunctions, primary_ctx_retain, cuDevicePrimaryCtxRetain);
  EXPECT_SAME(CuFunctions, primary_ctx_release, cuDevicePrimaryCtxRelease);
  EXPECT_SAME(CuFunctions, ctx_set_current, cuCtxSetCurrent);
  EXPECT_SAME(CuFunctions, ctx_synchronize, cuCtxSynchronize);
  EXPECT_SAME(CuFunctions, mem_get_info, cuMemGetInfo);
  EXPECT_SAME(CuFunctions, mem_alloc, cuMemAlloc);
  EXPECT_SAME(CuFunctions, mem_free, cuMemFree);
  EXPECT_SAME(CuFunctions, memcpy_h_to_d_async, cuMemcpyHtoDAsync);
  EXPECT_SAME(CuFunctions, memcpy_d_to_h_async, cuMemcpyDtoHAsync);
  EXPECT_SAME(CuFunctions, memset_d8_async, cuMemsetD8Async);
  EXPECT_SAME(CuFunctions, memset_d32_async, cuMemsetD32Async);
  EXPECT_SAME(CuFunctions, module_load_data, cuModuleLoadData);
  EXPECT_SAME(CuFunctions, module_unload, cuModuleUnload);
  EXPECT_SAME(CuFunctions, module_get_function, cuModuleGetFunction);
  EXPECT_SAME(CuFunctions, func_set_attribute, cuFuncSetAttribute);
  EXPECT_SAME(CuFunctions, launch_kernel, cuLaunchKernel);
  EXPECT_SAME(CuFunctions, launch_kernel_ex, cuLaunchKernelEx);
  EXPECT_SAME(CuFunctions, stream_create, cuStreamCreate);
  EXPECT_SAME(CuFunctions, stream_destroy, cuStreamDestroy);
  EXPECT_SAME(CuFunctions, stream_synchronize, cuStreamSynchronize);
  EXPECT_SAME(CuFunctions, event_create, cuEventCreate);
  EXPECT_SAME(CuFunctions, event_destroy, cuEventDestroy);
  EXPECT_SAME(CuFunctions, event_record, cuEventRecord);
  EXPECT_SAME(CuFunctions, event_query, cuEventQuery);
  EXPECT_SAME(CuFunctions, event_elapsed_time, cuEventElapsedTime);
  EXPECT_SAME(CuFunctions, tensor_map_encode_tiled, cuTensorMapEncodeTiled);
}

TEST(ToolkitAbiTest, DriverNumbers) {
  EXPECT_EQ(kCuSuccess, CUDA_SUCCESS);
  EXPECT_EQ(kCuErrorInvalidValue, CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(kCuErrorOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(kCuErrorInvalidImage, CUDA_ERROR_INVALID_IMAGE);
  EXPECT_EQ(kCuErrorNoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT_EQ(kCuErrorEccUncorrectable, CUDA_ERROR_ECC_UNCORRECTABLE);
  EXPECT_EQ(kCuErrorNotFound, CUDA_ERROR_NOT_FOUND);
  EXPECT_EQ(kCuErrorNotReady, CUDA_ERROR_NOT_READY);
  EXPECT_EQ(kCuErrorIllegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_EQ(kCuErrorLaunchOutOfResources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
  EXPECT_EQ(kCuErrorLaunchTimeout, CUDA_ERROR_LAUNCH_TIMEOUT);
  EXPECT_EQ(kCuErrorContextIsDestroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED);
  EXPECT_EQ(kCuErrorAssert, CUDA_ERROR_ASSERT);
  EXPECT_EQ(kCuErrorHardwareStackError, CUDA_ERROR_HARDWARE_STACK_ERROR);
  EXPECT_EQ(kCuErrorIllegalInstruction, CUDA_ERROR_ILLEGAL_INSTRUCTION);
  EXPECT_EQ(kCuErrorMisalignedAddress, CUDA_ERROR_MISALIGNED_ADDRESS);
  EXPECT_EQ(kCuErrorInvalidAddressSpace, CUDA_ERROR_INVALID_ADDRESS_SPACE);
  EXPECT_EQ(kCuErrorInvalidPc, CUDA_ERROR_INVALID_PC);
  EXPECT_EQ(kCuErrorLaunchFailed, CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(kCuFunctionMaxDynamicSharedSize, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
  EXPECT_EQ(kCuFunctionNonPortableClusterSizeAllowed,
            CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);
  EXPECT_EQ(kCuLaunchAttributeCooperative, CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
  EXPECT_EQ(kCuLaunchAttributeClusterDimension, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
  EXPECT_EQ(kCuStreamNonBlocking, CU_STREAM_NON_BLOCKING);
  EXPECT_EQ(kCuEventDefault, CU_EVENT_DEFAULT);
  EXPECT_EQ(kCuTensorMapUint8, CU_TENSOR_MAP_DATA_TYPE_UINT8);
  EXPECT_EQ(kCuTensorMapInt32, CU_TENSOR_MAP_DATA_TYPE_INT32);
  EXPECT_EQ(kCuTensorMapFloat16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
  EXPECT_EQ(kCuTensorMapFloat32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
  EXPECT_EQ(kCuTensorMapFloat64, CU_TENSOR_MAP_DATA_TYPE_FLOAT64);
  EXPECT_EQ(kCuTensorMapBfloat16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
  EXPECT_EQ(kCuTensorMapTfloat32, CU_TENSOR_MAP_DATA_TYPE_TFLOAT32);
  EXPECT_EQ(kCuTensorMapInterleaveNone, CU_TENSOR_MAP_INTERLEAVE_NONE);
  EXPECT_EQ(kCuTensorMapL2Promotion128B, CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
  EXPECT_EQ(kCuTensorMapFillZeros, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
}

TEST(ToolkitAbiTest, DriverStructures) {
  EXPECT_EQ(sizeof(CuDevicePointer), sizeof(CUdeviceptr));
  EXPECT_EQ(sizeof(CuTensorMap), sizeof(CUtensorMap));
  EXPECT_GE(alignof(CuTensorMap), alignof(CUtensorMap));  // 64 up to CUDA 12, then 128
  EXPECT_EQ(sizeof(CuLaunchAttribute), sizeof(CUlaunchAttribute));
  EXPECT_EQ(offsetof(CuLaunchAttribute, value), offsetof(CUlaunchAttribute, value));
  EXPECT_EQ(sizeof(CuLaunchConfig), sizeof(CUlaunchConfig));
  EXPECT_EQ(offsetof(CuLaunchConfig, shared_bytes), offsetof(CUlaunchConfig, sharedMemBytes));
  EXPECT_EQ(offsetof(CuLaunchConfig, stream), offsetof(CUlaunchConfig, hStream));
  EXPECT_EQ(offsetof(CuLaunchConfig, attributes), offsetof(CUlaunchConfig, attrs));
  EXPECT_EQ(offsetof(CuLaunchConfig, num_attributes), offsetof(CUlaunchConfig, numAttrs));
}

TEST(ToolkitAbiTest, Nvrtc) {
  EXPECT_EQ(kNvrtcSuccess, NVRTC_SUCCESS);
  EXPECT_EQ(kNvrtcErrorOutOfMemory, NVRTC_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(kNvrtcErrorCompilation, NVRTC_ERROR_COMPILATION);
  EXPECT_SAME(NvrtcFunctions, version, nvrtcVersion);
  EXPECT_SAME(NvrtcFunctions, get_error_string, nvrtcGetErrorString);
  EXPECT_SAME(NvrtcFunctions, create_program, nvrtcCreateProgram);
  EXPECT_SAME(NvrtcFunctions, destroy_program, nvrtcDestroyProgram);
  EXPECT_SAME(NvrtcFunctions, compile_program, nvrtcCompileProgram);
  EXPECT_SAME(NvrtcFunctions, get_cubin_size, nvrtcGetCUBINSize);
  EXPECT_SAME(NvrtcFunctions, get_cubin, nvrtcGetCUBIN);
  EXPECT_SAME(NvrtcFunctions, get_log_size, nvrtcGetProgramLogSize);
  EXPECT_SAME(NvrtcFunctions, get_log, nvrtcGetProgramLog);
}

TEST(ToolkitAbiTest, CublasLt) {
  EXPECT_EQ(kLtSuccess, CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(kLtNotSupported, CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_EQ(kCudaR32F, CUDA_R_32F);
  EXPECT_EQ(kCudaR64F, CUDA_R_64F);
  EXPECT_EQ(kCudaR16F, CUDA_R_16F);
  EXPECT_EQ(kCudaR16BF, CUDA_R_16BF);
  EXPECT_EQ(kCudaR8I, CUDA_R_8I);
  EXPECT_EQ(kCudaR32I, CUDA_R_32I);
  EXPECT_EQ(kCudaR8FE4M3, CUDA_R_8F_E4M3);
  EXPECT_EQ(kCudaR8FE5M2, CUDA_R_8F_E5M2);
  EXPECT_EQ(kLtCompute32F, CUBLAS_COMPUTE_32F);
  EXPECT_EQ(kLtCompute64F, CUBLAS_COMPUTE_64F);
  EXPECT_EQ(kLtCompute32I, CUBLAS_COMPUTE_32I);
  EXPECT_EQ(kLtCompute32FFastTF32, CUBLAS_COMPUTE_32F_FAST_TF32);
  EXPECT_EQ(kLtOpN, CUBLAS_OP_N);
  EXPECT_EQ(kLtOpT, CUBLAS_OP_T);
  EXPECT_EQ(kLtDescTransA, CUBLASLT_MATMUL_DESC_TRANSA);
  EXPECT_EQ(kLtDescTransB, CUBLASLT_MATMUL_DESC_TRANSB);
  EXPECT_EQ(kLtDescEpilogue, CUBLASLT_MATMUL_DESC_EPILOGUE);
  EXPECT_EQ(kLtDescBiasPointer, CUBLASLT_MATMUL_DESC_BIAS_POINTER);
  EXPECT_EQ(kLtDescBiasDataType, CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
  EXPECT_EQ(kLtEpilogueDefault, CUBLASLT_EPILOGUE_DEFAULT);
  EXPECT_EQ(kLtEpilogueRelu, CUBLASLT_EPILOGUE_RELU);
  EXPECT_EQ(kLtEpilogueBias, CUBLASLT_EPILOGUE_BIAS);
  EXPECT_EQ(kLtEpilogueReluBias, CUBLASLT_EPILOGUE_RELU_BIAS);
  EXPECT_EQ(kLtEpilogueGelu, CUBLASLT_EPILOGUE_GELU);
  EXPECT_EQ(kLtEpilogueGeluBias, CUBLASLT_EPILOGUE_GELU_BIAS);
  EXPECT_EQ(kLtLayoutBatchCount, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
  EXPECT_EQ(kLtLayoutStridedBatchOffset, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
  EXPECT_EQ(kLtPreferenceMaxWorkspaceBytes, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
  EXPECT_EQ(kLtPreferenceMinAlignmentA, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
  EXPECT_EQ(kLtPreferenceMinAlignmentB, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
  EXPECT_EQ(kLtPreferenceMinAlignmentC, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
  EXPECT_EQ(kLtPreferenceMinAlignmentD, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
  EXPECT_EQ(sizeof(LtAlgorithm), sizeof(cublasLtMatmulAlgo_t));
  EXPECT_EQ(sizeof(LtHeuristicResult), sizeof(cublasLtMatmulHeuristicResult_t));
  EXPECT_EQ(offsetof(LtHeuristicResult, workspace_bytes),
            offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
  EXPECT_EQ(offsetof(LtHeuristicResult, state), offsetof(cublasLtMatmulHeuristicResult_t, state));
  EXPECT_SAME(LtFunctions, create, cublasLtCreate);
  EXPECT_SAME(LtFunctions, destroy, cublasLtDestroy);
  EXPECT_SAME(LtFunctions, get_version, cublasLtGetVersion);
  EXPECT_SAME(LtFunctions, get_status_name, cublasLtGetStatusName);
  EXPECT_SAME(LtFunctions, matmul_desc_create, cublasLtMatmulDescCreate);
  EXPECT_SAME(LtFunctions, matmul_desc_destroy, cublasLtMatmulDescDestroy);
  EXPECT_SAME(LtFunctions, matmul_desc_set_attribute, cublasLtMatmulDescSetAttribute);
  EXPECT_SAME(LtFunctions, layout_create, cublasLtMatrixLayoutCreate);
  EXPECT_SAME(LtFunctions, layout_destroy, cublasLtMatrixLayoutDestroy);
  EXPECT_SAME(LtFunctions, layout_set_attribute, cublasLtMatrixLayoutSetAttribute);
  EXPECT_SAME(LtFunctions, preference_create, cublasLtMatmulPreferenceCreate);
  EXPECT_SAME(LtFunctions, preference_destroy, cublasLtMatmulPreferenceDestroy);
  EXPECT_SAME(LtFunctions, preference_set_attribute, cublasLtMatmulPreferenceSetAttribute);
  EXPECT_SAME(LtFunctions, algo_get_heuristic, cublasLtMatmulAlgoGetHeuristic);
  EXPECT_SAME(LtFunctions, matmul, cublasLtMatmul);
}

}  // namespace
}  // namespace seedtune

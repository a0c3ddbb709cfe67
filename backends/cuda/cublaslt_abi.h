// The part of cublasLt.h that cublaslt.cc calls.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUBLASLT_ABI_H_
#define SEEDTUNE_BACKENDS_CUDA_CUBLASLT_ABI_H_

#include <cstddef>
#include <cstdint>

#include "backends/cuda/driver_abi.h"

namespace seedtune {

using LtStatus = int;
using LtHandle = struct OpaqueLtHandle*;
using LtMatmulDesc = struct OpaqueLtMatmulDesc*;
using LtLayout = struct OpaqueLtLayout*;
using LtPreference = struct OpaqueLtPreference*;

inline constexpr LtStatus kLtSuccess = 0;
inline constexpr LtStatus kLtNotSupported = 15;

// cudaDataType
inline constexpr int kCudaR32F = 0, kCudaR64F = 1, kCudaR16F = 2, kCudaR8I = 3, kCudaR32I = 10,
                     kCudaR16BF = 14, kCudaR8FE4M3 = 28, kCudaR8FE5M2 = 29;
// cublasComputeType_t
inline constexpr int kLtCompute32F = 68, kLtCompute64F = 70, kLtCompute32I = 72,
                     kLtCompute32FFastTF32 = 77;
// cublasOperation_t
inline constexpr int32_t kLtOpN = 0, kLtOpT = 1;
// cublasLtMatmulDescAttributes_t
inline constexpr int kLtDescTransA = 3, kLtDescTransB = 4, kLtDescEpilogue = 7,
                     kLtDescBiasPointer = 8, kLtDescBiasDataType = 26;
// cublasLtEpilogue_t
inline constexpr uint32_t kLtEpilogueDefault = 1, kLtEpilogueRelu = 2, kLtEpilogueBias = 4,
                          kLtEpilogueReluBias = 6, kLtEpilogueGelu = 32, kLtEpilogueGeluBias = 36;
// cublasLtMatrixLayoutAttribute_t
inline constexpr int kLtLayoutBatchCount = 5, kLtLayoutStridedBatchOffset = 6;
// cublasLtMatmulPreferenceAttributes_t
inline constexpr int kLtPreferenceMaxWorkspaceBytes = 1, kLtPreferenceMinAlignmentA = 5,
                     kLtPreferenceMinAlignmentB = 6, kLtPreferenceMinAlignmentC = 7,
                     kLtPreferenceMinAlignmentD = 8;

struct LtAlgorithm {
  uint64_t data[8];
};

struct LtHeuristicResult {
  LtAlgorithm algorithm;
  size_t workspace_bytes;
  LtStatus state;
  float waves;
  int reserved[4];
};

struct LtFunctions {
  LtStatus (*create)(LtHandle* handle);
  LtStatus (*destroy)(LtHandle handle);
  size_t (*get_version)();
  const char* (*get_status_name)(LtStatus status);
  LtStatus (*matmul_desc_create)(LtMatmulDesc* desc, int compute_type, int scale_type);
  LtStatus (*matmul_desc_destroy)(LtMatmulDesc desc);
  LtStatus (*matmul_desc_set_attribute)(LtMatmulDesc desc, int attribute, const void* value,
                                        size_t bytes);
  LtStatus (*layout_create)(LtLayout* layout, int type, uint64_t rows, uint64_t columns,
                            int64_t leading);
  LtStatus (*layout_destroy)(LtLayout layout);
  LtStatus (*layout_set_attribute)(LtLayout layout, int attribute, const void* value, size_t bytes);
  LtStatus (*preference_create)(LtPreference* preference);
  LtStatus (*preference_destroy)(LtPreference preference);
  LtStatus (*preference_set_attribute)(LtPreference preference, int attribute, const void* value,
                                       size_t bytes);
  LtStatus (*algo_get_heuristic)(LtHandle handle, LtMatmulDesc desc, LtLayout a, LtLayout b,
                                 LtLayout c, LtLayout d, LtPreference preference, int requested,
                                 LtHeuristicResult* results, int* returned);
  LtStatus (*matmul)(LtHandle handle, LtMatmulDesc desc, const void* alpha, const void* a,
                     LtLayout a_layout, const void* b, LtLayout b_layout, const void* beta,
                     const void* c, LtLayout c_layout, void* d, LtLayout d_layout,
                     const LtAlgorithm* algorithm, void* workspace, size_t workspace_bytes,
                     CuStream stream);
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUBLASLT_ABI_H_

// The CUDA driver and NVML of this machine.
#ifndef SEEDTUNE_HARDWARE_REAL_CUDA_API_H_
#define SEEDTUNE_HARDWARE_REAL_CUDA_API_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "hardware/cuda_api.h"

namespace seedtune {

// Opens the first library of `names` that is there and initialises it. kNotFound: none is.
// kUnavailable: it does not load, lacks a function, or finds no device or no kernel driver.
absl::StatusOr<std::unique_ptr<CudaApi>> OpenCudaApi(std::span<const std::string> names);
absl::StatusOr<std::unique_ptr<NvmlApi>> OpenNvmlApi(std::span<const std::string> names);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_REAL_CUDA_API_H_

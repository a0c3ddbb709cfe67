#include "backends/cuda/executable.h"

#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

int TensorMapType(DType dtype) {
  switch (dtype) {
    case DType::kF64:
      return kCuTensorMapFloat64;
    case DType::kF32:
      return kCuTensorMapFloat32;
    case DType::kTF32:
      return kCuTensorMapTfloat32;
    case DType::kBF16:
      return kCuTensorMapBfloat16;
    case DType::kF16:
      return kCuTensorMapFloat16;
    case DType::kI32:
      return kCuTensorMapInt32;
    case DType::kF8E4M3:
    case DType::kF8E5M2:
    case DType::kI8:
      break;
  }
  return kCuTensorMapUint8;
}

}  // namespace

absl::StatusOr<CudaExecutable> CudaExecutable::Load(const CudaDevice& device, const Kernel& kernel,
                                                    CudaProgram program, const std::string& cubin) {
  CudaExecutable executable(device, std::move(program));
  for (const Tensor& tensor : kernel.tensors) executable.dtypes_.push_back(tensor.dtype);
  SEEDTUNE_ASSIGN_OR_RETURN(executable.module_, device.Load(cubin));
  for (const CudaLaunch& launch : executable.program_.launches) {
    BoundLaunch bound;
    SEEDTUNE_ASSIGN_OR_RETURN(bound.function, executable.module_.Function(launch.entry));
    bound.shape = {launch.grid,
                   launch.block,
                   launch.cluster,
                   launch.dynamic_shared_bytes,
                   launch.overlaps_previous,
                   launch.runs_at_once};
    SEEDTUNE_RETURN_IF_ERROR(device.Prepare(bound.function, bound.shape));
    executable.launches_.push_back(std::move(bound));
  }
  return executable;
}

absl::Status CudaExecutable::Bind(std::span<const CuDevicePointer> tensors,
                                  CuDevicePointer workspace) {
  for (size_t i = 0; i < launches_.size(); ++i) {
    const std::vector<CudaArgument>& arguments = program_.launches[i].arguments;
    BoundLaunch& launch = launches_[i];
    launch.pointers.clear();
    launch.maps.clear();
    launch.parameters.clear();
    launch.pointers.reserve(arguments.size());  // so that their addresses stay
    launch.maps.reserve(arguments.size());
    for (const CudaArgument& argument : arguments) {
      SEEDTUNE_RETURN_IF_ERROR(BindArgument(argument, tensors, workspace, launch));
    }
  }
  return absl::OkStatus();
}

absl::Status CudaExecutable::BindArgument(const CudaArgument& argument,
                                          std::span<const CuDevicePointer> tensors,
                                          CuDevicePointer workspace, BoundLaunch& launch) const {
  if (const auto* map = std::get_if<CudaTensorMapArgument>(&argument)) {
    const CuDevicePointer address =
        map->workspace_offset ? workspace + static_cast<CuDevicePointer>(*map->workspace_offset)
                              : tensors[map->tensor];
    SEEDTUNE_ASSIGN_OR_RETURN(CuTensorMap encoded, Encode(*map, address));
    launch.maps.push_back(encoded);
    launch.parameters.push_back(&launch.maps.back());
    return absl::OkStatus();
  }
  if (const auto* tensor = std::get_if<CudaTensorArgument>(&argument)) {
    launch.pointers.push_back(tensors[tensor->tensor]);
  } else {
    launch.pointers.push_back(
        workspace + static_cast<CuDevicePointer>(std::get<CudaWorkspaceArgument>(argument).offset));
  }
  launch.parameters.push_back(&launch.pointers.back());
  return absl::OkStatus();
}

absl::StatusOr<CuTensorMap> CudaExecutable::Encode(const CudaTensorMapArgument& argument,
                                                   CuDevicePointer address) const {
  const CuFunctions& f = device_->driver().functions();
  if (f.tensor_map_encode_tiled == nullptr) {
    return absl::InternalError(
        "the driver makes no tensor maps (no cuTensorMapEncodeTiled); update it");
  }
  const std::vector<uint64_t> sizes(argument.sizes.begin(), argument.sizes.end());
  const std::vector<uint64_t> strides(argument.stride_bytes.begin(), argument.stride_bytes.end());
  const std::vector<uint32_t> box(argument.box.begin(), argument.box.end());
  const std::vector<uint32_t> steps(sizes.size(), 1);
  CuTensorMap map;
  SEEDTUNE_RETURN_IF_ERROR(device_->driver().Check(
      "cuTensorMapEncodeTiled",
      f.tensor_map_encode_tiled(
          &map, TensorMapType(dtypes_[argument.tensor]), static_cast<unsigned>(sizes.size()),
          reinterpret_cast<void*>(address), sizes.data(), strides.data(), box.data(), steps.data(),
          kCuTensorMapInterleaveNone, static_cast<int>(argument.swizzle),
          kCuTensorMapL2Promotion128B, kCuTensorMapFillZeros)));
  return map;
}

absl::Status CudaExecutable::Launch(CuStream stream) const {
  for (const BoundLaunch& launch : launches_) {
    // The driver takes the list as not const, and reads it only.
    std::span<void*> parameters(const_cast<void**>(launch.parameters.data()),
                                launch.parameters.size());
    SEEDTUNE_RETURN_IF_ERROR(device_->Launch(launch.function, launch.shape, parameters, stream));
  }
  return absl::OkStatus();
}

}  // namespace seedtune

// How a program calls a matmul on an NVIDIA GPU: name the kernel once, run it on device pointers
// and a stream as often as you like. The configuration is the tuning database's (so `seedtune tune
// KERNEL --backend=cuda` makes this faster), else the heuristics' answer.
//
//   bazel run //examples/cuda_matmul -- matmul:1024x512x256:f32
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/matmul.h"
#include "heuristics/builtin.h"
#include "heuristics/registry.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "util/status_macros.h"

namespace {

// A matrix of ones times a matrix of halves; a line that says what came out.
absl::StatusOr<std::string> Multiply(std::string_view short_form) {
  using namespace seedtune;
  SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(short_form));
  if (spec.lhs != DType::kF32 || spec.rhs != DType::kF32 || spec.out != DType::kF32 ||
      spec.batch != 1 || spec.bias || spec.residual) {
    return absl::InvalidArgumentError("this example fills matrices of f32, want matmul:MxNxK:f32");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const Kernel kernel, BuildMatmul(spec));
  const HeuristicRegistry heuristics = BuiltinHeuristics();
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<CudaMatmuls> matmuls,
                            CudaMatmuls::Create(heuristics, {}));
  SEEDTUNE_ASSIGN_OR_RETURN(CudaMatmul* const matmul, matmuls->Find(kernel));

  // A program has its own pointers and stream; here they come from Seedtune's driver.
  SEEDTUNE_ASSIGN_OR_RETURN(auto driver, CudaDriver::Open());
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<CudaDevice> device,
                            CudaDevice::Open(std::move(driver), 0));
  const int64_t m = spec.m.value, n = spec.n.value, k = spec.k.value;
  const std::vector<float> ones(m * k, 1.0f), halves(k * n, 0.5f);
  std::vector<float> out(m * n);
  const auto bytes = [](const std::vector<float>& values) {
    return static_cast<int64_t>(values.size() * sizeof(float));
  };
  SEEDTUNE_ASSIGN_OR_RETURN(const CudaMemory lhs, device->Allocate(bytes(ones)));
  SEEDTUNE_ASSIGN_OR_RETURN(const CudaMemory rhs, device->Allocate(bytes(halves)));
  SEEDTUNE_ASSIGN_OR_RETURN(const CudaMemory result, device->Allocate(bytes(out)));
  SEEDTUNE_RETURN_IF_ERROR(device->ToDevice(lhs.address(), ones.data(), bytes(ones)));
  SEEDTUNE_RETURN_IF_ERROR(device->ToDevice(rhs.address(), halves.data(), bytes(halves)));

  const CuDevicePointer tensors[] = {lhs.address(), rhs.address(), result.address()};
  SEEDTUNE_RETURN_IF_ERROR(matmul->Run(tensors, device->stream()));

  SEEDTUNE_RETURN_IF_ERROR(device->ToHost(out.data(), result.address(), bytes(out)));
  return absl::StrCat("out[0] = ", out.front(), ", want ", 0.5 * static_cast<double>(k), ", on ",
                      device->name(), ", configuration from ", matmul->answer().origin);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: cuda_matmul matmul:MxNxK:f32\n";
    return 2;
  }
  const absl::StatusOr<std::string> line = Multiply(argv[1]);
  if (!line.ok()) {
    std::cerr << "cuda_matmul: " << std::string(line.status().message()) << "\n";
    return 1;
  }
  std::cout << *line << "\n";
  return 0;
}

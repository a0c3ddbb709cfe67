// Where NVIDIA's libraries stand that are opened when a program runs.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUDA_LIBRARIES_H_
#define SEEDTUNE_BACKENDS_CUDA_CUDA_LIBRARIES_H_

#include <string>
#include <string_view>
#include <vector>

namespace seedtune {

// Names and paths of `library` ("nvrtc", "cublasLt"), to be tried in this order: under $CUDA_HOME
// and $CUDA_PATH, where the dynamic linker looks, in /usr/local/cuda*, then in the Python packages
// (nvidia-cuda-nvrtc, nvidia-cublas) of $VIRTUAL_ENV, of the `python3` on the PATH and of the user.
// Newer releases first. Thread-safe.
std::vector<std::string> CudaLibraryCandidates(std::string_view library);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUDA_LIBRARIES_H_

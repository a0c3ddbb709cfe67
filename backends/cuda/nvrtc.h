// NVRTC, NVIDIA's compiler as a library: CUDA C++ to machine code, without a GPU.
//
// It can crash on valid source: call it where that costs little (a worker process).
#ifndef SEEDTUNE_BACKENDS_CUDA_NVRTC_H_
#define SEEDTUNE_BACKENDS_CUDA_NVRTC_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"

namespace seedtune {

// Thread-safe: NVRTC itself is.
class Nvrtc {
 public:
  struct Result {
    std::string cubin;
    std::string log;  // warnings, and what ptxas says with --ptxas-options=-v
  };

  // Opens the newest NVRTC of this machine (cuda_libraries.h). kNotFound: there is none; says how
  // to get it. kUnavailable: it does not load.
  static absl::StatusOr<std::unique_ptr<const Nvrtc>> Open();
  // The first of `names` instead.
  static absl::StatusOr<std::unique_ptr<const Nvrtc>> Open(std::span<const std::string> names);

  virtual ~Nvrtc() = default;

  // "nvrtc 13.0"
  virtual const std::string& version() const = 0;
  virtual int major_version() const = 0;  // 13
  // The file that it was loaded from.
  virtual const std::string& path() const = 0;

  // `options` must name a real architecture ("--gpu-architecture=sm_90a"). kInvalidArgument: the
  // source does not compile; the message is the compiler's first error. kResourceExhausted: out of
  // memory. kInternal: NVRTC failed; named as NVRTC names it.
  virtual absl::StatusOr<Result> Compile(const std::string& source,
                                         std::span<const std::string> options) const = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_NVRTC_H_

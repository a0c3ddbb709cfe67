// Matmuls to call: on device pointers and a stream, with the configuration that the tuning database
// knows, else with the untuned default. Each is compiled once, and kept.
//
//   const HeuristicRegistry heuristics = BuiltinHeuristics();
//   ASSIGN(auto matmuls, CudaMatmuls::Create(heuristics, {}));
//   ASSIGN(CudaMatmul* matmul, matmuls->Find(kernel));  // the first time: up to seconds
//   matmul->Run({lhs, rhs, out}, stream);               // puts it onto the stream, returns at once
#ifndef SEEDTUNE_BACKENDS_CUDA_MATMUL_H_
#define SEEDTUNE_BACKENDS_CUDA_MATMUL_H_

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/database/database.h"
#include "autotuner/measurer.h"
#include "backends/cuda/candidate.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/driver.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/registry.h"
#include "ir/kernel.h"

namespace seedtune {

// How a kernel is to be run.
struct CudaMatmulAnswer {
  Config config;
  std::string origin;  // "database", a heuristic's name, "space default"
};

// What `database` (may be null) has recorded for this kernel under `info`'s device and versions,
// else the untuned default. Touches no device. Errors: the config space's own.
absl::StatusOr<CudaMatmulAnswer> AnswerCudaMatmul(const Kernel& kernel, const MeasurerInfo& info,
                                                  const HeuristicRegistry& heuristics,
                                                  Database* database);

// One matmul, compiled. Thread-safe.
class CudaMatmul {
 public:
  CudaMatmul(const CudaDevice& device, Kernel kernel, CudaMatmulAnswer answer,
             CompiledCudaProgram compiled)
      : device_(device),
        kernel_(std::move(kernel)),
        answer_(std::move(answer)),
        compiled_(std::move(compiled)) {}

  const CudaMatmulAnswer& answer() const { return answer_; }

  // `tensors`: device addresses by TensorId (of BuildMatmul's kernels: lhs, rhs, bias and residual
  // where there are any, out; see Kernel::tensors), aligned as the kernel promises. The first run
  // on a stream allocates its workspace and waits for the device; later ones return at once. Work
  // on one stream uses one workspace. kInvalidArgument: not as many addresses as tensors. Errors of
  // driver.h.
  absl::Status Run(std::span<const CuDevicePointer> tensors, CuStream stream);

 private:
  struct OnStream {
    CudaCandidate candidate;
    std::vector<CuDevicePointer> tensors;  // that it is bound to
  };

  const CudaDevice& device_;
  const Kernel kernel_;
  const CudaMatmulAnswer answer_;
  const CompiledCudaProgram compiled_;
  std::mutex mutex_;
  std::map<CuStream, OnStream> streams_;
};

struct CudaMatmulsOptions {
  int device = 0;  // as CUDA counts; heeds CUDA_VISIBLE_DEVICES
  // "": none is asked. The file need not exist.
  std::string database_path = DefaultDatabasePath();
  std::string cache_folder = DefaultCubinCacheFolder();
};

// Thread-safe. Owns what it hands out; must outlive all work on streams.
class CudaMatmuls {
 public:
  // `heuristics` must outlive it. Makes the device's primary context the calling thread's.
  // kNotFound: no such device, or no NVRTC (how to get it). Other errors: the database's,
  // driver.h's.
  static absl::StatusOr<std::unique_ptr<CudaMatmuls>> Create(const HeuristicRegistry& heuristics,
                                                             CudaMatmulsOptions options);

  // The first time for a kernel, decides and compiles (milliseconds out of the cache, else up to
  // seconds). kUnimplemented: not a kernel that the backend runs. Errors of CompileCudaCandidate.
  absl::StatusOr<CudaMatmul*> Find(const Kernel& kernel);

  const HardwareInfo& device() const { return info_.device; }

 private:
  explicit CudaMatmuls(const HeuristicRegistry& heuristics) : heuristics_(heuristics) {}

  const HeuristicRegistry& heuristics_;
  MeasurerInfo info_;
  std::unique_ptr<const CudaCompiler> compiler_;
  std::unique_ptr<CudaDevice> device_;
  std::unique_ptr<Database> database_;  // may be null
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<CudaMatmul>> matmuls_;  // by kernel fingerprint
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_MATMUL_H_

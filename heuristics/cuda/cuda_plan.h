// What the cuda heuristics share: the matmul to plan for, tiles as seeds, and an estimate of how
// long a tile takes.
#ifndef SEEDTUNE_HEURISTICS_CUDA_CUDA_PLAN_H_
#define SEEDTUNE_HEURISTICS_CUDA_CUDA_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/cuda/cuda_tile.h"
#include "hardware/hardware_info.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

struct CudaProblem {
  int64_t m = 0, n = 0, k = 0, batch = 1;  // hints where symbolic
  CudaTypes types;
  const MatmulFact* fact = nullptr;  // borrowed of the context
  bool by_hint = false;              // some extent is only a hint
};

// What `context` asks for; else, in `why_not`, why that is nothing for the cuda heuristics.
// Thread-safe, as all functions here.
std::optional<CudaProblem> CudaProblemOf(const TuningContext& context, std::string& why_not);

// Whether the space has the family.
bool HasFamily(const ConfigSpace& space, CudaFamily family);

// Every knob of config/spaces/cuda.
PartialConfig ToPartial(const CudaTile& tile);

// Cycles that a kernel of family mma or simt takes, by a simple model: blocks come in waves; a
// multiprocessor multiplies and reads its shared memory at some rate, and waits for memory where
// too little is under way; no faster than blocks can be started, than the bytes of all tiles come
// from the L2 cache and those of all operands from memory; parts of k are added up at the end.
// Unknown figures of the device are taken as an A100's. Good for ranking tiles, not for times.
double CudaTileCycles(const CudaTile& tile, const CudaProblem& problem, const HardwareInfo& device);

// Tiles that the space takes and that differ, best first. Not thread-safe.
class CudaSeeds {
 public:
  // Borrows the space; `limit` seeds at most.
  CudaSeeds(const ConfigSpace& space, size_t limit) : space_(space), limit_(limit) {}

  // Adds `tile` if the space takes it, it is new and there is room, and says whether it did.
  bool Add(const CudaTile& tile);
  bool is_full() const { return seeds_.size() >= limit_; }
  int64_t size() const { return static_cast<int64_t>(seeds_.size()); }
  // kFailedPrecondition: the space took none.
  absl::StatusOr<std::vector<PartialConfig>> Take() &&;

 private:
  const ConfigSpace& space_;
  const size_t limit_;
  std::vector<Config> configs_;
  std::vector<PartialConfig> seeds_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_CUDA_CUDA_PLAN_H_

// The config space that a worker answers with (docs/worker-protocol.md, section 3).
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_WORKER_SPACE_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_WORKER_SPACE_H_

#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "backends/external/external_worker.pb.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

struct WorkerSpace {
  std::shared_ptr<const ConfigSpace> space;
  std::string heuristics;  // the backend whose heuristics know this space; "": none do
};

// kInvalidArgument: what of the reply is wrong ("space.parameters[2].values: ..."), or what
// ConfigSpace::Create or BuildConfigSpace says. Thread-safe.
absl::StatusOr<WorkerSpace> ReadWorkerSpace(const ExternalReply::Space& reply,
                                            std::span<const MatmulFact> facts,
                                            const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_WORKER_SPACE_H_

#include "heuristics/default_config.h"

#include <memory>
#include <vector>

#include "config/spaces/spaces.h"
#include "heuristics/consult.h"
#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<UntunedConfig> DefaultConfig(const HeuristicRegistry& registry,
                                            std::string_view backend, const Kernel& kernel,
                                            const HardwareInfo& device,
                                            const ConsultOptions& options) {
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const ConfigSpace> space,
                            BuildConfigSpace(backend, facts, device));
  const TuningContext context{kernel, facts, device, *space};
  return FindUntunedDefault(registry, backend, context, options);
}

}  // namespace seedtune

// All that a heuristic may know.
#ifndef SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_
#define SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_

#include <span>

#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Borrows everything; whoever makes one keeps the parts alive. Thread-safe.
struct TuningContext {
  const Kernel& kernel;
  std::span<const MatmulFact> facts;  // of `kernel`
  const HardwareInfo& device;
  const ConfigSpace& space;  // of the backend, for this kernel on this device
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_

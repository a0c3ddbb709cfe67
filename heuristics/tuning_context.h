// All that a heuristic may know, and how much of what it knows is asked for.
#ifndef SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_
#define SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_

#include <cstddef>
#include <cstdint>
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
  // How many seeds of each heuristic are wanted, at least 1: who wants the untuned answer wants the
  // primary alone. Whether this is obeyed changes cost and nothing else: a heuristic gives the
  // first so many of the seeds that it would give anyway, or more of them.
  size_t max_seeds = SIZE_MAX;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_TUNING_CONTEXT_H_

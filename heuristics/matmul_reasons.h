// Reasons to decline that many heuristics share, worded once.
#ifndef SEEDTUNE_HEURISTICS_MATMUL_REASONS_H_
#define SEEDTUNE_HEURISTICS_MATMUL_REASONS_H_

#include <optional>
#include <string>

#include "heuristics/tuning_context.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

// Why a kernel is not exactly one matmul of static extents: "2 matmuls, want one", "m is symbolic,
// want a static extent (the hint of 16 is only a hint)"; nullopt if it is one. Thread-safe.
std::optional<std::string> WhyNotOneStaticMatmul(const TuningContext& context);

// Why a block size cannot be given to one of m, n and k: "n is no tunable axis"; nullopt if all
// three have an axis. Thread-safe.
std::optional<std::string> WhyNotTunable(const MatmulFact& fact);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_MATMUL_REASONS_H_

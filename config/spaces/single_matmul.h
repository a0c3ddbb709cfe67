// What the matmul spaces have in common: they describe kernels of one matmul whose extents are
// known.
#ifndef SEEDTUNE_CONFIG_SPACES_SINGLE_MATMUL_H_
#define SEEDTUNE_CONFIG_SPACES_SINGLE_MATMUL_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

struct SingleMatmul {
  const MatmulFact* fact = nullptr;  // borrowed
  // To plan with: hints where symbolic.
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  int64_t batch = 1;
};

// kFailedPrecondition: not exactly one matmul, or an extent that nothing is known of. `space`
// starts the messages.
absl::StatusOr<SingleMatmul> FindSingleMatmul(std::string_view space,
                                              std::span<const MatmulFact> facts);

// Each matmul of a kernel, in order. kFailedPrecondition: none, or an extent that nothing is known
// of.
absl::StatusOr<std::vector<SingleMatmul>> FindMatmuls(std::string_view space,
                                                      std::span<const MatmulFact> facts);

// The value of `values`, ascending and not empty, that is nearest to `value`: for defaults.
int64_t NearestOf(std::span<const int64_t> values, int64_t value);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACES_SINGLE_MATMUL_H_

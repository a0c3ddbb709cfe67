#include "config/spaces/single_matmul.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

absl::StatusOr<SingleMatmul> FindSingleMatmul(std::string_view space,
                                              std::span<const MatmulFact> facts) {
  const std::string where(space);
  if (facts.size() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat(where, ": the kernel has ", facts.size(), " matmuls, want exactly one"));
  }
  SingleMatmul matmul;
  matmul.fact = &facts[0];
  const struct {
    const char* name;
    const DimFact& dim;
    int64_t& extent;
  } kDims[] = {{"m", matmul.fact->m, matmul.m},
               {"n", matmul.fact->n, matmul.n},
               {"k", matmul.fact->k, matmul.k}};
  for (const auto& [name, dim, extent] : kDims) {
    const std::optional<int64_t> planned = dim.planning_extent();
    if (!planned || *planned < 1) {
      return absl::FailedPreconditionError(absl::StrCat(
          where, ": the extent of ", name, " is symbolic and has no hint; give its symbol a hint"));
    }
    extent = *planned;
  }
  matmul.batch = matmul.fact->batch();
  if (matmul.batch < 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        where, ": a batch extent is symbolic and has no hint; give its symbol a hint"));
  }
  return matmul;
}

int64_t NearestOf(std::span<const int64_t> values, int64_t value) {
  int64_t nearest = values.front();
  for (const int64_t other : values) {
    if (std::abs(other - value) < std::abs(nearest - value)) nearest = other;
  }
  return nearest;
}

int64_t CeilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

int64_t NextPowerOfTwo(int64_t value) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(value)));
}

}  // namespace seedtune

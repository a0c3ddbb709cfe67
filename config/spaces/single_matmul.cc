#include "config/spaces/single_matmul.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "matmul_ops/matmul_fact.h"
#include "util/status_macros.h"

namespace seedtune {

namespace {

absl::StatusOr<SingleMatmul> WithExtents(const std::string& where, const MatmulFact& fact) {
  SingleMatmul matmul;
  matmul.fact = &fact;
  const struct {
    const char* name;
    const DimFact& dim;
    int64_t& extent;
  } kDims[] = {{"m", fact.m, matmul.m}, {"n", fact.n, matmul.n}, {"k", fact.k, matmul.k}};
  for (const auto& [name, dim, extent] : kDims) {
    const std::optional<int64_t> planned = dim.planning_extent();
    if (!planned || *planned < 1) {
      return absl::FailedPreconditionError(absl::StrCat(
          where, ": the extent of ", name, " is symbolic and has no hint; give its symbol a hint"));
    }
    extent = *planned;
  }
  matmul.batch = fact.batch();
  if (matmul.batch < 1) {
    return absl::FailedPreconditionError(absl::StrCat(
        where, ": a batch extent is symbolic and has no hint; give its symbol a hint"));
  }
  return matmul;
}

}  // namespace

absl::StatusOr<SingleMatmul> FindSingleMatmul(std::string_view space,
                                              std::span<const MatmulFact> facts) {
  if (facts.size() != 1) {
    return absl::FailedPreconditionError(absl::StrCat(std::string(space), ": the kernel has ",
                                                      facts.size(), " matmuls, want exactly one"));
  }
  return WithExtents(std::string(space), facts[0]);
}

absl::StatusOr<std::vector<SingleMatmul>> FindMatmuls(std::string_view space,
                                                      std::span<const MatmulFact> facts) {
  if (facts.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(std::string(space), ": the kernel has 0 matmuls, want at least one"));
  }
  std::vector<SingleMatmul> matmuls;
  for (const MatmulFact& fact : facts) {
    SEEDTUNE_ASSIGN_OR_RETURN(matmuls.emplace_back(), WithExtents(std::string(space), fact));
  }
  return matmuls;
}

int64_t NearestOf(std::span<const int64_t> values, int64_t value) {
  int64_t nearest = values.front();
  for (const int64_t other : values) {
    if (std::abs(other - value) < std::abs(nearest - value)) nearest = other;
  }
  return nearest;
}

}  // namespace seedtune

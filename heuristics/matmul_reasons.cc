#include "heuristics/matmul_reasons.h"

#include "absl/strings/str_cat.h"

namespace seedtune {
namespace {

struct NamedDim {
  const char* name;
  const DimFact& dim;
};

}  // namespace

std::optional<std::string> WhyNotOneStaticMatmul(const TuningContext& context) {
  if (context.facts.size() != 1) {
    return absl::StrCat(context.facts.size(), " matmuls, want one");
  }
  const MatmulFact& fact = context.facts[0];
  for (const auto& [name, dim] : {NamedDim{"m", fact.m}, {"n", fact.n}, {"k", fact.k}}) {
    if (!dim.is_symbolic()) continue;
    return absl::StrCat(
        name, " is symbolic, want a static extent",
        dim.hint ? absl::StrCat(" (the hint of ", *dim.hint, " is only a hint)") : "");
  }
  if (!fact.batch_is_static) return "batch is symbolic, want a static extent";
  return std::nullopt;
}

std::optional<std::string> WhyNotTunable(const MatmulFact& fact) {
  for (const auto& [name, dim] : {NamedDim{"m", fact.m}, {"n", fact.n}, {"k", fact.k}}) {
    if (!dim.axis) return absl::StrCat(name, " is no tunable axis");
  }
  return std::nullopt;
}

}  // namespace seedtune

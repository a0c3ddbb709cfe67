#include "heuristics/registry.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace seedtune {
namespace {

bool IsLowerSnakeCase(std::string_view name) {
  if (name.empty() || name.front() < 'a' || name.front() > 'z') return false;
  for (char c : name) {
    if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') return false;
  }
  return true;
}

}  // namespace

absl::Status HeuristicRegistry::Add(std::unique_ptr<const AutotunerHeuristic> heuristic) {
  if (heuristic == nullptr) return absl::InvalidArgumentError("heuristic is null, want one");
  const std::string name(heuristic->name());
  const std::string backend(heuristic->backend());
  if (!IsLowerSnakeCase(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("heuristic name is \"", name, "\", want lower_snake_case"));
  }
  if (!IsLowerSnakeCase(backend)) {
    return absl::InvalidArgumentError(absl::StrCat("heuristic \"", name, "\": backend is \"",
                                                   backend, "\", want lower_snake_case"));
  }
  if (Find(name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("a heuristic named \"", name,
                                                 "\" is registered already; choose another name"));
  }
  heuristics_.push_back(std::move(heuristic));
  return absl::OkStatus();
}

std::vector<const AutotunerHeuristic*> HeuristicRegistry::ForBackend(
    std::string_view backend) const {
  std::vector<const AutotunerHeuristic*> found;
  for (const auto& heuristic : heuristics_) {
    if (heuristic->backend() == backend) found.push_back(heuristic.get());
  }
  return found;
}

const AutotunerHeuristic* HeuristicRegistry::Find(std::string_view name) const {
  for (const auto& heuristic : heuristics_) {
    if (heuristic->name() == name) return heuristic.get();
  }
  return nullptr;
}

std::vector<std::string_view> HeuristicRegistry::Names() const {
  std::vector<std::string_view> names;
  for (const auto& heuristic : heuristics_) names.push_back(heuristic->name());
  return names;
}

}  // namespace seedtune

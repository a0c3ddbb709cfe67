#include "autotuner/replay/recorded_space.h"

#include <cmath>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace seedtune {
namespace {

// "results[3] {"x":1}"
std::string Where(size_t i, const Config& config) {
  return absl::StrCat("results[", i, "] ", config.ToJson());
}

}  // namespace

absl::StatusOr<std::shared_ptr<const RecordedSpace>> RecordedSpace::Create(
    std::string kernel_name, std::string device_name, std::shared_ptr<const ConfigSpace> space,
    std::vector<RecordedConfig> configs) {
  if (space == nullptr) return absl::InvalidArgumentError("a recorded space needs a config space");
  const std::string what =
      absl::StrCat("recorded space \"", kernel_name, "\" on \"", device_name, "\": ");
  if (configs.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, "no results, want at least one; was the file cut off"));
  }
  std::shared_ptr<RecordedSpace> recorded(new RecordedSpace());
  recorded->index_.reserve(configs.size());
  for (size_t i = 0; i < configs.size(); ++i) {
    const Config& config = configs[i].config;
    if (config.shared_space() == nullptr || config.space().id() != space->id()) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, "results[", i, "] is of ",
                       config.shared_space() == nullptr ? "no space" : config.space().id(),
                       ", want ", space->id()));
    }
    if (!space->IsValid(config.choices())) {
      const Constraint* violated = space->FirstViolation(config.choices());
      return absl::InvalidArgumentError(absl::StrCat(
          what, Where(i, config), " breaks the space's constraint \"",
          violated == nullptr ? "" : violated->name, "\"; was it recorded in another space"));
    }
    if (absl::Status status = ValidateOutcome(configs[i].outcome); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(what, Where(i, config), ": ", status.message()));
    }
    for (const double cost :
         {configs[i].compile_cost_ns, configs[i].benchmark_cost_ns, configs[i].framework_cost_ns,
          configs[i].search_cost_ns, configs[i].verification_cost_ns}) {
      if (!std::isfinite(cost) || cost < 0) {
        return absl::InvalidArgumentError(absl::StrCat(what, Where(i, config), ": a cost is ", cost,
                                                       ", want a finite number of nanoseconds, 0 "
                                                       "where it is not known"));
      }
    }
    const auto [it, inserted] = recorded->index_.emplace(config, i);
    if (!inserted) {
      return absl::InvalidArgumentError(absl::StrCat(what, Where(i, config), " is results[",
                                                     it->second, "] again, want each once"));
    }
  }
  recorded->kernel_name_ = std::move(kernel_name);
  recorded->device_name_ = std::move(device_name);
  recorded->space_ = std::move(space);
  recorded->configs_ = std::move(configs);
  return recorded;
}

const RecordedConfig* RecordedSpace::Find(const Config& config) const {
  const auto it = index_.find(config);
  return it == index_.end() ? nullptr : &configs_[it->second];
}

bool RecordedSpace::is_exhaustive() const { return space_->NumValid() == configs_.size(); }

}  // namespace seedtune

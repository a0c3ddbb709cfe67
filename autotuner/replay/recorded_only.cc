#include "autotuner/replay/recorded_only.h"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<std::shared_ptr<const RecordedSpace>> RestrictToRecorded(
    const RecordedSpace& record) {
  const ConfigSpace& space = *record.space();
  using Values = std::vector<int64_t>;  // one a knob
  const auto recorded = std::make_shared<absl::flat_hash_set<Values>>();
  for (const RecordedConfig& config : record.configs()) {
    Values values;
    for (size_t i = 0; i < space.knobs().size(); ++i) {
      values.push_back(space.knobs()[i].numeric(config.config.choices()[i]));
    }
    recorded->insert(std::move(values));
  }

  ConfigSpace::Options options;
  options.name = space.name();
  options.version = space.version();
  options.knobs.assign(space.knobs().begin(), space.knobs().end());
  options.constraints.assign(space.constraints().begin(), space.constraints().end());
  Constraint was_recorded;
  was_recorded.name = "was_recorded";
  was_recorded.description = "the configuration was recorded";
  for (const Knob& knob : space.knobs()) was_recorded.knobs.push_back(knob.name());
  was_recorded.holds = [recorded](std::span<const int64_t> values) {
    return recorded->contains(Values(values.begin(), values.end()));
  };
  options.constraints.push_back(std::move(was_recorded));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const ConfigSpace> restricted,
                            ConfigSpace::Create(std::move(options)));

  std::vector<RecordedConfig> configs = record.configs();
  for (RecordedConfig& config : configs) {
    const std::span<const uint16_t> choices = config.config.choices();
    config.config = Config(restricted, std::vector<uint16_t>(choices.begin(), choices.end()));
  }
  return RecordedSpace::Create(record.kernel_name(), record.device_name(), restricted,
                               std::move(configs));
}

}  // namespace seedtune

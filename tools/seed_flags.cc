#include "tools/seed_flags.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/config_io.h"
#include "util/edit_distance.h"

namespace seedtune {

absl::StatusOr<ConsultOptions> MakeConsultOptions(const SeedOptions& options,
                                                  const HeuristicRegistry& registry) {
  ConsultOptions consult;
  consult.enabled = !options.no_seeds;
  for (const std::string& name : options.disabled) {
    if (registry.Find(name) == nullptr) {
      const std::vector<std::string_view> names = registry.Names();
      const std::optional<std::string> nearest = NearestName(name, names);
      return absl::NotFoundError(
          absl::StrCat("--disable-heuristic: no heuristic named \"", name, "\"",
                       nearest ? absl::StrCat(", did you mean \"", *nearest, "\"")
                               : "; `seedtune explain` lists them"));
    }
  }
  consult.disabled = options.disabled;
  for (const std::string& json : options.user_seeds) {
    absl::StatusOr<PartialConfig> seed = PartialConfigFromJson(json);
    if (!seed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--user-seed '", json, "': ", std::string(seed.status().message())));
    }
    consult.user_seeds.push_back(*std::move(seed));
  }
  return consult;
}

}  // namespace seedtune

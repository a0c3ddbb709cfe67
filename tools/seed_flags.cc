#include "tools/seed_flags.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "config/interchange/foreign_config.h"
#include "config/knob.h"
#include "util/edit_distance.h"
#include "util/file.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<ConsultOptions> MakeConsultOptions(const SeedOptions& options,
                                                  const HeuristicRegistry& registry) {
  ConsultOptions consult;
  consult.enabled = !options.no_seeds;
  consult.neighbors = !options.no_neighbors;
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
    absl::StatusOr<PartialConfig> seed = ReadAnyConfig(json);
    if (!seed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--user-seed '", json, "': ", std::string(seed.status().message())));
    }
    consult.user_seeds.push_back(*std::move(seed));
  }
  for (const std::string& file : options.seed_files) {
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(ResolveUserPath(file)));
    int number = 0;
    for (const std::string& line : std::vector<std::string>(absl::StrSplit(text, '\n'))) {
      ++number;
      const std::string json(absl::StripAsciiWhitespace(line));
      if (json.empty() || json[0] == '#') continue;
      absl::StatusOr<PartialConfig> seed = ReadAnyConfig(json);
      if (!seed.ok()) {
        return absl::InvalidArgumentError(absl::StrCat("--seeds: ", file, ":", number, ": ",
                                                       std::string(seed.status().message())));
      }
      consult.user_seeds.push_back(*std::move(seed));
    }
  }
  return consult;
}

}  // namespace seedtune

#include "config/interchange/foreign_config.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_io.h"
#include "config/interchange/helion_config.h"
#include "config/interchange/triton_config.h"
#include "config/json_text.h"

namespace seedtune {

absl::StatusOr<ConfigFormat> ParseConfigFormat(std::string_view name) {
  if (name == "seedtune") return ConfigFormat::kSeedtune;
  if (name == "helion") return ConfigFormat::kHelion;
  if (name == "triton") return ConfigFormat::kTriton;
  return absl::InvalidArgumentError(absl::StrCat("no format of configurations named \"",
                                                 std::string(name),
                                                 "\"; known: seedtune, helion, triton"));
}

absl::StatusOr<PartialConfig> ReadAnyConfig(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start != std::string_view::npos && text[start] != '{') return PartialConfigFromTriton(text);
  // Where it is no JSON, our own reader says so.
  const absl::StatusOr<JsonValue> json = ParseJson(text);
  if (json.ok() && LooksLikeHelionConfig(*json)) return PartialConfigFromHelion(*json);
  return PartialConfigFromJson(text);
}

absl::StatusOr<std::string> WriteConfig(const PartialConfig& partial, ConfigFormat format) {
  switch (format) {
    case ConfigFormat::kSeedtune:
      return PartialConfigToJson(partial);
    case ConfigFormat::kHelion:
      return PartialConfigToHelion(partial);
    case ConfigFormat::kTriton:
      return PartialConfigToTriton(partial);
  }
  return absl::InvalidArgumentError("no such format of configurations");
}

}  // namespace seedtune

#include "tools/convert_command.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "config/interchange/foreign_config.h"
#include "config/knob.h"
#include "util/status_macros.h"

namespace seedtune {

absl::Status RunConvert(const ConvertCommandOptions& options, const Environment& environment) {
  SEEDTUNE_ASSIGN_OR_RETURN(const ConfigFormat format, ParseConfigFormat(options.to));
  std::string converted;
  for (const std::string& text : options.configs) {
    SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig config, ReadAnyConfig(text));
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string line, WriteConfig(config, format));
    absl::StrAppend(&converted, line, "\n");
  }
  environment.out << converted;
  return absl::OkStatus();
}

}  // namespace seedtune

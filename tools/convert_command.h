// `seedtune convert`: configurations between Seedtune's form and those of other tools.
#ifndef SEEDTUNE_TOOLS_CONVERT_COMMAND_H_
#define SEEDTUNE_TOOLS_CONVERT_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct ConvertCommandOptions {
  std::vector<std::string> configs;  // each in any form that ReadAnyConfig() reads
  std::string to = "seedtune";       // ParseConfigFormat()
};

// Prints one a line, all or none. kInvalidArgument: what has no counterpart, by name.
absl::Status RunConvert(const ConvertCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_CONVERT_COMMAND_H_

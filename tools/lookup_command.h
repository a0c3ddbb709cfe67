// `seedtune lookup`: the recorded best of a kernel, or why there is none.
#ifndef SEEDTUNE_TOOLS_LOOKUP_COMMAND_H_
#define SEEDTUNE_TOOLS_LOOKUP_COMMAND_H_

#include "absl/status/status.h"
#include "tools/command_options.h"
#include "tools/environment.h"

namespace seedtune {

// kNotFound: at least one kernel has no record; each is named with the part of the key that
// differs.
absl::Status RunLookup(const LookupCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_LOOKUP_COMMAND_H_

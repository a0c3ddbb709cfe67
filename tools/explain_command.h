// `seedtune explain`: facts, the space, what each heuristic said and why, and the untuned default.
// Measures nothing.
#ifndef SEEDTUNE_TOOLS_EXPLAIN_COMMAND_H_
#define SEEDTUNE_TOOLS_EXPLAIN_COMMAND_H_

#include "absl/status/status.h"
#include "tools/command_options.h"
#include "tools/environment.h"

namespace seedtune {

absl::Status RunExplain(const ExplainCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_EXPLAIN_COMMAND_H_

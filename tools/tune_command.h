// `seedtune tune`: searches for the fastest configuration of each kernel and records it.
#ifndef SEEDTUNE_TOOLS_TUNE_COMMAND_H_
#define SEEDTUNE_TOOLS_TUNE_COMMAND_H_

#include "absl/status/status.h"
#include "tools/command_options.h"
#include "tools/environment.h"

namespace seedtune {

// Kernels already in the database are answered from it, unless `options.retune`. A budget in
// seconds is for the whole command, shared evenly among its kernels; one in evaluations is for each
// kernel. kCancelled: stopped by the user; what was measured is kept, and the same command goes on.
absl::Status RunTune(const TuneCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_TUNE_COMMAND_H_

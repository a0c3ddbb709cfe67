// `seedtune worker check`: tells the author of a worker what it does wrong.
#ifndef SEEDTUNE_TOOLS_WORKER_COMMAND_H_
#define SEEDTUNE_TOOLS_WORKER_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct WorkerCommandOptions {
  std::string command;
  std::string kernel;  // "": a small matmul
  std::string device;
  double timeout_seconds = 60;
  bool json = false;
};

// kFailedPrecondition: the worker does not conform; what is wrong went to environment.out.
// kInvalidArgument: the options are wrong.
absl::Status RunWorkerCheck(const WorkerCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_WORKER_COMMAND_H_

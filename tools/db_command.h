// `seedtune db list|export|import`: what the tuning database holds, and its way in and out.
#ifndef SEEDTUNE_TOOLS_DB_COMMAND_H_
#define SEEDTUNE_TOOLS_DB_COMMAND_H_

#include <string>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct DbCommandOptions {
  std::string database;  // "": the default path
  std::string file;      // export, import: "-" is standard output or input
  bool json = false;     // list
};

absl::Status RunDbList(const DbCommandOptions& options, const Environment& environment);
absl::Status RunDbExport(const DbCommandOptions& options, const Environment& environment);
absl::Status RunDbImport(const DbCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_DB_COMMAND_H_

// `seedtune db list|export|import|merge|plot`: what the tuning database holds, and its way in and
// out.
#ifndef SEEDTUNE_TOOLS_DB_COMMAND_H_
#define SEEDTUNE_TOOLS_DB_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct DbCommandOptions {
  std::string database;            // "": the default path
  std::string file;                // export, import: "-" is standard output or input; plot
  std::vector<std::string> files;  // merge: the other databases
  bool json = false;               // list
  // export: "jsonl", or "t4": one run's results and their space, see t4_files.h.
  std::string format = "jsonl";
  // export of T4: the run's id or how it begins; "": the only one.
  std::string run;
  std::vector<std::string> runs;  // plot: ids, or how they begin; empty: all
};

absl::Status RunDbList(const DbCommandOptions& options, const Environment& environment);
absl::Status RunDbExport(const DbCommandOptions& options, const Environment& environment);
absl::Status RunDbImport(const DbCommandOptions& options, const Environment& environment);
// Adds what the other databases hold and this one does not; a second time adds nothing. Each of
// them is taken whole or not at all; those before one that fails stay merged.
absl::Status RunDbMerge(const DbCommandOptions& options, const Environment& environment);
// Draws best-so-far curves of runs (run_curves.h) as a picture or a page. kFailedPrecondition: none
// of them measured anything.
absl::Status RunDbPlot(const DbCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_DB_COMMAND_H_

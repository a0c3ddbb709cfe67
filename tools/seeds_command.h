// `seedtune seeds`: the tables of measured seeds that are built in, whether somebody's own are
// right, and new ones out of tuning databases.
#ifndef SEEDTUNE_TOOLS_SEEDS_COMMAND_H_
#define SEEDTUNE_TOOLS_SEEDS_COMMAND_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/environment.h"
#include "tools/mine_seeds.h"

namespace seedtune {

struct SeedsCommandOptions {
  std::string name;                // show: of a table
  std::vector<std::string> paths;  // check: files, or folders of them
  bool json = false;               // list
  // mine
  std::string database;  // "": the default path
  std::string output;    // "": standard output
  MineSeedsOptions mine;
};

absl::Status RunSeedsList(const SeedsCommandOptions& options, const Environment& environment);
// kNotFound: no such table.
absl::Status RunSeedsShow(const SeedsCommandOptions& options, const Environment& environment);
// Each table is read, validated, and asked for each shape that it measured, on each known device
// that it is for: the space has to take what comes. kInvalidArgument: the first fault of each file.
absl::Status RunSeedsCheck(const SeedsCommandOptions& options, const Environment& environment);
// Writes the table that MineSeedTable() makes, and tells what became of each answer on stderr.
// Nothing is written where there is nothing to mine.
absl::Status RunSeedsMine(const SeedsCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_SEEDS_COMMAND_H_

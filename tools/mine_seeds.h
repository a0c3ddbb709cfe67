// Seed tables out of tuning databases: `seedtune seeds mine`.
#ifndef SEEDTUNE_TOOLS_MINE_SEEDS_H_
#define SEEDTUNE_TOOLS_MINE_SEEDS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/database/database.h"
#include "heuristics/seed_table.pb.h"
#include "tools/seed_cover.h"

namespace seedtune {

struct MineSeedsOptions {
  std::string name;     // of the table; "": from backend and architecture, "cpu_znver5_mined"
  std::string backend;  // "": the only one in the database
  // An architecture ("znver5") or a device's name, as recorded; "": the only architecture.
  std::string device;
  std::string command;        // for the provenance
  std::string commit;         // the same; "": the code generator's version stands in its place
  double nearest_within = 0;  // see seed_table.proto; 0: rules answer for their regions alone
  CoverOptions cover;
};

// What became of one recorded answer.
struct MinedAnswer {
  std::string kernel;
  double untuned_ns = 0;
  double best_ns = 0;
  std::string fate;  // "rules[2]", else why it has no rule
};

struct MinedSeeds {
  SeedTableProto table;  // valid
  std::vector<MinedAnswer> answers;
};

// Finished runs of one backend and one architecture, the fastest answer of each kernel; see
// seed_cover.h for which of their configurations become rules. Times are medians over all samples
// that the run took of a configuration. Tables are not promoted: whoever has measured that a
// table's seeds are good defaults writes that by hand. kFailedPrecondition: nothing to mine (says
// what there is), several backends or architectures and none chosen. Else the database's errors.
absl::StatusOr<MinedSeeds> MineSeedTable(Database& database, const MineSeedsOptions& options);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_MINE_SEEDS_H_

// Seeds written down: what was measured to be good, for which target and which shapes, and where
// that was.
#ifndef SEEDTUNE_HEURISTICS_SEED_TABLE_H_
#define SEEDTUNE_HEURISTICS_SEED_TABLE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/seed_table.pb.h"

namespace seedtune {

// Reads and validates; `file_name` serves the messages. kInvalidArgument: place, fault, what is
// wanted: `h100_matmul.textproto: rules[1].seed.knob[0] "block_size[m]" is -4, ...`. Provenance is
// required. Two rules that both match some shape are an error unless one's region lies wholly
// inside the other's (the narrower wins).
absl::StatusOr<SeedTableProto> ParseSeedTable(std::string_view text, std::string_view file_name);
absl::Status ValidateSeedTable(const SeedTableProto& table);

// A heuristic that answers from a (valid) table: eligible where the target and a rule match. The
// reason names the level that hit (exact architecture, family, device kind) and the rule.
absl::StatusOr<std::unique_ptr<const AutotunerHeuristic>> MakeSeedTableHeuristic(
    SeedTableProto table);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_SEED_TABLE_H_

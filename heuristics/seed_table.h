// Seeds written down: what was measured to be good, for which target and which shapes, and where
// that was. The fields are explained in seed_table.proto.
#ifndef SEEDTUNE_HEURISTICS_SEED_TABLE_H_
#define SEEDTUNE_HEURISTICS_SEED_TABLE_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/seed_table.pb.h"

namespace seedtune {

// Reads and validates; `file_name` serves the messages. kInvalidArgument: place, fault, what is
// wanted: `zen5.textproto: rules[1].seed.knob[0] "block_size[m]" is -4, want at least 0`.
// Thread-safe.
absl::StatusOr<SeedTableProto> ParseSeedTable(std::string_view text, std::string_view file_name);

// The first field that is missing or wrong, in the order of the schema. Provenance is required. Two
// rules that both match some kernel are an error unless one's region lies wholly inside the other's
// (the narrower wins). Whether a config space takes the seeds is not asked here: that depends on
// the kernel and the device. Thread-safe.
absl::Status ValidateSeedTable(const SeedTableProto& table);

// A heuristic that answers from a table: eligible where the target and a rule match. The reason
// names the level that hit (exact architecture, family, device kind), the rule, and whether it has
// that very shape or is merely the nearest. Extents must be
// static; a hint is only a hint. kInvalidArgument: the table is not valid.
absl::StatusOr<std::unique_ptr<const AutotunerHeuristic>> MakeSeedTableHeuristic(
    SeedTableProto table);

}  // namespace seedtune

#endif  // SEEDTUNE_HEURISTICS_SEED_TABLE_H_

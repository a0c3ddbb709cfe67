// Checksums of records, kept with each row: SQLite notices a page that makes no sense, but not a
// bit that flips inside a number, and a time that a bad disk has changed could win for ever. Part
// of the schema: another way to compute them is another schema version. Thread-safe: no state.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_CHECKSUM_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_CHECKSUM_H_

#include <cstdint>
#include <string>

#include "autotuner/database/records.h"

namespace seedtune {

int64_t Checksum(const RunInfo& run);
// The configuration of a tell or a re-timing is its ask's and not part of it.
int64_t Checksum(const std::string& run_id, const RunEvent& event);
// Of all that a look-up answers with, wherever it is kept; of the winner's ask; and of the size of
// the run's log, whose last events could be missed otherwise.
int64_t Checksum(const BestRecord& best, int64_t ask_sequence, int64_t log_size);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_CHECKSUM_H_

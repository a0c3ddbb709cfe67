// Opens the file of a tuning database: makes it where it is wanted and missing, and lets nothing
// pass that is not ours.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_FILE_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "autotuner/database/sqlite.h"

namespace seedtune {

struct DatabaseFileOptions {
  bool writes = true;  // false: nothing may be written, and the file must be there
  int busy_timeout_ms = 5000;
};

// A connection with the tables of schema.h. Errors: those of Database::Open. Thread-safe.
absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenDatabaseFile(
    const std::string& path, const DatabaseFileOptions& options);

// Closes it and leaves one file, unless another process has it open. A connection that is only let
// go leaves a second,
// "<path>-journal", which means nothing but does no harm.
void CloseDatabaseFile(std::unique_ptr<SqliteConnection> connection);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_DATABASE_FILE_H_

#include "autotuner/database/database_file.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/schema.h"
#include "autotuner/database/sqlite.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr std::string_view kSqliteMagic("SQLite format 3\0", 16);
// https://www.sqlite.org/fileformat.html, 1.3: the header's size and what stands where in it.
constexpr int kSqliteHeaderSize = 100;
constexpr int kUserVersionOffset = 60;
constexpr int kApplicationIdOffset = 68;

std::string Quoted(std::string_view text) { return absl::StrCat("\"", ToAbsl(text), "\""); }

// An error of the operating system about `path`.
absl::Status SystemError(const std::string& path, std::string_view doing, int error_number) {
  const std::string message = absl::StrCat(Quoted(path), ": cannot ", ToAbsl(doing), " (",
                                           std::strerror(error_number), "); ");
  switch (error_number) {
    case EACCES:
    case EPERM:
    case EROFS:
      return absl::PermissionDeniedError(absl::StrCat(
          message, "change the permissions of the file and its folder, or give another file"));
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(
          absl::StrCat(message, "make room, or give a file on another disk"));
    default:
      return absl::InvalidArgumentError(absl::StrCat(message, "give another file"));
  }
}

// That `path` is a file, or, for a database that is to be written, can be made one. Creates the
// folder.
absl::Status PreparePlace(const std::string& path, bool writes) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(absl::StrCat("database file is ", Quoted(absl::CEscape(path)),
                                                   ", want the name of a file"));
  }
  std::error_code error;
  // Where a link leads to: there SQLite's rollback journal stands beside the file.
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, error);
  const std::filesystem::path folder =
      target.has_parent_path() ? target.parent_path() : std::filesystem::path(".");
  struct stat info;
  const bool exists = stat(path.c_str(), &info) == 0;
  const int error_number = errno;
  if (path.ends_with('/') || (exists && S_ISDIR(info.st_mode))) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(path), ": is a folder, want a file; give a file in it"));
  }
  if (exists) {
    if (!S_ISREG(info.st_mode)) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(path), ": is not a regular file; give another file"));
    }
    // SQLite takes a single byte for none.
    if (info.st_size == 1) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(path), ": is not a tuning database (1 byte); give another file"));
    }
  } else if (error_number != ENOENT) {
    return SystemError(path, "open", error_number);
  } else if (!writes) {
    return absl::NotFoundError(
        absl::StrCat(Quoted(path), ": no such file; tune something first, or give another file"));
  } else {
    std::filesystem::create_directories(folder, error);
    if (error) {
      return SystemError(path, absl::StrCat("create its folder ", Quoted(folder.string())),
                         error.value());
    }
  }
  if (writes && access(folder.c_str(), W_OK | X_OK) != 0) {
    return SystemError(path, absl::StrCat("write in its folder ", Quoted(folder.string())), errno);
  }
  return absl::OkStatus();
}

int32_t BigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return static_cast<int32_t>(value);
}

absl::Status DamagedFile(const std::string& path, std::string_view what) {
  return absl::DataLossError(
      absl::StrCat(Quoted(path), ": damaged (", ToAbsl(what),
                   "); put back a copy of it, or move it away and tune again"));
}

absl::Status CheckVersion(const std::string& path, int64_t application_id, int64_t version) {
  if (application_id != kApplicationId) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(path), ": is another application's SQLite database (application id ",
                     application_id, ", want ", kApplicationId, "); give another file"));
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat(Quoted(path), ": is written by a newer version (schema ", version, ", want ",
                     kSchemaVersion, "); use that version, or give another file"));
  }
  if (version < 1) {
    return DamagedFile(path, absl::StrCat("schema ", version, ", want ", kSchemaVersion));
  }
  return absl::OkStatus();
}

// That the file is ours or empty, by its first bytes alone: nothing of another's is locked, rolled
// back or written.
absl::Status CheckRawHeader(SqliteConnection& connection) {
  const std::string& path = connection.path();
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string header, connection.RawHeader(kSqliteHeaderSize));
  if (header.empty()) return absl::OkStatus();
  const std::string_view start = std::string_view(header).substr(0, kSqliteMagic.size());
  if (start != kSqliteMagic.substr(0, start.size())) {
    // A machine that lost power while it created the database may leave zeros, and a journal that
    // SQLite empties the file with.
    struct stat journal;
    const bool zeros = header.find_first_not_of('\0') == std::string::npos;
    if (zeros && stat(connection.journal_path().c_str(), &journal) == 0 && journal.st_size > 0) {
      return absl::OkStatus();
    }
    return absl::InvalidArgumentError(
        absl::StrCat(Quoted(path), ": is not a tuning database (begins with ",
                     Quoted(absl::CHexEscape(ToAbsl(start))), "); give another file"));
  }
  if (header.size() < kSqliteHeaderSize) {
    return DamagedFile(path, absl::StrCat("cut short after ", header.size(), " bytes"));
  }
  return CheckVersion(path, BigEndian32(std::string_view(header).substr(kApplicationIdOffset)),
                      BigEndian32(std::string_view(header).substr(kUserVersionOffset)));
}

// What holds under a lock, as of the last commit: the number of tables; and that the file is as
// long as it should be.
absl::StatusOr<int64_t> CountTables(SqliteConnection& connection) {
  SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction,
                            SqliteTransaction::Begin(connection, SqliteTransaction::Kind::kRead));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t tables,
                            connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t pages, connection.QueryInt("PRAGMA page_count"));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t page_bytes, connection.QueryInt("PRAGMA page_size"));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t file_bytes, connection.FileSize());
  if (file_bytes < pages * page_bytes) {
    return DamagedFile(connection.path(), absl::StrCat("cut short after ", file_bytes,
                                                       " bytes, want ", pages * page_bytes));
  }
  return tables;
}

// Makes the tables, unless another process has just done so.
absl::Status CreateTables(SqliteConnection& connection) {
  SEEDTUNE_RETURN_IF_ERROR(connection.Execute("PRAGMA auto_vacuum = NONE"));
  SEEDTUNE_ASSIGN_OR_RETURN(SqliteTransaction transaction,
                            SqliteTransaction::Begin(connection, SqliteTransaction::Kind::kWrite));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t tables,
                            connection.QueryInt("SELECT count(*) FROM sqlite_schema"));
  if (tables > 0) return absl::OkStatus();
  SEEDTUNE_RETURN_IF_ERROR(connection.Execute(kSchema));
  const std::string marks = absl::StrCat("PRAGMA application_id = ", kApplicationId,
                                         "; PRAGMA user_version = ", kSchemaVersion);
  SEEDTUNE_RETURN_IF_ERROR(connection.Execute(marks.c_str()));
  return transaction.Commit();
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteConnection>> OpenDatabaseFile(
    const std::string& path, const DatabaseFileOptions& options) {
  SEEDTUNE_RETURN_IF_ERROR(PreparePlace(path, options.writes));
  // A reader, too, opens for writing where it may: only so can it roll back what a killed writer
  // left half done.
  SEEDTUNE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteConnection> connection,
      SqliteConnection::Open(
          path, {.create = options.writes, .busy_timeout_ms = options.busy_timeout_ms}));
  SEEDTUNE_RETURN_IF_ERROR(CheckRawHeader(*connection));
  if (options.writes && connection->read_only()) return connection->Error(SQLITE_READONLY);

  SEEDTUNE_RETURN_IF_ERROR(connection->Execute(
      "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON; "
      "PRAGMA temp_store = MEMORY"));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t tables, CountTables(*connection));
  if (tables == 0) {
    if (!options.writes) {
      return absl::NotFoundError(
          absl::StrCat(Quoted(path), ": is empty; tune something first, or give another file"));
    }
    SEEDTUNE_RETURN_IF_ERROR(CreateTables(*connection));
  }
  // Again, now as of the last commit and under a lock.
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t application_id,
                            connection->QueryInt("PRAGMA application_id"));
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t version, connection->QueryInt("PRAGMA user_version"));
  SEEDTUNE_RETURN_IF_ERROR(CheckVersion(path, application_id, version));
  // A commit is done when the journal's header is overwritten with zeros and synced. Deleting the
  // journal instead needs its folder synced, too (synchronous = EXTRA), or else a power failure
  // could bring it back and take back the commit; measured on ext4, that takes half as long again.
  // The journal stays until CloseDatabaseFile.
  SEEDTUNE_RETURN_IF_ERROR(connection->Execute(options.writes ? "PRAGMA journal_mode = PERSIST"
                                                              : "PRAGMA query_only = ON"));
  return connection;
}

void CloseDatabaseFile(std::unique_ptr<SqliteConnection> connection) {
  // In vain while another process writes, which will do it in its turn.
  connection->Execute("PRAGMA journal_mode = DELETE").IgnoreError();
}

}  // namespace seedtune

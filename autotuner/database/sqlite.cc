#include "autotuner/database/sqlite.h"

#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path,
                                                                         const Options& options) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path, options.busy_timeout_ms));
  // A path of SQLite's own tongue (":memory:", "") must be a file like any other.
  const std::string file = path.starts_with('/') ? path : absl::StrCat("./", path);
  const int flags = SQLITE_OPEN_READWRITE | (options.create ? SQLITE_OPEN_CREATE : 0) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code = sqlite3_open_v2(file.c_str(), &connection->handle_, flags, nullptr);
  if (code != SQLITE_OK) return connection->Error(code);
  sqlite3_busy_timeout(connection->handle_, options.busy_timeout_ms);
  // Files come from anywhere: nothing in their schema may do harm.
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return connection;
}

SqliteConnection::~SqliteConnection() {
  statements_.clear();
  sqlite3_close(handle_);
}

bool SqliteConnection::read_only() const { return sqlite3_db_readonly(handle_, "main") != 0; }

std::string SqliteConnection::journal_path() const {
  return absl::StrCat(sqlite3_db_filename(handle_, "main"), "-journal");
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

absl::StatusOr<sqlite3_file*> SqliteConnection::File() {
  // SQLite's own handle: closing another one of this process would drop its locks on the file.
  sqlite3_file* file = nullptr;
  const int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  if (code != SQLITE_OK) return Error(code);
  return file;
}

absl::StatusOr<int64_t> SqliteConnection::FileSize() {
  SEEDTUNE_ASSIGN_OR_RETURN(sqlite3_file* const file, File());
  sqlite3_int64 size = 0;
  const int code = file->pMethods->xFileSize(file, &size);
  if (code != SQLITE_OK) return Error(code);
  return size;
}

absl::StatusOr<std::string> SqliteConnection::RawHeader(int size) {
  SEEDTUNE_ASSIGN_OR_RETURN(sqlite3_file* const file, File());
  SEEDTUNE_ASSIGN_OR_RETURN(const int64_t file_size, FileSize());
  std::string bytes(static_cast<size_t>(std::min<int64_t>(file_size, size)), '\0');
  if (bytes.empty()) return bytes;
  const int code =
      file->pMethods->xRead(file, bytes.data(), static_cast<int>(bytes.size()), /*iOfst=*/0);
  if (code != SQLITE_OK) return Error(code);
  return bytes;
}

absl::Status SqliteConnection::Execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code);
}

absl::StatusOr<int64_t> SqliteConnection::QueryInt(const char* sql) {
  SqliteQuery query(*this, sql);
  SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
  return found ? query.Int(0) : 0;
}

absl::Status SqliteConnection::Error(int code) const {
  const int error_number = handle_ == nullptr ? 0 : sqlite3_system_errno(handle_);
  const bool is_io = (code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN;
  const auto message = [&](const auto&... parts) {
    return absl::StrCat("\"", path_, "\": ", parts...);
  };
  // Not the message of some call before, as after an error of the file system itself.
  const bool has_message = (sqlite3_errcode(handle_) & 0xff) == (code & 0xff);
  const std::string detail = absl::StrCat(
      "SQLite: ", has_message ? sqlite3_errmsg(handle_) : sqlite3_errstr(code), " (", code,
      is_io && error_number != 0 ? absl::StrCat(", ", std::strerror(error_number)) : "", ")");

  if ((code & 0xff) == SQLITE_FULL ||
      (is_io && (error_number == ENOSPC || error_number == EDQUOT))) {
    return absl::ResourceExhaustedError(
        message("the disk is full; make room, or give a file on another disk"));
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(message("another process is writing to it (waited ",
                                            busy_timeout_ms_,
                                            " ms); wait until it ends, or give another file"));
    case SQLITE_ERROR:  // Our statements are right, so the tables are not.
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(
          message("damaged (", detail, "); put back a copy of it, or move it away and tune again"));
    case SQLITE_READONLY:
      if (code == SQLITE_READONLY_DBMOVED) {
        return absl::FailedPreconditionError(
            message("was moved or deleted while it was open; open it again where it is now"));
      }
      return absl::PermissionDeniedError(
          code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY
              ? message("a writer was killed and its journal must be rolled back, but the file may "
                        "not be written; open it once where it may")
              : message("may not be written; change the permissions of the file and its folder, or "
                        "give another file"));
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return absl::PermissionDeniedError(message(
          "may not be opened (", detail, "); change its permissions, or give another file"));
    case SQLITE_CANTOPEN:
      if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
        return absl::PermissionDeniedError(
            message("may not be opened (", std::strerror(error_number),
                    "); change the permissions of the file and its folder, or give another file"));
      }
      if (error_number == ENOENT) {
        return absl::NotFoundError(message("no such file; give one that is there"));
      }
      if (error_number == EMFILE || error_number == ENFILE) {
        return absl::ResourceExhaustedError(message("too many open files; close some"));
      }
      return absl::InternalError(message("cannot open (", detail, "); give another file"));
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(message("out of memory; free some"));
    case SQLITE_TOOBIG:
      return absl::InvalidArgumentError(
          message("a text is longer than SQLite takes (1 GB); shorten it"));
    case SQLITE_IOERR:
      return absl::InternalError(
          message("cannot read or write (", detail, "); check the disk, or give another file"));
    default:
      return absl::InternalError(message(detail, "; report this as a bug of ours"));
  }
}

SqliteQuery::SqliteQuery(SqliteConnection& connection, const char* sql) : connection_(connection) {
  auto& statement = connection.statements_[sql];
  if (statement == nullptr) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(connection.handle_, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                        &prepared, nullptr);
    Note(code);
    statement.reset(prepared);
  }
  statement_ = statement.get();
  assert(statement_ == nullptr || !sqlite3_stmt_busy(statement_));
}

SqliteQuery::~SqliteQuery() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

void SqliteQuery::Note(int code) {
  if (code != SQLITE_OK && status_.ok()) status_ = connection_.Error(code);
}

SqliteQuery& SqliteQuery::Bind(int64_t value) {
  if (statement_ != nullptr) Note(sqlite3_bind_int64(statement_, ++parameter_, value));
  return *this;
}

SqliteQuery& SqliteQuery::Bind(double value) {
  if (statement_ != nullptr) Note(sqlite3_bind_double(statement_, ++parameter_, value));
  return *this;
}

SqliteQuery& SqliteQuery::Bind(std::string_view value) {
  if (statement_ != nullptr) {
    // An empty view may have no address, which SQLite would take for NULL.
    Note(sqlite3_bind_text64(statement_, ++parameter_, value.empty() ? "" : value.data(),
                             value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
  }
  return *this;
}

SqliteQuery& SqliteQuery::BindNull() {
  if (statement_ != nullptr) Note(sqlite3_bind_null(statement_, ++parameter_));
  return *this;
}

absl::StatusOr<bool> SqliteQuery::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return connection_.Error(code);
}

absl::Status SqliteQuery::Run() {
  while (true) {
    SEEDTUNE_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

bool SqliteQuery::IsNull(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

int64_t SqliteQuery::Int(int column) const { return sqlite3_column_int64(statement_, column); }

double SqliteQuery::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string SqliteQuery::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return "";
  return std::string(reinterpret_cast<const char*>(text),
                     static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

absl::StatusOr<SqliteTransaction> SqliteTransaction::Begin(SqliteConnection& connection,
                                                           Kind kind) {
  SEEDTUNE_RETURN_IF_ERROR(
      SqliteQuery(connection, kind == Kind::kWrite ? "BEGIN IMMEDIATE" : "BEGIN").Run());
  return SqliteTransaction(&connection);
}

absl::Status SqliteTransaction::Commit() {
  absl::Status status = SqliteQuery(*connection_, "COMMIT").Run();
  if (status.ok()) connection_ = nullptr;
  return status;
}

SqliteTransaction::~SqliteTransaction() {
  // SQLite itself has rolled back after some errors. Rolling back cannot fail in a way that
  // matters: what is left is a journal, which the next reader rolls back.
  if (connection_ != nullptr && connection_->in_transaction()) {
    SqliteQuery(*connection_, "ROLLBACK").Run().IgnoreError();
  }
}

}  // namespace seedtune

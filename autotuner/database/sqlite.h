// SQLite's C interface behind objects that clean up after themselves, and its errors as
// absl::Status fit for people.
//
//   SqliteQuery query(connection, "SELECT name FROM runs WHERE run = ?");
//   query.Bind(run);
//   SEEDTUNE_ASSIGN_OR_RETURN(const bool found, query.Step());
//   if (found) Use(query.Text(0));
//
// Not thread-safe; not to be used in a child process after fork().
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_SQLITE_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_SQLITE_H_

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seedtune {

// A database connection with its prepared statements, each prepared once and used again.
class SqliteConnection {
 public:
  struct Options {
    bool create = false;  // if there is no such file
    int busy_timeout_ms = 0;
  };

  // Opens for reading and writing, or for reading where the file may not be written (see
  // read_only()). Neither reads nor changes the file's contents. Error codes: those of Error().
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path,
                                                                const Options& options);

  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  const std::string& path() const { return path_; }
  // The operating system lets us only read the file.
  bool read_only() const;
  bool in_transaction() const;
  // Where the rollback journal stands while there is one.
  std::string journal_path() const;

  // The first `size` bytes of the file as they stand on the disk, fewer if it is shorter: no lock
  // is taken and no crashed writer's journal is rolled back, so a file that is not ours stays
  // untouched.
  absl::StatusOr<std::string> RawHeader(int size);

  // Of the file on the disk, in bytes. Steady only within a transaction.
  absl::StatusOr<int64_t> FileSize();

  // Runs statements that give no rows, one after the other.
  absl::Status Execute(const char* sql);
  // The one number that `sql` gives.
  absl::StatusOr<int64_t> QueryInt(const char* sql);

  // What the result code of the last call of SQLite means, with the path and what to do:
  // kUnavailable (another process holds the lock), kResourceExhausted (disk, memory or file
  // handles), kDataLoss (damaged), kPermissionDenied (may not be read or written), kNotFound (no
  // such file), kInvalidArgument (too large), kFailedPrecondition (moved away while open),
  // kInternal (the disk fails, or a bug of ours).
  absl::Status Error(int code) const;

 private:
  friend class SqliteQuery;

  absl::StatusOr<sqlite3_file*> File();

  SqliteConnection(std::string path, int busy_timeout_ms)
      : path_(std::move(path)), busy_timeout_ms_(busy_timeout_ms) {}

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };

  std::string path_;
  int busy_timeout_ms_;
  sqlite3* handle_ = nullptr;
  // By the address of the statement's text.
  std::unordered_map<const char*, std::unique_ptr<sqlite3_stmt, Finalize>> statements_;
};

// One execution of a statement. Ends (releasing locks) when the object goes. At most one at a time
// for each text.
class SqliteQuery {
 public:
  // `sql` is one statement and a string literal: its address names the prepared statement. Errors
  // come out of Step(); kDataLoss: a table or column is missing.
  SqliteQuery(SqliteConnection& connection, const char* sql);
  SqliteQuery(const SqliteQuery&) = delete;
  SqliteQuery& operator=(const SqliteQuery&) = delete;
  ~SqliteQuery();

  // The next parameter's value. Texts are copied.
  SqliteQuery& Bind(int64_t value);
  SqliteQuery& Bind(double value);  // finite
  SqliteQuery& Bind(std::string_view value);
  SqliteQuery& BindNull();

  // True: a row is at hand. False: there is none (any more).
  absl::StatusOr<bool> Step();
  // Steps to the end, passing over rows.
  absl::Status Run();

  // The row's columns, from 0. NULL reads as 0 or "".
  bool IsNull(int column) const;
  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;

 private:
  void Note(int code);

  SqliteConnection& connection_;
  sqlite3_stmt* statement_ = nullptr;
  int parameter_ = 0;
  absl::Status status_;  // the first error before Step()
};

// Rolled back unless committed. Begin at once as a writer (`kWrite`), so that waiting for another
// writer happens here and not half-way.
class SqliteTransaction {
 public:
  enum class Kind { kRead, kWrite };

  static absl::StatusOr<SqliteTransaction> Begin(SqliteConnection& connection, Kind kind);
  SqliteTransaction(SqliteTransaction&& other) noexcept : connection_(other.connection_) {
    other.connection_ = nullptr;
  }
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();

  // On an error all is rolled back.
  absl::Status Commit();

 private:
  explicit SqliteTransaction(SqliteConnection* connection) : connection_(connection) {}
  SqliteConnection* connection_;  // null: over
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_SQLITE_H_

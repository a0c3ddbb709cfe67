#include "autotuner/database/sqlite.h"

#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::unique_ptr<SqliteConnection> MustOpen(const std::string& path) {
  auto connection = SqliteConnection::Open(path, {.create = true, .busy_timeout_ms = 1});
  EXPECT_THAT(connection, IsOk());
  return *std::move(connection);
}

class SqliteTest : public ::testing::Test {
 protected:
  absl::Status Insert(int64_t value) {
    SqliteQuery query(*connection_, "INSERT INTO t (i) VALUES (?)");
    query.Bind(value);
    return query.Run();
  }
  int64_t Count() { return *connection_->QueryInt("SELECT count(*) FROM t"); }

  TempDir dir_;
  std::string path_ = dir_.Path("test.db");
  std::unique_ptr<SqliteConnection> connection_ = MustOpen(path_);
};

TEST_F(SqliteTest, ValuesComeBackAsTheyWere) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT, n TEXT) STRICT"),
              IsOk());
  const std::string text("a\0\xe2\x82\xac", 5);
  for (const int64_t integer :
       {std::numeric_limits<int64_t>::min(), int64_t{-1}, std::numeric_limits<int64_t>::max()}) {
    for (const double real : {1.0 / 3, 5e-324, -1.7976931348623157e308, 3.0}) {
      for (const std::string_view string : {std::string_view(text), std::string_view()}) {
        ASSERT_THAT(connection_->Execute("DELETE FROM t"), IsOk());
        {
          SqliteQuery query(*connection_, "INSERT INTO t VALUES (?, ?, ?, ?)");
          query.Bind(integer).Bind(real).Bind(string).BindNull();
          ASSERT_THAT(query.Run(), IsOk());
        }
        SqliteQuery query(*connection_, "SELECT i, r, s, n FROM t");
        ASSERT_THAT(query.Step(), IsOkAndHolds(true));
        EXPECT_EQ(query.Int(0), integer);
        EXPECT_EQ(query.Real(1), real);
        EXPECT_EQ(query.Text(2), string);
        EXPECT_FALSE(query.IsNull(2));
        EXPECT_TRUE(query.IsNull(3));
        EXPECT_EQ(query.Text(3), "");
        EXPECT_THAT(query.Step(), IsOkAndHolds(false));
      }
    }
  }
}

TEST_F(SqliteTest, AQueryCanBeUsedAgainAfterItsEnd) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i)"), IsOk());
  for (int64_t i = 0; i < 3; ++i) ASSERT_THAT(Insert(i), IsOk());
  for (int64_t i = 0; i < 3; ++i) {
    SqliteQuery query(*connection_, "SELECT i FROM t WHERE i >= ? ORDER BY i");
    query.Bind(i);
    ASSERT_THAT(query.Step(), IsOkAndHolds(true));  // and left there
    EXPECT_EQ(query.Int(0), i);
  }
}

TEST_F(SqliteTest, ATransactionCountsOnlyOnceCommitted) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i)"), IsOk());
  {
    ASSERT_OK_AND_ASSIGN(SqliteTransaction transaction,
                         SqliteTransaction::Begin(*connection_, SqliteTransaction::Kind::kWrite));
    ASSERT_THAT(Insert(1), IsOk());
    EXPECT_TRUE(connection_->in_transaction());
  }
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(Count(), 0);
  {
    ASSERT_OK_AND_ASSIGN(SqliteTransaction transaction,
                         SqliteTransaction::Begin(*connection_, SqliteTransaction::Kind::kWrite));
    ASSERT_THAT(Insert(1), IsOk());
    ASSERT_THAT(transaction.Commit(), IsOk());
  }
  EXPECT_EQ(Count(), 1);
}

TEST_F(SqliteTest, ACommitThatFailsIsRolledBack) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i)"), IsOk());
  const std::unique_ptr<SqliteConnection> reader = MustOpen(path_);
  {
    SqliteQuery reading(*reader, "SELECT * FROM sqlite_schema");
    ASSERT_THAT(reading.Step(), IsOkAndHolds(true));  // holds a lock
    ASSERT_OK_AND_ASSIGN(SqliteTransaction transaction,
                         SqliteTransaction::Begin(*connection_, SqliteTransaction::Kind::kWrite));
    ASSERT_THAT(Insert(1), IsOk());
    EXPECT_THAT(transaction.Commit(), StatusIs(absl::StatusCode::kUnavailable, HasSubstr(path_)));
  }
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(Count(), 0);
  EXPECT_THAT(Insert(2), IsOk());
}

TEST_F(SqliteTest, AMissingTableIsDamage) {
  EXPECT_THAT(connection_->QueryInt("SELECT x FROM missing"),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(path_), HasSubstr("no such table: missing"))));
}

TEST_F(SqliteTest, AConstraintIsOurOwnAffair) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i UNIQUE)"), IsOk());
  ASSERT_THAT(Insert(1), IsOk());
  EXPECT_THAT(Insert(1), StatusIs(absl::StatusCode::kInternal,
                                  AllOf(HasSubstr("UNIQUE constraint failed"), HasSubstr("bug"))));
}

TEST_F(SqliteTest, AFileThatWasMovedAwayIsNamed) {
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i)"), IsOk());
  std::filesystem::rename(path_, dir_.Path("elsewhere.db"));
  EXPECT_THAT(Insert(1), StatusIs(absl::StatusCode::kFailedPrecondition,
                                  AllOf(HasSubstr(path_), HasSubstr("moved or deleted"))));
}

TEST_F(SqliteTest, TheRawHeaderIsWhatTheFileBeginsWith) {
  EXPECT_THAT(connection_->RawHeader(100), IsOkAndHolds(std::string()));
  EXPECT_THAT(connection_->FileSize(), IsOkAndHolds(0));
  ASSERT_THAT(connection_->Execute("CREATE TABLE t (i)"), IsOk());
  EXPECT_THAT(connection_->RawHeader(100),
              IsOkAndHolds(AllOf(SizeIs(100), StartsWith("SQLite format 3"))));
  EXPECT_THAT(connection_->FileSize(),
              IsOkAndHolds(static_cast<int64_t>(std::filesystem::file_size(path_))));
}

TEST_F(SqliteTest, EveryErrorNamesTheFileAndARemedy) {
  const struct {
    int code;
    absl::StatusCode status;
  } kCases[] = {
      {SQLITE_BUSY, absl::StatusCode::kUnavailable},
      {SQLITE_BUSY_SNAPSHOT, absl::StatusCode::kUnavailable},
      {SQLITE_LOCKED, absl::StatusCode::kUnavailable},
      {SQLITE_FULL, absl::StatusCode::kResourceExhausted},
      {SQLITE_NOMEM, absl::StatusCode::kResourceExhausted},
      {SQLITE_CORRUPT, absl::StatusCode::kDataLoss},
      {SQLITE_CORRUPT_INDEX, absl::StatusCode::kDataLoss},
      {SQLITE_NOTADB, absl::StatusCode::kDataLoss},
      {SQLITE_READONLY, absl::StatusCode::kPermissionDenied},
      {SQLITE_READONLY_DIRECTORY, absl::StatusCode::kPermissionDenied},
      {SQLITE_READONLY_ROLLBACK, absl::StatusCode::kPermissionDenied},
      {SQLITE_READONLY_DBMOVED, absl::StatusCode::kFailedPrecondition},
      {SQLITE_PERM, absl::StatusCode::kPermissionDenied},
      {SQLITE_TOOBIG, absl::StatusCode::kInvalidArgument},
      {SQLITE_IOERR_WRITE, absl::StatusCode::kInternal},
      {SQLITE_CANTOPEN, absl::StatusCode::kInternal},
      {SQLITE_MISUSE, absl::StatusCode::kInternal},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(connection_->Error(c.code),
                StatusIs(c.status, AllOf(StartsWith("\"" + path_ + "\": "), HasSubstr("; "))))
        << c.code;
  }
}

TEST(SqliteOpenTest, SaysWhyItCannot) {
  const TempDir dir;
  EXPECT_THAT(SqliteConnection::Open(dir.Path("missing.db"), {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr(dir.Path("missing.db"))));
  EXPECT_FALSE(std::filesystem::exists(dir.Path("missing.db")));
}

}  // namespace
}  // namespace seedtune

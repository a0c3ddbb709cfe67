// What Database::Open makes of files that are no tuning database of ours, or a damaged one, or out
// of reach.
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autotuner/database/database.h"
#include "autotuner/database/example_records.h"
#include "autotuner/database/fault_vfs.h"
#include "autotuner/database/json_lines.h"
#include "autotuner/database/records.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Database::Mode kBothModes[] = {Database::Mode::kReadOnly, Database::Mode::kReadWrite};

absl::StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Database::Mode mode) {
  Database::Options options;
  options.mode = mode;
  options.busy_timeout_ms = 20;
  return Database::Open(path, options);
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteAll(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// Every file below a folder with its contents and time of change.
std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>> Snapshot(
    const std::string& folder) {
  std::map<std::string, std::pair<std::string, std::filesystem::file_time_type>> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    files[entry.path().string()] = {entry.is_regular_file() ? ReadAll(entry.path().string()) : "",
                                    std::filesystem::last_write_time(entry.path())};
  }
  return files;
}

void RunSql(const std::string& path, const char* sql) {
  sqlite3* handle = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &handle), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(handle);
  sqlite3_close(handle);
}

// A database of ours with two runs; its contents are `text`.
void MakeDatabase(const std::string& path, std::string* text = nullptr) {
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
  ASSERT_THAT(database, IsOk());
  const std::string lines =
      absl::StrCat(FormatHeaderLine(), "\n", FormatRunLine(ExampleDocument(1)), "\n",
                   FormatRunLine(ExampleDocument(2)), "\n");
  ASSERT_THAT((*database)->ImportJsonLines(lines), IsOkAndHolds(2));
  if (text != nullptr) *text = *(*database)->ExportJsonLines();
}

// Copies a database in the middle of a transaction that has already written to the file: what a
// killed writer leaves.
void CopyHalfWritten(const std::string& from, const std::string& to) {
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(from.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(
      sqlite3_exec(writer,
                   "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN; "
                   "CREATE TABLE big (x); "
                   "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200) "
                   "INSERT INTO big SELECT zeroblob(2000) FROM n",
                   nullptr, nullptr, nullptr),
      SQLITE_OK);
  WriteAll(to, ReadAll(from));
  WriteAll(to + "-journal", ReadAll(from + "-journal"));
  sqlite3_close(writer);
  ASSERT_GT(std::filesystem::file_size(to), 200u * 2000u);
  ASSERT_GT(std::filesystem::file_size(to + "-journal"), 0u);
}

// Runs `body` in a child process and returns what it returned ("": passed).
std::string InChild(const std::function<std::string()>& body) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    const std::string result = body();
    const ssize_t written = write(ends[1], result.data(), result.size());
    _exit(written == static_cast<ssize_t>(result.size()) ? 0 : 1);
  }
  close(ends[1]);
  std::string result;
  char buffer[256];
  for (ssize_t size; (size = read(ends[0], buffer, sizeof(buffer))) > 0;) {
    result.append(buffer, static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? result : "the child crashed";
}

class DatabaseOpenTest : public ::testing::Test {
 protected:
  TempDir dir_;
  FaultVfs disk_;  // without faults: a fast one
};

TEST_F(DatabaseOpenTest, MakesTheFileAndItsFolders) {
  const std::string path = dir_.Path("a/b/tuning.db");
  EXPECT_THAT(Open(path, Database::Mode::kReadOnly),
              StatusIs(absl::StatusCode::kNotFound, AllOf(HasSubstr(path), HasSubstr("no such"))));
  EXPECT_FALSE(std::filesystem::exists(dir_.Path("a")));
  ASSERT_OK_AND_ASSIGN(const auto database, Open(path, Database::Mode::kReadWrite));
  EXPECT_EQ(database->path(), path);
  EXPECT_THAT(database->ListRuns(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(Open(path, Database::Mode::kReadOnly), IsOk());
}

TEST_F(DatabaseOpenTest, TakesNamesThatSqliteReadsOtherwise) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir_.path());
  for (const char* name : {":memory:", "file:x?mode=memory", "plain.db", "sub/plain.db"}) {
    ASSERT_THAT(Open(name, Database::Mode::kReadWrite), IsOk());
    EXPECT_TRUE(std::filesystem::is_regular_file(dir_.Path(name))) << name;
  }
  std::filesystem::current_path(before);
}

TEST_F(DatabaseOpenTest, AnEmptyFileIsANewDatabase) {
  const std::string path = dir_.Path("tuning.db");
  WriteAll(path, "");
  EXPECT_THAT(Open(path, Database::Mode::kReadOnly),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("is empty")));
  EXPECT_EQ(std::filesystem::file_size(path), 0u);
  ASSERT_OK_AND_ASSIGN(const auto database, Open(path, Database::Mode::kReadWrite));
  EXPECT_THAT(database->StartRun(ExampleRun(1)), IsOk());
}

TEST_F(DatabaseOpenTest, FollowsALink) {
  MakeDatabase(dir_.Path("real.db"));
  std::filesystem::create_symlink("real.db", dir_.Path("link.db"));
  ASSERT_OK_AND_ASSIGN(const auto database, Open(dir_.Path("link.db"), Database::Mode::kReadWrite));
  EXPECT_THAT(database->StartRun(ExampleRun(7)), IsOk());
  EXPECT_TRUE(std::filesystem::is_symlink(dir_.Path("link.db")));
}

TEST_F(DatabaseOpenTest, RefusesWhatIsNotOursAndTouchesNothing) {
  const std::string jpeg = std::string("\xff\xd8\xff\xe0\x00\x10JFIF\x00", 11);
  const struct {
    const char* name;
    std::string contents;
    const char* error;
  } kFiles[] = {
      {"notes.txt", "Hello, world\n" + std::string(5000, 'x'),
       "(begins with \"Hello, world\\nxxx\")"},
      {"short.txt", "Hi", "(begins with \"Hi\")"},
      {"shortest.txt", "S", "is not a tuning database (1 byte)"},
      {"photo.jpg", jpeg + std::string(5000, '\x80'), "(begins with \"\\xff\\xd8\\xff\\xe0"},
      {"zeros", std::string(8192, '\0'), "is not a tuning database"},
      {"a.json", FormatHeaderLine() + "\n", "is not a tuning database"},
  };
  for (const auto& file : kFiles) WriteAll(dir_.Path(file.name), file.contents);
  const std::string apps = dir_.Path("browser.sqlite");
  RunSql(apps, "CREATE TABLE cookies (x); INSERT INTO cookies VALUES (1)");
  const std::string fossil = dir_.Path("repository.fossil");
  RunSql(fossil, "PRAGMA application_id = 252006673; CREATE TABLE runs (id)");
  const std::string half = dir_.Path("half.sqlite");
  CopyHalfWritten(apps, half);
  const std::string wal = dir_.Path("wal.sqlite");
  RunSql(wal, "PRAGMA journal_mode = WAL; CREATE TABLE t (x)");

  const auto before = Snapshot(dir_.path());
  for (const Database::Mode mode : kBothModes) {
    for (const auto& file : kFiles) {
      EXPECT_THAT(Open(dir_.Path(file.name), mode),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           AllOf(HasSubstr(dir_.Path(file.name)), HasSubstr(file.error),
                                 HasSubstr("; give another file"), Not(HasSubstr("\n")))));
    }
    for (const std::string& path : {apps, half, wal}) {
      EXPECT_THAT(Open(path, mode),
                  StatusIs(absl::StatusCode::kInvalidArgument,
                           AllOf(HasSubstr(path), HasSubstr("another application's"),
                                 HasSubstr("application id 0"))));
    }
    EXPECT_THAT(Open(fossil, mode), StatusIs(absl::StatusCode::kInvalidArgument,
                                             HasSubstr("application id 252006673")));
  }
  EXPECT_TRUE(Snapshot(dir_.path()) == before);
}

TEST_F(DatabaseOpenTest, RefusesANewerSchemaAndTouchesNothing) {
  const std::string path = dir_.Path("tuning.db");
  MakeDatabase(path);
  RunSql(path, "PRAGMA user_version = 2");
  const auto before = Snapshot(dir_.path());
  for (const Database::Mode mode : kBothModes) {
    EXPECT_THAT(Open(path, mode),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(path), HasSubstr("newer version (schema 2, want 1)"))));
  }
  EXPECT_TRUE(Snapshot(dir_.path()) == before);
  RunSql(path, "PRAGMA user_version = 0");
  EXPECT_THAT(Open(path, Database::Mode::kReadWrite), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(DatabaseOpenTest, RefusesPlacesThatCannotHoldAFile) {
  WriteAll(dir_.Path("file"), "");
  std::filesystem::create_directory(dir_.Path("folder"));
  ASSERT_EQ(mkfifo(dir_.Path("fifo").c_str(), 0600), 0);
  const auto before = Snapshot(dir_.path());
  const struct {
    std::string path;
    const char* error;
  } kCases[] = {
      {"", "want the name of a file"},
      {std::string("a\0b", 3), "\"a\\000b\", want the name of a file"},
      {dir_.Path("folder"), "is a folder, want a file"},
      {dir_.Path("folder/"), "is a folder, want a file"},
      {dir_.Path("new/"), "is a folder, want a file"},
      {dir_.Path("fifo"), "is not a regular file"},
      {"/dev/null", "is not a regular file"},
      {dir_.Path("file/tuning.db"), "cannot open (Not a directory)"},
      {dir_.Path(std::string(300, 'x')), "(File name too long)"},
  };
  for (const Database::Mode mode : kBothModes) {
    for (const auto& c : kCases) {
      EXPECT_THAT(Open(c.path, mode),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    }
  }
  EXPECT_TRUE(Snapshot(dir_.path()) == before);
}

TEST_F(DatabaseOpenTest, ATruncatedDatabaseIsDamaged) {
  const std::string whole = dir_.Path("whole.db");
  std::string text;
  MakeDatabase(whole, &text);
  const std::string bytes = ReadAll(whole);
  const std::string path = dir_.Path("cut.db");
  std::vector<size_t> sizes = {2, 15, 16, 17, 99, 100, 511, 512, 4095, 4096, 4097};
  for (size_t size = 8192; size < bytes.size(); size += 4096) sizes.push_back(size);
  sizes.push_back(bytes.size() - 1);
  for (const size_t size : sizes) {
    for (const Database::Mode mode : kBothModes) {
      WriteAll(path, bytes.substr(0, size));
      EXPECT_THAT(Open(path, mode), StatusIs(absl::StatusCode::kDataLoss,
                                             AllOf(HasSubstr(path), HasSubstr("damaged"))))
          << size;
      EXPECT_TRUE(ReadAll(path) == bytes.substr(0, size)) << size;
    }
  }
}

// What a reader of the whole file meets: its contents, or an error.
absl::StatusOr<std::string> ReadEverything(const std::string& path) {
  absl::StatusOr<std::unique_ptr<Database>> database = Open(path, Database::Mode::kReadOnly);
  if (!database.ok()) return database.status();
  const absl::StatusOr<std::vector<RunInfo>> runs = (*database)->ListRuns();
  if (!runs.ok()) return runs.status();
  const absl::StatusOr<std::vector<BestRecord>> answers = (*database)->ListBest();
  if (!answers.ok()) return answers.status();
  const absl::StatusOr<LookupResult> found = (*database)->Lookup(ExampleKey());
  if (!found.ok()) return found.status();
  return (*database)->ExportJsonLines();
}

TEST_F(DatabaseOpenTest, APageOfRubbishIsDamage) {
  const std::string path = dir_.Path("tuning.db");
  std::string text;
  MakeDatabase(path, &text);
  const std::string bytes = ReadAll(path);
  int damaged = 0;
  for (size_t page = 1; page < bytes.size() / 4096; ++page) {
    for (const char rubbish : {'\0', '\xff', 'S'}) {
      std::string changed = bytes;
      changed.replace(page * 4096, 4096, 4096, rubbish);
      WriteAll(path, changed);
      const absl::StatusOr<std::string> read = ReadEverything(path);
      if (read.ok()) {
        EXPECT_TRUE(*read == text) << page;  // a page that no reading needs
      } else {
        EXPECT_THAT(read, StatusIs(absl::StatusCode::kDataLoss,
                                   AllOf(HasSubstr(path), HasSubstr("damaged"))));
        ++damaged;
      }
      EXPECT_TRUE(ReadAll(path) == changed) << page;
    }
  }
  EXPECT_GT(damaged, 10);
}

TEST_F(DatabaseOpenTest, FlippedBitsAreNoticed) {
  const std::string path = dir_.Path("tuning.db");
  std::string text;
  MakeDatabase(path, &text);
  const std::string bytes = ReadAll(path);
  std::mt19937_64 random(20260604);
  int refused = 0;
  for (int i = 0; i < 300; ++i) {
    std::string changed = bytes;
    for (int flips = 1 + i % 8; flips > 0; --flips) {
      changed[random() % changed.size()] ^= static_cast<char>(1 << random() % 8);
    }
    WriteAll(path, changed);
    const absl::StatusOr<std::string> read = ReadEverything(path);
    if (read.ok()) {
      // In a part that nothing is read from.
      EXPECT_TRUE(*read == text) << "a change went unnoticed";
      continue;
    }
    ++refused;
    EXPECT_THAT(read, AnyOf(StatusIs(absl::StatusCode::kDataLoss),
                            StatusIs(absl::StatusCode::kInvalidArgument),       // the magic
                            StatusIs(absl::StatusCode::kFailedPrecondition)));  // the version
    EXPECT_THAT(std::string(read.status().message()), HasSubstr(path));
  }
  EXPECT_GT(refused, 20);
}

TEST_F(DatabaseOpenTest, ValuesThatCannotBeAreDamage) {
  const std::string path = dir_.Path("tuning.db");
  const char* const kChanges[] = {
      "UPDATE events SET samples_ns = '[1,\"x\"]' WHERE sequence = 9",
      "UPDATE events SET samples_ns = '[-1]' WHERE sequence = 9",
      "UPDATE events SET config = 'rubbish' WHERE sequence = 0",
      "UPDATE events SET message = CAST(x'ff' AS TEXT) WHERE sequence = 9",
      "UPDATE events SET ask_sequence = 9 WHERE sequence = 10",
      "DELETE FROM events WHERE sequence = 5",
      "UPDATE runs SET id = 'x' WHERE run = 1",
      "UPDATE runs SET state = 1",
      "UPDATE answers SET samples_ns = '[]'",
      "UPDATE answers SET untuned_config = '7'",
      "DELETE FROM answers",
  };
  for (const char* change : kChanges) {
    SCOPED_TRACE(change);
    MakeDatabase(path);
    RunSql(path, change);
    EXPECT_THAT(ReadEverything(path),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr(path), HasSubstr("damaged"), HasSubstr("run \""))));
    std::filesystem::remove(path);
  }
  MakeDatabase(path);
  RunSql(path, "DROP TABLE answers");
  EXPECT_THAT(ReadEverything(path), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path)));
}

TEST_F(DatabaseOpenTest, RollsBackWhatAKilledWriterLeft) {
  const std::string whole = dir_.Path("whole.db");
  std::string text;
  MakeDatabase(whole, &text);
  for (const Database::Mode mode : kBothModes) {
    const std::string path = dir_.Path("half.db");
    CopyHalfWritten(whole, path);
    ASSERT_OK_AND_ASSIGN(const auto database, Open(path, mode));
    EXPECT_THAT(database->ExportJsonLines(), IsOkAndHolds(text));
    EXPECT_FALSE(std::filesystem::exists(path + "-journal"));
  }
}

TEST_F(DatabaseOpenTest, AFileOfZerosWithAJournalIsADatabaseThatWasBeingMade) {
  // What a power failure may leave of the first transaction.
  const std::string path = dir_.Path("tuning.db");
  std::string journal;
  {
    sqlite3* writer = nullptr;
    ASSERT_EQ(sqlite3_open(path.c_str(), &writer), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(writer,
                           "PRAGMA cache_size = 1; BEGIN; CREATE TABLE big (x); "
                           "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
                           "200) INSERT INTO big SELECT zeroblob(2000) FROM n",
                           nullptr, nullptr, nullptr),
              SQLITE_OK);
    journal = ReadAll(path + "-journal");
    sqlite3_close(writer);
  }
  ASSERT_FALSE(journal.empty());
  WriteAll(path, std::string(16384, '\0'));
  WriteAll(path + "-journal", journal);
  ASSERT_OK_AND_ASSIGN(const auto database, Open(path, Database::Mode::kReadWrite));
  EXPECT_THAT(database->StartRun(ExampleRun(1)), IsOk());
}

TEST_F(DatabaseOpenTest, ALockedFileIsNamed) {
  const std::string path = dir_.Path("tuning.db");
  MakeDatabase(path);
  sqlite3* writer = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &writer), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(writer, "BEGIN EXCLUSIVE", nullptr, nullptr, nullptr), SQLITE_OK);
  for (const Database::Mode mode : kBothModes) {
    EXPECT_THAT(Open(path, mode),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr(path), HasSubstr("another process is writing"))));
  }
  sqlite3_close(writer);
  EXPECT_THAT(Open(path, Database::Mode::kReadOnly), IsOk());
}

// Expects that in `folder`, which may not be written, "old.db" can be read and nothing can be
// written.
std::string CheckUnwritable(const std::string& folder) {
  const std::string path = folder + "/old.db";
  absl::StatusOr<std::unique_ptr<Database>> database = Open(path, Database::Mode::kReadOnly);
  if (!database.ok()) return absl::StrCat("reading: ", database.status().ToString());
  if ((*database)->ListRuns()->size() != 2) return "reading: other runs";
  for (const char* name : {"/old.db", "/new.db", "/new/new.db"}) {
    const absl::Status status = Open(folder + name, Database::Mode::kReadWrite).status();
    if (!absl::IsPermissionDenied(status) ||
        !absl::StrContains(status.message(), absl::StrCat("\"", folder, name, "\": ")) ||
        !absl::StrContains(status.message(), "; change the permissions of the file")) {
      return absl::StrCat(name, ": ", status.ToString());
    }
  }
  return "";
}

// Gives up root's privileges, which no permission binds; root's own files bind it then as they do
// anybody.
bool DropPrivileges() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  return syscall(SYS_capset, &header, none) == 0;
}

TEST_F(DatabaseOpenTest, SaysSoWhereItMayNotWriteOrRead) {
  const std::string folder = dir_.Path("folder");
  std::filesystem::create_directory(folder);
  MakeDatabase(folder + "/old.db");
  MakeDatabase(folder + "/secret.db");
  std::filesystem::create_directory(dir_.Path("open"));
  MakeDatabase(dir_.Path("open/fixed.db"));
  MakeDatabase(dir_.Path("open/linked.db"));
  std::filesystem::create_symlink("../open/linked.db", folder + "/link.db");
  CopyHalfWritten(folder + "/old.db", folder + "/half.db");
  chmod((folder + "/half.db").c_str(), 0444);
  chmod((folder + "/old.db").c_str(), 0444);
  chmod((folder + "/secret.db").c_str(), 0000);
  chmod(folder.c_str(), 0555);
  chmod(dir_.Path("open/fixed.db").c_str(), 0444);
  const std::string result = InChild([&]() -> std::string {
    if (!DropPrivileges()) return absl::StrCat("capset: ", std::strerror(errno));
    if (const std::string error = CheckUnwritable(folder); !error.empty()) return error;
    for (const Database::Mode mode : kBothModes) {
      const absl::Status status = Open(folder + "/secret.db", mode).status();
      if (!absl::IsPermissionDenied(status)) return "secret.db: " + status.ToString();
    }
    absl::Status status = Open(dir_.Path("open/fixed.db"), Database::Mode::kReadWrite).status();
    if (!absl::IsPermissionDenied(status)) return "fixed.db: " + status.ToString();
    status = Open(folder + "/half.db", Database::Mode::kReadOnly).status();
    if (!absl::IsPermissionDenied(status) ||
        !absl::StrContains(status.message(), "its journal must be rolled back")) {
      return "half.db: " + status.ToString();
    }
    // What a link leads to counts, not where it stands.
    status = Open(folder + "/link.db", Database::Mode::kReadWrite).status();
    if (!status.ok()) return "link.db: " + status.ToString();
    return "";
  });
  chmod(folder.c_str(), 0755);
  EXPECT_EQ(result, "");
}

TEST_F(DatabaseOpenTest, SaysSoOnAReadOnlyFileSystem) {
  const std::string folder = dir_.Path("folder");
  std::filesystem::create_directory(folder);
  MakeDatabase(folder + "/old.db");
  const std::string skipped = "SKIP ";
  const std::string result = InChild([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return absl::StrCat(skipped, "no mount namespace: ", std::strerror(errno));
    }
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) != 0 ||
        mount(nullptr, folder.c_str(), nullptr, MS_BIND | MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return absl::StrCat(skipped, "cannot mount: ", std::strerror(errno));
    }
    return CheckUnwritable(folder);
  });
  if (absl::StartsWith(result, skipped)) GTEST_SKIP() << result;
  EXPECT_EQ(result, "");
}

TEST_F(DatabaseOpenTest, SaysSoOnAFullDisk) {
  const std::string folder = dir_.Path("folder");
  std::filesystem::create_directory(folder);
  const std::string skipped = "SKIP ";
  const std::string result = InChild([&]() -> std::string {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) {
      return absl::StrCat(skipped, "no mount namespace: ", std::strerror(errno));
    }
    if (mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        mount("tmpfs", folder.c_str(), "tmpfs", 0, "size=256k") != 0) {
      return absl::StrCat(skipped, "cannot mount: ", std::strerror(errno));
    }
    const std::string path = folder + "/tuning.db";
    const RunInfo run = ExampleRun(1);
    int64_t kept = 0;
    absl::Status status;
    {
      absl::StatusOr<std::unique_ptr<Database>> database = Database::Open(path);
      if (!database.ok()) return database.status().ToString();
      status = (*database)->StartRun(run).status();
      while (status.ok() && kept < 10'000) {
        status = (*database)->Append(run.id, Ask(kept, ExampleConfig(static_cast<int>(kept))));
        if (status.ok()) ++kept;
      }
    }
    if (!absl::IsResourceExhausted(status) || !absl::StrContains(status.message(), path)) {
      return status.ToString();
    }
    const absl::StatusOr<std::unique_ptr<Database>> again = Open(path, Database::Mode::kReadOnly);
    if (!again.ok()) return again.status().ToString();
    const absl::StatusOr<std::vector<RunEvent>> events = (*again)->Events(run.id);
    if (!events.ok()) return events.status().ToString();
    if (static_cast<int64_t>(events->size()) != kept || kept < 100) {
      return absl::StrCat(kept, " kept, ", events->size(), " there");
    }
    // Where not even an empty database fits.
    WriteAll(folder + "/filler", std::string(1 << 20, 'x'));
    const absl::Status fresh = Open(folder + "/fresh.db", Database::Mode::kReadWrite).status();
    return absl::IsResourceExhausted(fresh) ? "" : fresh.ToString();
  });
  if (absl::StartsWith(result, skipped)) GTEST_SKIP() << result;
  EXPECT_EQ(result, "");
}

}  // namespace
}  // namespace seedtune

#include "util/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

int NumEntries(const std::string& folder) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

mode_t Mode(const std::string& path) {
  struct stat info = {};
  EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
  return info.st_mode & 07777;
}

TEST(FileTest, ReadsWhatWasWritten) {
  const TempDir dir;
  std::string contents("first\n\0second", 13);
  for (int i = 0; i < 100000; ++i) contents += static_cast<char>(i);
  ASSERT_THAT(WriteFileAtomically(dir.Path("a"), contents), IsOk());
  EXPECT_THAT(ReadFile(dir.Path("a")), IsOkAndHolds(contents));
  ASSERT_THAT(WriteFileAtomically(dir.Path("a"), ""), IsOk());
  EXPECT_THAT(ReadFile(dir.Path("a")), IsOkAndHolds(""));
  EXPECT_EQ(NumEntries(dir.path()), 1);
}

TEST(FileTest, ReadsFilesThatClaimNoSize) {
  EXPECT_THAT(ReadFile("/proc/self/status"), IsOkAndHolds(HasSubstr("\nPid:")));
}

TEST(FileTest, NamesThePathAndTheReason) {
  const TempDir dir;
  const std::string missing = dir.Path("missing");
  EXPECT_THAT(ReadFile(missing), StatusIs(absl::StatusCode::kNotFound,
                                          missing + ": cannot read: no such file or directory"));
  EXPECT_THAT(ReadFile(dir.path()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is a directory")));
  EXPECT_THAT(WriteFileAtomically(missing + "/file", "x"),
              StatusIs(absl::StatusCode::kNotFound, StartsWith(missing + "/file: cannot write")));
  EXPECT_THAT(WriteFileAtomically(dir.path(), "x"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("is a directory")));
}

TEST(FileTest, RefusesAnEndlessFile) {
  EXPECT_THAT(ReadFile("/dev/zero"), StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("256 MiB")));
}

TEST(FileTest, ReportsAFullDisk) {
  EXPECT_THAT(WriteFileAtomically("/dev/full", "x"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("no space left")));
}

TEST(FileTest, KeepsPermissionsAndFollowsLinks) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.Path("real"), "old"), IsOk());
  ASSERT_EQ(chmod(dir.Path("real").c_str(), 0640), 0);
  ASSERT_EQ(symlink("real", dir.Path("link").c_str()), 0);
  ASSERT_THAT(WriteFileAtomically(dir.Path("link"), "new"), IsOk());
  EXPECT_TRUE(std::filesystem::is_symlink(dir.Path("link")));
  EXPECT_THAT(ReadFile(dir.Path("real")), IsOkAndHolds("new"));
  EXPECT_EQ(Mode(dir.Path("real")), 0640u);
}

TEST(FileTest, NewFilesObeyTheUmask) {
  const TempDir dir;
  const mode_t before = umask(027);
  const absl::Status status = WriteFileAtomically(dir.Path("a"), "x");
  umask(before);
  ASSERT_THAT(status, IsOk());
  EXPECT_EQ(Mode(dir.Path("a")), 0640u);
}

TEST(FileTest, LeavesAReadOnlyFileAlone) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.Path("a"), "old"), IsOk());
  ASSERT_EQ(chmod(dir.Path("a").c_str(), 0444), 0);
  EXPECT_THAT(WriteFileAtomically(dir.Path("a"), "new"),
              StatusIs(absl::StatusCode::kPermissionDenied));
  EXPECT_THAT(ReadFile(dir.Path("a")), IsOkAndHolds("old"));
  ASSERT_EQ(chmod(dir.path().c_str(), 0555), 0);
  EXPECT_THAT(WriteFileAtomically(dir.Path("b"), "new"),
              StatusIs(absl::StatusCode::kPermissionDenied));
  ASSERT_EQ(chmod(dir.path().c_str(), 0755), 0);
}

TEST(FileTest, AReaderMeetsTheOldFileOrTheNewOne) {
  const TempDir dir;
  const std::string path = dir.Path("a");
  const std::string a(100000, 'a'), b(100000, 'b');
  ASSERT_THAT(WriteFileAtomically(path, a), IsOk());
  std::thread writer([&] {
    for (int i = 0; i < 50; ++i) {
      EXPECT_THAT(WriteFileAtomically(path, i % 2 == 0 ? b : a), IsOk());
    }
  });
  for (int i = 0; i < 200; ++i) EXPECT_THAT(ReadFile(path), IsOkAndHolds(AnyOf(a, b)));
  writer.join();
}

TEST(FileTest, ResolvesRelativePathsAgainstTheUsersFolder) {
  setenv("BUILD_WORKING_DIRECTORY", "/where/they/stand", 1);
  EXPECT_EQ(ResolveUserPath("a/b.textproto"), "/where/they/stand/a/b.textproto");
  EXPECT_EQ(ResolveUserPath("../b"), "/where/they/stand/../b");
  EXPECT_EQ(ResolveUserPath("/a/b"), "/a/b");
  EXPECT_EQ(ResolveUserPath(""), "");
  unsetenv("BUILD_WORKING_DIRECTORY");
  EXPECT_EQ(ResolveUserPath("a/b.textproto"), "a/b.textproto");
}

}  // namespace
}  // namespace seedtune

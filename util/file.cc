#include "util/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr size_t kMaxFileBytes = size_t{256} << 20;

// "<path>: <what>: <errno's text>" with errno's code.
absl::Status ErrnoStatus(int error_number, const std::string& path, std::string_view what) {
  std::string text = std::strerror(error_number);
  if (text.size() > 1 && absl::ascii_islower(text[1])) text[0] = absl::ascii_tolower(text[0]);
  return absl::Status(absl::ErrnoToStatusCode(error_number),
                      absl::StrCat(path, ": ", ToAbsl(what), ": ", text));
}

int Open(const std::string& path, int flags) {
  int fd;
  do {
    fd = open(path.c_str(), flags | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

// Returns 0, or errno.
int WriteAll(int fd, std::string_view contents) {
  while (!contents.empty()) {
    const ssize_t written = write(fd, contents.data(), contents.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    contents.remove_prefix(static_cast<size_t>(written));
  }
  return 0;
}

absl::Status WriteInPlace(const std::string& path, std::string_view contents) {
  const int fd = Open(path, O_WRONLY);
  if (fd < 0) return ErrnoStatus(errno, path, "cannot open for writing");
  int error = WriteAll(fd, contents);
  if (close(fd) != 0 && error == 0) error = errno;
  if (error != 0) return ErrnoStatus(error, path, "cannot write");
  return absl::OkStatus();
}

std::string Folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// The permissions that a file made with open() would get. There is no way to ask for the umask but
// to set it, which would race with other threads; /proc tells it.
mode_t NewFileMode() {
  mode_t mask = 022;
  const absl::StatusOr<std::string> status = ReadFile("/proc/self/status");
  if (status.ok()) {
    constexpr std::string_view kLabel = "\nUmask:\t";
    const size_t at = status->find(kLabel);
    if (at != std::string::npos) {
      mask = static_cast<mode_t>(std::strtoul(status->c_str() + at + kLabel.size(), nullptr, 8));
    }
  }
  return 0666 & ~mask;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(std::string_view path_view) {
  const std::string path(path_view);
  const int fd = Open(path, O_RDONLY);
  if (fd < 0) return ErrnoStatus(errno, path, "cannot read");
  const absl::Cleanup closer = [fd] { close(fd); };

  struct stat info;
  if (fstat(fd, &info) != 0) return ErrnoStatus(errno, path, "cannot read");
  std::string contents;
  // A guess, for regular files a good one; those of /proc say 0.
  size_t capacity = info.st_size > 0 ? static_cast<size_t>(info.st_size) + 1 : 4096;
  size_t size = 0;
  while (true) {
    if (capacity > kMaxFileBytes + 1) capacity = kMaxFileBytes + 1;
    if (contents.size() < capacity) contents.resize(capacity);
    const ssize_t got = read(fd, contents.data() + size, contents.size() - size);
    if (got < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus(errno, path, "cannot read");
    }
    if (got == 0) break;
    size += static_cast<size_t>(got);
    if (size > kMaxFileBytes) {
      return absl::OutOfRangeError(absl::StrCat(path, ": larger than 256 MiB, want a smaller file"));
    }
    if (size == contents.size()) capacity *= 2;
  }
  contents.resize(size);
  return contents;
}

absl::Status WriteFileAtomically(std::string_view path_view, std::string_view contents) {
  std::string path(path_view);
  mode_t mode;
  struct stat info;
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return ErrnoStatus(EISDIR, path, "cannot write");
    if (!S_ISREG(info.st_mode)) return WriteInPlace(path, contents);
    // A file that we may not write stays as it is, though its folder would let us replace it.
    if (access(path.c_str(), W_OK) != 0) return ErrnoStatus(errno, path, "cannot write");
    mode = info.st_mode & 07777;
    char* const resolved = realpath(path.c_str(), nullptr);
    if (resolved == nullptr) return ErrnoStatus(errno, path, "cannot write");
    path = resolved;
    free(resolved);
  } else {
    mode = NewFileMode();
  }

  const std::string folder = Folder(path);
  std::string temporary = absl::StrCat(path, ".XXXXXX");
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return ErrnoStatus(errno, path, "cannot write");
  absl::Cleanup remover = [&temporary] { unlink(temporary.c_str()); };

  int error = WriteAll(fd, contents);
  if (error == 0 && fchmod(fd, mode) != 0) error = errno;
  if (error == 0 && fsync(fd) != 0) error = errno;
  if (close(fd) != 0 && error == 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) return ErrnoStatus(error, path, "cannot write");
  std::move(remover).Cancel();

  // The new name reaches the disk with its folder. Some file systems cannot do that; the file is
  // there all the same.
  const int folder_fd = Open(folder, O_RDONLY | O_DIRECTORY);
  if (folder_fd >= 0) {
    fsync(folder_fd);
    close(folder_fd);
  }
  return absl::OkStatus();
}

std::string ResolveUserPath(std::string_view path) {
  const char* const base = getenv("BUILD_WORKING_DIRECTORY");
  if (base == nullptr || *base == '\0' || path.empty() || path.front() == '/') {
    return std::string(path);
  }
  return absl::StrCat(base, "/", ToAbsl(path));
}

}  // namespace seedtune

// Whole files in and out, with errors fit for people: "<path>: cannot read: no such file or
// directory".
//
// Thread-safe: no state. Error codes are those of absl::ErrnoToStatus (kNotFound,
// kPermissionDenied, kResourceExhausted on a full disk, ...).
#ifndef SEEDTUNE_UTIL_FILE_H_
#define SEEDTUNE_UTIL_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seedtune {

// The whole of `path`. kFailedPrecondition: it is a folder. kOutOfRange: it is larger than 256 MiB.
absl::StatusOr<std::string> ReadFile(std::string_view path);

// Replaces `path` by `contents`, or leaves it as it was: a reader, or a crash at any moment, meets
// the old file or the new one, whole. Keeps the permissions of the file that it replaces and
// follows a symbolic link to it. The folder must exist. What is no regular file (a terminal, a
// pipe) is written straight to.
absl::Status WriteFileAtomically(std::string_view path, std::string_view contents);

// `path` as the user who typed it meant it: a relative one counts from where they stood when they
// called `bazel run`
// ($BUILD_WORKING_DIRECTORY; the program itself then runs elsewhere), and from the current folder
// otherwise.
std::string ResolveUserPath(std::string_view path);

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_FILE_H_

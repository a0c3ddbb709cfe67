// A checked-in file that was compiled into the program by embed_textproto() of util/embed.bzl.
#ifndef SEEDTUNE_UTIL_EMBEDDED_FILE_H_
#define SEEDTUNE_UTIL_EMBEDDED_FILE_H_

#include <string_view>

namespace seedtune {

// Views into the program's read-only data: valid for as long as it runs.
struct EmbeddedFile {
  std::string_view name;      // "h100_sxm"
  std::string_view path;      // "hardware/specs/h100_sxm.textproto", for messages
  std::string_view contents;  // ends in '\0' after the last byte, which is not counted
};

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_EMBEDDED_FILE_H_

// The bridge between std::string_view, which our headers use, and absl::string_view, which Abseil's
// functions take. They are two types in Debian 12's Abseil and one in Debian 13's; these functions
// compile to nothing in either.
#ifndef SEEDTUNE_UTIL_STRING_VIEW_H_
#define SEEDTUNE_UTIL_STRING_VIEW_H_

#include <string_view>

#include "absl/strings/string_view.h"

namespace seedtune {

inline absl::string_view ToAbsl(std::string_view text) {
  return absl::string_view(text.data(), text.size());
}

inline std::string_view ToStd(absl::string_view text) {
  return std::string_view(text.data(), text.size());
}

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_STRING_VIEW_H_

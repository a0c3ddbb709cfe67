// Early return on errors, for functions that return absl::Status or absl::StatusOr.
//
//   SEEDTUNE_RETURN_IF_ERROR(WriteFileAtomically(path, text));
//   SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
//
// A type with a comma in it wants parentheses around neither side: use auto. Debian 12's Abseil has
// no such macros.
#ifndef SEEDTUNE_UTIL_STATUS_MACROS_H_
#define SEEDTUNE_UTIL_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns the status of `expression` from this function unless it is OK.
#define SEEDTUNE_RETURN_IF_ERROR(expression)                                  \
  do {                                                                        \
    if (absl::Status seedtune_status = (expression); !seedtune_status.ok()) { \
      return seedtune_status;                                                 \
    }                                                                         \
  } while (false)

// Assigns the value of the absl::StatusOr `expression` to `declaration`, or returns its status.
#define SEEDTUNE_ASSIGN_OR_RETURN(declaration, expression) \
  SEEDTUNE_STATUS_MACROS_ASSIGN_OR_RETURN(                 \
      SEEDTUNE_STATUS_MACROS_CONCAT(seedtune_status_or_, __LINE__), declaration, expression)

#define SEEDTUNE_STATUS_MACROS_ASSIGN_OR_RETURN(status_or, declaration, expression) \
  auto status_or = (expression);                                                    \
  if (!status_or.ok()) return std::move(status_or).status();                        \
  declaration = *std::move(status_or)

#define SEEDTUNE_STATUS_MACROS_CONCAT(a, b) SEEDTUNE_STATUS_MACROS_CONCAT_INNER(a, b)
#define SEEDTUNE_STATUS_MACROS_CONCAT_INNER(a, b) a##b

#endif  // SEEDTUNE_UTIL_STATUS_MACROS_H_

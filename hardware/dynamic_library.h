// A vendor's library, opened when the program runs.
#ifndef SEEDTUNE_HARDWARE_DYNAMIC_LIBRARY_H_
#define SEEDTUNE_HARDWARE_DYNAMIC_LIBRARY_H_

#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace seedtune {

// A value type; thread-safe. The library stays open until the process ends: drivers leave threads
// and exit handlers behind that would run into unmapped code.
class DynamicLibrary {
 public:
  // Opens the first of `names` that is there: file names, which the dynamic linker looks for, or
  // paths. kNotFound: "<first name> is not installed". kUnavailable: one is there and does not
  // load; says why.
  static absl::StatusOr<DynamicLibrary> Open(std::span<const std::string> names);

  // The name under which it was found.
  const std::string& name() const { return name_; }

  // Points `*function` at what the library calls `symbol`. kUnavailable: it has no such function.
  template <typename Function>
  absl::Status Find(const char* symbol, Function** function) const {
    *function = reinterpret_cast<Function*>(FindSymbol(symbol));
    if (*function != nullptr) return absl::OkStatus();
    return absl::UnavailableError(
        absl::StrCat(name_, " has no function \"", symbol, "\"; it may be too old"));
  }

 private:
  DynamicLibrary(std::string name, void* handle) : name_(std::move(name)), handle_(handle) {}

  void* FindSymbol(const char* symbol) const;

  std::string name_;
  void* handle_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_DYNAMIC_LIBRARY_H_

#include "hardware/dynamic_library.h"

#include <dlfcn.h>

#include <span>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace seedtune {

absl::StatusOr<DynamicLibrary> DynamicLibrary::Open(std::span<const std::string> names) {
  std::string fault;
  for (const std::string& name : names) {
    if (void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) {
      return DynamicLibrary(name, handle);
    }
    // dlerror() gives text and nothing else. That this very file is missing is no fault; that it
    // needs another which is missing is one.
    const char* error = dlerror();
    const std::string text = error == nullptr ? "" : error;
    const bool missing = absl::StartsWith(text, name + ": cannot open shared object file: ") &&
                         absl::StrContains(text, "No such file");
    if (!missing && fault.empty()) fault = absl::StrCat("cannot load ", name, ": ", text);
  }
  if (!fault.empty()) return absl::UnavailableError(fault);
  return absl::NotFoundError(
      absl::StrCat(names.empty() ? std::string("library") : names[0], " is not installed"));
}

void* DynamicLibrary::FindSymbol(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace seedtune

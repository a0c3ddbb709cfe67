#include "testing/temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace seedtune {

TempDir::TempDir() {
  const char* const base = getenv("TEST_TMPDIR");
  path_ = std::string(base != nullptr ? base : "/tmp") + "/seedtune.XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) {
    perror(path_.c_str());
    abort();
  }
}

TempDir::~TempDir() {
  std::error_code ignored;  // What stays lies under $TEST_TMPDIR, which Bazel empties.
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::Path(std::string_view name) const { return path_ + "/" + std::string(name); }

}  // namespace seedtune

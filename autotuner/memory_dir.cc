#include "autotuner/memory_dir.h"

#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

namespace seedtune {

MemoryDir::MemoryDir() {
  const char* test_dir = std::getenv("TEST_TMPDIR");
  for (const std::string parent : {"/dev/shm", test_dir != nullptr ? test_dir : "/tmp"}) {
    path_ = parent + "/seedtune_test_XXXXXX";
    if (mkdtemp(path_.data()) != nullptr) return;
  }
  std::perror(path_.c_str());
  std::abort();
}

MemoryDir::~MemoryDir() {
  std::error_code ignored;  // the machine's own cleaning has to do then
  std::filesystem::remove_all(path_, ignored);
}

std::string MemoryDir::Path(std::string_view name) const { return path_ + "/" + std::string(name); }

}  // namespace seedtune

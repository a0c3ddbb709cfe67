// A folder for one test, in memory where the machine has a place for that.
#ifndef SEEDTUNE_AUTOTUNER_MEMORY_DIR_H_
#define SEEDTUNE_AUTOTUNER_MEMORY_DIR_H_

#include <string>
#include <string_view>

namespace seedtune {

// Like TempDir of testing/temp_dir.h, but syncing a file to disk costs nothing in it: for tests
// that commit thousands of times and are not about power failures. Thread-compatible.
class MemoryDir {
 public:
  MemoryDir();  // aborts if it cannot make one
  MemoryDir(const MemoryDir&) = delete;
  MemoryDir& operator=(const MemoryDir&) = delete;
  ~MemoryDir();

  // Of an entry called `name`, there or not.
  std::string Path(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_MEMORY_DIR_H_

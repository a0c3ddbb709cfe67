// A folder for one test, gone with the object.
#ifndef SEEDTUNE_TESTING_TEMP_DIR_H_
#define SEEDTUNE_TESTING_TEMP_DIR_H_

#include <string>
#include <string_view>

namespace seedtune {

// Makes a new, empty folder under $TEST_TMPDIR, which Bazel sets (/tmp otherwise), and removes it
// with all that it holds. Aborts if it cannot. Thread-compatible.
class TempDir {
 public:
  TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }
  // Of an entry called `name`, there or not.
  std::string Path(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_TESTING_TEMP_DIR_H_

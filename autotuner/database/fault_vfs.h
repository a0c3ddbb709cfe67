// A disk that fails when told to, between SQLite and the real files: for tests of what a database
// does then.
//
// While the object lives, it is SQLite's default file system for new connections. It counts
// operations on files, can fail the nth, and knows what would be left after a power failure.
// Nothing is really synced, so it is fast. One at a time, used by one thread; connections must be
// closed before it goes.
#ifndef SEEDTUNE_AUTOTUNER_DATABASE_FAULT_VFS_H_
#define SEEDTUNE_AUTOTUNER_DATABASE_FAULT_VFS_H_

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <string>

namespace seedtune {

class FaultVfs {
 public:
  // What is counted.
  enum class Operation { kOpen, kRead, kWrite, kTruncate, kSync, kFileSize, kLock, kDelete };

  FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs();

  // Operations since construction.
  int64_t operations() const { return operations_; }

  // The `nth` operation from now on (0: the next) fails with the I/O error of its kind, and, if
  // `for_ever`, all after it. A write that fails has written its first half.
  void FailAt(int64_t nth, bool for_ever);
  // From the `nth` operation on there is no room: writes fail with SQLITE_FULL, half
  // done.
  void FillUpAt(int64_t nth);
  // Calls `then` before the `nth` operation.
  void CallAt(int64_t nth, std::function<void()> then);
  // From the `nth` operation on the machine is off: everything fails and nothing is
  // changed. To be followed by closing all connections and LosePower(). Files that are changed
  // before the call count as synced; one process only.
  void SwitchOffAt(int64_t nth);
  // Leaves of each file what a disk may show after the power failed: of each 512 bytes (a sector)
  // what was synced or what was written since, by chance; of a file made or deleted and not synced,
  // either.
  void LosePower(std::mt19937_64& random);
  // No more faults.
  void Heal();
  // Whether a fault was met.
  bool has_failed() const { return has_failed_; }

 private:
  struct File;
  enum class Fault { kNone, kOnce, kForEver, kFull, kOff };

  static FaultVfs& Of(sqlite3_vfs* vfs) { return *static_cast<FaultVfs*>(vfs->pAppData); }
  static FaultVfs& Of(sqlite3_file* file);
  static sqlite3_file* Real(sqlite3_file* file);

  static int Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                  int* out_flags);
  static int Delete(sqlite3_vfs* vfs, const char* name, int sync_folder);
  static int Close(sqlite3_file* file);
  static int Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset);
  static int Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset);
  static int Truncate(sqlite3_file* file, sqlite3_int64 size);
  static int Sync(sqlite3_file* file, int flags);
  static int FileSize(sqlite3_file* file, sqlite3_int64* size);
  static int Lock(sqlite3_file* file, int level);

  // Counts an operation. True: it is to fail.
  bool Fails(Operation operation);
  // Before a file is changed for the first time since it was synced: remembers how it was.
  void Remember(const std::string& path);

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
  sqlite3_io_methods methods_;
  int64_t operations_ = 0;
  int64_t fault_at_ = 0;
  Fault fault_ = Fault::kNone;
  bool has_failed_ = false;
  int64_t call_at_ = -1;
  std::function<void()> call_;
  // What a disk is sure to hold of the files that it may hold something else of; nullopt: no such
  // file.
  std::map<std::string, std::optional<std::string>> synced_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_DATABASE_FAULT_VFS_H_

#include "autotuner/database/fault_vfs.h"

#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>

namespace seedtune {
namespace {

constexpr char kName[] = "seedtune_fault";
constexpr size_t kSectorSize = 512;

std::optional<std::string> Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Keeps the inode where there is one.
void SetContents(const std::string& path, const std::optional<std::string>& contents) {
  if (!contents.has_value()) {
    unlink(path.c_str());
    return;
  }
  std::ofstream(path, std::ios::binary | std::ios::trunc) << *contents;
}

}  // namespace

// SQLite allocates it, with room for the real file behind it.
struct FaultVfs::File {
  sqlite3_file base;
  FaultVfs* vfs;
  std::string* path;  // owned; null: a temporary file
};

FaultVfs& FaultVfs::Of(sqlite3_file* file) { return *reinterpret_cast<File*>(file)->vfs; }

sqlite3_file* FaultVfs::Real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

FaultVfs::FaultVfs() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_), methods_{} {
  vfs_.iVersion = 1;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
  vfs_.pNext = nullptr;
  vfs_.zName = kName;
  vfs_.pAppData = this;
  vfs_.xOpen = Open;
  vfs_.xDelete = Delete;
  // The rest is the real one's, and is to be called with it.
  vfs_.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* result) {
    return Of(vfs).real_->xAccess(Of(vfs).real_, name, flags, result);
  };
  vfs_.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* out) {
    return Of(vfs).real_->xFullPathname(Of(vfs).real_, name, size, out);
  };
  vfs_.xRandomness = [](sqlite3_vfs* vfs, int size, char* out) {
    return Of(vfs).real_->xRandomness(Of(vfs).real_, size, out);
  };
  vfs_.xSleep = [](sqlite3_vfs* vfs, int microseconds) {
    return Of(vfs).real_->xSleep(Of(vfs).real_, microseconds);
  };
  vfs_.xCurrentTime = [](sqlite3_vfs* vfs, double* time) {
    return Of(vfs).real_->xCurrentTime(Of(vfs).real_, time);
  };
  vfs_.xGetLastError = [](sqlite3_vfs* vfs, int size, char* out) {
    return Of(vfs).has_failed_ ? 0 : Of(vfs).real_->xGetLastError(Of(vfs).real_, size, out);
  };

  methods_.iVersion = 1;  // no shared memory, no memory mapping
  methods_.xClose = Close;
  methods_.xRead = Read;
  methods_.xWrite = Write;
  methods_.xTruncate = Truncate;
  methods_.xSync = Sync;
  methods_.xFileSize = FileSize;
  methods_.xLock = Lock;
  methods_.xUnlock = [](sqlite3_file* file, int level) {
    return Real(file)->pMethods->xUnlock(Real(file), level);
  };
  methods_.xCheckReservedLock = [](sqlite3_file* file, int* result) {
    return Real(file)->pMethods->xCheckReservedLock(Real(file), result);
  };
  methods_.xFileControl = [](sqlite3_file* file, int operation, void* argument) {
    return Real(file)->pMethods->xFileControl(Real(file), operation, argument);
  };
  methods_.xSectorSize = [](sqlite3_file* file) {
    return Real(file)->pMethods->xSectorSize(Real(file));
  };
  methods_.xDeviceCharacteristics = [](sqlite3_file* file) {
    return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
  };
  sqlite3_vfs_register(&vfs_, /*makeDflt=*/1);
}

FaultVfs::~FaultVfs() {
  sqlite3_vfs_unregister(&vfs_);
  sqlite3_vfs_register(real_, /*makeDflt=*/1);
}

void FaultVfs::FailAt(int64_t nth, bool for_ever) {
  fault_at_ = operations_ + nth;
  fault_ = for_ever ? Fault::kForEver : Fault::kOnce;
}

void FaultVfs::FillUpAt(int64_t nth) {
  fault_at_ = operations_ + nth;
  fault_ = Fault::kFull;
}

void FaultVfs::CallAt(int64_t nth, std::function<void()> then) {
  call_at_ = operations_ + nth;
  call_ = std::move(then);
}

void FaultVfs::SwitchOffAt(int64_t nth) {
  fault_at_ = operations_ + nth;
  fault_ = Fault::kOff;
}

void FaultVfs::LosePower(std::mt19937_64& random) {
  const auto chance = [&] { return random() % 2 == 0; };
  for (const auto& [path, synced] : synced_) {
    const std::optional<std::string> written = Contents(path);
    if (!synced.has_value() || !written.has_value()) {
      SetContents(path, chance() ? synced : written);
      continue;
    }
    // The file's size is one or the other, and each sector is one or the other.
    std::string left(chance() ? synced->size() : written->size(), '\0');
    for (size_t start = 0; start < left.size(); start += kSectorSize) {
      const std::string& from = chance() ? *synced : *written;
      const size_t end = std::min({start + kSectorSize, left.size(), from.size()});
      for (size_t i = start; i < end; ++i) left[i] = from[i];
    }
    SetContents(path, left);
  }
  synced_.clear();
}

void FaultVfs::Heal() {
  fault_ = Fault::kNone;
  has_failed_ = false;
  call_at_ = -1;
}

bool FaultVfs::Fails(Operation operation) {
  const int64_t number = operations_++;
  if (number == call_at_) call_();
  bool fails = false;
  switch (fault_) {
    case Fault::kNone:
      break;
    case Fault::kOnce:
      fails = number == fault_at_;
      break;
    case Fault::kForEver:
    case Fault::kOff:
      fails = number >= fault_at_;
      break;
    case Fault::kFull:
      fails = number >= fault_at_ && operation == Operation::kWrite;
      break;
  }
  has_failed_ = has_failed_ || fails;
  return fails;
}

void FaultVfs::Remember(const std::string& path) {
  // Only where it matters: closing a file drops this process's locks on it.
  if (fault_ == Fault::kOff && !synced_.contains(path)) synced_[path] = Contents(path);
}

int FaultVfs::Open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags,
                   int* out_flags) {
  FaultVfs& self = Of(vfs);
  file->pMethods = nullptr;  // SQLite does not close it
  if (self.Fails(Operation::kOpen)) return SQLITE_CANTOPEN;
  if (name != nullptr && access(name, F_OK) != 0) self.Remember(name);
  const int code = self.real_->xOpen(self.real_, name, Real(file), flags, out_flags);
  if (code != SQLITE_OK) return code;
  File* const opened = reinterpret_cast<File*>(file);
  opened->base.pMethods = &self.methods_;
  opened->vfs = &self;
  opened->path = name == nullptr ? nullptr : new std::string(name);
  return SQLITE_OK;
}

int FaultVfs::Close(sqlite3_file* file) {
  delete reinterpret_cast<File*>(file)->path;
  return Real(file)->pMethods->xClose(Real(file));
}

int FaultVfs::Delete(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  FaultVfs& self = Of(vfs);
  if (self.Fails(Operation::kDelete)) return SQLITE_IOERR_DELETE;
  if (sync_folder != 0) {
    self.synced_.erase(name);
  } else {
    self.Remember(name);
  }
  return self.real_->xDelete(self.real_, name, /*syncDir=*/0);
}

int FaultVfs::Read(sqlite3_file* file, void* data, int size, sqlite3_int64 offset) {
  if (Of(file).Fails(Operation::kRead)) return SQLITE_IOERR_READ;
  return Real(file)->pMethods->xRead(Real(file), data, size, offset);
}

int FaultVfs::Write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  FaultVfs& self = Of(file);
  const bool fails = self.Fails(Operation::kWrite);
  if (fails && self.fault_ == Fault::kOff) return SQLITE_IOERR_WRITE;
  if (const std::string* path = reinterpret_cast<File*>(file)->path) self.Remember(*path);
  const int code = Real(file)->pMethods->xWrite(Real(file), data, fails ? size / 2 : size, offset);
  if (!fails) return code;
  return self.fault_ == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int FaultVfs::Truncate(sqlite3_file* file, sqlite3_int64 size) {
  FaultVfs& self = Of(file);
  if (self.Fails(Operation::kTruncate)) return SQLITE_IOERR_TRUNCATE;
  if (const std::string* path = reinterpret_cast<File*>(file)->path) self.Remember(*path);
  return Real(file)->pMethods->xTruncate(Real(file), size);
}

int FaultVfs::Sync(sqlite3_file* file, int) {
  FaultVfs& self = Of(file);
  if (self.Fails(Operation::kSync)) return SQLITE_IOERR_FSYNC;
  // SQLite's own file system syncs the folder with a new journal.
  if (const std::string* path = reinterpret_cast<File*>(file)->path) self.synced_.erase(*path);
  return SQLITE_OK;
}

int FaultVfs::FileSize(sqlite3_file* file, sqlite3_int64* size) {
  if (Of(file).Fails(Operation::kFileSize)) return SQLITE_IOERR_FSTAT;
  return Real(file)->pMethods->xFileSize(Real(file), size);
}

int FaultVfs::Lock(sqlite3_file* file, int level) {
  if (Of(file).Fails(Operation::kLock)) return SQLITE_IOERR_LOCK;
  return Real(file)->pMethods->xLock(Real(file), level);
}

}  // namespace seedtune

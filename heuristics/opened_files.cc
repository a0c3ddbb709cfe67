#include "heuristics/opened_files.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <cstdio>

namespace seedtune {
namespace {

constinit std::atomic<int64_t> opened = 0;

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

int64_t OpenedFiles() { return opened; }

}  // namespace seedtune

// The program's definitions stand before the C library's.
extern "C" {

int open(const char* path, int flags, ...) {
  ++seedtune::opened;
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return seedtune::Next<int(const char*, int, ...)>("open")(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
  ++seedtune::opened;
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  return seedtune::Next<int(const char*, int, ...)>("open64")(path, flags, mode);
}

FILE* fopen(const char* path, const char* mode) {
  ++seedtune::opened;
  return seedtune::Next<FILE*(const char*, const char*)>("fopen")(path, mode);
}

FILE* fopen64(const char* path, const char* mode) {
  ++seedtune::opened;
  return seedtune::Next<FILE*(const char*, const char*)>("fopen64")(path, mode);
}

int socket(int domain, int type, int protocol) noexcept {
  ++seedtune::opened;
  return seedtune::Next<int(int, int, int)>("socket")(domain, type, protocol);
}

void* dlopen(const char* path, int flags) noexcept {
  ++seedtune::opened;
  return seedtune::Next<void*(const char*, int)>("dlopen")(path, flags);
}

}  // extern "C"

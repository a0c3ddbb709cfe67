// Compiled kernels on disk, so that the same source is compiled once: shared by processes and runs.
#ifndef SEEDTUNE_BACKENDS_CUDA_CUBIN_CACHE_H_
#define SEEDTUNE_BACKENDS_CUDA_CUBIN_CACHE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace seedtune {

// $XDG_CACHE_HOME/seedtune/cuda, else ~/.cache/seedtune/cuda, else a folder of this user's in /tmp.
std::string DefaultCubinCacheFolder();

// A file an entry, named by the hash of its key. Thread-safe, and safe between processes: a reader
// meets a whole entry or none.
class CubinCache {
 public:
  struct Options {
    std::string folder;                    // made when first written to; "": nothing is kept
    int64_t max_bytes = int64_t{2} << 30;  // beyond it, the entries longest unused go
  };
  explicit CubinCache(Options options) : options_(std::move(options)) {}

  // What was put under exactly this key. Nothing: not there, cut short, damaged or of another key;
  // then it is to be made and put anew.
  std::optional<std::string> Get(std::string_view key) const;

  // Codes of WriteFileAtomically. A cache that cannot be written costs time and nothing else.
  absl::Status Put(std::string_view key, std::string_view value) const;

  // Where the entry of this key is.
  std::string PathOf(std::string_view key) const;

  // Removes the entries longest unused until the rest are within `max_bytes`.
  void Trim() const;

 private:
  const Options options_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CUDA_CUBIN_CACHE_H_

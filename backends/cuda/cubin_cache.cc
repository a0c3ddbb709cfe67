#include "backends/cuda/cubin_cache.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "util/file.h"
#include "util/stable_hash.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// First line of every entry; then the hash of the rest, then the hash of the key, then the value.
constexpr absl::string_view kMagic = "seedtune cubin 1\n";
constexpr size_t kHashDigits = 32;
constexpr char kSuffix[] = ".cubin";

}  // namespace

std::string DefaultCubinCacheFolder() {
  // The XDG base directory specification: a path that is not absolute is to be ignored.
  const char* cache_home = std::getenv("XDG_CACHE_HOME");
  if (cache_home != nullptr && cache_home[0] == '/') {
    return absl::StrCat(cache_home, "/seedtune/cuda");
  }
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return absl::StrCat(home, "/.cache/seedtune/cuda");
  return absl::StrCat("/tmp/seedtune-", getuid(), "/cuda");
}

std::string CubinCache::PathOf(std::string_view key) const {
  return absl::StrCat(options_.folder, "/", ToHex(HashBytes(key)), kSuffix);
}

std::optional<std::string> CubinCache::Get(std::string_view key) const {
  if (options_.folder.empty()) return std::nullopt;
  const std::string path = PathOf(key);
  const absl::StatusOr<std::string> contents = ReadFile(path);
  if (!contents.ok()) return std::nullopt;
  absl::string_view rest = *contents;
  if (!absl::ConsumePrefix(&rest, kMagic) || rest.size() < 2 * kHashDigits) return std::nullopt;
  const absl::string_view hash = rest.substr(0, kHashDigits);
  rest.remove_prefix(kHashDigits);
  if (hash != ToHex(HashBytes(ToStd(rest)))) return std::nullopt;
  if (!absl::ConsumePrefix(&rest, ToHex(HashBytes(key)))) return std::nullopt;
  std::error_code ignored;  // when it was last used is a hint
  std::filesystem::last_write_time(path, std::filesystem::file_time_type::clock::now(), ignored);
  return std::string(rest);
}

absl::Status CubinCache::Put(std::string_view key, std::string_view value) const {
  if (options_.folder.empty()) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(options_.folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat(options_.folder, ": cannot make this folder: ", error.message()));
  }
  const std::string body = absl::StrCat(ToHex(HashBytes(key)), ToAbsl(value));
  return WriteFileAtomically(PathOf(key), absl::StrCat(kMagic, ToHex(HashBytes(body)), body));
}

void CubinCache::Trim() const {
  if (options_.folder.empty()) return;
  struct Entry {
    std::filesystem::file_time_type used;
    int64_t bytes;
    std::filesystem::path path;
  };
  std::vector<Entry> entries;
  int64_t total_bytes = 0;
  std::error_code error;  // what another process removes meanwhile is gone, and that is fine
  for (const auto& file : std::filesystem::directory_iterator(options_.folder, error)) {
    if (file.path().extension() != kSuffix) continue;
    const auto bytes = file.file_size(error);
    if (error) continue;
    const auto used = file.last_write_time(error);
    if (error) continue;
    total_bytes += static_cast<int64_t>(bytes);
    entries.push_back({used, static_cast<int64_t>(bytes), file.path()});
  }
  if (total_bytes <= options_.max_bytes) return;
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  for (const Entry& entry : entries) {
    if (total_bytes <= options_.max_bytes) return;
    std::filesystem::remove(entry.path, error);
    total_bytes -= entry.bytes;
  }
}

}  // namespace seedtune

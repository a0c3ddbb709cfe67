#include "autotuner/replay/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace seedtune {
namespace {

constexpr int kGzipWindow = 15 + 16;  // zlib's way to say: the largest window, gzip's header
constexpr size_t kChunk = size_t{1} << 18;

}  // namespace

absl::StatusOr<std::string> MaybeGunzip(std::string_view bytes, size_t max_bytes) {
  if (bytes.size() < 2 || bytes[0] != '\x1f' || bytes[1] != '\x8b') return std::string(bytes);
  if (bytes.size() > std::numeric_limits<uInt>::max()) {
    return absl::OutOfRangeError(
        absl::StrCat("gzip: ", bytes.size(), " bytes at once, want less than 4 GiB"));
  }
  z_stream stream = {};
  if (inflateInit2(&stream, kGzipWindow) != Z_OK) {
    return absl::ResourceExhaustedError("gzip: no memory to decompress with");
  }
  // zlib's interface is older than const; it does not write there.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  absl::Status status;
  while (true) {
    const size_t before = out.size();
    out.resize(before + kChunk);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(kChunk);
    const int result = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > max_bytes) {
      status = absl::OutOfRangeError(
          absl::StrCat("gzip: more than ", max_bytes, " bytes once decompressed"));
      break;
    }
    if (result == Z_STREAM_END) {
      // Another member may follow; together they are one file.
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) {
        status = absl::InternalError("gzip: cannot start on the next member");
        break;
      }
    } else if (result != Z_OK) {
      // Z_BUF_ERROR: the input is used up, and more is wanted.
      status = absl::InvalidArgumentError(result == Z_BUF_ERROR
                                              ? "gzip: the file ends too early; was it cut off"
                                              : "gzip: the file is damaged");
      break;
    }
  }
  inflateEnd(&stream);
  if (!status.ok()) return status;
  return out;
}

std::string Gzip(std::string_view text) {
  z_stream stream = {};
  constexpr int kMemory = 8;  // zlib's default
  std::string out;
  // Fails for want of memory only.
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
  out.resize(deflateBound(&stream, text.size()));
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = deflate(&stream, Z_FINISH);
  assert(result == Z_STREAM_END);
  static_cast<void>(result);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace seedtune

// Files that may be compressed with gzip, as recorded spaces mostly are.
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_GZIP_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_GZIP_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// Thread-safe. What is not gzip is returned as it is. kInvalidArgument: cut off or damaged.
// kOutOfRange: more than `max_bytes` once decompressed.
absl::StatusOr<std::string> MaybeGunzip(std::string_view bytes, size_t max_bytes = size_t{1} << 30);

// The same bytes for the same `text`: neither the time nor a name is in them. Less than 4 GiB of
// it.
std::string Gzip(std::string_view text);

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_GZIP_H_

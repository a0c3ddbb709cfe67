#include "util/stable_hash.h"

#include <xxhash.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"

namespace seedtune {

StableHash HashBytes(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {.high = hash.high64, .low = hash.low64};
}

std::string ToHex(const StableHash& hash) {
  return absl::StrFormat("%016x%016x", hash.high, hash.low);
}

void CanonicalBytes::AddRaw(char kind, uint64_t value) {
  bytes_.push_back(kind);
  for (int byte = 0; byte < 8; ++byte) bytes_.push_back(static_cast<char>(value >> (8 * byte)));
}

CanonicalBytes& CanonicalBytes::Add(int64_t value) {
  AddRaw('i', static_cast<uint64_t>(value));
  return *this;
}

CanonicalBytes& CanonicalBytes::Add(double value) {
  AddRaw('d', std::bit_cast<uint64_t>(value));
  return *this;
}

CanonicalBytes& CanonicalBytes::Add(std::string_view text) {
  AddRaw('s', text.size());
  bytes_.append(text);
  return *this;
}

}  // namespace seedtune

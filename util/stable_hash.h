// A hash that may be written down: the same bytes give the same 128 bits on every machine, in every
// build and release. It is XXH3's 128-bit hash with seed 0, whose values its authors have frozen
// (https://xxhash.com, since 0.8.0). Not for secrets. Thread-safe.
#ifndef SEEDTUNE_UTIL_STABLE_HASH_H_
#define SEEDTUNE_UTIL_STABLE_HASH_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace seedtune {

struct StableHash {
  uint64_t high = 0;
  uint64_t low = 0;

  friend auto operator<=>(const StableHash&, const StableHash&) = default;
};

StableHash HashBytes(std::string_view bytes);

// 32 lower-case hexadecimal digits, `high` first.
std::string ToHex(const StableHash& hash);

// Collects values as bytes for HashBytes so that two different sequences of calls never give the
// same bytes: each value carries its kind and its size, integers are little-endian.
// Thread-compatible.
class CanonicalBytes {
 public:
  CanonicalBytes& Add(int64_t value);
  CanonicalBytes& Add(std::string_view text);
  CanonicalBytes& Add(const char* text) { return Add(std::string_view(text)); }
  CanonicalBytes& Add(double value);  // by its bits: 0.0 and -0.0 differ
  CanonicalBytes& Add(int value) { return Add(int64_t{value}); }
  CanonicalBytes& Add(bool value) = delete;  // say Add(int64_t{value}) if that is meant

  const std::string& bytes() const { return bytes_; }

 private:
  void AddRaw(char kind, uint64_t value);

  std::string bytes_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_STABLE_HASH_H_

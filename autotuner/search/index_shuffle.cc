#include "autotuner/search/index_shuffle.h"

#include <bit>
#include <cstdint>
#include <optional>
#include <random>

#include "absl/numeric/int128.h"

namespace seedtune {
namespace {

// All ones up to the highest bit of `value`.
uint64_t Mask(uint64_t value) { return value == 0 ? 0 : ~uint64_t{0} >> std::countl_zero(value); }

}  // namespace

absl::uint128 UniformBelow(absl::uint128 bound, std::mt19937_64& random) {
  // Rejection: fewer than two tries on average.
  const absl::uint128 last = bound - 1;
  const uint64_t high_mask = Mask(absl::Uint128High64(last));
  const uint64_t low_mask = high_mask != 0 ? ~uint64_t{0} : Mask(absl::Uint128Low64(last));
  while (true) {
    const uint64_t high = high_mask != 0 ? random() & high_mask : 0;
    const uint64_t low = low_mask != 0 ? random() & low_mask : 0;
    const absl::uint128 value = absl::MakeUint128(high, low);
    if (value <= last) return value;
  }
}

std::optional<absl::uint128> IndexShuffle::Next(std::mt19937_64& random) {
  if (given_ == size_) return std::nullopt;
  const absl::uint128 here = given_++;
  const absl::uint128 drawn = here + UniformBelow(size_ - here, random);

  const auto entry = [this](absl::uint128 index) {
    const auto it = moved_.find(index);
    return it == moved_.end() ? index : it->second;
  };
  const absl::uint128 value = entry(drawn);
  if (drawn != here) moved_[drawn] = entry(here);
  moved_.erase(here);
  return value;
}

}  // namespace seedtune

// Arithmetic of counts and sizes.
#ifndef SEEDTUNE_UTIL_INTEGER_MATH_H_
#define SEEDTUNE_UTIL_INTEGER_MATH_H_

#include <bit>
#include <cstdint>

namespace seedtune {

// The quotient, rounded up. `a` is at least 0, `b` above 0; nothing overflows.
constexpr int64_t CeilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0 ? 1 : 0); }

// The least multiple at or above a `value` of at least 0.
constexpr int64_t RoundUp(int64_t value, int64_t multiple) {
  return CeilDiv(value, multiple) * multiple;
}

// The least power of two at or above a number from 1 to 2^62.
constexpr int64_t NextPowerOfTwo(int64_t value) {
  return static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(value)));
}

// The largest power of two that is not above `value`, which is at least 1.
constexpr int64_t PowerOfTwoAtMost(int64_t value) {
  return static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(value)));
}

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_INTEGER_MATH_H_

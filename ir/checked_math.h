// Arithmetic on sizes that says when it does not fit, for numbers that come from users.
#ifndef SEEDTUNE_IR_CHECKED_MATH_H_
#define SEEDTUNE_IR_CHECKED_MATH_H_

#include <cstdint>
#include <limits>
#include <optional>

namespace seedtune {

// The sum, or nothing where it does not fit int64_t or an operand is already nothing.
inline std::optional<int64_t> CheckedAdd(std::optional<int64_t> a, std::optional<int64_t> b) {
  int64_t result = 0;
  if (!a || !b || __builtin_add_overflow(*a, *b, &result)) return std::nullopt;
  return result;
}

inline std::optional<int64_t> CheckedMul(std::optional<int64_t> a, std::optional<int64_t> b) {
  int64_t result = 0;
  if (!a || !b || __builtin_mul_overflow(*a, *b, &result)) return std::nullopt;
  return result;
}

// For non-negative operands: the largest int64_t stands for all that does not fit.
inline int64_t SaturatingAdd(int64_t a, int64_t b) {
  return CheckedAdd(a, b).value_or(std::numeric_limits<int64_t>::max());
}

inline int64_t SaturatingMul(int64_t a, int64_t b) {
  return CheckedMul(a, b).value_or(std::numeric_limits<int64_t>::max());
}

}  // namespace seedtune

#endif  // SEEDTUNE_IR_CHECKED_MATH_H_

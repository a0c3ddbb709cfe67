// Element types of tensors and accumulators.
#ifndef SEEDTUNE_IR_DTYPE_H_
#define SEEDTUNE_IR_DTYPE_H_

#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace seedtune {

// The numbers are part of fingerprints and files: append, never renumber.
enum class DType {
  kF64 = 1,
  kF32 = 2,
  kTF32 = 3,  // stored in 32 bits, multiplied with 10 bits of mantissa
  kBF16 = 4,
  kF16 = 5,
  kF8E4M3 = 6,
  kF8E5M2 = 7,
  kI8 = 8,
  kI32 = 9,
};

std::span<const DType> AllDTypes();

std::string_view DTypeName(
    DType dtype);  // "f64", "f32", "tf32", "bf16", "f16", "f8e4m3", "f8e5m2", "i8", "i32"

// kInvalidArgument: not a name above; the message lists them and suggests the nearest.
absl::StatusOr<DType> ParseDType(std::string_view name);

int DTypeBytes(DType dtype);  // storage size: tf32 takes 4

bool IsFloat(DType dtype);
bool IsFp8(DType dtype);

// What a matmul of such operands accumulates in by default: f64 for f64, i32 for i8 and i32, else
// f32.
DType DefaultAccumulator(DType operand);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_DTYPE_H_

// Valid kernels without rhyme or reason, for property tests.
#ifndef SEEDTUNE_IR_RANDOM_KERNEL_H_
#define SEEDTUNE_IR_RANDOM_KERNEL_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

// The same kernel for the same seed. Between them the kernels have every kind of op, one dot or two
// in a row, none to two axes in each role, prologues and epilogues, symbolic and fixed axes,
// padded, permuted, broadcast and dynamic strides, and windows. Not OK if the builder rejected it,
// which is a bug of one of the two.
absl::StatusOr<Kernel> RandomKernel(uint64_t seed);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_RANDOM_KERNEL_H_

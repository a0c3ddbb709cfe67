// Says whether a kernel means anything, and if not, which op and which field is wrong.
#ifndef SEEDTUNE_IR_VALIDATE_H_
#define SEEDTUNE_IR_VALIDATE_H_

#include "absl/status/status.h"
#include "ir/kernel.h"

namespace seedtune {

// kInvalidArgument: `kernel "ffn": ops[2] (dot0).dot.k is empty, want at least one axis`. Checks
// ids, SSA order, names (non-empty and unique; of axes and symbols, identifiers), extents (static:
// at least 1; symbolic: 1 <= min <= hint <= max where given, the same for a symbol everywhere),
// that sizes in elements, bytes and flops fit int64_t at the largest extents declared, dtypes,
// ranks of accesses, accesses inside their tensor (for all values of the symbols), axis roles of
// dots, what each value spans, that fields of other kinds of op keep their defaults, that every
// kernel stores something, and that no axis, tensor or value is left unused. Does not check whether
// a store writes an element twice. Thread-safe.
absl::Status ValidateKernel(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_VALIDATE_H_

// Says whether a kernel means anything, and if not, which op and which field is wrong.
#ifndef SEEDTUNE_IR_VALIDATE_H_
#define SEEDTUNE_IR_VALIDATE_H_

#include "absl/status/status.h"
#include "ir/kernel.h"

namespace seedtune {

// kInvalidArgument: `kernel "ffn": ops[2] (dot0).dot.k is empty, want at least one axis`. Checks
// ids, SSA order, names (non-empty, unique), extents (static: at least 1; symbolic: 1 <= min <=
// hint <= max where given), that sizes in elements, bytes and flops fit int64_t, dtypes, ranks of
// accesses, accesses inside their tensor, axis roles of dots, what each value spans, and that every
// kernel stores something.
absl::Status ValidateKernel(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_VALIDATE_H_

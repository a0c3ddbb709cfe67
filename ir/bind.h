// Gives symbols of a kernel their values.
#ifndef SEEDTUNE_IR_BIND_H_
#define SEEDTUNE_IR_BIND_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

// The kernel with every symbol replaced: by `values[symbol]`, else by its hint. A dynamic stride
// outside a symbolic size becomes the dense one; other dynamic strides stay. The result is valid.
// kInvalidArgument: a value outside its bounds, an unknown symbol, a symbol with neither value nor
// hint, a size that overflows. Thread-safe.
absl::StatusOr<Kernel> BindSymbols(const Kernel& kernel,
                                   const std::map<std::string, int64_t>& values);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_BIND_H_

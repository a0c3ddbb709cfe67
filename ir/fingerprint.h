// A kernel's identity: the same for the same computation under other names.
#ifndef SEEDTUNE_IR_FINGERPRINT_H_
#define SEEDTUNE_IR_FINGERPRINT_H_

#include <string>

#include "ir/kernel.h"

namespace seedtune {

// 32 hex digits: XXH3-128 of canonical bytes that start with a format version. Names of kernels,
// axes, tensors, ops and symbols do not count (which axes share a symbol does); everything else
// does: extents, hints and bounds, dtypes, strides, alignment, accesses, ops and their order. Of an
// opaque kernel (opaque.h) there is nothing but its name, which counts.
std::string KernelFingerprint(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_FINGERPRINT_H_

// Kernels that several tests share.
#ifndef SEEDTUNE_IR_TEST_KERNELS_H_
#define SEEDTUNE_IR_TEST_KERNELS_H_

#include "ir/kernel.h"

namespace seedtune {

// Every kind of op, extent, stride and access: out[b, m] = max over n of relu(2 * (lhs rhs) +
// bias), where m is symbolic, n is not tunable, lhs is loaded through a window, and rhs is stored
// in i8 with padded and dynamic strides. Axes: 0 batch, 1 m, 2 n, 3 k.
Kernel RichKernel();

}  // namespace seedtune

#endif  // SEEDTUNE_IR_TEST_KERNELS_H_

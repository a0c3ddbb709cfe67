// Strides of tensors without gaps.
#ifndef SEEDTUNE_IR_DENSE_H_
#define SEEDTUNE_IR_DENSE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/kernel.h"

namespace seedtune {

// Walks the dimensions of a tensor from the innermost outwards and says which stride leaves no gap:
// 1, then the last stride times its size, dynamic once either is known at run time only. Dimensions
// of stride 0 take no room. Thread-compatible.
class DenseStride {
 public:
  // Of the next dimension. Nothing: it does not fit 64 bits.
  std::optional<int64_t> next() const { return next_; }
  void Pass(const TensorDim& dim);

 private:
  std::optional<int64_t> next_ = 1;
};

// Dimensions of a dense tensor, outermost first. A stride that does not fit 64 bits reads 1: such a
// tensor fails ValidateKernel for its size. Thread-safe.
std::vector<TensorDim> DenseDims(std::vector<Extent> sizes);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_DENSE_H_

#include "ir/dense.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "ir/checked_math.h"
#include "ir/kernel.h"

namespace seedtune {

void DenseStride::Pass(const TensorDim& dim) {
  if (dim.stride == 0) return;
  if (dim.stride == TensorDim::kDynamicStride || !dim.size.is_static()) {
    next_ = TensorDim::kDynamicStride;
  } else {
    // A size below 1 is somebody else's error to report; it must not hide behind an odd stride.
    next_ = CheckedMul(dim.stride, std::max<int64_t>(dim.size.value, 1));
  }
}

std::vector<TensorDim> DenseDims(std::vector<Extent> sizes) {
  std::vector<TensorDim> dims(sizes.size());
  DenseStride dense;
  for (size_t d = sizes.size(); d-- > 0;) {
    dims[d].size = std::move(sizes[d]);
    dims[d].stride = dense.next().value_or(1);
    dense.Pass(dims[d]);
  }
  return dims;
}

}  // namespace seedtune

#ifndef SEEDTUNE_BACKENDS_CPU_GEMM_EPILOGUE_H_
#define SEEDTUNE_BACKENDS_CPU_GEMM_EPILOGUE_H_

// What is done to a tile of C besides the product. Internal to //backends/cpu:gemm. Thread-safe:
// touches only what the calls point to.

#include <cstdint>

namespace seedtune::cpu_gemm {

enum class EpilogueActivation { kNone, kRelu, kGelu };

// c = activation(c + bias + before) + after, element by element.
struct EpilogueCall {
  float* c = nullptr;
  int64_t c_stride = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  const float* bias = nullptr;  // Of the first column; nullptr: none.
  // Of the first element, with a row stride of `residual_stride`; at most one of the two is not
  // null.
  const float* before = nullptr;
  const float* after = nullptr;
  int64_t residual_stride = 0;
  EpilogueActivation activation = EpilogueActivation::kNone;
};

void ApplyEpilogue(const EpilogueCall& call);

// to (+)= from, for `rows` x `columns` elements of `from`. The two do not overlap.
struct MergeCall {
  const float* from = nullptr;
  int64_t from_stride = 0;
  float* to = nullptr;
  int64_t to_stride = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  bool accumulate = false;
};

void MergeTile(const MergeCall& call);

// As MergeTile, of the transpose of `from`: to(j, i) (+)= from(i, j).
void MergeTransposed(const MergeCall& call);

}  // namespace seedtune::cpu_gemm

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_EPILOGUE_H_

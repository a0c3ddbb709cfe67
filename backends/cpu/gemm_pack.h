#ifndef SEEDTUNE_BACKENDS_CPU_GEMM_PACK_H_
#define SEEDTUNE_BACKENDS_CPU_GEMM_PACK_H_

// Packing: copying a block of an operand into slivers, in the order in which the micro kernel reads
// them. Internal to //backends/cpu:gemm. Thread-safe: touches only what the call points to.

#include <cstdint>

namespace seedtune::cpu_gemm {

// A block of `span` x `depth` elements, cut along its span into slivers of `width`: `span` is m for
// A and n for B, `depth` is k for both. In the copy, sliver q starts at to[q * width * depth], and
// holds its `width` elements of depth 0, then those of depth 1, and so on. The last sliver, if the
// span is no multiple of `width`, is `edge_width` wide, elements beyond the span being 0.
struct PackCall {
  // Element (s, p) lies at from[s * span_stride + p * depth_stride]; one of the strides is 1.
  const float* from = nullptr;
  int64_t span_stride = 0;
  int64_t depth_stride = 0;
  int64_t span = 0;
  int64_t depth = 0;
  int width = 0;
  int edge_width = 0;  // From span % width to width; ignored where the slivers come out even.
  float* to = nullptr;
};

void PackSlivers(const PackCall& call);

}  // namespace seedtune::cpu_gemm

#endif  // SEEDTUNE_BACKENDS_CPU_GEMM_PACK_H_

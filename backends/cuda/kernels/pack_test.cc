// templates/pack.cu is plain enough to run on the host, where the address sanitizer watches what it
// reads.
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "gtest/gtest.h"

// What CUDA C++ has and C++ has not.
#define __device__
#define __forceinline__ inline

namespace seedtune {
namespace {

struct uint4 {
  uint32_t x, y, z, w;
};
struct {
  unsigned x = 0;
} threadIdx;

unsigned __funnelshift_r(unsigned low, unsigned high, unsigned shift) {
  return static_cast<unsigned>(((uint64_t{high} << 32) | low) >> (shift & 31));
}

template <typename T, int kSize>
struct alignas(sizeof(T) * kSize) Vector {
  T at[kSize];
};

constexpr int kThreads = 256;

// What `run` makes of an operand of random bytes, against the same one element at a time.
template <typename T>
void Check(int64_t batches, int64_t rows, int64_t elements, int64_t row_stride,
           int64_t element_stride, int64_t batch_stride,
           void (*run)(const T*, unsigned char*, unsigned)) {
  const int64_t size =
      (batches - 1) * batch_stride + (rows - 1) * row_stride + (elements - 1) * element_stride + 1;
  std::vector<T> from(size);
  std::mt19937 random(1);
  for (T& element : from) element = static_cast<T>(random());
  const int64_t pitch = (elements * sizeof(T) + 15) / 16 * 16;
  std::vector<uint4> to(batches * rows * pitch / 16, uint4{~0u, ~0u, ~0u, ~0u});
  unsigned char* bytes = reinterpret_cast<unsigned char*>(to.data());
  for (unsigned block = 0; block * kThreads < to.size(); ++block) {
    for (threadIdx.x = 0; threadIdx.x < kThreads; ++threadIdx.x) run(from.data(), bytes, block);
  }
  for (int64_t b = 0; b < batches; ++b) {
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t e = 0; e < pitch / static_cast<int64_t>(sizeof(T)); ++e) {
        T got, want = 0;
        std::memcpy(&got, bytes + (b * rows + r) * pitch + e * sizeof(T), sizeof(T));
        if (e < elements) want = from[b * batch_stride + r * row_stride + e * element_stride];
        ASSERT_EQ(got, want) << "batch " << b << ", row " << r << ", element " << e;
      }
    }
  }
}

// Each shape is constants in a namespace of its own, as in a generated program.
#define SHAPE(name, batches, rows, elements, row_stride, element_stride, batch_stride) \
  namespace name {                                                                     \
  constexpr long long kBatches = batches, kRows = rows, kElementsOfRow = elements;     \
  constexpr long long kRowStride = row_stride, kElementStride = element_stride;        \
  constexpr long long kBatchStride = batch_stride;                                     \
  constexpr bool kWordsExist = true;
#define CHECK_SHAPE(name, type)                                                    \
  Check<type>(name::kBatches, name::kRows, name::kElementsOfRow, name::kRowStride, \
              name::kElementStride, name::kBatchStride, &name::Run<type>)

SHAPE(odd_rows, 3, 17, 33, 33, 1, 17 * 33)
#include "backends/cuda/kernels/templates/pack.cu"
}  // namespace odd_rows
SHAPE(padded_rows, 2, 5, 100, 101, 1, 505)
#include "backends/cuda/kernels/templates/pack.cu"
}  // namespace padded_rows
SHAPE(turned, 2, 13, 41, 1, 13, 13 * 41)
#include "backends/cuda/kernels/templates/pack.cu"
}  // namespace turned
SHAPE(several_blocks, 1, 300, 517, 517, 1, 0)
#include "backends/cuda/kernels/templates/pack.cu"
}  // namespace several_blocks
SHAPE(one_element, 1, 1, 1, 1, 1, 0)
#include "backends/cuda/kernels/templates/pack.cu"
}  // namespace one_element

TEST(PackTest, CopiesEveryElementAndReadsNoOther) {
  CHECK_SHAPE(odd_rows, uint16_t);
  CHECK_SHAPE(odd_rows, uint8_t);
  CHECK_SHAPE(odd_rows, uint32_t);
  CHECK_SHAPE(padded_rows, uint16_t);
  CHECK_SHAPE(padded_rows, uint8_t);
  CHECK_SHAPE(turned, uint16_t);
  CHECK_SHAPE(turned, uint8_t);
  CHECK_SHAPE(several_blocks, uint16_t);
  CHECK_SHAPE(several_blocks, uint8_t);
  CHECK_SHAPE(one_element, uint16_t);
}

}  // namespace
}  // namespace seedtune

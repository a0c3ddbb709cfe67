#include "backends/cpu/operands.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "backends/cpu/thread_pool.h"
#include "util/file.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int64_t kHugePageBytes = int64_t{2} << 20;
constexpr int64_t kVectorBytes = 64;
// Of what the system says is free, how much operands may take.
constexpr double kShareOfFreeMemory = 0.9;

// Of operands. So many of even the smallest are more than any L2 cache holds; to exceed the last
// cache would take millions of them, and minutes to make.
constexpr int64_t kMostCopies = int64_t{1} << 16;

// Elements that are worth a thread of their own: some milliseconds of work.
constexpr int64_t kElementsPerThread = int64_t{1} << 22;

// 24 bits of randomness into [-1, 1).
float ToUnitRange(uint32_t bits) { return static_cast<float>(bits >> 8) * 0x1p-23f - 1.0f; }

// The `index`-th number of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014): good enough for operands, fast enough for gigabytes of them, and each
// number can be had without those before it.
uint64_t SplitMix64(uint64_t seed, int64_t index) {
  uint64_t z = seed + static_cast<uint64_t>(index + 1) * 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// Elements [begin, end) of a random input of `size`; `begin` is even.
void FillRandom(float* p, int64_t begin, int64_t end, int64_t size, uint64_t seed) {
  for (int64_t i = begin; i < end; i += 2) {
    const uint64_t bits = SplitMix64(seed, i / 2);
    p[i] = ToUnitRange(static_cast<uint32_t>(bits));
    if (i + 1 < size) p[i + 1] = ToUnitRange(static_cast<uint32_t>(bits >> 32));
  }
}

// The same numbers however many threads fill. Most of the time goes into the first touch of the
// memory's pages, which the threads share as well.
void FillRandom(FloatBuffer& buffer, uint64_t seed, ThreadPool& pool) {
  const int64_t pairs = (buffer.size() + 1) / 2;
  const int parts =
      static_cast<int>(std::clamp<int64_t>(buffer.size() / kElementsPerThread, 1, pool.threads()));
  pool.Run(parts, [&](int part) {
    const int64_t end = std::min(2 * (pairs * (part + 1) / parts), buffer.size());
    FillRandom(buffer.data(), 2 * (pairs * part / parts), end, buffer.size(), seed);
  });
}

// What a buffer of so many floats takes up: whole cache lines.
int64_t BytesOf(int64_t size) {
  return (size * static_cast<int64_t>(sizeof(float)) + kVectorBytes - 1) / kVectorBytes *
         kVectorBytes;
}

// One past the last element of `batch` matrices of rows x columns.
int64_t Extent(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride,
               int64_t batch, int64_t batch_stride) {
  return (rows - 1) * row_stride + (columns - 1) * column_stride + (batch - 1) * batch_stride + 1;
}

absl::StatusOr<OperandSet> MakeSet(const GemmProblem& problem) {
  OperandSet set;
  SEEDTUNE_ASSIGN_OR_RETURN(set.a, FloatBuffer::Create(SizeOfA(problem)));
  SEEDTUNE_ASSIGN_OR_RETURN(set.b, FloatBuffer::Create(SizeOfB(problem)));
  SEEDTUNE_ASSIGN_OR_RETURN(set.c, FloatBuffer::Create(SizeOfC(problem)));
  std::fill_n(set.c.data(), set.c.size(), 0.0f);
  if (problem.epilogue.bias) {
    SEEDTUNE_ASSIGN_OR_RETURN(set.bias, FloatBuffer::Create(problem.n));
  }
  if (problem.epilogue.residual != GemmResidual::kNone) {
    SEEDTUNE_ASSIGN_OR_RETURN(set.residual, FloatBuffer::Create(SizeOfResidual(problem)));
  }
  return set;
}

// Memory that programs can still have, caches that the system would give up included; 0: it does
// not say.
int64_t AvailableBytes() {
  const absl::StatusOr<std::string> text = ReadFile("/proc/meminfo");
  if (!text.ok()) return 0;
  constexpr std::string_view kLabel = "MemAvailable:";
  const size_t at = text->find(kLabel);
  if (at == std::string::npos) return 0;
  return std::strtoll(text->c_str() + at + kLabel.size(), nullptr, 10) << 10;
}

void CopyInputs(const OperandSet& from, OperandSet& to) {
  const auto copy = [](const FloatBuffer& source, FloatBuffer& target) {
    if (source.size() > 0) std::memcpy(target.data(), source.data(), source.size() * sizeof(float));
  };
  copy(from.a, to.a);
  copy(from.b, to.b);
  copy(from.bias, to.bias);
  copy(from.residual, to.residual);
}

}  // namespace

absl::StatusOr<FloatBuffer> FloatBuffer::Create(int64_t size) {
  const int64_t alignment =
      size * static_cast<int64_t>(sizeof(float)) >= kHugePageBytes ? kHugePageBytes : kVectorBytes;
  const int64_t bytes =
      (size * static_cast<int64_t>(sizeof(float)) + alignment - 1) / alignment * alignment;
  FloatBuffer buffer;
  buffer.data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
  if (buffer.data_ == nullptr) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("no memory for an operand of %d bytes", bytes));
  }
  buffer.size_ = size;
  if (alignment == kHugePageBytes) madvise(buffer.data_.get(), bytes, MADV_HUGEPAGE);  // a wish
  return buffer;
}

int64_t SizeOfA(const GemmProblem& p) {
  return Extent(p.m, p.k, p.a_row_stride, p.a_col_stride, p.batch, p.a_batch_stride);
}
int64_t SizeOfB(const GemmProblem& p) {
  return Extent(p.k, p.n, p.b_row_stride, p.b_col_stride, p.batch, p.b_batch_stride);
}
int64_t SizeOfC(const GemmProblem& p) {
  return Extent(p.m, p.n, p.c_row_stride, /*column_stride=*/1, p.batch, p.c_batch_stride);
}
int64_t SizeOfResidual(const GemmProblem& p) {
  if (p.epilogue.residual == GemmResidual::kNone) return 0;
  return Extent(p.m, p.n, p.epilogue.residual_row_stride, /*column_stride=*/1, p.batch,
                p.epilogue.residual_batch_stride);
}

absl::StatusOr<Operands> Operands::Create(const GemmProblem& problem, uint64_t seed,
                                          int64_t cold_bytes) {
  const int64_t set_bytes = BytesOf(SizeOfA(problem)) + BytesOf(SizeOfB(problem)) +
                            BytesOf(SizeOfC(problem)) + BytesOf(SizeOfResidual(problem));
  const int64_t copies =
      std::clamp<int64_t>((cold_bytes + set_bytes - 1) / set_bytes, 1, kMostCopies);
  const int64_t free_bytes = AvailableBytes();
  if (free_bytes > 0 && static_cast<double>(copies * set_bytes) >
                            kShareOfFreeMemory * static_cast<double>(free_bytes)) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("the operands take %d MB of memory, %d MB are free; want a smaller kernel "
                        "or a larger machine",
                        copies * set_bytes / 1'000'000, free_bytes / 1'000'000));
  }
  const int64_t cores = std::max<int64_t>(std::thread::hardware_concurrency(), 1);
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<ThreadPool> pool,
                            ThreadPool::Create(static_cast<int>(std::min<int64_t>(
                                cores, 1 + set_bytes / (kElementsPerThread * 4)))));
  Operands operands;
  for (int64_t i = 0; i < copies; ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(OperandSet set, MakeSet(problem));
    if (i == 0) {
      int64_t stream = 0;
      for (FloatBuffer* input : {&set.a, &set.b, &set.bias, &set.residual}) {
        FillRandom(*input, SplitMix64(seed, stream++), *pool);
      }
    } else {
      CopyInputs(operands.sets_.front(), set);
    }
    operands.sets_.push_back(std::move(set));
  }
  return operands;
}

int64_t ColdBytes(int64_t last_level_cache_bytes, int64_t cores) {
  constexpr int64_t kMostPerCore = int64_t{48} << 20;
  if (cores > 0) last_level_cache_bytes = std::min(last_level_cache_bytes, cores * kMostPerCore);
  return 2 * last_level_cache_bytes;
}

}  // namespace seedtune

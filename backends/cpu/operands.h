// The memory that a kernel's runs read and write: random inputs, and as many copies of all operands
// as it takes that a run meets none of them in a cache.
#ifndef SEEDTUNE_BACKENDS_CPU_OPERANDS_H_
#define SEEDTUNE_BACKENDS_CPU_OPERANDS_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/cpu/gemm.h"

namespace seedtune {

// Floats, not yet set, on a boundary of 2 MiB (64 bytes if small), in huge pages where the system
// gives them: placement by chance would be noise.
class FloatBuffer {
 public:
  // kResourceExhausted: no memory.
  static absl::StatusOr<FloatBuffer> Create(int64_t size);

  FloatBuffer() = default;
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  int64_t size() const { return size_; }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
  int64_t size_ = 0;
};

// The operands of one run.
struct OperandSet {
  FloatBuffer a, b, bias, residual, c;  // bias and residual are empty where the epilogue has none
};

// Elements from the first to one past the last that the problem touches.
int64_t SizeOfA(const GemmProblem& problem);
int64_t SizeOfB(const GemmProblem& problem);
int64_t SizeOfC(const GemmProblem& problem);
int64_t SizeOfResidual(const GemmProblem& problem);  // 0: none

// Not thread-safe.
class Operands {
 public:
  // Inputs are uniform in [-1, 1), the same for the same seed and problem, in every copy. Together
  // the copies take at least `cold_bytes` (0: one copy), unless 65,536 of them are fewer.
  // kResourceExhausted: more than the machine has free.
  static absl::StatusOr<Operands> Create(const GemmProblem& problem, uint64_t seed,
                                         int64_t cold_bytes);

  size_t size() const { return sets_.size(); }
  OperandSet& operator[](size_t i) { return sets_[i]; }

 private:
  std::vector<OperandSet> sets_;
};

// How many bytes of operands meet a cold last-level cache, run in turns: twice what the cores (0:
// not known) can have of it. A virtual machine often reports the cache of a whole socket beside few
// cores; no processor has more than 48 MiB of L3 a core (AMD EPYC 7373X, 768 MiB for 16).
int64_t ColdBytes(int64_t last_level_cache_bytes, int64_t cores);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_CPU_OPERANDS_H_

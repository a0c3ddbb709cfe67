// Run() allocates nothing: counted by replacing the global allocation functions, hence a test of
// its own.

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

#include "backends/cpu/gemm.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace {

std::atomic<int64_t> allocations = 0;

void* Allocate(size_t size) {
  ++allocations;
  if (void* p = std::malloc(size)) return p;
  std::abort();
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete[](void* p, size_t) noexcept { std::free(p); }

namespace seedtune {
namespace {

TEST(GemmAllocationTest, RunAllocatesNothing) {
  GemmProblem problem = GemmProblem::RowMajor(50, 60, 70, 2);
  problem.epilogue.bias = true;
  problem.epilogue.activation = GemmActivation::kGelu;
  for (int split = 0; split <= static_cast<int>(GemmThreadSplit::kBatch); ++split) {
    for (const auto& [threads, transpose] :
         {std::pair(1, false), std::pair(1, true), std::pair(3, false), std::pair(3, true)}) {
      GemmConfig config;
      config.threads = threads;
      config.thread_split = static_cast<GemmThreadSplit>(split);
      config.transpose = transpose;
      ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
      const std::vector<float> a(2 * 50 * 70), b(2 * 70 * 60), bias(60);
      std::vector<float> c(2 * 50 * 60);
      const int64_t before = allocations;
      EXPECT_GT(before, 0) << "the count must see allocations";
      for (int run = 0; run < 3; ++run) {
        plan.Run(a.data(), b.data(), bias.data(), nullptr, c.data());
      }
      EXPECT_EQ(allocations, before);
    }
  }
}

}  // namespace
}  // namespace seedtune

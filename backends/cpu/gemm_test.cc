#include "backends/cpu/gemm.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "backends/cpu/gemm_targets.h"
#include "backends/cpu/reference.h"
#include "backends/cpu/thread_pool.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hwy/targets.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Field;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Le;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
// What lies between the rows of C, and must stay there.
constexpr float kGap = 12345.0f;

using Random = std::mt19937_64;

int64_t Uniform(Random& random, int64_t low, int64_t high) {
  return low + static_cast<int64_t>(random() % static_cast<uint64_t>(high - low + 1));
}

template <typename T>
T OneOf(Random& random, const std::vector<T>& choices) {
  return choices[Uniform(random, 0, static_cast<int64_t>(choices.size()) - 1)];
}

// Exactly so many floats and not one more, so that AddressSanitizer sees every overrun.
class Buffer {
 public:
  Buffer(int64_t size, float fill) : size_(size), data_(new float[size]) {
    std::fill_n(data_.get(), size, fill);
  }
  Buffer(int64_t size, Random& random) : Buffer(size, 0.0f) {
    for (int64_t i = 0; i < size; ++i) {
      data_[i] = static_cast<float>(static_cast<int64_t>(random() >> 40)) * 0x1p-23f - 1.0f;
    }
  }
  float* get() const { return data_.get(); }
  int64_t size() const { return size_; }
  float& operator[](int64_t i) const { return data_[i]; }

 private:
  int64_t size_;
  std::unique_ptr<float[]> data_;
};

// One past the offset of the last element.
int64_t Span(int64_t rows, int64_t row_stride, int64_t columns, int64_t column_stride,
             int64_t batch, int64_t batch_stride) {
  return (rows - 1) * row_stride + (columns - 1) * column_stride + (batch - 1) * batch_stride + 1;
}

// The operands of a problem, random, and C full of NaN.
struct Operands {
  Operands(const GemmProblem& p, uint64_t seed)
      : random(seed),
        a(Span(p.m, p.a_row_stride, p.k, p.a_col_stride, p.batch, p.a_batch_stride), random),
        b(Span(p.k, p.b_row_stride, p.n, p.b_col_stride, p.batch, p.b_batch_stride), random),
        bias(p.epilogue.bias ? p.n : 1, random),
        residual(p.epilogue.residual == GemmResidual::kNone
                     ? 1
                     : Span(p.m, p.epilogue.residual_row_stride, p.n, 1, p.batch,
                            p.epilogue.residual_batch_stride),
                 random),
        c(Span(p.m, p.c_row_stride, p.n, 1, p.batch, p.c_batch_stride), kGap) {
    for (int64_t e = 0; e < p.batch; ++e) {
      for (int64_t i = 0; i < p.m; ++i) {
        std::fill_n(c.get() + e * p.c_batch_stride + i * p.c_row_stride, p.n, kNan);
      }
    }
  }

  void Run(GemmPlan& plan) const {
    plan.Run(a.get(), b.get(), bias.get(), residual.get(), c.get());
  }

  CheckResult Check(const GemmProblem& p) const {
    return CheckGemm(p, a.get(), b.get(), bias.get(), residual.get(), c.get());
  }

  int64_t GapsLeft() const { return std::count(c.get(), c.get() + c.size(), kGap); }

  Random random;
  Buffer a, b, bias, residual, c;
};

std::string Describe(const GemmProblem& p, const GemmConfig& c) {
  return absl::StrCat(
      p.m, "x", p.n, "x", p.k, " batch ", p.batch, " a ", p.a_row_stride, ",", p.a_col_stride, ",",
      p.a_batch_stride, " b ", p.b_row_stride, ",", p.b_col_stride, ",", p.b_batch_stride, " c ",
      p.c_row_stride, ",", p.c_batch_stride, " bias ", p.epilogue.bias, " activation ",
      static_cast<int>(p.epilogue.activation), " residual ", static_cast<int>(p.epilogue.residual),
      " tile ", c.mr, "x", c.nr_vectors, " blocks ", c.mc, " ", c.nc, " ", c.kc, " pack ", c.pack_a,
      c.pack_b, " unroll ", c.k_unroll, " prefetch ", c.prefetch_distance, c.prefetch_c, " order ",
      static_cast<int>(c.loop_order), " threads ", c.threads, " split ",
      static_cast<int>(c.thread_split), c.transpose ? " transposed" : "");
}

// Runs, and expects a right result with nothing written beside it.
void ExpectRight(const GemmProblem& problem, const GemmConfig& config, uint64_t seed = 1) {
  SCOPED_TRACE(Describe(problem, config));
  ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
  const Operands operands(problem, seed);
  const int64_t gaps = operands.GapsLeft();
  operands.Run(plan);
  const CheckResult result = operands.Check(problem);
  EXPECT_TRUE(result.ok) << result.message;
  EXPECT_EQ(operands.GapsLeft(), gaps);
}

GemmProblem RandomProblem(Random& random) {
  const std::vector<int64_t> extents = {1, 2, 3, 5, 7, 13, 16, 17, 31, 32, 33, 61, 64, 67, 97, 128};
  GemmProblem p;
  p.m = OneOf(random, extents);
  p.n = OneOf(random, extents);
  p.k = OneOf(random, extents);
  p.batch = OneOf<int64_t>(random, {1, 1, 1, 2, 3});
  const auto layout = [&](int64_t rows, int64_t columns, int64_t& row_stride,
                          int64_t& column_stride, int64_t& batch_stride) {
    const int64_t gap = OneOf<int64_t>(random, {0, 0, 1, 5, 16});
    const bool row_major = random() % 2 == 0;
    row_stride = row_major ? columns + gap : 1;
    column_stride = row_major ? 1 : rows + gap;
    batch_stride = (row_major ? rows * row_stride : columns * column_stride) + gap;
    if (random() % 8 == 0) batch_stride = 0;
  };
  layout(p.m, p.k, p.a_row_stride, p.a_col_stride, p.a_batch_stride);
  layout(p.k, p.n, p.b_row_stride, p.b_col_stride, p.b_batch_stride);
  p.c_row_stride = p.n + OneOf<int64_t>(random, {0, 0, 1, 7});
  p.c_batch_stride = p.m * p.c_row_stride + OneOf<int64_t>(random, {0, 3});
  p.epilogue.bias = random() % 2 == 0;
  p.epilogue.activation = OneOf<GemmActivation>(
      random, {GemmActivation::kNone, GemmActivation::kRelu, GemmActivation::kGelu});
  p.epilogue.residual = OneOf<GemmResidual>(
      random,
      {GemmResidual::kNone, GemmResidual::kBeforeActivation, GemmResidual::kAfterActivation});
  p.epilogue.residual_row_stride = OneOf<int64_t>(random, {0, p.n, p.n + 3});
  p.epilogue.residual_batch_stride =
      OneOf<int64_t>(random, {0, p.m * p.epilogue.residual_row_stride});
  return p;
}

GemmConfig RandomConfig(const GemmProblem& problem, Random& random) {
  GemmConfig c;
  const GemmRegisterTile tile = OneOf(random, SupportedRegisterTiles());
  c.mr = tile.mr;
  c.nr_vectors = tile.nr_vectors;
  const int nr = tile.nr_vectors * VectorLanesF32();
  c.mc = OneOf<int64_t>(random, {1, c.mr, 2 * c.mr, 3 * c.mr + 1, 50, 1000});
  c.nc = OneOf<int64_t>(random, {1, nr, 2 * nr, nr + 3, 70, 1000});
  c.kc = OneOf<int64_t>(random, {1, 8, 13, 32, 64, 1000});
  c.pack_a = random() % 2 == 0;
  c.transpose = random() % 2 == 0;
  c.pack_b = PackBRequired(problem, c.transpose) || random() % 2 == 0;
  c.k_unroll = OneOf<int>(random, {1, 2, 4, 8});
  c.prefetch_distance = OneOf<int>(random, {0, 1, 8, 64});
  c.prefetch_c = random() % 2 == 0;
  c.loop_order = static_cast<GemmLoopOrder>(Uniform(random, 0, 5));
  c.threads = static_cast<int>(OneOf<int>(random, {1, 1, 2, 3}));
  c.thread_split = static_cast<GemmThreadSplit>(Uniform(random, 0, 4));
  return c;
}

// Uses only one instruction set for as long as it lives.
class ScopedTarget {
 public:
  explicit ScopedTarget(int64_t target) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(target);
  }
  ~ScopedTarget() {
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  }
};

// Every instruction set that this machine has and the library was compiled for.
class GemmTargetTest : public ::testing::TestWithParam<int64_t> {
 protected:
  const ScopedTarget target_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(AllTargets, GemmTargetTest,
                         ::testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         [](const ::testing::TestParamInfo<int64_t>& info) {
                           return std::string(hwy::TargetName(info.param));
                         });

TEST_P(GemmTargetTest, UsesTheTarget) {
  EXPECT_EQ(ActiveTargetName(), hwy::TargetName(GetParam()));
  EXPECT_GE(VectorLanesF32(), 1);
  EXPECT_GE(VectorRegistersF32(), 16);
}

TEST_P(GemmTargetTest, RandomProblemsAndConfigsAreRight) {
  Random random(20240611);
  for (int i = 0; i < 500 && !HasFailure(); ++i) {
    const GemmProblem problem = RandomProblem(random);
    ExpectRight(problem, RandomConfig(problem, random), random());
  }
}

TEST_P(GemmTargetTest, EveryKernelIsRight) {
  for (const GemmRegisterTile& tile : SupportedRegisterTiles()) {
    for (const int unroll : {1, 2, 4, 8}) {
      for (const bool row_major : {false, true}) {
        for (const bool pack : {false, true}) {
          GemmConfig config;
          config.mr = tile.mr;
          config.nr_vectors = tile.nr_vectors;
          config.k_unroll = unroll;
          config.pack_a = config.pack_b = pack;
          // Whole tiles, and over their edges; two blocks of k, with a remainder of the unrolled
          // loop.
          const int64_t n = tile.nr_vectors * VectorLanesF32();
          GemmProblem problem = GemmProblem::RowMajor(2 * tile.mr + tile.mr / 2, 2 * n + n / 2, 21);
          config.kc = 19;
          if (!row_major) {
            problem.a_row_stride = 1;
            problem.a_col_stride = problem.m;
          }
          ExpectRight(problem, config);
          // The same tiles of the transposed product.
          config.transpose = true;
          std::swap(problem.m, problem.n);
          problem.b_row_stride = problem.a_col_stride;
          problem.b_col_stride = problem.a_row_stride;
          problem.a_row_stride = 1;
          problem.a_col_stride = problem.m;
          problem.c_row_stride = problem.n;
          config.prefetch_distance = row_major ? 16 : 0;
          ExpectRight(problem, config);
        }
      }
    }
  }
}

TEST_P(GemmTargetTest, GeluIsExactToRounding) {
  std::vector<float> xs = {0.0f, -0.0f, 1e-30f, -1e-30f, 1e30f, -1e30f, 1e-3f, 100.0f, -100.0f};
  for (double x = -8; x <= 8; x += 0.00173) xs.push_back(static_cast<float>(x));
  GemmProblem problem = GemmProblem::RowMajor(1, static_cast<int64_t>(xs.size()), 1);
  problem.epilogue.activation = GemmActivation::kGelu;
  ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, GemmConfig()));
  std::vector<float> got(xs.size(), kNan);
  const float one = 1.0f;
  plan.Run(&one, xs.data(), nullptr, nullptr, got.data());
  for (size_t i = 0; i < xs.size(); ++i) {
    const double x = xs[i];
    const double want = 0.5 * x * std::erfc(-x * std::sqrt(0.5));
    EXPECT_NEAR(got[i], want, 3e-7 * std::abs(x)) << x;
  }
}

TEST(GemmTest, ThinAndLongShapesAreRight) {
  const int64_t shapes[][3] = {{1, 1, 1},     {1, 1, 3000},  {1, 3000, 1},  {3000, 1, 1},
                               {1, 777, 300}, {777, 1, 300}, {2, 1500, 40}, {251, 257, 263}};
  Random random(7);
  for (const auto& [m, n, k] : shapes) {
    for (int i = 0; i < 6 && !HasFailure(); ++i) {
      GemmProblem problem = GemmProblem::RowMajor(m, n, k);
      if (i % 2 != 0) problem.epilogue.bias = true;
      ExpectRight(problem, RandomConfig(problem, random), random());
    }
  }
}

// The last columns are read and written in place, where the instruction set can. Buffers end where
// the matrices do, at a page that may not be touched.
TEST(GemmTest, TouchesNothingBeyondTheLastColumns) {
  const int64_t page = sysconf(_SC_PAGESIZE);
  const auto guarded = [page](int64_t floats) {
    const int64_t bytes = (floats * 4 + page - 1) / page * page;
    char* const at = static_cast<char*>(
        mmap(nullptr, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(at, MAP_FAILED);
    EXPECT_EQ(mprotect(at + bytes, page, PROT_NONE), 0);
    return reinterpret_cast<float*>(at + bytes) - floats;  // never unmapped: it is little
  };
  for (const int64_t m : {1, 5, 12}) {
    for (int64_t n = 1; n <= 70; n += 3) {
      const int64_t k = 7;
      float* const a = guarded(m * k);
      float* const b = guarded(k * n);
      float* const c = guarded(m * n);
      std::fill_n(a, m * k, 1.0f);
      std::fill_n(b, k * n, 2.0f);
      for (const bool pack_b : {false, true}) {
        GemmConfig config;
        config.mr = 4;
        config.nr_vectors = 4;
        config.kc = 4;  // so that C is read, too
        config.pack_a = config.pack_b = pack_b;
        ASSERT_OK_AND_ASSIGN(GemmPlan plan,
                             GemmPlan::Create(GemmProblem::RowMajor(m, n, k), config));
        std::fill_n(c, m * n, kNan);
        plan.Run(a, b, nullptr, nullptr, c);
        EXPECT_THAT(std::vector<float>(c, c + m * n), Each(2.0f * k)) << m << "x" << n;
      }
    }
  }
}

// A few rows of B at a time go past a block of C in one call; every tile computes as if alone.
TEST(GemmTest, StreamedRowsAreRight) {
  Random random(3);
  for (const int64_t m : {1, 2, 4, 8}) {
    for (const int64_t kc : {1, 16, 32}) {
      for (const int64_t nc : {64, 512}) {
        for (const bool pack_b : {false, true}) {
          GemmProblem problem = GemmProblem::RowMajor(m, 345, 100);
          problem.epilogue.bias = true;
          GemmConfig config;
          config.mr = static_cast<int>(m);
          config.nr_vectors = 2;
          config.kc = kc;
          config.nc = nc;
          config.pack_b = pack_b;
          ExpectRight(problem, config, random());
        }
      }
    }
  }
}

TEST(GemmTest, EveryThreadSplitIsRight) {
  GemmProblem problem = GemmProblem::RowMajor(45, 67, 89, 3);
  problem.epilogue = {.bias = true,
                      .activation = GemmActivation::kRelu,
                      .residual = GemmResidual::kAfterActivation,
                      .residual_row_stride = 67,
                      .residual_batch_stride = 45 * 67};
  for (int split = 0; split <= static_cast<int>(GemmThreadSplit::kBatch); ++split) {
    for (int threads = 1; threads <= 5; ++threads) {
      GemmConfig config;
      config.mr = 4;
      config.nr_vectors = 1;
      config.threads = threads;
      config.thread_split = static_cast<GemmThreadSplit>(split);
      for (const bool transpose : {false, true}) {
        config.transpose = transpose;
        ExpectRight(problem, config);
      }
    }
  }
}

TEST(GemmTest, TransposedStreamOfAColumnMajorRightOperandIsRight) {
  for (const int64_t m : {1, 5, 16, 31, 64}) {
    GemmProblem problem = GemmProblem::RowMajor(m, 203, 300, 2);
    problem.b_row_stride = 1;
    problem.b_col_stride = 304;
    problem.b_batch_stride = 0;
    problem.epilogue = {.bias = true,
                        .activation = GemmActivation::kGelu,
                        .residual = GemmResidual::kAfterActivation,
                        .residual_row_stride = 203,
                        .residual_batch_stride = m * 203};
    for (const int64_t kc : {64, 300}) {
      for (const int threads : {1, 2}) {
        GemmConfig config;
        config.transpose = true;
        config.mr = 8;
        config.nr_vectors = 1;
        config.mc = 40;
        config.kc = kc;
        config.pack_a = false;
        config.prefetch_distance = 128;
        config.threads = threads;
        config.thread_split = GemmThreadSplit::kN;
        ExpectRight(problem, config);
      }
    }
  }
}

// An element's products are summed in the order of k whatever the tiles, blocks of m and n,
// packing, transposition and threads, except where k itself is divided.
TEST(GemmTest, ResultDependsOnNothingButTheBlocksOfK) {
  const GemmProblem problem = GemmProblem::RowMajor(61, 83, 100);
  Random random(3);
  std::optional<std::vector<float>> first;
  for (int i = 0; i < 60; ++i) {
    GemmConfig config = RandomConfig(problem, random);
    config.kc = 40;
    if (config.thread_split == GemmThreadSplit::kK) config.thread_split = GemmThreadSplit::kMN;
    SCOPED_TRACE(Describe(problem, config));
    ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
    const Operands operands(problem, 1);
    operands.Run(plan);
    const std::vector<float> result(operands.c.get(), operands.c.get() + operands.c.size());
    if (!first) first = result;
    EXPECT_EQ(result, *first);
  }
}

TEST(GemmTest, RunsAgainWithOtherOperands) {
  GemmProblem problem = GemmProblem::RowMajor(40, 50, 60, 2);
  problem.b_batch_stride = 0;
  for (const int threads : {1, 3}) {
    GemmConfig config;
    config.threads = threads;
    config.kc =
        1000;  // One block each, so that packed operands could be mistaken for the last run's.
    ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
    const Operands operands(problem, 1);
    for (int run = 0; run < 3; ++run) {
      operands.a[run] += 1.0f;
      operands.b[run] += 1.0f;
      operands.Run(plan);
      const CheckResult result = operands.Check(problem);
      EXPECT_TRUE(result.ok) << result.message;
    }
  }
}

TEST(GemmTest, OperandsNeedNoAlignment) {
  const GemmProblem problem = GemmProblem::RowMajor(33, 65, 20);
  for (const bool pack : {false, true}) {
    GemmConfig config;
    config.pack_a = config.pack_b = pack;
    ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
    Random random(1);
    const Buffer a(33 * 20 + 1, random);
    const Buffer b(20 * 65 + 1, random);
    const Buffer c(33 * 65 + 1, kNan);
    plan.Run(a.get() + 1, b.get() + 1, nullptr, nullptr, c.get() + 1);
    const CheckResult result =
        CheckGemm(problem, a.get() + 1, b.get() + 1, nullptr, nullptr, c.get() + 1);
    EXPECT_TRUE(result.ok) << result.message;
  }
}

TEST(GemmTest, StridesOverExtentsOfOneAreIgnored) {
  Random random(5);
  for (const auto& [m, n, k] : {std::tuple{1, 9, 8}, {9, 1, 8}, {9, 8, 1}, {1, 1, 5}, {1, 5, 1}}) {
    GemmProblem problem = GemmProblem::RowMajor(m, n, k);
    if (m == 1) problem.a_row_stride = problem.c_row_stride = -7;
    if (n == 1) problem.b_col_stride = -7;
    if (k == 1) problem.a_col_stride = problem.b_row_stride = -7;
    problem.a_batch_stride = problem.b_batch_stride = problem.c_batch_stride = -7;
    for (int i = 0; i < 10; ++i) {
      const GemmConfig config = RandomConfig(problem, random);
      SCOPED_TRACE(Describe(problem, config));
      ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config));
      const Buffer a(m * k, random);
      const Buffer b(k * n, random);
      const Buffer c(m * n, kNan);
      plan.Run(a.get(), b.get(), nullptr, nullptr, c.get());
      const GemmProblem plain = GemmProblem::RowMajor(m, n, k);
      const CheckResult result = CheckGemm(plain, a.get(), b.get(), nullptr, nullptr, c.get());
      EXPECT_TRUE(result.ok) << result.message;
    }
  }
}

TEST(GemmTest, BorrowsAPool) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<ThreadPool> pool, ThreadPool::Create(3));
  const GemmProblem problem = GemmProblem::RowMajor(64, 64, 64);
  GemmConfig config;
  config.threads = 3;
  ASSERT_OK_AND_ASSIGN(GemmPlan plan, GemmPlan::Create(problem, config, pool.get()));
  EXPECT_EQ(plan.threads(), 3);
  const Operands operands(problem, 1);
  operands.Run(plan);
  EXPECT_TRUE(operands.Check(problem).ok);

  config.threads = 4;
  EXPECT_THAT(GemmPlan::Create(problem, config, pool.get()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("thread pool has 3 threads")));
}

TEST(GemmTest, UsesNoMoreThreadsThanThereAreTiles) {
  GemmConfig config;
  config.mr = 8;
  config.nr_vectors = 1;
  config.threads = 16;
  const auto threads = [&](GemmThreadSplit split, int64_t m, int64_t n, int64_t k, int64_t batch) {
    config.thread_split = split;
    absl::StatusOr<GemmPlan> plan = GemmPlan::Create(GemmProblem::RowMajor(m, n, k, batch), config);
    return plan.ok() ? plan->threads() : -1;
  };
  EXPECT_EQ(threads(GemmThreadSplit::kM, 17, 500, 500, 9), 3);
  EXPECT_EQ(threads(GemmThreadSplit::kN, 500, VectorLanesF32() + 1, 500, 9), 2);
  EXPECT_EQ(threads(GemmThreadSplit::kMN, 17, 2 * VectorLanesF32(), 500, 9), 6);
  EXPECT_EQ(threads(GemmThreadSplit::kK, 500, 500, 5, 9), 5);
  EXPECT_EQ(threads(GemmThreadSplit::kBatch, 500, 500, 500, 9), 9);
  EXPECT_EQ(threads(GemmThreadSplit::kMN, 500, 500, 5, 1), 16);
  // Rows and columns stay those of C, tiles lie across it.
  config.transpose = true;
  EXPECT_EQ(threads(GemmThreadSplit::kM, VectorLanesF32() + 1, 500, 500, 9), 2);
  EXPECT_EQ(threads(GemmThreadSplit::kN, 500, 17, 500, 9), 3);
}

TEST(GemmTest, WorkspaceIsWhatPackingNeeds) {
  const int lanes = VectorLanesF32();
  const GemmProblem problem = GemmProblem::RowMajor(64, 8 * lanes, 100);
  GemmConfig config;
  config.mr = 8;
  config.nr_vectors = 2;
  config.mc = 16;
  config.nc = 4 * lanes;
  config.kc = 10;
  const auto bytes = [&] {
    absl::StatusOr<GemmPlan> plan = GemmPlan::Create(problem, config);
    return plan.ok() ? plan->workspace_bytes() : -1;
  };
  EXPECT_EQ(bytes(), (16 + 4 * lanes) * 10 * sizeof(float));
  config.pack_a = config.pack_b = false;
  EXPECT_EQ(bytes(), 0);
  config.threads = 2;
  config.thread_split = GemmThreadSplit::kK;
  EXPECT_EQ(bytes(), 64 * 8 * lanes * sizeof(float)) << "the second thread's partial sums";
}

// The right operand of the transposed product is packed, B is read in place, and C needs no copy.
TEST(GemmTest, TransposedWorkspaceIsTheSmallOperands) {
  const int lanes = VectorLanesF32();
  GemmProblem problem = GemmProblem::RowMajor(lanes, 64, 100);
  problem.b_row_stride = 1;
  problem.b_col_stride = 100;
  GemmConfig config;
  config.transpose = true;
  config.mr = 8;
  config.nr_vectors = 1;
  config.nc = lanes;
  config.kc = 100;
  config.pack_a = false;
  ASSERT_OK_AND_ASSIGN(const GemmPlan plan, GemmPlan::Create(problem, config));
  EXPECT_EQ(plan.workspace_bytes(), lanes * 100 * sizeof(float));
}

TEST(GemmTest, AbsurdWorkspaceIsAnError) {
  GemmProblem problem = GemmProblem::RowMajor(1, int64_t{1} << 30, int64_t{1} << 20);
  GemmConfig config;
  config.nc = config.kc = int64_t{1} << 40;
  EXPECT_THAT(GemmPlan::Create(problem, config),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("lower mc, nc, kc")));
}

TEST(GemmTest, PackBRequiredForColumnMajorB) {
  GemmProblem problem = GemmProblem::RowMajor(4, 5, 6);
  EXPECT_FALSE(PackBRequired(problem));
  problem.b_row_stride = 1;
  problem.b_col_stride = 6;
  EXPECT_TRUE(PackBRequired(problem));
  GemmConfig config;
  config.pack_b = false;
  EXPECT_THAT(ValidateGemm(problem, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("pack_b is false with b_col_stride 6")));
}

TEST(GemmTest, PackBRequiredForRowMajorAUnderTranspose) {
  GemmProblem problem = GemmProblem::RowMajor(4, 5, 6);
  EXPECT_TRUE(PackBRequired(problem, /*transpose=*/true));
  GemmConfig config;
  config.transpose = true;
  config.pack_b = false;
  EXPECT_THAT(ValidateGemm(problem, config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("pack_b is false under transpose with a_row_stride 6")));
  problem.a_row_stride = 1;
  problem.a_col_stride = 4;
  EXPECT_FALSE(PackBRequired(problem, /*transpose=*/true));
  EXPECT_THAT(ValidateGemm(problem, config), IsOk());
  // Whatever the layout of B.
  problem.b_row_stride = 1;
  problem.b_col_stride = 6;
  EXPECT_FALSE(PackBRequired(problem, /*transpose=*/true));
  // A single row is a column of the transpose, whose elements are read one at a time.
  EXPECT_FALSE(PackBRequired(GemmProblem::RowMajor(1, 5, 6), /*transpose=*/true));
}

TEST(SupportedRegisterTilesTest, AreSortedAndUniqueAndAccepted) {
  const std::vector<GemmRegisterTile> tiles = SupportedRegisterTiles();
  EXPECT_TRUE(std::is_sorted(tiles.begin(), tiles.end(), [](const auto& x, const auto& y) {
    return std::pair(x.nr_vectors, x.mr) < std::pair(y.nr_vectors, y.mr);
  }));
  std::set<std::pair<int, int>> unique;
  for (const GemmRegisterTile& tile : tiles) {
    EXPECT_TRUE(unique.emplace(tile.mr, tile.nr_vectors).second);
    GemmConfig config;
    config.mr = tile.mr;
    config.nr_vectors = tile.nr_vectors;
    EXPECT_THAT(ValidateGemm(GemmProblem::RowMajor(1, 1, 1), config), IsOk());
  }
  EXPECT_THAT(tiles, Each(Field(&GemmRegisterTile::registers, AllOf(Gt(2), Le(32)))));
}

TEST(ValidateGemmTest, NamesWhatIsWrong) {
  const int64_t huge = int64_t{1} << 39;
  const struct {
    const char* error;
    void (*spoil)(GemmProblem&, GemmConfig&);
  } kCases[] = {
      {"m is 0, want 1", [](GemmProblem& p, GemmConfig&) { p.m = 0; }},
      {"n is -3, want 1", [](GemmProblem& p, GemmConfig&) { p.n = -3; }},
      {"k is 9223372036854775807, want", [](GemmProblem& p, GemmConfig&) { p.k = INT64_MAX; }},
      {"batch is 0, want 1", [](GemmProblem& p, GemmConfig&) { p.batch = 0; }},
      {"a_row_stride is 19 and a_col_stride is 1, want 1 for one of them and at least 20",
       [](GemmProblem& p, GemmConfig&) { p.a_row_stride = 19; }},
      {"a_row_stride is 20 and a_col_stride is 2",
       [](GemmProblem& p, GemmConfig&) { p.a_col_stride = 2; }},
      {"b_row_stride is 12 and b_col_stride is 0",
       [](GemmProblem& p, GemmConfig&) { p.b_col_stride = 0; }},
      {"a_batch_stride is -1, want", [](GemmProblem& p, GemmConfig&) { p.a_batch_stride = -1; }},
      {"b_batch_stride is -1, want", [](GemmProblem& p, GemmConfig&) { p.b_batch_stride = -1; }},
      {"a_row_stride 4611686018427387904",
       [](GemmProblem& p, GemmConfig&) { p.a_row_stride = int64_t{1} << 62; }},
      {"b_batch_stride 4611686018427387904",
       [](GemmProblem& p, GemmConfig&) { p.b_batch_stride = int64_t{1} << 62; }},
      {"c_row_stride is 11, want at least n, 12",
       [](GemmProblem& p, GemmConfig&) { p.c_row_stride = 11; }},
      {"c_row_stride is 4611686018427387904, want a C of less than 2^63 bytes",
       [](GemmProblem& p, GemmConfig&) { p.c_row_stride = int64_t{1} << 62; }},
      {"c_batch_stride is 119, want at least the 120 elements",
       [](GemmProblem& p, GemmConfig&) { p.c_batch_stride = 119; }},
      {"c_batch_stride is 4611686018427387904, want a C of less than 2^63 bytes",
       [](GemmProblem& p, GemmConfig&) { p.c_batch_stride = int64_t{1} << 62; }},
      {"epilogue.activation is 9",
       [](GemmProblem& p, GemmConfig&) { p.epilogue.activation = static_cast<GemmActivation>(9); }},
      {"epilogue.residual is -1",
       [](GemmProblem& p, GemmConfig&) { p.epilogue.residual = static_cast<GemmResidual>(-1); }},
      {"epilogue.residual_row_stride is 7, want 0 or at least n, 12",
       [](GemmProblem& p, GemmConfig&) {
         p.epilogue.residual = GemmResidual::kAfterActivation;
         p.epilogue.residual_row_stride = 7;
       }},
      {"epilogue.residual_batch_stride is -1, want",
       [](GemmProblem& p, GemmConfig&) {
         p.epilogue.residual = GemmResidual::kAfterActivation;
         p.epilogue.residual_batch_stride = -1;
       }},
      {"epilogue.residual_row_stride is 4611686018427387904, want a residual",
       [](GemmProblem& p, GemmConfig&) {
         p.epilogue.residual = GemmResidual::kBeforeActivation;
         p.epilogue.residual_row_stride = int64_t{1} << 62;
       }},
      {"mr x nr_vectors is 5x2, want one of 1x1 2x1",
       [](GemmProblem&, GemmConfig& c) { c.mr = 5; }},
      {"mr x nr_vectors is 6x0, want", [](GemmProblem&, GemmConfig& c) { c.nr_vectors = 0; }},
      {"mc is 0, want at least 1", [](GemmProblem&, GemmConfig& c) { c.mc = 0; }},
      {"nc is -1, want at least 1", [](GemmProblem&, GemmConfig& c) { c.nc = -1; }},
      {"kc is 0, want at least 1", [](GemmProblem&, GemmConfig& c) { c.kc = 0; }},
      {"k_unroll is 3, want 1, 2, 4 or 8", [](GemmProblem&, GemmConfig& c) { c.k_unroll = 3; }},
      {"prefetch_distance is -1, want 0 to",
       [](GemmProblem&, GemmConfig& c) { c.prefetch_distance = -1; }},
      {"loop_order is 6", [](GemmProblem&, GemmConfig& c) { c.loop_order = GemmLoopOrder(6); }},
      {"threads is 0, want 1 to", [](GemmProblem&, GemmConfig& c) { c.threads = 0; }},
      {"thread_split is 5",
       [](GemmProblem&, GemmConfig& c) { c.thread_split = GemmThreadSplit(5); }},
  };
  EXPECT_THAT(ValidateGemm(GemmProblem::RowMajor(10, 12, 20, 2), GemmConfig()), IsOk());
  EXPECT_THAT(ValidateGemm(GemmProblem::RowMajor(1, huge, 1), GemmConfig()), IsOk());
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.error);
    GemmProblem problem = GemmProblem::RowMajor(10, 12, 20, 2);
    GemmConfig config;
    c.spoil(problem, config);
    EXPECT_THAT(ValidateGemm(problem, config),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    EXPECT_THAT(GemmPlan::Create(problem, config),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("cpu gemm: ")));
  }
}

}  // namespace
}  // namespace seedtune

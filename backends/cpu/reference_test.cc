#include "backends/cpu/reference.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "backends/cpu/gemm.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Data {
  std::vector<float> a, b, bias, residual;
};

std::vector<float> RandomFloats(int64_t size, std::mt19937_64& random) {
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(size);
  for (float& value : values) value = uniform(random);
  return values;
}

Data RandomData(const GemmProblem& p, uint64_t seed) {
  std::mt19937_64 random(seed);
  return {RandomFloats(p.batch * p.m * p.k, random), RandomFloats(p.batch * p.k * p.n, random),
          RandomFloats(p.n, random), RandomFloats(p.batch * p.m * p.n, random)};
}

// The product of dense row-major operands in f32, in the plainest way: no code of the library's.
// The products of depths in [skip_begin, skip_end) are left out.
std::vector<float> Naive(const GemmProblem& p, const Data& data, int64_t skip_begin = 0,
                         int64_t skip_end = 0) {
  std::vector<float> c(p.batch * p.m * p.n);
  for (int64_t e = 0; e < p.batch; ++e) {
    for (int64_t i = 0; i < p.m; ++i) {
      float* row = &c[(e * p.m + i) * p.n];
      for (int64_t q = 0; q < p.k; ++q) {
        if (q >= skip_begin && q < skip_end) continue;
        const float a = data.a[(e * p.m + i) * p.k + q];
        for (int64_t j = 0; j < p.n; ++j) row[j] += a * data.b[(e * p.k + q) * p.n + j];
      }
      for (int64_t j = 0; j < p.n; ++j) {
        const float residual = data.residual[(e * p.m + i) * p.n + j];
        float x = row[j];
        if (p.epilogue.bias) x += data.bias[j];
        if (p.epilogue.residual == GemmResidual::kBeforeActivation) x += residual;
        if (p.epilogue.activation == GemmActivation::kRelu) x = x > 0 ? x : 0;
        if (p.epilogue.activation == GemmActivation::kGelu) {
          x = 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
        }
        if (p.epilogue.residual == GemmResidual::kAfterActivation) x += residual;
        row[j] = x;
      }
    }
  }
  return c;
}

CheckResult Check(const GemmProblem& p, const Data& data, const std::vector<float>& c,
                  const CheckOptions& options) {
  return CheckGemm(p, data.a.data(), data.b.data(), data.bias.data(), data.residual.data(),
                   c.data(), options);
}

// Every way of checking and every epilogue.
struct Mode {
  std::string name;
  bool full;
  GemmEpilogue epilogue;
};

std::vector<Mode> Modes() {
  std::vector<Mode> modes;
  const std::pair<const char*, GemmActivation> activations[] = {{"Linear", GemmActivation::kNone},
                                                                {"Relu", GemmActivation::kRelu},
                                                                {"Gelu", GemmActivation::kGelu}};
  const std::pair<const char*, GemmResidual> residuals[] = {
      {"", GemmResidual::kNone},
      {"Before", GemmResidual::kBeforeActivation},
      {"After", GemmResidual::kAfterActivation}};
  for (const bool full : {true, false}) {
    for (const auto& [activation_name, activation] : activations) {
      for (const auto& [residual_name, residual] : residuals) {
        Mode mode;
        mode.name = std::string(full ? "Full" : "Sampled") + activation_name + residual_name;
        mode.full = full;
        mode.epilogue.bias = true;
        mode.epilogue.activation = activation;
        mode.epilogue.residual = residual;
        modes.push_back(mode);
      }
    }
  }
  return modes;
}

class CheckGemmTest : public ::testing::TestWithParam<Mode> {
 protected:
  static constexpr int64_t kM = 90, kN = 130, kK = 120, kBatch = 2;

  CheckGemmTest() : problem_(GemmProblem::RowMajor(kM, kN, kK, kBatch)) {
    problem_.epilogue = GetParam().epilogue;
    problem_.epilogue.residual_row_stride = kN;
    problem_.epilogue.residual_batch_stride = kM * kN;
    data_ = RandomData(problem_, 1);
    right_ = Naive(problem_, data_);
    // Sampled: one element in twenty.
    options_.full_products = GetParam().full ? kM * kN * kK * kBatch : 0;
    options_.grid_products = kK * kM * kN * kBatch / 20;
    checker_.emplace(problem_, data_.a.data(), data_.b.data(), data_.bias.data(),
                     data_.residual.data(), options_);
  }

  void ExpectCaught(const std::vector<float>& wrong) {
    const CheckResult result = checker_->Check(wrong.data());
    EXPECT_FALSE(result.ok) << "worst error is " << result.worst << " of its bound";
    EXPECT_GT(result.worst, 1.0);
    EXPECT_THAT(result.message, HasSubstr("of batch entry"));
  }

  static int64_t At(int64_t entry, int64_t row, int64_t column) {
    return (entry * kM + row) * kN + column;
  }

  GemmProblem problem_;
  Data data_;
  std::vector<float> right_;
  CheckOptions options_;
  std::optional<GemmChecker> checker_;
};

INSTANTIATE_TEST_SUITE_P(Modes, CheckGemmTest, ::testing::ValuesIn(Modes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(CheckGemmTest, AcceptsARightResult) {
  for (int seed = 0; seed < 5; ++seed) {
    options_.seed = seed;
    const CheckResult result = Check(problem_, data_, right_, options_);
    EXPECT_TRUE(result.ok) << result.message;
    EXPECT_GT(result.worst, 0.0);
    EXPECT_THAT(result.message, IsEmpty());
    if (GetParam().full) {
      EXPECT_EQ(result.elements, kBatch * kM * kN);
    } else {
      EXPECT_LT(result.elements, kBatch * kM * kN / 10);
    }
  }
}

TEST_P(CheckGemmTest, CatchesOneWrongElement) {
  // Out of reach where an activation stands between a large product and its projections.
  if (!GetParam().full && GetParam().epilogue.activation != GemmActivation::kNone) {
    GTEST_SKIP() << "sampled elements only";
  }
  for (const auto& [entry, row, column] :
       {std::tuple{0, 0, 0}, {1, 89, 129}, {0, 47, 101}, {1, 3, 128}}) {
    std::vector<float> wrong = right_;
    wrong[At(entry, row, column)] += 0.5f;
    ExpectCaught(wrong);
    const CheckResult result = checker_->Check(wrong.data());
    EXPECT_EQ(result.batch, entry);
    EXPECT_TRUE(result.row == row || result.column == column);
  }
}

TEST_P(CheckGemmTest, CatchesAMissingBlockOfK) {
  ExpectCaught(Naive(problem_, data_, 96, 120));
  ExpectCaught(Naive(problem_, data_, 0, 16));
}

TEST_P(CheckGemmTest, CatchesABlockOfKAddedTwice) {
  Data twice = data_;
  for (int64_t i = 0; i < kBatch * kM; ++i) {
    for (int64_t q = 32; q < 64; ++q) twice.a[i * kK + q] *= 2;
  }
  ExpectCaught(Naive(problem_, twice));
}

TEST_P(CheckGemmTest, CatchesAnUnwrittenTile) {
  const struct {
    int64_t begin_row, end_row, begin_column, end_column;
  } kTiles[] = {{56, 70, 64, 96}, {0, 6, 0, 16}, {84, 90, 112, 130}, {88, 90, 96, 128}};
  for (const auto& tile : kTiles) {
    for (const float left : {kNan, 99.0f}) {
      std::vector<float> wrong = right_;
      for (int64_t i = tile.begin_row; i < tile.end_row; ++i) {
        std::fill(&wrong[At(1, i, tile.begin_column)], &wrong[At(1, i, tile.end_column - 1)] + 1,
                  left);
      }
      ExpectCaught(wrong);
    }
  }
}

TEST_P(CheckGemmTest, CatchesASingleGap) {
  for (const auto& [row, column] : {std::pair{31, 17}, {0, 129}, {89, 5}}) {
    std::vector<float> wrong = right_;
    wrong[At(1, row, column)] = kNan;
    ExpectCaught(wrong);
    const CheckResult result = checker_->Check(wrong.data());
    EXPECT_EQ(result.batch, 1);
    EXPECT_EQ(result.row, row);
    EXPECT_EQ(result.column, column);
    EXPECT_THAT(result.message, HasSubstr("nan"));
  }
}

TEST_P(CheckGemmTest, CatchesSwappedTiles) {
  std::vector<float> wrong = right_;
  for (int64_t i = 42; i < 56; ++i) {
    std::swap_ranges(&wrong[At(0, i, 32)], &wrong[At(0, i, 64)], &wrong[At(0, i, 64)]);
  }
  ExpectCaught(wrong);
}

TEST_P(CheckGemmTest, CatchesSwappedRowsOfATile) {
  std::vector<float> wrong = right_;
  for (int64_t i = 0; i + 14 <= kM; i += 14) {
    std::swap_ranges(&wrong[At(0, i + 12, 0)], &wrong[At(0, i + 13, 0)], &wrong[At(0, i + 13, 0)]);
  }
  ExpectCaught(wrong);
}

TEST_P(CheckGemmTest, CatchesAWrongEpilogue) {
  GemmProblem other = problem_;
  other.epilogue.bias = false;
  ExpectCaught(Naive(other, data_));
  other = problem_;
  other.epilogue.activation = GetParam().epilogue.activation == GemmActivation::kRelu
                                  ? GemmActivation::kGelu
                                  : GemmActivation::kRelu;
  ExpectCaught(Naive(other, data_));
  other = problem_;
  other.epilogue.residual = GetParam().epilogue.residual == GemmResidual::kNone
                                ? GemmResidual::kAfterActivation
                                : GemmResidual::kNone;
  ExpectCaught(Naive(other, data_));
}

TEST_P(CheckGemmTest, CatchesAnEpilogueAppliedTooEarly) {
  // After the first of two blocks of k, the second one being added to it.
  if (GetParam().epilogue.activation == GemmActivation::kNone) GTEST_SKIP() << "no difference";
  std::vector<float> wrong = Naive(problem_, data_, 60, 120);
  GemmProblem plain = GemmProblem::RowMajor(kM, kN, kK, kBatch);
  const std::vector<float> rest = Naive(plain, data_, 0, 60);
  for (size_t i = 0; i < wrong.size(); ++i) wrong[i] += rest[i];
  ExpectCaught(wrong);
}

TEST_P(CheckGemmTest, CatchesTheOtherBatchEntry) {
  std::vector<float> wrong = right_;
  std::copy_n(wrong.begin(), kM * kN, wrong.begin() + kM * kN);
  ExpectCaught(wrong);
}

TEST_P(CheckGemmTest, CatchesHalfPrecision) {
  Data rounded = data_;
  for (std::vector<float>* values : {&rounded.a, &rounded.b}) {
    for (float& value : *values) {
      uint32_t bits;
      std::memcpy(&bits, &value, sizeof(bits));
      bits &= 0xffff0000u;  // bfloat16
      std::memcpy(&value, &bits, sizeof(bits));
    }
  }
  ExpectCaught(Naive(problem_, rounded));
}

TEST(GemmCheckerTest, ServesManyCandidates) {
  const GemmProblem problem = GemmProblem::RowMajor(20, 30, 40);
  const Data data = RandomData(problem, 3);
  const GemmChecker checker(problem, data.a.data(), data.b.data(), nullptr, nullptr);
  std::vector<float> c = Naive(problem, data);
  EXPECT_TRUE(checker.Check(c.data()).ok);
  c[17] += 1.0f;
  EXPECT_FALSE(checker.Check(c.data()).ok);
  c[17] -= 1.0f;
  EXPECT_TRUE(checker.Check(c.data()).ok);
}

// All errors of one sign: 0.1 is rounded up in f32, and so are most partial sums.
TEST(CheckGemmBoundTest, WorstCaseAcceptsErrorsThatPullInOneDirection) {
  const GemmProblem problem = GemmProblem::RowMajor(1, 1, 1 << 22);
  Data data = RandomData(problem, 1);
  std::fill(data.a.begin(), data.a.end(), 1.0f);
  std::fill(data.b.begin(), data.b.end(), 0.1f);
  const std::vector<float> c = Naive(problem, data);
  EXPECT_FALSE(Check(problem, data, c, {}).ok) << "this is what the probabilistic bound excludes";
  EXPECT_TRUE(Check(problem, data, c, {.bound = RoundingBound::kWorstCase}).ok);
}

TEST(CheckGemmBoundTest, ReadsStridedOperands) {
  // A and B column-major, C with gaps.
  GemmProblem problem = GemmProblem::RowMajor(7, 9, 11);
  const Data data = RandomData(problem, 2);
  const std::vector<float> dense = Naive(problem, data);
  GemmProblem strided = problem;
  strided.a_row_stride = 1;
  strided.a_col_stride = 8;
  strided.b_row_stride = 1;
  strided.b_col_stride = 13;
  strided.c_row_stride = 10;
  Data moved = data;
  moved.a.assign(8 * 11, kNan);
  moved.b.assign(9 * 13, kNan);
  for (int64_t p = 0; p < 11; ++p) {
    for (int64_t i = 0; i < 7; ++i) moved.a[i + p * 8] = data.a[i * 11 + p];
    for (int64_t j = 0; j < 9; ++j) moved.b[p + j * 13] = data.b[p * 9 + j];
  }
  std::vector<float> c(7 * 10, kNan);
  for (int64_t i = 0; i < 7; ++i) std::copy_n(&dense[i * 9], 9, &c[i * 10]);
  for (const int64_t full : {int64_t{1} << 20, int64_t{0}}) {
    const CheckResult result = Check(strided, moved, c, {.full_products = full});
    EXPECT_TRUE(result.ok) << result.message;
  }
  c[3 * 10 + 4] += 0.1f;
  for (const int64_t full : {int64_t{1} << 20, int64_t{0}}) {
    EXPECT_FALSE(Check(strided, moved, c, {.full_products = full}).ok);
  }
}

}  // namespace
}  // namespace seedtune

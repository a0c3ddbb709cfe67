#include "backends/cpu/operands.h"

#include <cmath>
#include <cstdint>

#include "absl/status/status.h"
#include "backends/cpu/gemm.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

TEST(OperandsTest, SizesReachTheLastElement) {
  GemmProblem problem = GemmProblem::RowMajor(/*m=*/3, /*n=*/5, /*k=*/7, /*batch=*/2);
  EXPECT_EQ(SizeOfA(problem), 2 * 3 * 7);
  EXPECT_EQ(SizeOfB(problem), 2 * 7 * 5);
  EXPECT_EQ(SizeOfC(problem), 2 * 3 * 5);
  EXPECT_EQ(SizeOfResidual(problem), 0);
  problem.c_row_stride = 8;
  problem.c_batch_stride = 24;
  EXPECT_EQ(SizeOfC(problem), 24 + 2 * 8 + 5);
}

TEST(OperandsTest, InputsAreRandomAndTheSameInEveryCopy) {
  const GemmProblem problem = GemmProblem::RowMajor(16, 16, 16);
  ASSERT_OK_AND_ASSIGN(Operands operands, Operands::Create(problem, /*seed=*/1, 100'000));
  ASSERT_GT(operands.size(), 1u);
  int equal = 0;
  double sum = 0;
  for (int64_t i = 0; i < operands[0].a.size(); ++i) {
    const float value = operands[0].a.data()[i];
    ASSERT_GE(value, -1.0f);
    ASSERT_LT(value, 1.0f);
    ASSERT_EQ(value, operands[1].a.data()[i]);
    equal += value == operands[0].b.data()[i] ? 1 : 0;
    sum += value;
  }
  EXPECT_LT(equal, 3);
  // 256 values of variance 1/3: a mean of more than 6 standard deviations is no chance.
  EXPECT_LT(std::abs(sum / 256), 6 * 0.577 / 16);
}

TEST(OperandsTest, LargeInputsAreRandomToTheLastElement) {
  // Large enough for several threads, and of an odd number of elements.
  const GemmProblem problem = GemmProblem::RowMajor(/*m=*/1, /*n=*/3, /*k=*/5'000'001);
  ASSERT_OK_AND_ASSIGN(Operands operands, Operands::Create(problem, /*seed=*/1, 0));
  const FloatBuffer& b = operands[0].b;
  int64_t repeated = 0;
  for (int64_t i = 1; i < b.size(); ++i) repeated += b.data()[i] == b.data()[i - 1] ? 1 : 0;
  // One pair in 2^24 is equal by chance; an element that nobody set is 0 like its neighbours.
  EXPECT_LT(repeated, 20);
  EXPECT_NE(b.data()[b.size() - 1], 0.0f);
}

TEST(OperandsTest, SeedsDecide) {
  const GemmProblem problem = GemmProblem::RowMajor(4, 4, 4);
  ASSERT_OK_AND_ASSIGN(Operands one, Operands::Create(problem, 1, 0));
  ASSERT_OK_AND_ASSIGN(Operands again, Operands::Create(problem, 1, 0));
  ASSERT_OK_AND_ASSIGN(Operands two, Operands::Create(problem, 2, 0));
  EXPECT_EQ(one[0].a.data()[3], again[0].a.data()[3]);
  EXPECT_NE(one[0].a.data()[3], two[0].a.data()[3]);
}

TEST(OperandsTest, CopiesExceedTheCache) {
  const GemmProblem problem = GemmProblem::RowMajor(64, 64, 64);
  ASSERT_OK_AND_ASSIGN(Operands operands, Operands::Create(problem, 1, ColdBytes(1 << 20, 1)));
  EXPECT_GE(static_cast<int64_t>(operands.size()) * 3 * 64 * 64 * 4, 2 << 20);
}

TEST(OperandsTest, OfTinyOperandsThereAreNotMillions) {
  const GemmProblem problem = GemmProblem::RowMajor(1, 1, 1);
  ASSERT_OK_AND_ASSIGN(Operands some, Operands::Create(problem, 1, 3 * 64 * 1000));
  EXPECT_EQ(some.size(), 1000u) << "a cache line each";
  ASSERT_OK_AND_ASSIGN(Operands most, Operands::Create(problem, 1, int64_t{1} << 30));
  EXPECT_EQ(most.size(), size_t{1} << 16);
}

TEST(OperandsTest, TheCacheOfAWholeSocketIsNotThatOfTwoCores) {
  constexpr int64_t kMiB = 1 << 20;
  EXPECT_EQ(ColdBytes(32 * kMiB, 2), 64 * kMiB);
  EXPECT_EQ(ColdBytes(512 * kMiB, 2), 192 * kMiB);
  EXPECT_EQ(ColdBytes(512 * kMiB, 16), 1024 * kMiB);
  EXPECT_EQ(ColdBytes(512 * kMiB, 0), 1024 * kMiB);
}

TEST(OperandsTest, RefusesWhatMemoryCannotHold) {
  EXPECT_THAT(
      Operands::Create(GemmProblem::RowMajor(1'000'000, 1'000'000, 1'000'000), 1, 0).status(),
      StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("want a smaller kernel")));
}

}  // namespace
}  // namespace seedtune

#include "config/spaces/single_matmul.h"

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

TEST(SingleMatmulTest, PlansWithStaticExtentsAndHints) {
  const std::vector<MatmulFact> facts = FactsOf("matmul:M=24[1,64]x48x96:f32:batch=3");
  ASSERT_OK_AND_ASSIGN(const SingleMatmul matmul, FindSingleMatmul("space", facts));
  EXPECT_EQ(matmul.m, 24);
  EXPECT_EQ(matmul.n, 48);
  EXPECT_EQ(matmul.k, 96);
  EXPECT_EQ(matmul.batch, 3);
  EXPECT_EQ(matmul.fact, &facts[0]);
}

TEST(SingleMatmulTest, DeclinesOtherNumbersOfMatmuls) {
  std::vector<MatmulFact> facts;
  EXPECT_THAT(FindSingleMatmul("space", facts),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "space: the kernel has 0 matmuls, want exactly one"));
  facts = FactsOf("matmul:16x16x16:f32");
  facts.push_back(facts[0]);
  EXPECT_THAT(FindSingleMatmul("space", facts),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "space: the kernel has 2 matmuls, want exactly one"));
}

TEST(SingleMatmulTest, DeclinesExtentsThatNothingIsKnownOf) {
  EXPECT_THAT(
      FindSingleMatmul("space", FactsOf("matmul:16xN=?[1,64]x16:f32")),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "space: the extent of n is symbolic and has no hint; give its symbol a hint"));
  std::vector<MatmulFact> facts = FactsOf("matmul:16x16x16:f32:batch=2");
  facts[0].batch_extents = {2, 0};
  EXPECT_THAT(
      FindSingleMatmul("space", facts),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "space: a batch extent is symbolic and has no hint; give its symbol a hint"));
}

TEST(SingleMatmulTest, FindsTheNearestValue) {
  const std::vector<int64_t> values = {1, 4, 6, 100};
  EXPECT_EQ(NearestOf(values, 5), 4);
  EXPECT_EQ(NearestOf(values, 54), 100);
  EXPECT_EQ(NearestOf(values, -3), 1);
}

}  // namespace
}  // namespace seedtune

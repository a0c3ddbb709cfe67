#include "config/spaces/spaces.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

TEST(SpacesTest, BackendsAreSortedAndEachBuildsItsSpace) {
  const std::vector<std::string_view> backends = SpaceBackends();
  EXPECT_TRUE(std::is_sorted(backends.begin(), backends.end()));
  const std::vector<MatmulFact> f32 = FactsOf("matmul:512x512x512:f32");
  const std::vector<MatmulFact> bf16 = FactsOf("matmul:512x512x512:bf16");
  for (const std::string_view backend : backends) {
    SCOPED_TRACE(backend);
    const auto space = backend == "cpu" ? BuildConfigSpace(backend, f32, Device("epyc_9654"))
                                        : BuildConfigSpace(backend, bf16, Device("b200"));
    ASSERT_THAT(space, IsOk());
    EXPECT_EQ((*space)->name(), std::string(backend) + "_matmul");
  }
}

TEST(SpacesTest, UnknownBackendsAreNamedBesideTheKnown) {
  EXPECT_THAT(BuildConfigSpace("cudaa", FactsOf("matmul:512x512x512:f32"), Device("b200")),
              StatusIs(absl::StatusCode::kNotFound,
                       "no backend named \"cudaa\"; known: cpu, cuda, cute, triton"));
}

TEST(SpacesTest, TheSameInputsGiveTheSameSpace) {
  const std::vector<MatmulFact> facts = FactsOf("matmul:512x512x512:bf16");
  for (const std::string_view backend : {"cuda", "cute", "triton"}) {
    SCOPED_TRACE(backend);
    ASSERT_OK_AND_ASSIGN(const auto a, BuildConfigSpace(backend, facts, Device("b200")));
    ASSERT_OK_AND_ASSIGN(const auto b, BuildConfigSpace(backend, facts, Device("b200")));
    EXPECT_EQ(a->id(), b->id());
    EXPECT_EQ(a->NumValid(), b->NumValid());
    for (int i = 0; i < 100; ++i) {
      const absl::uint128 index = a->NumValid() / 100 * i;
      EXPECT_EQ(a->At(index), b->At(index));
    }
  }
}

}  // namespace
}  // namespace seedtune

#include "ir/dense.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "ir/kernel.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;

std::vector<int64_t> Strides(std::vector<Extent> sizes) {
  std::vector<int64_t> strides;
  for (const TensorDim& dim : DenseDims(std::move(sizes))) strides.push_back(dim.stride);
  return strides;
}

TEST(DenseTest, LeavesNoGaps) {
  EXPECT_THAT(Strides({Extent::Static(2), Extent::Static(3), Extent::Static(5)}),
              ElementsAre(15, 5, 1));
  EXPECT_THAT(Strides({}), ElementsAre());
}

TEST(DenseTest, SymbolsMakeOuterStridesDynamic) {
  const Extent symbol = Extent::Symbolic("M", 16, 0, 0);
  EXPECT_THAT(Strides({Extent::Static(2), symbol, Extent::Static(5)}),
              ElementsAre(TensorDim::kDynamicStride, 5, 1));
  EXPECT_THAT(Strides({symbol, Extent::Static(4)}), ElementsAre(4, 1));
}

TEST(DenseTest, PassesOverBroadcastDimensions) {
  DenseStride dense;
  dense.Pass({.size = Extent::Static(4), .stride = 1});
  dense.Pass({.size = Extent::Static(7), .stride = 0});
  EXPECT_EQ(dense.next(), 4);
}

TEST(DenseTest, GoesOnFromPaddedStrides) {
  DenseStride dense;
  dense.Pass({.size = Extent::Static(100), .stride = 1});
  dense.Pass({.size = Extent::Static(3), .stride = 128});
  EXPECT_EQ(dense.next(), 384);
}

TEST(DenseTest, SaysWhatDoesNotFit) {
  DenseStride dense;
  dense.Pass({.size = Extent::Static(std::numeric_limits<int64_t>::max()), .stride = 2});
  EXPECT_EQ(dense.next(), std::nullopt);
}

}  // namespace
}  // namespace seedtune

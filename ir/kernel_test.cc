#include "ir/kernel.h"

#include <set>
#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

// All kinds from number 1 on have a name of their own, and those before and behind do not.
template <typename Kind>
void ExpectNames(std::string_view (*name_of)(Kind), int count) {
  std::set<std::string> names;
  for (int number = 1; number <= count; ++number) {
    const std::string name(name_of(static_cast<Kind>(number)));
    EXPECT_NE(name, "invalid") << number;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(name_of(static_cast<Kind>(0)), "invalid");
  EXPECT_EQ(name_of(static_cast<Kind>(count + 1)), "invalid");
}

TEST(KernelTest, KindsHaveNames) {
  ExpectNames<AxisKind>(AxisKindName, 3);
  ExpectNames<OpKind>(OpKindName, 7);
  ExpectNames<ReduceKind>(ReduceKindName, 3);
  ExpectNames<PointwiseKind>(PointwiseKindName, 13);
}

TEST(KernelTest, PointwiseKindsHaveAnArity) {
  for (int number = 1; number <= 13; ++number) {
    const int arity = PointwiseArity(static_cast<PointwiseKind>(number));
    EXPECT_TRUE(arity == 1 || arity == 2) << number;
  }
  EXPECT_EQ(PointwiseArity(PointwiseKind::kSub), 2);
  EXPECT_EQ(PointwiseArity(PointwiseKind::kGelu), 1);
  EXPECT_EQ(PointwiseArity(static_cast<PointwiseKind>(99)), 0);
}

TEST(ExtentTest, IsStaticWithoutSymbol) {
  EXPECT_TRUE(Extent::Static(3).is_static());
  EXPECT_FALSE(Extent::Symbolic("M", 3, 1, 4).is_static());
  EXPECT_NE(Extent::Static(3), Extent::Symbolic("M", 3, 0, 0));
}

}  // namespace
}  // namespace seedtune

#include "util/stable_hash.h"

#include <cstdint>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace seedtune {
namespace {

// Values of `xxhsum -H2`, which prints the canonical, big-endian form.
TEST(StableHashTest, IsXxh3Of128Bits) {
  EXPECT_EQ(ToHex(HashBytes("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(ToHex(HashBytes("a")), "a96faf705af16834e6c632b61e964e1f");
}

TEST(StableHashTest, DependsOnEveryByteOfLongInput) {
  std::string text(1000, 'x');
  std::set<std::string> hashes = {ToHex(HashBytes(text))};
  for (char& byte : text) {
    byte = 'y';
    hashes.insert(ToHex(HashBytes(text)));
  }
  EXPECT_EQ(hashes.size(), 1001u);
}

TEST(StableHashTest, HexKeepsLeadingZeros) {
  EXPECT_EQ(ToHex({.high = 1, .low = 0xab}), "000000000000000100000000000000ab");
}

TEST(CanonicalBytesTest, TellsSequencesApart) {
  const std::string sequences[] = {
      CanonicalBytes().Add("ab").Add("c").bytes(),
      CanonicalBytes().Add("a").Add("bc").bytes(),
      CanonicalBytes().Add("abc").bytes(),
      CanonicalBytes().Add("abc").Add("").bytes(),
      CanonicalBytes().Add(int64_t{1}).bytes(),
      CanonicalBytes().Add(1.0).bytes(),
      CanonicalBytes().Add(0.0).bytes(),
      CanonicalBytes().Add(-0.0).bytes(),
      CanonicalBytes().Add(0).bytes(),
      CanonicalBytes().Add(-1).bytes(),
      CanonicalBytes().Add("1").bytes(),
  };
  EXPECT_EQ(std::set<std::string>(std::begin(sequences), std::end(sequences)).size(),
            std::size(sequences));
}

TEST(CanonicalBytesTest, IsFrozen) {
  EXPECT_EQ(CanonicalBytes().Add(0x0102).Add("xy").bytes(),
            std::string("i\x02\x01\0\0\0\0\0\0s\x02\0\0\0\0\0\0\0xy", 20));
}

}  // namespace
}  // namespace seedtune

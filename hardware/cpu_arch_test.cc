#include "hardware/cpu_arch.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/system_reader.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CpuIdentity X86(const char* vendor, int family, int model, std::vector<std::string> features = {}) {
  CpuIdentity identity;
  identity.vendor = vendor;
  identity.family = family;
  identity.model = model;
  identity.features = std::move(features);
  return identity;
}

CpuIdentity Arm(int implementer, int part) {
  CpuIdentity identity;
  identity.vendor = "arm";
  identity.implementer = implementer;
  identity.part = part;
  return identity;
}

TEST(CpuArchNameTest, KnowsProcessorsByTheirNumbers) {
  const struct {
    const char* what;
    CpuIdentity identity;
    const char* base;
  } kCases[] = {
      {"EPYC 7601", X86("AuthenticAMD", 0x17, 0x01), "znver1"},
      {"EPYC 7742", X86("AuthenticAMD", 0x17, 0x31), "znver2"},
      {"EPYC 7763", X86("AuthenticAMD", 0x19, 0x01), "znver3"},
      {"Ryzen 5950X", X86("AuthenticAMD", 0x19, 0x21), "znver3"},
      {"EPYC 9654", X86("AuthenticAMD", 0x19, 0x11), "znver4"},
      {"Ryzen 7950X", X86("AuthenticAMD", 0x19, 0x61), "znver4"},
      {"EPYC 9754", X86("AuthenticAMD", 0x19, 0xa0), "znver4"},
      {"EPYC 9755", X86("AuthenticAMD", 0x1a, 0x02), "znver5"},
      {"Ryzen 9950X", X86("AuthenticAMD", 0x1a, 0x44), "znver5"},
      {"Xeon E5-2680 v3", X86("GenuineIntel", 6, 0x3f), "haswell"},
      {"Xeon E5-2680 v4", X86("GenuineIntel", 6, 0x4f), "broadwell"},
      {"Core i7-6700", X86("GenuineIntel", 6, 0x5e), "skylake"},
      {"Xeon 8180", X86("GenuineIntel", 6, 0x55, {"avx512f"}), "skylake-avx512"},
      {"Xeon 8280", X86("GenuineIntel", 6, 0x55, {"avx512f", "avx512vnni"}), "cascadelake"},
      {"Xeon 8380H", X86("GenuineIntel", 6, 0x55, {"avx512f", "avx512vnni", "avx512_bf16"}),
       "cooperlake"},
      {"Xeon 8380", X86("GenuineIntel", 6, 0x6a), "icelake-server"},
      {"Xeon 8480+", X86("GenuineIntel", 6, 0x8f), "sapphirerapids"},
      {"Xeon 8592+", X86("GenuineIntel", 6, 0xcf), "emeraldrapids"},
      {"Xeon 6980P", X86("GenuineIntel", 6, 0xad), "graniterapids"},
      {"Core i9-12900K", X86("GenuineIntel", 6, 0x97), "alderlake"},
      {"Graviton2", Arm(0x41, 0xd0c), "neoverse-n1"},
      {"Graviton3", Arm(0x41, 0xd40), "neoverse-v1"},
      {"Cobalt 100", Arm(0x41, 0xd49), "neoverse-n2"},
      {"Graviton4, Grace", Arm(0x41, 0xd4f), "neoverse-v2"},
      {"Fugaku", Arm(0x46, 0x001), "a64fx"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    EXPECT_EQ(CpuArchName(c.identity), c.base);
    // Whatever the tables name has its lineage.
    EXPECT_NE(ArchFamily(c.base), "");
  }
}

TEST(CpuArchNameTest, CallsOtherX86ProcessorsByTheirLevel) {
  const std::vector<std::string> v2 = {"sse4_2"};
  const std::vector<std::string> v3 = {"sse4_2", "avx", "avx2", "fma3", "f16c"};
  std::vector<std::string> v4 = v3;
  for (const char* name : {"avx512f", "avx512bw", "avx512dq", "avx512vl"}) v4.push_back(name);
  EXPECT_EQ(CpuArchName(X86("CentaurHauls", 7, 0x5b)), "x86-64");
  EXPECT_EQ(CpuArchName(X86("CentaurHauls", 7, 0x5b, v2)), "x86-64-v2");
  EXPECT_EQ(CpuArchName(X86("CentaurHauls", 7, 0x5b, v3)), "x86-64-v3");
  // Zen 6 has no name yet.
  EXPECT_EQ(CpuArchName(X86("AuthenticAMD", 0x1a, 0x50, v4)), "x86-64-v4");
  for (const char* level : {"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"}) {
    EXPECT_NE(ArchFamily(level), "");
  }
}

TEST(CpuArchNameTest, OthersAreUnknown) {
  EXPECT_EQ(CpuArchName(Arm(0x41, 0xfff)), "");
  EXPECT_EQ(CpuArchName(CpuIdentity{}), "");
}

// The same instruction set has two names; both mean the kernel's.
TEST(KernelIsaTest, TakesLinuxNamesAndCpuFeaturesNames) {
  EXPECT_THAT(KernelIsa(X86("", 0, 0, {"fma3", "avx512vnni", "aes", "avx2"})),
              ElementsAre("avx2", "avx512_vnni", "fma"));
  EXPECT_THAT(KernelIsa(X86("", 0, 0, {"fma", "avx512_vnni", "fma3", "avx2"})),
              ElementsAre("avx2", "avx512_vnni", "fma"));
  EXPECT_THAT(KernelIsa(CpuIdentity{}), IsEmpty());
}

TEST(HasIsaTest, FindsWholeNames) {
  const std::vector<std::string> isa = {"avx2", "avx512f"};
  EXPECT_TRUE(HasIsa(isa, "avx2"));
  EXPECT_TRUE(HasIsa(isa, "avx512f"));
  EXPECT_FALSE(HasIsa(isa, "avx"));
  EXPECT_FALSE(HasIsa({}, "avx"));
}

}  // namespace
}  // namespace seedtune

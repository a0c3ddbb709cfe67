#include "hardware/arch.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch_table.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ArchTest, T1_ParsesWhatDriversAndCompilersPrint) {
  const struct {
    const char* text;
    const char* base;
    std::vector<std::string> features;
    const char* canonical;
  } kCases[] = {
      {"sm90", "sm90", {}, "sm90"},
      {"sm90a", "sm90", {"a"}, "sm90a"},
      {"sm_90a", "sm90", {"a"}, "sm90a"},
      {"SM_90A", "sm90", {"a"}, "sm90a"},
      {"sm_100f", "sm100", {"f"}, "sm100f"},
      {"sm_103a", "sm103", {"a"}, "sm103a"},
      {"gfx942:sramecc+:xnack-", "gfx942", {"sramecc+", "xnack-"}, "gfx942:sramecc+:xnack-"},
      {"gfx950:sramecc+:xnack-", "gfx950", {"sramecc+", "xnack-"}, "gfx950:sramecc+:xnack-"},
      {"gfx942:xnack-:sramecc+:xnack-", "gfx942", {"sramecc+", "xnack-"}, "gfx942:sramecc+:xnack-"},
      {"amdgcn-amd-amdhsa--gfx942:sramecc+:xnack-",
       "gfx942",
       {"sramecc+", "xnack-"},
       "gfx942:sramecc+:xnack-"},
      {"gfx90a", "gfx90a", {}, "gfx90a"},  // a hexadecimal digit, no suffix
      {"gfx90a:xnack+", "gfx90a", {"xnack+"}, "gfx90a:xnack+"},
      {"znver4", "znver4", {}, "znver4"},
      {"skylake-avx512", "skylake-avx512", {}, "skylake-avx512"},
      {"x86-64-v4", "x86-64-v4", {}, "x86-64-v4"},
      {"rdna3.5", "rdna3.5", {}, "rdna3.5"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Arch> arch = Arch::Parse(c.text);
    ASSERT_TRUE(arch.ok()) << arch.status();
    EXPECT_EQ(arch->base, c.base);
    EXPECT_EQ(arch->features, c.features);
    EXPECT_EQ(arch->ToString(), c.canonical);
    const absl::StatusOr<Arch> again = Arch::Parse(arch->ToString());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, *arch);
  }
}

TEST(ArchTest, RejectsWhatNoArchitectureIsCalled) {
  const struct {
    const char *text, *fault;
  } kCases[] = {
      {"", "is empty"},
      {":xnack-", "has no name"},
      {"gfx942:", "has an empty feature"},
      {"gfx942::xnack-", "has an empty feature"},
      {"gfx942:+", "has \"+\" in it"},
      {"gfx942+", "has \"gfx942+\" in it"},
      {"sm 90", "has \"sm 90\" in it"},
      {"gfx942 ", "has \"gfx942 \" in it"},
      {"sm90\n", "in it"},
      {"h100/sxm", "has \"h100/sxm\" in it"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    const absl::StatusOr<Arch> arch = Arch::Parse(c.text);
    EXPECT_EQ(arch.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(arch.status().message()), HasSubstr(c.fault));
    EXPECT_THAT(std::string(arch.status().message()), HasSubstr("want a name such as"));
  }
}

TEST(ArchTest, ConsumerBlackwellAndHopperNeverStandInForEachOther) {
  EXPECT_EQ(MatchArch("sm120", "sm90"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm90", "sm120"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm121", "sm90"), ArchMatch::kNone);
  EXPECT_THAT(ArchLineage("sm120"), Not(Contains("sm90")));
  EXPECT_THAT(ArchLineage("sm90"), Not(Contains("sm120")));
}

TEST(ArchTest, ConsumerAndDatacenterBlackwellNeverStandInForEachOther) {
  EXPECT_EQ(MatchArch("sm120", "sm100"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm100", "sm120"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm121", "sm103"), ArchMatch::kNone);
}

TEST(ArchTest, DatacenterBlackwellTakesNothingFromHopper) {
  EXPECT_EQ(MatchArch("sm100", "sm90"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm90", "sm100"), ArchMatch::kNone);
  EXPECT_THAT(ArchLineage("sm103"), ElementsAre("sm103", "sm100"));
}

TEST(ArchTest, LineageIsNearestFirst) {
  EXPECT_THAT(ArchLineage("sm121"), ElementsAre("sm121", "sm120", "sm89", "sm86", "sm80"));
  EXPECT_THAT(ArchLineage("sm90"), ElementsAre("sm90", "sm80"));
  EXPECT_THAT(ArchLineage("gfx950"), ElementsAre("gfx950", "gfx942", "gfx940", "gfx90a", "gfx908"));
  EXPECT_THAT(ArchLineage("znver5"), ElementsAre("znver5", "znver4", "znver3", "znver2", "znver1"));
}

TEST(ArchTest, MatchesExactlyOrAlongTheLineageAndNeverForward) {
  EXPECT_EQ(MatchArch("sm90", "sm90"), ArchMatch::kExact);
  EXPECT_EQ(MatchArch("sm89", "sm80"), ArchMatch::kFamily);
  EXPECT_EQ(MatchArch("sm80", "sm89"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("gfx950", "gfx942"), ArchMatch::kFamily);
  EXPECT_EQ(MatchArch("gfx942", "gfx950"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("gfx1201", "gfx1100"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sapphirerapids", "skylake-avx512"), ArchMatch::kFamily);
  EXPECT_EQ(MatchArch("znver4", "skylake-avx512"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("neoverse-v2", "neoverse-v1"), ArchMatch::kNone);
}

TEST(ArchTest, T2_AnUnknownNameIsOnlyItself) {
  EXPECT_THAT(ArchLineage("sm999"), ElementsAre("sm999"));
  EXPECT_EQ(ArchFamily("sm999"), "");
  EXPECT_EQ(MatchArch("sm999", "sm999"), ArchMatch::kExact);
  EXPECT_EQ(MatchArch("sm999", "sm121"), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm90", "sm999"), ArchMatch::kNone);
  // Names are compared by base: a whole string with features in it is no base.
  EXPECT_EQ(MatchArch("gfx942:sramecc+:xnack-", "gfx942"), ArchMatch::kNone);
}

TEST(ArchTest, TheEmptyNameMatchesNothing) {
  EXPECT_EQ(MatchArch("", ""), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("sm90", ""), ArchMatch::kNone);
  EXPECT_EQ(MatchArch("", "sm90"), ArchMatch::kNone);
}

TEST(ArchTest, FamiliesHaveTheirUsualNames) {
  EXPECT_EQ(ArchFamily("sm90"), "hopper");
  EXPECT_EQ(ArchFamily("sm100"), ArchFamily("sm103"));
  EXPECT_NE(ArchFamily("sm100"), ArchFamily("sm120"));
  EXPECT_EQ(ArchFamily("gfx942"), "cdna3");
  EXPECT_EQ(ArchFamily("gfx950"), "cdna4");
  EXPECT_EQ(ArchFamily("znver4"), "zen");
}

TEST(ArchTableTest, EveryNameIsCanonicalAndStandsOnceAfterItsPredecessor) {
  std::set<std::string_view> seen;
  for (const ArchTableRow& row : kArchTable) {
    SCOPED_TRACE(row.base);
    const absl::StatusOr<Arch> arch = Arch::Parse(row.base);
    ASSERT_TRUE(arch.ok()) << arch.status();
    EXPECT_EQ(arch->base, row.base);
    EXPECT_TRUE(arch->features.empty());
    EXPECT_FALSE(row.family.empty());
    EXPECT_TRUE(row.predecessor.empty() || seen.contains(row.predecessor));
    EXPECT_TRUE(seen.insert(row.base).second);
  }
}

// A match may be told from the lineage, and a device is never a step back for its own ancestors.
TEST(ArchTableTest, MatchingAgreesWithLineages) {
  for (const ArchTableRow& device : kArchTable) {
    const std::vector<std::string> lineage = ArchLineage(device.base);
    for (const ArchTableRow& target : kArchTable) {
      SCOPED_TRACE(testing::Message() << device.base << " may use " << target.base);
      const bool in_lineage =
          std::find(lineage.begin(), lineage.end(), target.base) != lineage.end();
      const ArchMatch match = MatchArch(device.base, target.base);
      EXPECT_EQ(match != ArchMatch::kNone, in_lineage);
      EXPECT_EQ(match == ArchMatch::kExact, device.base == target.base);
      if (match == ArchMatch::kFamily) {
        EXPECT_EQ(MatchArch(target.base, device.base), ArchMatch::kNone);
      }
    }
  }
}

TEST(ArchTableTest, VendorsNeverMix) {
  const auto vendor = [](std::string_view base) {
    if (base.substr(0, 2) == "sm") return "nvidia";
    if (base.substr(0, 3) == "gfx") return "amd gpu";
    return "cpu";
  };
  for (const ArchTableRow& row : kArchTable) {
    SCOPED_TRACE(row.base);
    for (const std::string& ancestor : ArchLineage(row.base)) {
      EXPECT_STREQ(vendor(ancestor), vendor(row.base));
    }
  }
}

TEST(ArchTest, KnowsFamiliesByName) {
  EXPECT_TRUE(IsKnownArchFamily("hopper"));
  EXPECT_TRUE(IsKnownArchFamily("cdna3"));
  for (const char* other : {"", "sm90", "hoppe"}) EXPECT_FALSE(IsKnownArchFamily(other)) << other;
}

}  // namespace
}  // namespace seedtune

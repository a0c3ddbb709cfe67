#include "hardware/specs.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_spec.pb.h"
#include "hardware/spec_validator.h"
#include "testing/status_matchers.h"
#include "util/file.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAreArray;
using ::testing::Eq;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

constexpr std::string_view kFolder = "hardware/specs";

std::vector<std::string> FilesInFolder() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

HardwareSpecProto Read(const std::string& name) {
  HardwareSpecProto spec;
  const std::string path = std::string(kFolder) + "/" + name + ".textproto";
  const absl::StatusOr<std::string> text = ReadFile(path);
  EXPECT_THAT(text, IsOk());
  EXPECT_THAT(ParseTextProto(*text, path, &spec), IsOk());
  return spec;
}

TEST(SpecsTest, EachFileOfTheFolderIsCompiledIn) {
  std::vector<std::string> expected;
  for (const std::string& name : SpecNames()) expected.push_back(name + ".textproto");
  EXPECT_THAT(FilesInFolder(), ElementsAreArray(expected));
}

TEST(SpecsTest, KnowsTheDevicesItPromises) {
  EXPECT_THAT(SpecNames(),
              IsSupersetOf({"a100_sxm", "h100_sxm", "h200", "l40s", "b200", "rtx5090", "mi250x",
                            "mi300x", "mi350x", "epyc_9654", "xeon_8480", "graviton4"}));
}

TEST(SpecsTest, EachIsValidSourcedAndFound) {
  for (const std::string& name : SpecNames()) {
    SCOPED_TRACE(name);
    EXPECT_THAT(ValidateSpecWithSources(Read(name)), IsOk());
    ASSERT_OK_AND_ASSIGN(const HardwareInfo info, FindSpec(name));
    EXPECT_EQ(info.name, Read(name).name());
    // Seeds are looked up along lineages: a name with no line in the table would meet none.
    EXPECT_NE(ArchFamily(info.arch.base), "") << info.arch.base;
    // Rates are filled in from specs, so each has them.
    EXPECT_GT(info.memory_bandwidth_bytes_per_s, 0);
    EXPECT_GT(info.clock_hz, 0);
  }
}

TEST(SpecsTest, NoTwoDevicesShareANameOrAKey) {
  std::set<std::string> names;
  std::set<std::string> keys;
  for (const std::string& name : SpecNames()) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const HardwareInfo info, FindSpec(name));
    EXPECT_TRUE(keys.insert(DeviceKey(info)).second);
    const HardwareSpecProto spec = Read(name);
    EXPECT_TRUE(names.insert(spec.name()).second);
    for (const std::string& other : spec.other_names()) EXPECT_TRUE(names.insert(other).second);
  }
}

TEST(SpecsTest, ArchitecturesAreTheDevices) {
  const struct {
    const char* name;
    DeviceKind kind;
    const char* arch;
  } kCases[] = {
      {"a100_sxm", DeviceKind::kCuda, "sm80"},
      {"h100_sxm", DeviceKind::kCuda, "sm90"},
      {"h200", DeviceKind::kCuda, "sm90"},
      {"l40s", DeviceKind::kCuda, "sm89"},
      {"b200", DeviceKind::kCuda, "sm100"},
      {"rtx5090", DeviceKind::kCuda, "sm120"},
      {"mi250x", DeviceKind::kRocm, "gfx90a"},
      {"mi300x", DeviceKind::kRocm, "gfx942"},
      {"mi350x", DeviceKind::kRocm, "gfx950"},
      {"epyc_9654", DeviceKind::kCpu, "znver4"},
      {"xeon_8480", DeviceKind::kCpu, "sapphirerapids"},
      {"graviton4", DeviceKind::kCpu, "neoverse-v2"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    ASSERT_OK_AND_ASSIGN(const HardwareInfo info, FindSpec(c.name));
    EXPECT_EQ(info.kind, c.kind);
    EXPECT_EQ(info.arch.ToString(), c.arch);
  }
}

// Only tcgen05's machines have tensor memory.
TEST(SpecsTest, TensorMemoryIsDatacenterBlackwells) {
  for (const std::string& name : SpecNames()) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const HardwareInfo info, FindSpec(name));
    EXPECT_EQ(info.tensor_memory_per_unit_bytes > 0, ArchFamily(info.arch.base) == "blackwell");
  }
}

TEST(FindSpecTest, AMissNamesWhatWasMeantAndAllThereAre) {
  const struct {
    const char *name, *meant;
  } kCases[] = {
      {"h100", "did you mean \"h100_sxm\"?"},     {"H100_SXM", "did you mean \"h100_sxm\"?"},
      {"h100_smx", "did you mean \"h100_sxm\"?"}, {"mi300", "did you mean \"mi300x\"?"},
      {"mi350x_oam", "did you mean \"mi350x\"?"}, {"rtx5080", "did you mean \"rtx5090\"?"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const absl::Status status = FindSpec(c.name).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                                 AllOf(HasSubstr("no device spec named \"" + std::string(c.name)),
                                       HasSubstr(c.meant), HasSubstr("; known: a100_sxm, "))));
    for (const std::string& known : SpecNames()) {
      EXPECT_THAT(std::string(status.message()), HasSubstr(known));
    }
  }
}

TEST(FindSpecTest, GuessesNothingFromNonsense) {
  for (const char* name : {"", "x", "tpu_v5e_pod"}) {
    SCOPED_TRACE(name);
    EXPECT_THAT(FindSpec(name), StatusIs(absl::StatusCode::kNotFound,
                                         AllOf(HasSubstr("; known: "), Not(HasSubstr("mean")))));
  }
}

TEST(ParseSpecTest, TakesAnArchitectureWithFeatures) {
  HardwareSpecProto spec = Read("mi350x");
  spec.set_architecture("gfx950:sramecc+:xnack-");
  spec.clear_sources();
  ASSERT_OK_AND_ASSIGN(const HardwareInfo info, ParseSpec(PrintTextProto(spec), "mine.textproto"));
  EXPECT_EQ(info.arch.base, "gfx950");
  EXPECT_EQ(info.arch.ToString(), "gfx950:sramecc+:xnack-");
  ASSERT_OK_AND_ASSIGN(HardwareInfo plain, FindSpec("mi350x"));
  plain.arch = info.arch;
  EXPECT_EQ(info, plain);
}

TEST(ParseSpecTest, NamesFilePlaceAndField) {
  HardwareSpecProto spec = Read("h100_sxm");
  spec.set_compute_units(-4);
  EXPECT_THAT(ParseSpec(PrintTextProto(spec), "mine.textproto"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       Eq("mine.textproto: compute_units is -4, want 1 to 4096")));
  EXPECT_THAT(ParseSpec("kind: CUDA\ncompute_unit: 4\n", "mine.textproto"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("mine.textproto:2:"), HasSubstr("compute_unit"))));
  EXPECT_THAT(ParseSpec("", "mine.textproto"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("kind is not set")));
}

HardwareInfo Named(std::string_view spec) {
  absl::StatusOr<HardwareInfo> info = FindSpec(spec);
  EXPECT_THAT(info, IsOk());
  info->memory_bandwidth_bytes_per_s = 0;
  info->clock_hz = 0;
  return *info;
}

TEST(FillRatesFromSpecTest, FillsWhatIsUnknown) {
  ASSERT_OK_AND_ASSIGN(const HardwareInfo spec, FindSpec("mi300x"));
  HardwareInfo info = Named("mi300x");
  info.arch.features = {"sramecc+", "xnack-"};
  FillRatesFromSpec(/*packages=*/1, &info);
  EXPECT_EQ(info.memory_bandwidth_bytes_per_s, spec.memory_bandwidth_bytes_per_s);
  EXPECT_EQ(info.clock_hz, spec.clock_hz);
}

TEST(FillRatesFromSpecTest, GoesByOtherNamesToo) {
  HardwareInfo info = Named("mi250x");
  info.name = "AMD Instinct MI250X / MI250";
  FillRatesFromSpec(/*packages=*/1, &info);
  EXPECT_GT(info.memory_bandwidth_bytes_per_s, 0);
}

TEST(FillRatesFromSpecTest, KeepsWhatIsKnown) {
  HardwareInfo info = Named("h100_sxm");
  info.memory_bandwidth_bytes_per_s = 1'000'000'000'000;
  info.clock_hz = 1'000'000'000;
  const HardwareInfo before = info;
  FillRatesFromSpec(/*packages=*/1, &info);
  EXPECT_EQ(info, before);
}

TEST(FillRatesFromSpecTest, TwoSocketsHaveTwiceTheBandwidth) {
  ASSERT_OK_AND_ASSIGN(const HardwareInfo spec, FindSpec("epyc_9654"));
  HardwareInfo info = Named("epyc_9654");
  info.compute_units = 2 * spec.compute_units;
  FillRatesFromSpec(/*packages=*/2, &info);
  EXPECT_EQ(info.memory_bandwidth_bytes_per_s, 2 * spec.memory_bandwidth_bytes_per_s);
}

TEST(FillRatesFromSpecTest, LeavesOtherDevicesAlone) {
  HardwareInfo partition = Named("mi300x");
  partition.compute_units = 38;
  HardwareInfo renamed = Named("mi300x");
  renamed.name = "AMD Instinct MI325X";
  HardwareInfo nameless = Named("mi300x");
  nameless.name = "";
  HardwareInfo other_arch = Named("mi300x");
  other_arch.arch.base = "gfx950";
  for (const HardwareInfo& before : {partition, renamed, nameless, other_arch}) {
    HardwareInfo info = before;
    FillRatesFromSpec(/*packages=*/1, &info);
    EXPECT_EQ(info, before);
  }
}

}  // namespace
}  // namespace seedtune

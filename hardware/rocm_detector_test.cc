#include "hardware/rocm_detector.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/detected_hardware.h"
#include "hardware/fake_system_reader.h"
#include "hardware/hardware_info.h"
#include "hardware/kfd_topology.h"
#include "hardware/recorded_machine.pb.h"
#include "hardware/specs.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

FakeSystemReader Machine(std::string_view name) {
  absl::StatusOr<FakeSystemReader> reader =
      FakeSystemReader::Load("hardware/testdata/machines/" + std::string(name));
  EXPECT_THAT(reader, IsOk());
  return reader.ok() ? *std::move(reader) : FakeSystemReader();
}

// But for the memory that firmware keeps and for what the driver alone knows.
void ExpectAgreesWithSpec(HardwareInfo info, std::string_view spec_name) {
  ASSERT_OK_AND_ASSIGN(HardwareInfo spec, FindSpec(spec_name));
  EXPECT_GT(info.memory_bytes, spec.memory_bytes * 95 / 100);
  EXPECT_LE(info.memory_bytes, spec.memory_bytes);
  info.memory_bytes = spec.memory_bytes;
  info.driver_version = "";
  info.runtime_version = "";
  info.arch.features.clear();
  EXPECT_EQ(info, spec);
}

TEST(RocmDetectorTest, ReplaysAnMi300xThroughHip) {
  const DetectedHardware found = DetectRocm(Machine("mi300x"));
  EXPECT_THAT(found.notes, IsEmpty());
  ASSERT_THAT(found.devices, SizeIs(2));
  const HardwareInfo& info = found.devices[0];
  EXPECT_EQ(info.kind, DeviceKind::kRocm);
  EXPECT_EQ(info.arch.base, "gfx942");
  EXPECT_THAT(info.arch.features, ElementsAre("sramecc+", "xnack-"));
  EXPECT_EQ(info.arch.ToString(), "gfx942:sramecc+:xnack-");
  EXPECT_EQ(info.driver_version, "6.10.5");
  EXPECT_EQ(info.runtime_version, "6.2.41133");
  EXPECT_EQ(info.num_xcds, 8);
  EXPECT_EQ(info.l2_bytes, 32 << 20);  // HIP tells one die's 4 MiB
  ExpectAgreesWithSpec(info, "mi300x");
}

TEST(RocmDetectorTest, ReplaysAnMi300xThroughKfdAlone) {
  FakeSystemReader reader = Machine("mi300x");
  reader.machine().clear_hip();
  const DetectedHardware found = DetectRocm(reader);
  EXPECT_THAT(found.notes, ElementsAre(AllOf(StartsWith("ROCm: devices are described from"),
                                             HasSubstr("libamdhip64.so is not installed"))));
  ASSERT_THAT(found.devices, SizeIs(2));
  const HardwareInfo& info = found.devices[0];
  EXPECT_EQ(info.name, "AMD Instinct MI300X");
  EXPECT_EQ(info.arch.ToString(), "gfx942");
  EXPECT_EQ(info.driver_version, "6.10.5");
  EXPECT_EQ(info.runtime_version, "");
  ExpectAgreesWithSpec(info, "mi300x");
}

// Whichever way a device was looked at, it is the same one to the database, but for XNACK.
TEST(RocmDetectorTest, HipAndKfdDescribeTheSameDevice) {
  FakeSystemReader reader = Machine("mi300x");
  HardwareInfo through_hip = DetectRocm(reader).devices.at(0);
  reader.machine().clear_hip();
  const HardwareInfo through_kfd = DetectRocm(reader).devices.at(0);
  EXPECT_NE(DeviceKey(through_hip), DeviceKey(through_kfd));
  through_hip.arch.features.clear();
  EXPECT_EQ(DeviceKey(through_hip), DeviceKey(through_kfd));
}

TEST(RocmDetectorTest, HipAloneKnowsNoDiesAndNoFirstLevel) {
  FakeSystemReader reader = Machine("mi300x");
  FakeSystemReader without_kfd;
  without_kfd.machine() = reader.machine();
  const DetectedHardware found = DetectRocm(without_kfd);
  ASSERT_THAT(found.devices, SizeIs(2));
  EXPECT_EQ(found.devices[0].num_xcds, 0);
  EXPECT_EQ(found.devices[0].l1_data_bytes, 0);
  EXPECT_EQ(found.devices[0].compute_units, 304);

  // A newer HIP tells the dies itself.
  (*without_kfd.machine().mutable_hip()->mutable_devices(0)->mutable_attributes())["NumberOfXccs"] =
      8;
  const HardwareInfo newer = DetectRocm(without_kfd).devices.at(0);
  EXPECT_EQ(newer.num_xcds, 8);
  EXPECT_EQ(newer.l2_bytes, 32 << 20);
}

TEST(RocmDetectorTest, ReplaysAPartitionOfAnMi308x) {
  const DetectedHardware found = DetectRocm(Machine("mi308x_cpx"));
  ASSERT_THAT(found.devices, SizeIs(1));
  const HardwareInfo& info = found.devices[0];
  EXPECT_EQ(info.name, "AMD gfx942");  // no table of names there
  EXPECT_EQ(info.compute_units, 20);
  EXPECT_EQ(info.num_xcds, 1);
  EXPECT_EQ(info.l1_data_bytes, 32 << 10);
  EXPECT_EQ(info.l2_bytes, 4 << 20);
  EXPECT_EQ(info.l3_bytes, 64 << 20);
  EXPECT_EQ(info.clock_hz, 1'420'000'000);
  EXPECT_EQ(info.memory_bandwidth_bytes_per_s, 0);
}

TEST(RocmDetectorTest, ReplaysAnMi210) {
  const DetectedHardware found = DetectRocm(Machine("mi210"));
  ASSERT_THAT(found.devices, SizeIs(1));
  const HardwareInfo& info = found.devices[0];
  EXPECT_EQ(info.name, "AMD Instinct MI210");
  EXPECT_EQ(info.arch.ToString(), "gfx90a");
  EXPECT_EQ(info.compute_units, 104);
  EXPECT_EQ(info.threads_per_unit, 2048);
  EXPECT_EQ(info.registers_per_unit, 131072);
  EXPECT_EQ(info.shared_memory_per_block_bytes, 64 << 10);
  EXPECT_TRUE(info.has_tensor_cores);
  EXPECT_EQ(info.l2_bytes, 0);
  EXPECT_EQ(info.memory_bytes, 0);
}

// In a container the kernel shows all nodes and lets the process read its own.
TEST(RocmDetectorTest, NodesThatMayNotBeReadAreNotItsOwn) {
  FakeSystemReader reader = Machine("mi300x");
  reader.machine().clear_hip();
  reader.SetFileError("/sys/class/kfd/kfd/topology/nodes/2/properties",
                      absl::PermissionDeniedError("operation not permitted"));
  EXPECT_THAT(DetectRocm(reader).devices, SizeIs(1));
}

TEST(RocmDetectorTest, ADeviceThatCannotBeDescribedCostsOnlyItself) {
  FakeSystemReader reader = Machine("mi300x");
  reader.machine().mutable_hip()->mutable_devices(0)->set_arch_name("");
  const DetectedHardware found = DetectRocm(reader);
  EXPECT_THAT(found.devices, SizeIs(1));
  EXPECT_THAT(found.notes,
              ElementsAre(AllOf(HasSubstr("ROCm device 0: "), HasSubstr("architecture \"\""))));
}

TEST(RocmDetectorTest, NothingIsNoErrorAndSaysWhy) {
  const DetectedHardware none = DetectRocm(Machine("zen5_vm"));
  EXPECT_THAT(none.devices, IsEmpty());
  EXPECT_THAT(none.notes, ElementsAre("no ROCm: libamdhip64.so is not installed"));
  // HIP may be installed on a machine without a device of its own.
  EXPECT_THAT(DetectRocm(Machine("h200_vm")).notes, ElementsAre("no ROCm: HIP shows no device"));
  FakeSystemReader failing = Machine("zen5_vm");
  failing.SetHipError(absl::UnavailableError("cannot load libamdhip64.so: wrong ELF class"));
  EXPECT_THAT(DetectRocm(failing).notes,
              ElementsAre("no ROCm: cannot load libamdhip64.so: wrong ELF class"));
}

TEST(RocmDetectorTest, AFolderOfOnlyProcessorsHasNoDevice) {
  FakeSystemReader reader;
  reader.SetFile("/sys/class/kfd/kfd/topology/nodes/0/properties",
                 "cpu_cores_count 96\nsimd_count 0\ngfx_target_version 0\n");
  const DetectedHardware found = DetectRocm(reader);
  EXPECT_THAT(found.devices, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre(StartsWith("no ROCm: ")));
}

TEST(KfdTopologyTest, NamesArchitecturesAsTheCompilerDoes) {
  const struct {
    uint64_t version;
    const char* name;
  } kCases[] = {
      {90000, "gfx900"},   {90006, "gfx906"},   {90008, "gfx908"},   {90010, "gfx90a"},
      {90012, "gfx90c"},   {90400, "gfx940"},   {90402, "gfx942"},   {90500, "gfx950"},
      {100300, "gfx1030"}, {100306, "gfx1036"}, {110000, "gfx1100"}, {110501, "gfx1151"},
      {120001, "gfx1201"},
  };
  for (const auto& c : kCases) EXPECT_EQ(GfxName(c.version), c.name);
}

TEST(KfdTopologyTest, NoFolderIsNotFound) {
  EXPECT_THAT(ReadKfdTopology(FakeSystemReader()), StatusIs(absl::StatusCode::kNotFound));
}

// What a driver may write must not bring detection down.
TEST(KfdTopologyTest, SurvivesNonsense) {
  FakeSystemReader reader;
  reader.SetFile("/sys/class/kfd/kfd/topology/nodes/1/properties",
                 "simd_count 99999999999999999999\nsimd_count x\nsimd_count 4\nsimd_per_cu 8\n"
                 "wave_front_size 18446744073709551615\nmax_waves_per_simd 18446744073709551615\n"
                 "lds_size_in_kb 18446744073709551615\ngfx_target_version 90402\n\n   \n");
  reader.SetFile("/sys/class/kfd/kfd/topology/nodes/1/caches/x/properties", "level 1\n");
  reader.SetFile("/sys/class/kfd/kfd/topology/nodes/x/properties", "simd_count 4\n");
  ASSERT_OK_AND_ASSIGN(const std::vector<KfdGpu> gpus, ReadKfdTopology(reader));
  ASSERT_THAT(gpus, SizeIs(1));
  EXPECT_EQ(gpus[0].info.compute_units, 0);
}

}  // namespace
}  // namespace seedtune

#include "hardware/cuda_detector.h"

#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/detected_hardware.h"
#include "hardware/fake_system_reader.h"
#include "hardware/hardware_info.h"
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

FakeSystemReader Machine(std::string_view name) {
  absl::StatusOr<FakeSystemReader> reader =
      FakeSystemReader::Load("hardware/testdata/machines/" + std::string(name));
  EXPECT_THAT(reader, IsOk());
  return reader.ok() ? *std::move(reader) : FakeSystemReader();
}

RecordedMachine::CudaDevice* FirstDevice(FakeSystemReader& reader) {
  return reader.machine().mutable_cuda()->mutable_devices(0);
}

// What detection says of a device must be what its spec says, but for what the driver knows better
// (versions, the memory that is left) and what it does not tell (first-level caches).
void ExpectAgreesWithSpec(HardwareInfo info, std::string_view spec_name) {
  ASSERT_OK_AND_ASSIGN(const HardwareInfo spec, FindSpec(spec_name));
  EXPECT_GT(info.memory_bytes, spec.memory_bytes * 95 / 100);
  EXPECT_LE(info.memory_bytes, spec.memory_bytes);
  info.memory_bytes = spec.memory_bytes;
  EXPECT_EQ(info.l1_data_bytes, 0);
  info.l1_data_bytes = spec.l1_data_bytes;
  info.driver_version = "";
  info.runtime_version = "";
  EXPECT_EQ(info, spec);
}

TEST(CudaDetectorTest, ReplaysAnH200) {
  const DetectedHardware found = DetectCuda(Machine("h200_vm"));
  EXPECT_THAT(found.notes, IsEmpty());
  ASSERT_THAT(found.devices, SizeIs(1));
  const HardwareInfo& info = found.devices[0];
  EXPECT_EQ(info.kind, DeviceKind::kCuda);
  EXPECT_EQ(info.name, "NVIDIA H200");
  EXPECT_EQ(info.arch.ToString(), "sm90");
  EXPECT_EQ(info.compute_units, 132);
  EXPECT_EQ(info.l2_bytes, 60 << 20);
  EXPECT_EQ(info.driver_version, "580.159.04");
  EXPECT_EQ(info.runtime_version, "13.0");
  ExpectAgreesWithSpec(info, "h200");
}

TEST(CudaDetectorTest, ReplaysTwoH100) {
  const DetectedHardware found = DetectCuda(Machine("dgx_h100"));
  EXPECT_THAT(found.notes, IsEmpty());
  ASSERT_THAT(found.devices, SizeIs(2));
  EXPECT_EQ(found.devices[0], found.devices[1]);
  EXPECT_EQ(found.devices[0].shared_memory_per_block_bytes, 227 << 10);
  EXPECT_EQ(found.devices[0].runtime_version, "12.8");
  ExpectAgreesWithSpec(found.devices[0], "h100_sxm");
}

TEST(CudaDetectorTest, ReplaysAnA100WithoutNvml) {
  const DetectedHardware found = DetectCuda(Machine("a100_sxm"));
  EXPECT_THAT(found.notes, ElementsAre("CUDA: the driver's version is unknown: "
                                       "libnvidia-ml.so.1 is not installed"));
  ASSERT_THAT(found.devices, SizeIs(1));
  EXPECT_EQ(found.devices[0].driver_version, "");
  EXPECT_EQ(found.devices[0].runtime_version, "12.2");
  ExpectAgreesWithSpec(found.devices[0], "a100_sxm");
}

TEST(CudaDetectorTest, ReplaysAB200WithItsTensorMemory) {
  const DetectedHardware found = DetectCuda(Machine("b200"));
  ASSERT_THAT(found.devices, SizeIs(1));
  EXPECT_EQ(found.devices[0].arch.ToString(), "sm100");
  EXPECT_EQ(found.devices[0].tensor_memory_per_unit_bytes, 256 << 10);
  ExpectAgreesWithSpec(found.devices[0], "b200");
}

TEST(CudaDetectorTest, BandwidthIsTheDriversWhereNoSpecHasTheDevice) {
  FakeSystemReader reader = Machine("a100_sxm");
  FirstDevice(reader)->set_name("NVIDIA A100-SXM4-80GB MIG 3g.40gb");
  const DetectedHardware found = DetectCuda(reader);
  ASSERT_THAT(found.devices, SizeIs(1));
  EXPECT_EQ(found.devices[0].memory_bandwidth_bytes_per_s, 2 * 1'593'000'000LL * 5120 / 8);
}

TEST(CudaDetectorTest, AnOldDriverLeavesFieldsUnknown) {
  FakeSystemReader reader = Machine("h200_vm");
  auto& attributes = *FirstDevice(reader)->mutable_attributes();
  attributes.erase("MAX_SHARED_MEMORY_PER_BLOCK_OPTIN");
  attributes.erase("L2_CACHE_SIZE");
  attributes.erase("CLOCK_RATE");
  const DetectedHardware found = DetectCuda(reader);
  ASSERT_THAT(found.devices, SizeIs(1));
  EXPECT_EQ(found.devices[0].shared_memory_per_block_bytes, 48 << 10);
  EXPECT_EQ(found.devices[0].l2_bytes, 0);
  EXPECT_EQ(found.devices[0].clock_hz, 1'980'000'000);  // NVML's
}

TEST(CudaDetectorTest, ADeviceThatCannotBeDescribedCostsOnlyItself) {
  FakeSystemReader reader = Machine("dgx_h100");
  FirstDevice(reader)->mutable_attributes()->erase("WARP_SIZE");
  const DetectedHardware found = DetectCuda(reader);
  EXPECT_THAT(found.devices, SizeIs(1));
  EXPECT_THAT(found.notes,
              ElementsAre(AllOf(HasSubstr("CUDA device 0: "), HasSubstr("WARP_SIZE"))));
}

TEST(CudaDetectorTest, KnowsWhoHasTensorCores) {
  const struct {
    const char* name;
    int major, minor;
    bool has;
  } kCases[] = {
      {"Tesla P100-SXM2-16GB", 6, 0, false},
      {"Tesla V100-SXM2-16GB", 7, 0, true},
      {"Tesla T4", 7, 5, true},
      {"NVIDIA GeForce GTX 1660 Ti", 7, 5, false},
      {"NVIDIA GeForce RTX 5090", 12, 0, true},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    FakeSystemReader reader = Machine("a100_sxm");
    RecordedMachine::CudaDevice* device = FirstDevice(reader);
    device->set_name(c.name);
    (*device->mutable_attributes())["COMPUTE_CAPABILITY_MAJOR"] = c.major;
    (*device->mutable_attributes())["COMPUTE_CAPABILITY_MINOR"] = c.minor;
    const DetectedHardware found = DetectCuda(reader);
    ASSERT_THAT(found.devices, SizeIs(1));
    EXPECT_EQ(found.devices[0].has_tensor_cores, c.has);
    EXPECT_EQ(found.devices[0].arch.base, "sm" + std::to_string(c.major) + std::to_string(c.minor));
    EXPECT_EQ(found.devices[0].tensor_memory_per_unit_bytes, 0);
  }
}

TEST(CudaDetectorTest, NoDriverIsNoErrorAndSaysWhy) {
  const DetectedHardware found = DetectCuda(Machine("zen5_vm"));
  EXPECT_THAT(found.devices, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre("no CUDA: libcuda.so.1 is not installed"));
}

TEST(CudaDetectorTest, ADriverWithoutDevicesSaysSo) {
  FakeSystemReader empty = Machine("zen5_vm");
  empty.machine().mutable_cuda()->set_driver_version(13000);
  EXPECT_THAT(DetectCuda(empty).notes, ElementsAre("no CUDA: the driver shows no device"));

  FakeSystemReader failing = Machine("h200_vm");
  failing.SetCudaError(absl::UnavailableError("cuInit failed: CUDA_ERROR_NO_DEVICE"));
  const DetectedHardware found = DetectCuda(failing);
  EXPECT_THAT(found.devices, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre("no CUDA: cuInit failed: CUDA_ERROR_NO_DEVICE"));
}

}  // namespace
}  // namespace seedtune

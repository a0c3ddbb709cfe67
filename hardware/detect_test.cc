#include "hardware/detect.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/detected_hardware.h"
#include "hardware/fake_system_reader.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_proto.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr std::string_view kFolder = "hardware/testdata/machines";

FakeSystemReader Machine(const std::string& name) {
  absl::StatusOr<FakeSystemReader> reader =
      FakeSystemReader::Load(std::string(kFolder) + "/" + name);
  EXPECT_THAT(reader, IsOk());
  return reader.ok() ? *std::move(reader) : FakeSystemReader();
}

std::vector<std::string> Kinds(const DetectedHardware& found) {
  std::vector<std::string> kinds;
  for (const HardwareInfo& info : found.devices) kinds.emplace_back(DeviceKindName(info.kind));
  return kinds;
}

TEST(DetectAllTest, ListsProcessorsFirst) {
  const DetectedHardware found = DetectAll(Machine("h200_vm"));
  EXPECT_THAT(Kinds(found), ElementsAre("cpu", "cuda"));
  EXPECT_THAT(found.notes, ElementsAre("no ROCm: HIP shows no device"));
}

TEST(DetectAllTest, SaysWhyDevicesAreAbsent) {
  const DetectedHardware found = DetectAll(Machine("zen5_vm"));
  EXPECT_THAT(Kinds(found), ElementsAre("cpu"));
  EXPECT_THAT(found.notes, ElementsAre("no CUDA: libcuda.so.1 is not installed",
                                       "no ROCm: libamdhip64.so is not installed"));
}

TEST(DetectAllTest, AMachineWithNothingIsNoFailure) {
  const DetectedHardware found = DetectAll(Machine("nothing"));
  EXPECT_THAT(found.devices, IsEmpty());
  EXPECT_THAT(found.notes, ElementsAre(StartsWith("no CPU: "), StartsWith("no CUDA: "),
                                       StartsWith("no ROCm: ")));
}

TEST(DetectAllTest, BothVendorsMayBeThere) {
  FakeSystemReader reader = Machine("mi300x");
  *reader.machine().mutable_cuda() = Machine("b200").machine().cuda();
  EXPECT_THAT(Kinds(DetectAll(reader)), ElementsAre("cuda", "rocm", "rocm"));
}

// Each recording of the folder replays, survives its proto, and says where it comes from.
TEST(RecordedMachinesTest, EachReplays) {
  int machines = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    FakeSystemReader reader = Machine(name);
    EXPECT_NE(reader.machine().description(), "");
    EXPECT_NE(reader.machine().provenance(), "");
    const DetectedHardware found = DetectAll(reader);
    EXPECT_THAT(found.devices, SizeIs(Ge(name == "nothing" ? 0u : 1u)));
    for (const HardwareInfo& info : found.devices) {
      EXPECT_THAT(FromProto(ToProto(info)), IsOkAndHolds(info));
      EXPECT_NE(info.name, "");
      EXPECT_NE(info.arch.base, "");
      EXPECT_GE(info.compute_units, 1);
      EXPECT_THAT(DescribeHardware(info), StartsWith(info.name));
    }
    ++machines;
  }
  EXPECT_GE(machines, 8);
}

}  // namespace
}  // namespace seedtune

#include "hardware/real_hip_api.h"

#include <stdlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hip_api.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Eq;

class RealHipApiTest : public testing::TestWithParam<const char*> {
 protected:
  std::vector<std::string> library() const { return {GetParam()}; }
};

TEST_P(RealHipApiTest, AsksTheRuntime) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<HipApi> hip, OpenHipApi(library()));
  EXPECT_THAT(hip->RuntimeVersion(), IsOkAndHolds(60342131));
  EXPECT_THAT(hip->DeviceCount(), IsOkAndHolds(1));
  EXPECT_THAT(hip->DeviceName(0), IsOkAndHolds(std::string("Fake Instinct")));
  EXPECT_THAT(hip->ArchName(0), IsOkAndHolds(std::string("gfx942:sramecc+:xnack-")));
  EXPECT_THAT(hip->TotalMemoryBytes(0), IsOkAndHolds(int64_t{192} << 30));
  EXPECT_THAT(hip->PciBusId(0), IsOkAndHolds(std::string("0000:c1:00.0")));
  EXPECT_THAT(hip->Attribute(0, HipAttribute::kWarpSize), IsOkAndHolds(1087));
}

TEST_P(RealHipApiTest, ErrorsNameTheCallAndTheRuntimesWords) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<HipApi> hip, OpenHipApi(library()));
  EXPECT_THAT(hip->ArchName(3),
              StatusIs(absl::StatusCode::kUnavailable,
                       Eq("hipGetDeviceProperties failed: hipErrorInvalidDevice (invalid device "
                          "ordinal)")));
  EXPECT_THAT(hip->Attribute(0, HipAttribute::kNumberOfXccs),
              StatusIs(absl::StatusCode::kUnavailable,
                       Eq("hipDeviceGetAttribute(10018) failed: hipErrorInvalidValue")));
}

TEST_P(RealHipApiTest, NoDeviceIsACountAndNoError) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<HipApi> hip, OpenHipApi(library()));
  ASSERT_EQ(setenv("FAKE_HIP_NO_DEVICE", "1", /*overwrite=*/1), 0);
  EXPECT_THAT(hip->DeviceCount(), IsOkAndHolds(0));
  unsetenv("FAKE_HIP_NO_DEVICE");
}

INSTANTIATE_TEST_SUITE_P(Releases, RealHipApiTest,
                         testing::Values("hardware/libfake_amdhip64_5.so",
                                         "hardware/libfake_amdhip64_6.so"));

TEST(OpenHipApiTest, NoLibraryIsNotFound) {
  EXPECT_THAT(OpenHipApi(std::vector<std::string>{"libno_such_hip.so", "/no/such/hip.so"}),
              StatusIs(absl::StatusCode::kNotFound, Eq("libno_such_hip.so is not installed")));
}

}  // namespace
}  // namespace seedtune

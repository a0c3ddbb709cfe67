#include "hardware/real_cuda_api.h"

#include <stdlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/cuda_api.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::Eq;
using ::testing::HasSubstr;

const std::vector<std::string> kFake = {"hardware/libfake_cuda.so"};

TEST(RealCudaApiTest, AsksTheDriver) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<CudaApi> cuda, OpenCudaApi(kFake));
  EXPECT_THAT(cuda->DriverVersion(), IsOkAndHolds(13000));
  EXPECT_THAT(cuda->DeviceCount(), IsOkAndHolds(1));
  EXPECT_THAT(cuda->DeviceName(0), IsOkAndHolds(std::string("Fake GPU")));
  EXPECT_THAT(cuda->TotalMemoryBytes(0), IsOkAndHolds(int64_t{80} << 30));
  EXPECT_THAT(cuda->PciBusId(0), IsOkAndHolds(std::string("0000:1b:00.0")));
  EXPECT_THAT(cuda->Attribute(0, CudaAttribute::kMultiprocessorCount), IsOkAndHolds(1016));
}

TEST(RealCudaApiTest, ErrorsNameTheCallAndTheDriversWords) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<CudaApi> cuda, OpenCudaApi(kFake));
  EXPECT_THAT(cuda->DeviceName(5), StatusIs(absl::StatusCode::kUnavailable,
                                            Eq("cuDeviceGet failed: CUDA_ERROR_INVALID_DEVICE")));
  EXPECT_THAT(
      cuda->Attribute(0, CudaAttribute::kMaxSharedMemoryPerBlockOptin),
      StatusIs(absl::StatusCode::kUnavailable, Eq("cuDeviceGetAttribute(97) failed: error 1")));
}

TEST(RealCudaApiTest, ADriverWithoutDevicesIsUnavailable) {
  ASSERT_EQ(setenv("FAKE_CUDA_NO_DEVICE", "1", /*overwrite=*/1), 0);
  const absl::Status status = OpenCudaApi(kFake).status();
  unsetenv("FAKE_CUDA_NO_DEVICE");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               Eq("cuInit failed: CUDA_ERROR_NO_DEVICE (no CUDA-capable device is "
                                  "detected)")));
}

TEST(RealCudaApiTest, TheFirstLibraryThatIsThereServes) {
  EXPECT_THAT(OpenCudaApi(std::vector<std::string>{"/no/such/libcuda.so.1", kFake[0]}), IsOk());
  EXPECT_THAT(OpenCudaApi(std::vector<std::string>{"libno_such_cuda.so.1", "/no/such/lib.so"}),
              StatusIs(absl::StatusCode::kNotFound, Eq("libno_such_cuda.so.1 is not installed")));
}

TEST(RealCudaApiTest, WhatIsNoLibraryOrAnotherIsUnavailable) {
  const TempDir folder;
  const std::string text = folder.Path("libcuda.so.1");
  ASSERT_THAT(WriteFileAtomically(text, "not a library"), IsOk());
  EXPECT_THAT(OpenCudaApi(std::vector<std::string>{text}),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("cannot load " + text)));
  EXPECT_THAT(OpenCudaApi(std::vector<std::string>{"libc.so.6"}),
              StatusIs(absl::StatusCode::kUnavailable,
                       AllOf(HasSubstr("libc.so.6 has no function \"cuInit\""))));
}

TEST(RealNvmlApiTest, AsksTheLibrary) {
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<NvmlApi> nvml, OpenNvmlApi(kFake));
  EXPECT_THAT(nvml->DriverVersion(), IsOkAndHolds(std::string("580.95.05")));
  EXPECT_THAT(nvml->MaxSmClockMhz("0000:1b:00.0"), IsOkAndHolds(1980));
  EXPECT_THAT(nvml->MaxSmClockMhz("0000:ff:00.0"),
              StatusIs(absl::StatusCode::kUnavailable,
                       Eq("nvmlDeviceGetHandleByPciBusId failed: Not Found")));
}

}  // namespace
}  // namespace seedtune

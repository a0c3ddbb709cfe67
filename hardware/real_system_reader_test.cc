#include "hardware/real_system_reader.h"

#include <sched.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/cpu_detector.h"
#include "hardware/hardware_info.h"
#include "hardware/system_reader.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;

TEST(RealSystemReaderTest, ReadsFilesAndFolders) {
  const std::unique_ptr<SystemReader> reader = NewRealSystemReader();
  const TempDir folder;
  ASSERT_THAT(WriteFileAtomically(folder.Path("b"), "two\n"), IsOk());
  ASSERT_THAT(WriteFileAtomically(folder.Path("a"), "one\n"), IsOk());
  EXPECT_THAT(reader->ListFolder(folder.path()), IsOkAndHolds(ElementsAre("a", "b")));
  EXPECT_THAT(reader->ReadFile(folder.Path("b")), IsOkAndHolds(std::string("two\n")));
}

TEST(RealSystemReaderTest, WhatIsNotThereIsNotFound) {
  const std::unique_ptr<SystemReader> reader = NewRealSystemReader();
  EXPECT_THAT(reader->ReadFile("/no/such/file"), StatusIs(absl::StatusCode::kNotFound));
  EXPECT_THAT(reader->ListFolder("/no/such/folder"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(RealSystemReaderTest, ThisMachineIsDetected) {
  const absl::StatusOr<HardwareInfo> info = DetectCpu(*NewRealSystemReader());
  ASSERT_THAT(info, IsOk());
  EXPECT_GE(info->compute_units, 1);
  EXPECT_GT(info->memory_bytes, 0);
}

TEST(RealSystemReaderTest, DetectionHeedsTheAffinity) {
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; ++cpu) {
    if (CPU_ISSET(cpu, &before)) CPU_SET(cpu, &one);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  const absl::StatusOr<HardwareInfo> info = DetectCpu(*NewRealSystemReader());
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  ASSERT_THAT(info, IsOk());
  EXPECT_EQ(info->compute_units, 1);
}

}  // namespace
}  // namespace seedtune

#include "hardware/cpu_detector.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/fake_system_reader.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

FakeSystemReader Machine(std::string_view name) {
  absl::StatusOr<FakeSystemReader> reader =
      FakeSystemReader::Load("hardware/testdata/machines/" + std::string(name));
  EXPECT_THAT(reader, IsOk());
  return reader.ok() ? *std::move(reader) : FakeSystemReader();
}

HardwareInfo Detect(const FakeSystemReader& reader) {
  absl::StatusOr<HardwareInfo> info = DetectCpu(reader);
  EXPECT_THAT(info, IsOk());
  return info.value_or(HardwareInfo());
}

TEST(CpuDetectorTest, ReplaysAZen5VirtualMachine) {
  const HardwareInfo info = Detect(Machine("zen5_vm"));
  EXPECT_EQ(info.kind, DeviceKind::kCpu);
  EXPECT_EQ(info.name, "AMD EPYC");
  EXPECT_EQ(info.arch.ToString(), "znver5");
  EXPECT_EQ(info.compute_units, 2);
  EXPECT_EQ(info.threads_per_unit, 1);
  EXPECT_EQ(info.warp_size, 1);
  EXPECT_EQ(info.vector_bits, 512);
  EXPECT_EQ(info.registers_per_unit, 32);
  EXPECT_EQ(info.cache_line_bytes, 64);
  EXPECT_EQ(info.l1_data_bytes, 48 << 10);
  EXPECT_EQ(info.l2_bytes, 1 << 20);
  EXPECT_EQ(info.l3_bytes, 32 << 20);
  EXPECT_EQ(info.memory_bytes, int64_t{24684092} << 10);
  EXPECT_FALSE(info.has_tensor_cores);
  EXPECT_THAT(info.isa, IsSupersetOf({"avx2", "avx512_bf16", "avx512_vnni", "avx512f", "fma"}));
  // Its name says no product, so nothing is known of these.
  EXPECT_EQ(info.memory_bandwidth_bytes_per_s, 0);
  EXPECT_EQ(info.clock_hz, 0);
}

TEST(CpuDetectorTest, ReplaysAnEmeraldRapidsVirtualMachine) {
  const HardwareInfo info = Detect(Machine("h200_vm"));
  EXPECT_EQ(info.arch.ToString(), "emeraldrapids");
  EXPECT_EQ(info.compute_units, 16);
  EXPECT_EQ(info.l1_data_bytes, 48 << 10);
  EXPECT_EQ(info.l2_bytes, 2 << 20);
  EXPECT_EQ(info.l3_bytes, 300 << 20);
  EXPECT_TRUE(info.has_tensor_cores);
  EXPECT_THAT(info.isa, IsSupersetOf({"amx_bf16", "amx_int8", "amx_tile", "avx512f"}));
}

TEST(CpuDetectorTest, ReplaysATwoSocketEpyc) {
  const HardwareInfo info = Detect(Machine("epyc_9654_2s"));
  EXPECT_EQ(info.name, "AMD EPYC 9654 96-Core Processor");
  EXPECT_EQ(info.arch.ToString(), "znver4");
  EXPECT_EQ(info.compute_units, 192);
  EXPECT_EQ(info.threads_per_unit, 2);
  EXPECT_EQ(info.l3_bytes, 32 << 20);
  EXPECT_EQ(info.clock_hz, 3'707'812'000);  // the kernel's figure, not the spec's
  ASSERT_OK_AND_ASSIGN(const HardwareInfo socket, FindSpec("epyc_9654"));
  EXPECT_EQ(info.memory_bandwidth_bytes_per_s, 2 * socket.memory_bandwidth_bytes_per_s);
}

// What detection finds on a machine is what its spec says of it.
TEST(CpuDetectorTest, ReplaysAXeonAsItsSpecHasIt) {
  HardwareInfo info = Detect(Machine("xeon_8480"));
  ASSERT_OK_AND_ASSIGN(const HardwareInfo spec, FindSpec("xeon_8480"));
  EXPECT_GT(info.memory_bytes, 0);
  info.memory_bytes = spec.memory_bytes;
  EXPECT_EQ(info.threads_per_unit, 1);  // hyper-threading is off there
  info.threads_per_unit = spec.threads_per_unit;
  EXPECT_EQ(info, spec);
}

TEST(CpuDetectorTest, ReplaysAGraviton) {
  const HardwareInfo info = Detect(Machine("graviton4_r8g"));
  EXPECT_EQ(info.name, "neoverse-v2");  // Arm processors have no brand
  EXPECT_EQ(info.arch.ToString(), "neoverse-v2");
  EXPECT_EQ(info.compute_units, 16);
  EXPECT_EQ(info.vector_bits, 128);
  EXPECT_EQ(info.registers_per_unit, 32);
  ASSERT_OK_AND_ASSIGN(const HardwareInfo spec, FindSpec("graviton4"));
  EXPECT_EQ(info.isa, spec.isa);
  EXPECT_EQ(info.l2_bytes, spec.l2_bytes);
}

TEST(CpuDetectorTest, VectorsAreAsLongAsLinuxLetsThemBe) {
  FakeSystemReader reader = Machine("graviton4_r8g");
  reader.SetFile("/proc/sys/abi/sve_default_vector_length", "32\n");
  EXPECT_EQ(Detect(reader).vector_bits, 256);
  reader.SetFile("/proc/sys/abi/sve_default_vector_length", "-1\n");
  EXPECT_EQ(Detect(reader).vector_bits, 128);
  reader.RemoveFile("/proc/sys/abi/sve_default_vector_length");
  EXPECT_EQ(Detect(reader).vector_bits, 128);
}

TEST(CpuDetectorTest, AQuotaLimitsTheCores) {
  const struct {
    const char* what;
    const char* cgroup;
    std::pair<const char*, const char*> files[2];
    int cores;
  } kCases[] = {
      {"v2, a container's own root", "0::/\n", {{"/sys/fs/cgroup/cpu.max", "200000 100000\n"}}, 2},
      {"v2, none", "0::/\n", {{"/sys/fs/cgroup/cpu.max", "max 100000\n"}}, 192},
      {"v2, the parent's is smaller",
       "0::/a/b\n",
       {{"/sys/fs/cgroup/a/b/cpu.max", "800000 100000\n"},
        {"/sys/fs/cgroup/a/cpu.max", "400000 100000\n"}},
       4},
      {"v2, its own is smaller",
       "0::/a/b\n",
       {{"/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n"},
        {"/sys/fs/cgroup/a/cpu.max", "400000 100000\n"}},
       3},
      {"v2, the host's path seen from within",
       "0::/docker/0123\n",
       {{"/sys/fs/cgroup/cpu.max", "500000 100000\n"}},
       5},
      {"v2, part of a processor is rounded up",
       "0::/\n",
       {{"/sys/fs/cgroup/cpu.max", "150000 100000\n"}},
       2},
      {"v2, less than one", "0::/\n", {{"/sys/fs/cgroup/cpu.max", "10000 100000\n"}}, 1},
      {"v2, more than there are", "0::/\n", {{"/sys/fs/cgroup/cpu.max", "99900000 100000\n"}}, 192},
      {"v1",
       "5:devices:/x\n4:cpu,cpuacct:/docker/0123\n",
       {{"/sys/fs/cgroup/cpu/docker/0123/cpu.cfs_quota_us", "600000\n"},
        {"/sys/fs/cgroup/cpu/docker/0123/cpu.cfs_period_us", "100000\n"}},
       6},
      {"v1, none",
       "4:cpu,cpuacct:/\n",
       {{"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
        {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
       192},
      {"nonsense", "x\n0::/\n", {{"/sys/fs/cgroup/cpu.max", "many few\n"}}, 192},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.what);
    FakeSystemReader reader = Machine("epyc_9654_2s");
    reader.SetFile("/proc/self/cgroup", c.cgroup);
    for (const auto& [path, contents] : c.files) {
      if (path != nullptr) reader.SetFile(path, contents);
    }
    EXPECT_EQ(Detect(reader).compute_units, c.cores);
  }
}

TEST(CpuDetectorTest, WhatIsNotToldStaysUnknown) {
  FakeSystemReader reader = Machine("zen5_vm");
  reader.machine().clear_cpu();
  reader.RemoveFile("/proc/meminfo");
  const HardwareInfo info = Detect(reader);
  EXPECT_EQ(info.name, "AMD EPYC");
  EXPECT_EQ(info.arch.base, "");
  EXPECT_EQ(info.vector_bits, 0);
  EXPECT_EQ(info.memory_bytes, 0);
  EXPECT_EQ(info.compute_units, 2);
  EXPECT_THAT(info.isa, Not(Contains("avx2")));
}

TEST(CpuDetectorTest, FailsWithoutATopology) {
  EXPECT_THAT(DetectCpu(Machine("nothing")),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("no topology")));
  FakeSystemReader reader = Machine("zen5_vm");
  reader.SetTopologyXml("<topology>");
  EXPECT_THAT(DetectCpu(reader), StatusIs(absl::StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace seedtune

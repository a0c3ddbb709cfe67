#include "hardware/hardware_info.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_fields.h"

namespace seedtune {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

HardwareInfo Gpu() {
  HardwareInfo info;
  info.kind = DeviceKind::kRocm;
  info.name = "AMD Instinct MI300X";
  info.arch = {"gfx942", {"sramecc+", "xnack-"}};
  info.compute_units = 304;
  info.warp_size = 64;
  info.shared_memory_per_block_bytes = 65536;
  return info;
}

TEST(DeviceKeyTest, NamesKindNameArchitectureAndSizes) {
  EXPECT_EQ(DeviceKey(Gpu()),
            "kind=rocm;name=AMD Instinct MI300X;arch=gfx942:sramecc+:xnack-;compute_units=304;"
            "warp_size=64;shared_memory_per_block_bytes=65536");
}

// Each field either tells devices apart or does not touch the key, as the table says.
TEST(DeviceKeyTest, ChangesWithExactlyTheFieldsThatIdentify) {
  for (const HardwareField& field : kHardwareFields) {
    SCOPED_TRACE(field.name);
    HardwareInfo changed = Gpu();
    field.Set(field.Get(changed) + 1, &changed);
    EXPECT_EQ(DeviceKey(changed) != DeviceKey(Gpu()), field.identifies);
  }
}

TEST(DeviceKeyTest, ChangesWithArchitectureFeaturesAndMatrixUnits) {
  HardwareInfo xnack = Gpu();
  xnack.arch.features = {"sramecc+", "xnack+"};
  EXPECT_NE(DeviceKey(xnack), DeviceKey(Gpu()));
  HardwareInfo matrix = Gpu();
  matrix.has_tensor_cores = true;
  EXPECT_NE(DeviceKey(matrix), DeviceKey(Gpu()));
}

TEST(DeviceKeyTest, IgnoresWhatAnUpdateChanges) {
  HardwareInfo updated = Gpu();
  updated.driver_version = "6.12.12";
  updated.runtime_version = "6.4";
  updated.clock_hz = 2'100'000'000;
  updated.memory_bytes = 206'158'430'208;
  updated.memory_bandwidth_bytes_per_s = 5'300'000'000'000;
  updated.isa = {"avx2"};
  EXPECT_EQ(DeviceKey(updated), DeviceKey(Gpu()));
}

TEST(DeviceKeyTest, NoNameCanPassForAnotherField) {
  HardwareInfo sly = Gpu();
  sly.name = "x;compute_units=1";
  EXPECT_THAT(DeviceKey(sly), HasSubstr("name=x%3Bcompute_units%3D1;"));
  HardwareInfo escaped = Gpu();
  escaped.name = "x%3Bcompute_units%3D1";
  EXPECT_NE(DeviceKey(escaped), DeviceKey(sly));
  HardwareInfo odd = Gpu();
  odd.name = "a\nb\xC3\xA9";
  EXPECT_THAT(DeviceKey(odd), HasSubstr("name=a%0Ab%C3%A9;"));
}

TEST(DescribeHardwareTest, TellsAGpu) {
  HardwareInfo info = Gpu();
  info.num_xcds = 8;
  info.l2_bytes = 33'554'432;
  info.memory_bytes = 206'158'430'208;
  info.memory_bandwidth_bytes_per_s = 5'300'000'000'000;
  info.has_tensor_cores = true;
  EXPECT_EQ(DescribeHardware(info),
            "AMD Instinct MI300X (rocm, gfx942:sramecc+:xnack-): 304 CUs, on 8 dies, warps of 64, "
            "matrix units\n"
            "  on chip: 64 KiB shared memory per block\n"
            "  caches: L2 32 MiB\n"
            "  memory: 192 GiB, 5300 GB/s\n");
}

TEST(DescribeHardwareTest, TellsACpu) {
  HardwareInfo info;
  info.kind = DeviceKind::kCpu;
  info.name = "AMD EPYC";
  info.arch.base = "znver5";
  info.compute_units = 1;
  info.threads_per_unit = 2;
  info.warp_size = 1;
  info.vector_bits = 512;
  info.l1_data_bytes = 49152;
  info.l2_bytes = 1'048'576;
  info.l3_bytes = 110'100'480;
  info.clock_hz = 3'700'000'000;
  info.isa = {"avx2", "avx512f"};
  EXPECT_EQ(DescribeHardware(info),
            "AMD EPYC (cpu, znver5): 1 core, 2 threads per core, 512-bit vectors\n"
            "  caches: L1 data 48 KiB per core, L2 1 MiB per core, L3 105 MiB\n"
            "  clock: up to 3700 MHz\n"
            "  ISA: avx2 avx512f\n");
}

TEST(DescribeHardwareTest, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(DescribeHardware(HardwareInfo{}), "unnamed device (unknown)\n");
}

// Whatever is known shows: no field can be forgotten here.
TEST(DescribeHardwareTest, ShowsEachFieldThatIsKnown) {
  for (const HardwareField& field : kHardwareFields) {
    SCOPED_TRACE(field.name);
    HardwareInfo nothing;
    nothing.kind = DeviceKind::kCuda;
    HardwareInfo something = nothing;
    field.Set(2, &something);
    EXPECT_NE(DescribeHardware(something), DescribeHardware(nothing));
    EXPECT_THAT(DescribeHardware(something), EndsWith("\n"));
  }
}

TEST(HardwareFieldsTest, NamesAreUniqueAndMembersDistinct) {
  std::set<std::string_view> names;
  HardwareInfo info;
  int64_t next = 1;
  for (const HardwareField& field : kHardwareFields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    field.Set(next++, &info);
  }
  next = 1;
  for (const HardwareField& field : kHardwareFields) EXPECT_EQ(field.Get(info), next++);
}

}  // namespace
}  // namespace seedtune

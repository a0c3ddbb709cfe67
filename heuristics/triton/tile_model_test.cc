#include "heuristics/triton/tile_model.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "heuristics/test_kernel.h"
#include "ir/dtype.h"

namespace seedtune {
namespace {

double Rate(const char* device, DType operand) {
  const std::optional<TileRates> rates = TileRatesOf(TestKernel::Device(device), operand);
  return rates ? rates->macs_per_cycle : 0;
}

// What the data sheets say of whole devices: units times clock times two.
TEST(TileModelTest, RatesAreThoseOfTheDataSheets) {
  const struct {
    const char* device;
    DType operand;
    double tflops;
  } kCases[] = {
      {"a100_sxm", DType::kBF16, 312},  {"a100_sxm", DType::kF32, 156},
      {"a100_sxm", DType::kF64, 19.5},  {"l40s", DType::kF16, 362},
      {"l40s", DType::kF8E4M3, 733},    {"b200", DType::kBF16, 2250},
      {"rtx5090", DType::kBF16, 209.5}, {"rtx5090", DType::kF8E4M3, 419},
      {"rtx5090", DType::kI8, 838},     {"mi250x", DType::kBF16, 383},
      {"mi250x", DType::kI8, 383},      {"mi250x", DType::kF32, 95.7},
      {"mi250x", DType::kF64, 95.7},    {"mi300x", DType::kBF16, 1307},
      {"mi300x", DType::kI8, 2615},     {"mi300x", DType::kF32, 163.4},
      {"mi300x", DType::kTF32, 653.7},  {"mi300x", DType::kF64, 163.4},
      {"mi350x", DType::kBF16, 2300},   {"mi350x", DType::kF8E4M3, 4600},
      {"mi350x", DType::kF32, 144.2},   {"mi350x", DType::kF64, 72.1},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(std::string(c.device) + " " + std::string(DTypeName(c.operand)));
    const HardwareInfo device = TestKernel::Device(c.device);
    // A die of an MI250X is a device of its own; some specs have a clock a little above the
    // sheet's.
    const double dies = std::string(c.device) == "mi250x" ? 220.0 / device.compute_units : 1;
    const double tflops = Rate(c.device, c.operand) * 2 * device.compute_units * dies *
                          static_cast<double>(device.clock_hz) * 1e-12;
    EXPECT_NEAR(tflops / c.tflops, 1, 0.1);
  }
}

TEST(TileModelTest, WhatTheMatrixUnitsDoNotTakeGoesAsWhatComputesIt) {
  // OCP's fp8 is not CDNA 3's, nor has CDNA 2 any.
  EXPECT_EQ(Rate("mi300x", DType::kF8E4M3), Rate("mi300x", DType::kF16));
  EXPECT_EQ(Rate("mi250x", DType::kF8E4M3), Rate("mi250x", DType::kF16));
  EXPECT_EQ(Rate("mi350x", DType::kF8E4M3), 2 * Rate("mi350x", DType::kF16));
  // CDNA 4 has no xf32.
  EXPECT_EQ(Rate("mi350x", DType::kTF32), Rate("mi350x", DType::kF32));
}

TEST(TileModelTest, UnknownArchitecturesHaveNoRates) {
  HardwareInfo device = TestKernel::Device("mi300x");
  device.arch = *Arch::Parse("gfx9999");
  EXPECT_FALSE(TileRatesOf(device, DType::kF16).has_value());
}

}  // namespace
}  // namespace seedtune

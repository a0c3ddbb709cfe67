#include "config/spaces/gpu_knobs.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "config/knob.h"
#include "config/spaces/testing_kernels.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "hardware/hardware_info.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

TEST(GpuKnobsTest, NumbersCudaArchitectures) {
  EXPECT_EQ(CudaArchNumber(*Arch::Parse("sm90a")), 90);
  EXPECT_EQ(CudaArchNumber(*Arch::Parse("sm100")), 100);
  EXPECT_EQ(CudaArchNumber(*Arch::Parse("gfx950:sramecc+")), 0);
  EXPECT_EQ(CudaArchNumber(Arch()), 0);
}

TEST(GpuKnobsTest, BlocksReachWhatCoversTheExtent) {
  const struct {
    int64_t extent, largest;
  } kCases[] = {{1, 16}, {16, 16}, {17, 32}, {100, 128}, {255, 256}, {256, 256}, {100'000, 256}};
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.extent);
    ASSERT_OK_AND_ASSIGN(const Knob knob, BlockSizeKnob("m", 16, 256, c.extent, 64));
    EXPECT_EQ(knob.name(), "block_size[m]");
    EXPECT_EQ(knob.numeric(0), 16);
    EXPECT_EQ(knob.numeric(knob.num_choices() - 1), c.largest);
    EXPECT_EQ(knob.numeric(knob.default_choice()), std::min<int64_t>(64, c.largest));
  }
}

TEST(GpuKnobsTest, OffersDescriptorsWhereTmaTakesTheOperand) {
  OperandFact good;
  good.layout = OperandLayout::kRowMajor;
  good.alignment_bytes = 16;
  const auto offers = [](const OperandFact& operand, const HardwareInfo& device) {
    return IndexingKnob(1, operand, device)->Find(std::string("tensor_descriptor")).ok();
  };
  EXPECT_TRUE(offers(good, Device("h100_sxm")));
  EXPECT_TRUE(offers(good, Device("b200")));
  EXPECT_TRUE(offers(good, Device("rtx5090")));
  EXPECT_FALSE(offers(good, Device("a100_sxm")));
  EXPECT_FALSE(offers(good, Device("mi350x")));
  OperandFact operand = good;
  operand.layout = OperandLayout::kColumnMajor;
  EXPECT_TRUE(offers(operand, Device("h100_sxm")));
  for (const auto layout : {OperandLayout::kStrided, OperandLayout::kUnknown}) {
    operand.layout = layout;
    EXPECT_FALSE(offers(operand, Device("h100_sxm")));
  }
  operand = good;
  for (const int64_t alignment : {0, 2, 8}) {
    operand.alignment_bytes = alignment;
    EXPECT_FALSE(offers(operand, Device("h100_sxm")));
  }
  EXPECT_EQ(IndexingKnob(1, good, Device("h100_sxm"))->name(), "indexing[1]");
}

}  // namespace
}  // namespace seedtune

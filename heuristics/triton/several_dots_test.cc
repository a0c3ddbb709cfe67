#include "heuristics/triton/several_dots.h"

#include <memory>
#include <utility>
#include <vector>

#include "config/config_space.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "heuristics/autotuner_heuristic.h"
#include "heuristics/test_kernel.h"
#include "heuristics/tuning_context.h"
#include "ir/builder.h"
#include "ir/dtype.h"
#include "ir/kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

// out[m, d] = relu(x[m, k] * w[k, n]) * v[n, d].
Kernel Perceptron(int64_t m, int64_t n, int64_t k, int64_t d) {
  KernelBuilder b("perceptron");
  const AxisId axis_m = b.AddAxis("m", AxisKind::kParallel, Extent::Static(m));
  const AxisId axis_n = b.AddAxis("n", AxisKind::kReduction, Extent::Static(n));
  const AxisId axis_k = b.AddAxis("k", AxisKind::kReduction, Extent::Static(k));
  const AxisId axis_d = b.AddAxis("d", AxisKind::kParallel, Extent::Static(d));
  const auto tensor = [&](const char* name, int64_t rows, int64_t columns) {
    return b.AddTensor(name, DType::kBF16, {Extent::Static(rows), Extent::Static(columns)}, 16);
  };
  const ValueId x = b.Load(tensor("x", m, k), {axis_m, axis_k});
  const ValueId w = b.Load(tensor("w", k, n), {axis_k, axis_n});
  const ValueId v = b.Load(tensor("v", n, d), {axis_n, axis_d});
  const ValueId hidden =
      b.Dot(x, w, {.batch = {}, .m = {axis_m}, .n = {axis_n}, .k = {axis_k}}, DType::kF32);
  const ValueId active = b.Cast(b.Pointwise(PointwiseKind::kRelu, {hidden}), DType::kBF16);
  const ValueId out =
      b.Dot(active, v, {.batch = {}, .m = {axis_m}, .n = {axis_d}, .k = {axis_n}}, DType::kF32);
  b.Store(tensor("out", m, d), {axis_m, axis_d}, b.Cast(out, DType::kBF16));
  auto kernel = std::move(b).Build();
  EXPECT_TRUE(kernel.ok()) << kernel.status();
  return *std::move(kernel);
}

TEST(SeveralDotsTest, SeedsKernelsOfTwoDotsOnEveryGpu) {
  const auto heuristic = MakeTritonSeveralDots();
  for (const char* device : {"h100_sxm", "b200", "a100_sxm", "l40s", "mi300x", "mi350x"}) {
    SCOPED_TRACE(device);
    const TestKernel test("triton", Perceptron(4096, 4096, 128, 64), TestKernel::Device(device));
    ASSERT_THAT(test.status(), IsOk());
    EXPECT_TRUE(heuristic->IsEligible(test.context()).eligible)
        << heuristic->IsEligible(test.context()).reason;
    ASSERT_OK_AND_ASSIGN(const std::vector<PartialConfig> seeds,
                         heuristic->SeedConfigs(test.context()));
    ASSERT_THAT(seeds, Not(IsEmpty()));
    for (const PartialConfig& seed : seeds) {
      ASSERT_OK_AND_ASSIGN(const Config config,
                           test.space().Normalize(seed, NormalizeMode::kReject));
      // The second dot's columns are covered, where the device has room.
      EXPECT_EQ(config.GetInt("block_size[n1]"), 64);
    }
    EXPECT_FALSE(heuristic->PromotesPrimary(test.context()));
  }
}

TEST(SeveralDotsTest, WantsTwo) {
  const TestKernel one("triton", "matmul:4096x4096x4096:bf16", "h100_sxm");
  EXPECT_EQ(MakeTritonSeveralDots()->IsEligible(one.context()).reason,
            "1 matmul, want two or more");
}

}  // namespace
}  // namespace seedtune

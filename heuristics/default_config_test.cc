#include "heuristics/default_config.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "config/config_space.h"
#include "config/knob.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/fake_heuristic.h"
#include "heuristics/registry.h"
#include "heuristics/test_kernel.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

constexpr char kKernel[] = "matmul:256x256x256:f32";

TEST(DefaultConfigTest, IsWhatConsultationPromotes) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  for (const char* kernel : {"matmul:16x8192x8192:f32", "matmul:1024x1024x1024:f32", kKernel}) {
    SCOPED_TRACE(kernel);
    const TestKernel test("cpu", kernel, "epyc_9654");
    ASSERT_OK_AND_ASSIGN(const UntunedConfig untuned,
                         DefaultConfig(registry, "cpu", TestKernel::Kernel(kernel), test.device()));
    const ConsultResult result = ConsultHeuristics(registry, "cpu", test.context());
    EXPECT_EQ(untuned.config, result.untuned);
    EXPECT_EQ(untuned.origin, result.untuned_origin);
    EXPECT_NE(untuned.origin, "space default");
  }
}

// On every backend and device, whoever promotes there.
TEST(DefaultConfigTest, AgreesWithConsultationEverywhere) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  for (const std::string& device : SpecNames()) {
    for (const char* kernel : {"matmul:4096x4096x4096:bf16", "matmul:16x8192x8192:f32",
                               "matmul:128x128x65536:bf16:batch=2"}) {
      for (const std::string_view backend : SpaceBackends()) {
        SCOPED_TRACE(std::string(backend) + " " + device + " " + kernel);
        const TestKernel test(backend, kernel, device);
        if (!test.status().ok()) continue;
        const UntunedDefault untuned = FindUntunedDefault(registry, backend, test.context());
        const ConsultResult result = ConsultHeuristics(registry, backend, test.context());
        EXPECT_EQ(untuned.config, result.untuned);
        EXPECT_EQ(untuned.origin, result.untuned_origin);
      }
    }
  }
}

TEST(DefaultConfigTest, CanBeSwitchedOffWholeOrByName) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  const HardwareInfo device = TestKernel::Device("h100_sxm");
  const Kernel kernel = TestKernel::Kernel("matmul:4096x4096x4096:bf16");
  ConsultOptions none;
  none.enabled = false;
  ConsultOptions one;
  one.disabled = {"triton_hopper_matmul"};
  for (const ConsultOptions& options : {none, one}) {
    ASSERT_OK_AND_ASSIGN(const UntunedConfig untuned,
                         DefaultConfig(registry, "triton", kernel, device, options));
    EXPECT_EQ(untuned.origin, "space default");
  }
  ASSERT_OK_AND_ASSIGN(const UntunedConfig untuned,
                       DefaultConfig(registry, "triton", kernel, device));
  EXPECT_EQ(untuned.origin, "triton_hopper_matmul");
}

TEST(DefaultConfigTest, KeepsItsSpaceAlive) {
  ASSERT_OK_AND_ASSIGN(const UntunedConfig untuned,
                       DefaultConfig(BuiltinHeuristics(), "cpu", TestKernel::Kernel(kKernel),
                                     TestKernel::Device("graviton4")));
  EXPECT_EQ(untuned.config.space().name(), "cpu_matmul");
  EXPECT_GT(untuned.config.GetInt("block_size[k]"), 0);
}

TEST(DefaultConfigTest, IsTheSpaceDefaultWhereNobodyPromotes) {
  const TestKernel test("cpu", kKernel, "epyc_9654");
  ASSERT_OK_AND_ASSIGN(
      const UntunedConfig untuned,
      DefaultConfig(HeuristicRegistry(), "cpu", TestKernel::Kernel(kKernel), test.device()));
  EXPECT_EQ(untuned.config, test.space().Default());
  EXPECT_EQ(untuned.origin, "space default");
}

TEST(DefaultConfigTest, SurvivesAThrowingHeuristic) {
  HeuristicRegistry registry;
  FakeHeuristic::Options options;
  options.backend = "cpu";
  options.is_eligible = [](const TuningContext&) -> Eligibility {
    throw std::runtime_error("no such device");
  };
  ASSERT_THAT(registry.Add(std::make_unique<FakeHeuristic>(options)), IsOk());
  EXPECT_THAT(
      DefaultConfig(registry, "cpu", TestKernel::Kernel(kKernel), TestKernel::Device("epyc_9654")),
      IsOk());
}

TEST(DefaultConfigTest, PassesOnTheErrorsOfTheSpace) {
  const HeuristicRegistry registry = BuiltinHeuristics();
  EXPECT_THAT(DefaultConfig(registry, "cudaa", TestKernel::Kernel(kKernel),
                            TestKernel::Device("epyc_9654")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("cudaa")));
  EXPECT_THAT(
      DefaultConfig(registry, "cpu", TestKernel::Kernel(kKernel), TestKernel::Device("b200")),
      StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("want a cpu")));
}

}  // namespace
}  // namespace seedtune

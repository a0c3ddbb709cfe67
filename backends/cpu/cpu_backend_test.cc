#include "backends/cpu/cpu_backend.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "backends/backend.h"
#include "backends/cpu/gemm.h"
#include "config/config_space.h"
#include "config/spaces/cpu/cpu_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"
#include "ir/load.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::SizeIs;

HardwareInfo TwoCores() {
  HardwareInfo device;
  device.kind = DeviceKind::kCpu;
  device.name = "two cores";
  device.arch.base = "znver4";
  device.compute_units = 2;
  device.vector_bits = VectorLanesF32() * 32;
  device.registers_per_unit = VectorRegistersF32();
  device.l1_data_bytes = 32 << 10;
  device.l2_bytes = 512 << 10;
  device.l3_bytes = 1 << 20;
  return device;
}

// A candidate: a kernel by its short form, and the default configuration of its space.
MeasureRequest Request(const std::string& kernel) {
  absl::StatusOr<Workload> workload = LoadWorkload(kernel);
  EXPECT_THAT(workload, IsOk());
  MeasureRequest request;
  request.id = 1;
  request.kernel = std::make_shared<const Kernel>(workload->entries[0].kernel);
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(*request.kernel);
  absl::StatusOr<std::shared_ptr<const ConfigSpace>> space =
      BuildConfigSpace("cpu", facts, TwoCores());
  EXPECT_THAT(space, IsOk());
  request.config = (*space)->Default();
  request.data_seed = 7;
  request.target_measure_ns = 1e5;
  return request;
}

TEST(CpuBackendTest, EveryRegisterTileOfTheSpaceIsCompiled) {
  std::vector<CpuRegisterTile> compiled;
  for (const GemmRegisterTile& tile : SupportedRegisterTiles()) {
    compiled.push_back({tile.mr, tile.nr_vectors});
  }
  for (const CpuRegisterTile& tile : CpuRegisterTiles()) {
    EXPECT_NE(std::find(compiled.begin(), compiled.end(), tile), compiled.end())
        << tile.rows << " x " << tile.vectors;
  }
}

TEST(CpuBackendTest, MeasuresAndCounts) {
  const std::unique_ptr<Backend> backend = MakeCpuBackend(TwoCores());
  MeasureRequest request = Request("matmul:64x64x64:f32");
  request.min_samples = 3;
  request.max_samples = 6;
  request.target_measure_ns = 1e9;  // no machine is so slow that two samples have to do
  const Outcome outcome = backend->Measure(request);
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_GE(outcome.samples_ns.size(), 3u);
  EXPECT_LE(outcome.samples_ns.size(), 6u);
  EXPECT_THAT(outcome.samples_ns, Each(Gt(0)));
  EXPECT_GT(outcome.measure_ns, 0);
}

TEST(CpuBackendTest, EveryKnobIsRightOnEveryForm) {
  const std::unique_ptr<Backend> backend = MakeCpuBackend(TwoCores());
  std::mt19937_64 random(3);
  for (const char* kernel : {"matmul:64x80x96:f32", "matmul:1x100x200:f32", "matmul:33x1x70:f32",
                             "matmul:40x50x60:f32:nt", "matmul:40x50x60:f32:tn:bias:relu",
                             "matmul:17x19x23:f32:tt:bias:gelu:residual",
                             "matmul:20x24x28:f32:batch=3", "matmul:16x8x2048:f32"}) {
    MeasureRequest request = Request(kernel);
    request.min_samples = request.max_samples = 1;
    const ConfigSpace& space = request.config.space();
    for (int i = 0; i < 40; ++i) {
      request.config = space.Sample(random);
      const Outcome outcome = backend->Measure(request);
      EXPECT_EQ(outcome.kind, OutcomeKind::kOk)
          << kernel << " " << request.config.ToJson() << ": " << outcome.message;
    }
  }
}

TEST(CpuBackendTest, DropsTheHopelessWithItsBound) {
  const std::unique_ptr<Backend> backend = MakeCpuBackend(TwoCores());
  MeasureRequest request = Request("matmul:256x256x256:f32");
  request.drop_above_ns = 1;
  const Outcome outcome = backend->Measure(request);
  EXPECT_EQ(outcome.kind, OutcomeKind::kCensored);
  EXPECT_GT(outcome.lower_bound_ns, 1);
  EXPECT_THAT(outcome.samples_ns, SizeIs(0));
  EXPECT_EQ(outcome.objective_ns(), outcome.lower_bound_ns);
}

TEST(CpuBackendTest, OperandsBeyondMemoryAreAnOutcome) {
  const std::unique_ptr<Backend> backend = MakeCpuBackend(TwoCores());
  const Outcome outcome = backend->Measure(Request("matmul:1000000x1000000x1000000:f32"));
  EXPECT_EQ(outcome.kind, OutcomeKind::kOutOfResources);
  EXPECT_THAT(outcome.message, HasSubstr("memory"));
}

TEST(CpuBackendTest, SaysWhatItDoesNotSupport) {
  const std::unique_ptr<Backend> backend = MakeCpuBackend(TwoCores());
  const auto supports = [&](const std::string& kernel) {
    return backend->Supports(LoadWorkload(kernel)->entries[0].kernel);
  };
  EXPECT_THAT(supports("matmul:8x8x8:f32:bias:gelu:residual"), IsOk());
  EXPECT_THAT(supports("matmul:8x8x8:bf16"),
              StatusIs(absl::StatusCode::kUnimplemented,
                       HasSubstr("kernel \"matmul:8x8x8:bf16\": the left operand is bf16")));
  EXPECT_THAT(supports("matmul:8x8x8:f32:silu"),
              StatusIs(absl::StatusCode::kUnimplemented, HasSubstr("silu")));
  EXPECT_THAT(supports("matmul:M=16[1,64]x8x8:f32"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\"M\", want a number")));
}

TEST(CpuBackendTest, VersionNamesTheInstructionSet) {
  EXPECT_THAT(MakeCpuBackend(TwoCores())->info().code_generator_version,
              HasSubstr(std::string(ActiveTargetName())));
}

}  // namespace
}  // namespace seedtune

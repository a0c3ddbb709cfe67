#include "backends/cuda/matmul.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/database/database.h"
#include "autotuner/fake_measurer.h"
#include "autotuner/tuner.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/matmul_check.h"
#include "backends/cuda/nvrtc.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/specs.h"
#include "heuristics/registry.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

Kernel Matmul(const std::string& short_form) {
  return *BuildMatmul(*ParseMatmulShortForm(short_form));
}

TEST(CudaMatmulTest, AnswersFromTheDatabaseThenFromTheSeeds) {
  const HeuristicRegistry heuristics;  // none: the space's default is the seed
  const MeasurerInfo info = CudaMeasurerInfo(*FindSpec("h100_sxm"), "nvrtc 13.0");
  const auto kernel = std::make_shared<const Kernel>(Matmul("matmul:512x512x512:f32"));

  ASSERT_OK_AND_ASSIGN(const CudaMatmulAnswer without,
                       AnswerCudaMatmul(*kernel, info, heuristics, nullptr));
  EXPECT_EQ(without.origin, "space default");

  // A tuning run that likes the default least of all.
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const auto database, Database::Open(dir.Path("tuning.db")));
  ASSERT_OK_AND_ASSIGN(const CudaMatmulAnswer missed,
                       AnswerCudaMatmul(*kernel, info, heuristics, database.get()));
  EXPECT_EQ(missed.origin, "space default");
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(*kernel);
  ASSERT_OK_AND_ASSIGN(const auto space, BuildConfigSpace("cuda", facts, info.device));
  FakeMeasurer measurer(FakeMeasurer::Options{
      .info = info, .capacity = 1, .outcome = [&](const MeasureRequest& request) {
        Outcome outcome;
        outcome.kind = OutcomeKind::kOk;
        outcome.samples_ns = {request.config == space->Default() ? 200.0 : 100.0};
        return outcome;
      }});
  TuneOptions options;
  options.budget = {.evaluations = 5, .seconds = 0};
  ASSERT_OK_AND_ASSIGN(const TuneResult tuned, Tune(kernel, facts, space, heuristics, measurer,
                                                    database.get(), SystemClock(), options));
  ASSERT_FALSE(tuned.best.config == space->Default());
  ASSERT_OK_AND_ASSIGN(const CudaMatmulAnswer hit,
                       AnswerCudaMatmul(*kernel, info, heuristics, database.get()));
  EXPECT_EQ(hit.origin, "database");
  EXPECT_EQ(hit.config, tuned.best.config);

  // Another compiler's record is not this one's.
  ASSERT_OK_AND_ASSIGN(const CudaMatmulAnswer other,
                       AnswerCudaMatmul(*kernel, CudaMeasurerInfo(info.device, "nvrtc 12.9"),
                                        heuristics, database.get()));
  EXPECT_EQ(other.origin, "space default");
}

class CudaMatmulOnGpuTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<CudaMatmuls>> matmuls =
        CudaMatmuls::Create(heuristics_, {.database_path = "", .cache_folder = dir_.path()});
    if (absl::IsNotFound(matmuls.status())) {
      GTEST_SKIP() << std::string(matmuls.status().message());
    }
    ASSERT_THAT(matmuls.status(), IsOk());
    matmuls_ = *std::move(matmuls);
    ASSERT_OK_AND_ASSIGN(auto nvrtc, Nvrtc::Open());
    compiler_ = std::make_unique<CudaCompiler>(std::move(nvrtc), CubinCache::Options{});
    ASSERT_OK_AND_ASSIGN(const auto driver, CudaDriver::Open());
    ASSERT_OK_AND_ASSIGN(device_, CudaDevice::Open(driver, 0));
  }

  TempDir dir_;
  HeuristicRegistry heuristics_;
  std::unique_ptr<CudaMatmuls> matmuls_;
  std::unique_ptr<CudaCompiler> compiler_;
  std::unique_ptr<CudaDevice> device_;
};

TEST_F(CudaMatmulOnGpuTest, RunsOnPointersAndAStream) {
  const Kernel kernel = Matmul("matmul:300x200x100:bf16:bias:relu:residual");
  ASSERT_OK_AND_ASSIGN(CudaMatmul* const matmul, matmuls_->Find(kernel));
  ASSERT_OK_AND_ASSIGN(CudaMatmul* const again, matmuls_->Find(kernel));
  EXPECT_EQ(matmul, again) << "compiled once and kept";
  // Twice each on two sets of operands, in turns.
  std::vector<std::unique_ptr<CudaMatmulCheck>> checks;
  for (uint64_t seed : {1, 2}) {
    ASSERT_OK_AND_ASSIGN(
        checks.emplace_back(),
        CudaMatmulCheck::Create(*device_, *compiler_, matmuls_->device().arch, kernel, seed));
  }
  for (int i = 0; i < 4; ++i) {
    const CudaMatmulCheck& check = *checks[i % 2];
    ASSERT_THAT(check.PoisonOutput(), IsOk());
    ASSERT_THAT(matmul->Run(check.tensors(), device_->stream()), IsOk());
    ASSERT_OK_AND_ASSIGN(const CudaCheckResult result, check.Check());
    EXPECT_TRUE(result.ok) << result.message;
  }
}

TEST_F(CudaMatmulOnGpuTest, WantsAllTensors) {
  ASSERT_OK_AND_ASSIGN(CudaMatmul* const matmul, matmuls_->Find(Matmul("matmul:64x64x64:f32")));
  const CuDevicePointer one[] = {0};
  EXPECT_THAT(matmul->Run(one, device_->stream()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       ::testing::HasSubstr("1 addresses, want one for each of its 3 tensors")));
}

}  // namespace
}  // namespace seedtune

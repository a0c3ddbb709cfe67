#include "backends/cuda/cuda_backend.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "backends/backend.h"
#include "backends/cuda/nvrtc.h"
#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/cuda_detector.h"
#include "hardware/hardware_info.h"
#include "hardware/real_system_reader.h"
#include "hardware/specs.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"

namespace seedtune {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class CudaBackendTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto nvrtc = Nvrtc::Open(); !nvrtc.ok()) {
      GTEST_SKIP() << std::string(nvrtc.status().message());
    }
  }

  CudaBackendOptions Options() const {
    CudaBackendOptions options;
    options.cache_folder = dir_.path() + "/cubins";
    return options;
  }

  static Kernel Matmul(const std::string& short_form) {
    return *BuildMatmul(*ParseMatmulShortForm(short_form));
  }

  // The default configuration of its space.
  static MeasureRequest Request(const std::string& short_form, const HardwareInfo& device) {
    MeasureRequest request;
    request.id = 1;
    request.kernel = std::make_shared<const Kernel>(Matmul(short_form));
    const std::vector<MatmulFact> facts = ExtractMatmulFacts(*request.kernel);
    request.config = (*BuildConfigSpace("cuda", facts, device))->Default();
    request.data_seed = 7;
    return request;
  }

  TempDir dir_;
};

TEST_F(CudaBackendTest, CompilesIntoTheCacheWithoutAGpu) {
  const HardwareInfo h100 = *FindSpec("h100_sxm");
  ASSERT_OK_AND_ASSIGN(const auto backend, MakeCudaCompileBackend(h100, Options()));
  EXPECT_EQ(backend->info().backend, "cuda");
  EXPECT_THAT(backend->info().compiler_version, HasSubstr("nvrtc "));
  const Outcome outcome = backend->Measure(Request("matmul:256x192x128:f32:bias:gelu", h100));
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_THAT(outcome.samples_ns, SizeIs(1));
  EXPECT_GT(outcome.compile_ns, 0);
  EXPECT_FALSE(backend->spent());
  size_t entries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(Options().cache_folder)) {
    EXPECT_TRUE(entry.is_regular_file());
    ++entries;
  }
  EXPECT_EQ(entries, 1u);
}

TEST_F(CudaBackendTest, SaysWhatItDoesNotSupport) {
  ASSERT_OK_AND_ASSIGN(const auto backend, MakeCudaBackend(*FindSpec("h100_sxm"), Options()));
  EXPECT_THAT(backend->Supports(Matmul("matmul:64x64x64:bf16:nt:bias:relu")), IsOk());
  EXPECT_THAT(backend->Supports(Matmul("matmul:M=16[1,64]x8x8:f32")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("\"M\"")));
}

TEST_F(CudaBackendTest, ADeviceThatIsNotHereIsAnErrorWhenOpened) {
  HardwareInfo device = *FindSpec("h100_sxm");
  device.name = "a device that nobody has";
  CudaBackendOptions options = Options();
  options.open_now = true;
  EXPECT_THAT(MakeCudaBackend(device, options).status().code(),
              AnyOf(absl::StatusCode::kNotFound, absl::StatusCode::kUnavailable));
}

TEST_F(CudaBackendTest, MeasuresAndDrops) {
  const DetectedHardware detected = DetectCuda(*NewRealSystemReader());
  if (detected.devices.empty()) GTEST_SKIP() << "no CUDA device here";
  const HardwareInfo& device = detected.devices[0];
  ASSERT_OK_AND_ASSIGN(const auto backend, MakeCudaBackend(device, Options()));
  MeasureRequest request = Request("matmul:500x300x200:f32", device);
  request.min_samples = 5;
  request.max_samples = 9;
  Outcome outcome = backend->Measure(request);
  ASSERT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  EXPECT_THAT(outcome.samples_ns, SizeIs(9));
  EXPECT_THAT(outcome.samples_ns, Each(Gt(0)));
  request.drop_above_ns = 1;
  outcome = backend->Measure(request);
  EXPECT_EQ(outcome.kind, OutcomeKind::kCensored);
  EXPECT_GE(outcome.lower_bound_ns, 1);
  EXPECT_THAT(outcome.samples_ns, IsEmpty());
}

}  // namespace
}  // namespace seedtune

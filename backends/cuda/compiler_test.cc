#include "backends/cuda/compiler.h"

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/embedded_flush.h"
#include "backends/cuda/matmul_check.h"
#include "backends/cuda/nvrtc.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/arch.h"
#include "ir/matmul.h"
#include "matmul_ops/simple_matmul.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/embedded_file.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

constexpr char kSource[] = R"(
extern "C" __global__ void reverse(float* data, int n) {
  __shared__ float kept[256];
  kept[threadIdx.x] = data[threadIdx.x];
  __syncthreads();
  data[threadIdx.x] = kept[n - 1 - threadIdx.x];
})";

Arch Sm(const std::string& base) { return *Arch::Parse(base); }

TEST(CudaTargetNameTest, IsSpecificFromHopperOn) {
  EXPECT_EQ(*CudaTargetName(Sm("sm80")), "sm_80");
  EXPECT_EQ(*CudaTargetName(Sm("sm89")), "sm_89");
  EXPECT_EQ(*CudaTargetName(Sm("sm90")), "sm_90a");
  EXPECT_EQ(*CudaTargetName(Sm("sm90a")), "sm_90a");
  EXPECT_EQ(*CudaTargetName(Sm("sm120")), "sm_120a");
  EXPECT_THAT(CudaTargetName(Sm("gfx942")).status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("gfx942")));
}

TEST(NvrtcTest, SaysHowToGetIt) {
  const std::string names[] = {"/nowhere/libnvrtc.so.13"};
  EXPECT_THAT(Nvrtc::Open(names).status(),
              StatusIs(absl::StatusCode::kNotFound,
                       AllOf(HasSubstr("libnvrtc.so"), HasSubstr("install"),
                             HasSubstr("pip install nvidia-cuda-nvrtc"), HasSubstr("CUDA_HOME"))));
}

class FakeNvrtc : public Nvrtc {
 public:
  const std::string& version() const override { return version_; }
  int major_version() const override { return 13; }
  const std::string& path() const override { return path_; }
  absl::StatusOr<Result> Compile(const std::string&, std::span<const std::string>) const override {
    return Result{};
  }

 private:
  const std::string version_ = "nvrtc 13.1", path_ = "/opt/libnvrtc.so.13";
};

TEST(CudaCompilerTest, SaysThatTheDriverIsTooOld) {
  const CudaCompiler compiler(std::make_unique<FakeNvrtc>(), CubinCache::Options{});
  EXPECT_THAT(compiler.CheckDriver(14000), IsOk());
  EXPECT_THAT(compiler.CheckDriver(13000), IsOk()) << "of the same major release";
  EXPECT_THAT(compiler.CheckDriver(12040),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("nvrtc 13.1 (/opt/libnvrtc.so.13)"), HasSubstr("CUDA 12.4"),
                             HasSubstr("toolkit of CUDA 12"))));
}

class CompilerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto nvrtc = Nvrtc::Open(); !nvrtc.ok()) {
      GTEST_SKIP() << std::string(nvrtc.status().message());
    }
  }

  CudaCompiler Compiler() const {
    return CudaCompiler(*Nvrtc::Open(), CubinCache::Options{.folder = dir_.path()});
  }

  TempDir dir_;
};

TEST_F(CompilerTest, CompilesAndCountsWhatItTakes) {
  const CudaCompiler compiler = Compiler();
  EXPECT_THAT(compiler.version(), StartsWith("nvrtc "));
  ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled, compiler.Compile(kSource, Sm("sm80")));
  EXPECT_FALSE(compiled.from_cache);
  EXPECT_THAT(compiled.cubin, StartsWith("\x7f"
                                         "ELF"));
  ASSERT_THAT(compiled.kernels, SizeIs(1));
  EXPECT_EQ(compiled.kernels[0].entry, "reverse");
  EXPECT_GT(compiled.kernels[0].registers, 0);
  EXPECT_EQ(compiled.kernels[0].barriers, 1);
  EXPECT_EQ(compiled.kernels[0].static_shared_bytes, 1024);
  EXPECT_EQ(compiled.kernels[0].spill_store_bytes, 0);
}

TEST_F(CompilerTest, CompilesTheSameOnce) {
  const CudaCompiler compiler = Compiler();
  ASSERT_OK_AND_ASSIGN(const CompiledCuda first, compiler.Compile(kSource, Sm("sm80")));
  ASSERT_OK_AND_ASSIGN(const CompiledCuda second, Compiler().Compile(kSource, Sm("sm80")));
  EXPECT_TRUE(second.from_cache);
  EXPECT_EQ(second.cubin, first.cubin);
  EXPECT_EQ(second.kernels, first.kernels);
  ASSERT_OK_AND_ASSIGN(const CompiledCuda other, compiler.Compile(kSource, Sm("sm90")));
  EXPECT_FALSE(other.from_cache) << "another architecture is another entry";
}

TEST_F(CompilerTest, ADamagedEntryIsCompiledAgain) {
  const CudaCompiler compiler = Compiler();
  ASSERT_OK_AND_ASSIGN(const CompiledCuda first, compiler.Compile(kSource, Sm("sm80")));
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    ASSERT_OK_AND_ASSIGN(std::string contents, ReadFile(entry.path().string()));
    contents[contents.size() / 2] ^= 1;
    ASSERT_THAT(WriteFileAtomically(entry.path().string(), contents), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const CompiledCuda mended, compiler.Compile(kSource, Sm("sm80")));
  EXPECT_FALSE(mended.from_cache);
  EXPECT_EQ(mended.cubin, first.cubin);
  EXPECT_TRUE(compiler.Compile(kSource, Sm("sm80"))->from_cache);
}

TEST_F(CompilerTest, AnErrorIsTheFirstOneInOneLine) {
  const absl::Status status =
      Compiler()
          .Compile("extern \"C\" __global__ void f() {\n  no_such_function();\n}", Sm("sm80"))
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               AllOf(HasSubstr("kernel.cu(2): error"),
                                     HasSubstr("no_such_function"), Not(HasSubstr("\n")))));
}

// reference.cu for every type and activation, on the oldest architecture.
TEST_F(CompilerTest, TheReferenceCompiles) {
  const CudaCompiler compiler = Compiler();
  for (const char* options :
       {"f64:acc=f64", "f32:gelu", "tf32:relu", "bf16:silu:bias", "f16:residual", "f8e4m3:out=bf16",
        "f8e5m2:out=f16:bias:residual", "i8:out=i32", "i8:bias"}) {
    SCOPED_TRACE(options);
    ASSERT_OK_AND_ASSIGN(const MatmulSpec spec,
                         ParseMatmulShortForm(std::string("matmul:64x48x32:") + options));
    ASSERT_OK_AND_ASSIGN(const Kernel kernel, BuildMatmul(spec));
    ASSERT_OK_AND_ASSIGN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
    ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled,
                         compiler.Compile(CudaReferenceSource(matmul, kernel), Sm("sm80")));
    EXPECT_THAT(compiled.kernels, SizeIs(4));
    for (const CudaKernelResources& used : compiled.kernels) {
      EXPECT_EQ(used.spill_store_bytes, 0) << used.entry;
      EXPECT_EQ(used.stack_bytes, 0) << used.entry;
    }
  }
}

// Its loads are not optimised away.
TEST_F(CompilerTest, TheFlushReads) {
  ASSERT_OK_AND_ASSIGN(const CompiledCuda compiled,
                       Compiler().Compile(std::string(EmbeddedFlush()[0].contents), Sm("sm80")));
  ASSERT_THAT(compiled.kernels, SizeIs(1));
  EXPECT_EQ(compiled.kernels[0].entry, "read_all");
  EXPECT_GE(compiled.kernels[0].registers, 8) << "an address and what is read";
}

}  // namespace
}  // namespace seedtune

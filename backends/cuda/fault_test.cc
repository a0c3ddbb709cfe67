// Faults on purpose: of the compiler (no GPU needed) and of kernels (on a GPU), each many times in
// a row. Every one costs its candidate and nothing else.
//
// Carried to a machine with a GPU: this test, cuda_test_worker and libfaulty_nvrtc.so beside it.
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "autotuner/outcome.h"
#include "backends/cuda/cuda_measurer.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/nvrtc.h"
#include "backends/worker/worker_measurer.h"
#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "hardware/cuda_detector.h"
#include "hardware/hardware_info.h"
#include "hardware/real_system_reader.h"
#include "hardware/specs.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "testing/status_matchers.h"
#include "testing/temp_dir.h"
#include "util/file.h"

namespace seedtune {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kLongNs = 120'000'000'000;
// For what is no question of time: others may keep the cores and the device busy for seconds.
constexpr double kPatientNs = 60e9;

// Beside the test where it was carried, or where Bazel puts it.
std::string PathOf(const std::string& file) {
  const std::string beside =
      std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/" + file;
  if (access(beside.c_str(), R_OK) == 0) return beside;
  const char* sources = getenv("TEST_SRCDIR");
  const char* workspace = getenv("TEST_WORKSPACE");
  return absl::StrCat(sources == nullptr ? "." : sources, "/",
                      workspace == nullptr ? "seedtune" : workspace, "/backends/cuda/", file);
}

// Those that still run: what has ended and not been asked about yet is no burden.
int ChildProcesses() {
  int children = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; })) {
      continue;
    }
    const auto stat = ReadFile(entry.path().string() + "/stat");
    if (!stat.ok()) continue;
    // pid (name) state ppid
    const size_t behind = stat->rfind(')');
    if (behind == std::string::npos) continue;
    const long parent = std::strtol(stat->c_str() + behind + 4, nullptr, 10);
    children += parent == getpid() && (*stat)[behind + 2] != 'Z' ? 1 : 0;
  }
  return children;
}

class FaultTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // The faulty compiler stands where a toolkit's would.
    const std::string lib = dir_.path() + "/lib64";
    std::filesystem::create_directories(lib);
    std::filesystem::create_symlink(std::filesystem::absolute(PathOf("libfaulty_nvrtc.so")),
                                    lib + "/libnvrtc.so.99");
    setenv("CUDA_HOME", dir_.path().c_str(), 1);
    setenv("FAULTY_NVRTC", Script().c_str(), 1);
    setenv("XDG_CACHE_HOME", (dir_.path() + "/cache").c_str(), 1);
    unsetenv("REAL_NVRTC");
  }

  std::string Script() const { return dir_.path() + "/mode"; }
  void SetMode(const std::string& mode) {
    ASSERT_THAT(WriteFileAtomically(Script(), mode), IsOk());
    // What was compiled in another mode is another thing.
    std::filesystem::remove_all(dir_.path() + "/cache");
  }

  void MakeKernel(const HardwareInfo& device, int64_t extent) {
    device_ = device;
    MatmulSpec spec;
    spec.m = spec.n = spec.k = Extent::Static(extent);
    spec.lhs = spec.rhs = spec.out = DType::kF32;
    kernel_ = std::make_shared<const Kernel>(*BuildMatmul(spec));
    space_ = *BuildConfigSpace("cuda", ExtractMatmulFacts(*kernel_), device);
  }

  Outcome Measure(Measurer& measurer, double timeout_ns) {
    MeasureRequest request;
    request.id = ++last_id_;
    request.kernel = kernel_;
    request.config = space_->Sample(random_);
    request.timeout_ns = timeout_ns;
    request.min_samples = request.max_samples = 2;
    EXPECT_THAT(measurer.Submit(std::move(request)), IsOk());
    const auto replies = measurer.Wait(kLongNs);
    EXPECT_THAT(replies.status(), IsOk());
    if (!replies.ok() || replies->size() != 1) return Outcome();
    return replies->front().outcome;
  }

  TempDir dir_;
  HardwareInfo device_;
  std::shared_ptr<const Kernel> kernel_;
  std::shared_ptr<const ConfigSpace> space_;
  std::mt19937_64 random_{1};
  int64_t last_id_ = 0;
};

TEST_F(FaultTest, FaultsOfTheCompilerCostOneCandidateEach) {
  MakeKernel(*FindSpec("h100_sxm"), 256);
  WorkerOptions options;
  options.argv = {PathOf("cuda_test_worker")};
  options.backend = "cuda_compile";
  options.device = device_;
  options.setup_timeout_ns = 0;
  SetMode("ok");
  ASSERT_OK_AND_ASSIGN(const auto measurer, MakeWorkerMeasurer(options, SystemClock()));
  EXPECT_EQ(measurer->info().compiler_version, "nvrtc 99.0");
  for (int i = 0; i < 20; ++i) {
    SCOPED_TRACE(i);
    SetMode("crash");
    Outcome outcome = Measure(*measurer, 30e9);
    EXPECT_EQ(outcome.kind, OutcomeKind::kCrash) << outcome.message;
    EXPECT_THAT(outcome.message, HasSubstr("killed by signal 6"));
    SetMode("hang");
    outcome = Measure(*measurer, 0.3e9);
    EXPECT_EQ(outcome.kind, OutcomeKind::kTimeout) << outcome.message;
    SetMode("ok");
    outcome = Measure(*measurer, 30e9);
    EXPECT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
  }
  EXPECT_LE(ChildProcesses(), 1) << "the one worker";
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class GpuFaultTest : public FaultTest {
 protected:
  void SetUp() override {
    // The real compiler, before the faulty one hides it.
    const DetectedHardware detected = DetectCuda(*NewRealSystemReader());
    if (detected.devices.empty()) {
      GTEST_SKIP() << "no CUDA device here"
                   << (detected.notes.empty() ? "" : ": " + detected.notes[0]);
    }
    const auto nvrtc = Nvrtc::Open();
    if (!nvrtc.ok()) GTEST_SKIP() << std::string(nvrtc.status().message());
    const std::string real = (*nvrtc)->path();
    FaultTest::SetUp();
    setenv("REAL_NVRTC", real.c_str(), 1);
    MakeKernel(detected.devices[0], 512);
    SetMode("ok");
    absl::StatusOr<std::unique_ptr<Measurer>> measurer =
        MakeCudaMeasurer({.worker_argv = {PathOf("cuda_test_worker")},
                          .device = device_,
                          .compile_workers = 2,
                          .compile_limit = {.first_ns = kPatientNs, .min_ns = kPatientNs}},
                         SystemClock());
    ASSERT_THAT(measurer.status(), IsOk());
    measurer_ = *std::move(measurer);
    if (const char* times = getenv("FAULT_TIMES")) times_ = std::atoi(times);
  }

  // A fault, again and again; then all is well.
  void Provoke(const std::string& mode, const ::testing::Matcher<OutcomeKind>& kind,
               const std::string& message, double timeout_ns = kPatientNs) {
    SetMode(mode);
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times_; ++i) {
      SCOPED_TRACE(i);
      const Outcome outcome = Measure(*measurer_, timeout_ns);
      EXPECT_THAT(outcome.kind, kind) << outcome.message;
      EXPECT_THAT(outcome.message, HasSubstr(message));
      // As it goes, for whoever waits.
      std::cout << mode << " " << i + 1 << " after " << SecondsSince(start) << " s" << std::endl;
    }
    SetMode("ok");
    const Outcome outcome = Measure(*measurer_, kPatientNs);
    EXPECT_EQ(outcome.kind, OutcomeKind::kOk) << outcome.message;
    int children = 0;
    for (int i = 0; i < 100; ++i) {  // what was killed is given time to end
      children = ChildProcesses();
      if (children <= 3) break;
      usleep(100'000);
    }
    EXPECT_LE(children, 3) << "two compile, one measures";
    std::cout << mode << ": " << times_ << " times in " << SecondsSince(start) << " s\n";
  }

  int times_ = 20;
  std::unique_ptr<Measurer> measurer_;
};

TEST_F(GpuFaultTest, IllegalAddress) {
  Provoke("illegal_address", OutcomeKind::kLaunchError, "CUDA_ERROR_ILLEGAL_ADDRESS");
}

TEST_F(GpuFaultTest, MisalignedAddress) {
  Provoke("misaligned_address", OutcomeKind::kLaunchError, "CUDA_ERROR_MISALIGNED_ADDRESS");
}

TEST_F(GpuFaultTest, LaunchFailure) {
  Provoke("launch_failure", OutcomeKind::kLaunchError, "CUDA_ERROR_");
}

// Each costs its time limit, and a fresh process.
TEST_F(GpuFaultTest, Hang) {
  Provoke("endless", OutcomeKind::kTimeout, "has not ended within", /*timeout_ns=*/0.8e9);
}

TEST_F(GpuFaultTest, WrongResult) {
  Provoke("wrong_result", OutcomeKind::kWrongResult, "elements are wrong");
}

// As many candidates as FAULT_CANDIDATES says, some of them faulty, leave no process and no device
// memory behind.
TEST_F(GpuFaultTest, NothingIsLeftBehind) {
  const char* candidates = getenv("FAULT_CANDIDATES");
  if (candidates == nullptr) GTEST_SKIP() << "takes minutes; set FAULT_CANDIDATES=1000";
  const int count = std::atoi(candidates);
  ASSERT_OK_AND_ASSIGN(const auto driver, CudaDriver::Open());
  ASSERT_OK_AND_ASSIGN(const auto device, CudaDevice::Open(driver, 0));
  measurer_.reset();
  EXPECT_EQ(ChildProcesses(), 0);
  ASSERT_OK_AND_ASSIGN(const int64_t free_before, device->FreeBytes());
  SetMode("mixed");
  MakeKernel(device_, 256);
  ASSERT_OK_AND_ASSIGN(
      measurer_, MakeCudaMeasurer({.worker_argv = {PathOf("cuda_test_worker")}, .device = device_},
                                  SystemClock()));
  int64_t free_early = 0, free_late = 0;
  std::map<OutcomeKind, int> kinds;
  int sent = 0, answered = 0;
  while (answered < count) {
    for (; sent < count && sent - answered < measurer_->capacity(); ++sent) {
      MeasureRequest request;
      request.id = sent;
      request.kernel = kernel_;
      request.config = space_->Sample(random_);
      request.min_samples = request.max_samples = 2;
      ASSERT_THAT(measurer_->Submit(std::move(request)), IsOk());
    }
    ASSERT_OK_AND_ASSIGN(const std::vector<MeasureReply> replies, measurer_->Wait(kLongNs));
    ASSERT_FALSE(replies.empty());
    for (const MeasureReply& reply : replies) ++kinds[reply.outcome.kind];
    if (answered < 20) free_early = *device->FreeBytes();
    answered += static_cast<int>(replies.size());
  }
  free_late = *device->FreeBytes();
  std::cout << count << " candidates:";
  for (const auto& [kind, times] : kinds) {
    std::cout << " " << times << " " << std::string(OutcomeKindName(kind)) << ",";
  }
  measurer_.reset();
  const int64_t free_after = *device->FreeBytes();
  std::cout << " free device memory " << free_before << " bytes before, " << free_early
            << " early, " << free_late << " late, " << free_after << " after\n";
  EXPECT_GT(kinds[OutcomeKind::kOk], count / 2);
  EXPECT_GT(kinds[OutcomeKind::kLaunchError], 0);
  EXPECT_EQ(kinds[OutcomeKind::kWrongResult], 0);
  // Candidates differ in size; a leak of every candidate's code would be far more.
  EXPECT_GT(free_late, free_early - (int64_t{64} << 20));
  EXPECT_EQ(free_after, free_before);
  EXPECT_EQ(ChildProcesses(), 0);
}

}  // namespace
}  // namespace seedtune

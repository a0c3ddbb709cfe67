#include "backends/cuda/cuda_backend.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/cuda/candidate.h"
#include "backends/cuda/clock_watch.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/kernels/generate.h"
#include "backends/cuda/matmul_check.h"
#include "backends/cuda/nvrtc.h"
#include "backends/cuda/timer.h"
#include "ir/fingerprint.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Runs put onto the stream at a time.
constexpr int kBatch = 16;
// As of the cpu backend: runs so long that the samples asked for take ten times what was asked
// are too long for them; two will do.
constexpr double kPatience = 10;
// A run that takes this many times what drops a candidate, and at least this long, does not end.
constexpr double kHangFactor = 50, kMinHangNs = 1e9;
// How often samples are taken anew when the device had to slow down meanwhile.
constexpr int kThrottleRetries = 2;

double NowNs() {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                 std::chrono::steady_clock::now().time_since_epoch())
                                 .count());
}

Outcome Failure(OutcomeKind kind, const absl::Status& status) {
  Outcome outcome;
  outcome.kind = absl::IsResourceExhausted(status) ? OutcomeKind::kOutOfResources : kind;
  outcome.message = std::string(status.message());
  return outcome;
}

Outcome LaunchFailure(const absl::Status& status) {
  return Failure(
      absl::IsDeadlineExceeded(status) ? OutcomeKind::kTimeout : OutcomeKind::kLaunchError, status);
}

absl::StatusOr<std::unique_ptr<const CudaCompiler>> MakeCompiler(
    const CudaBackendOptions& options) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<const Nvrtc> nvrtc, Nvrtc::Open());
  CubinCache::Options cache;
  cache.folder = options.cache_folder;
  return std::make_unique<const CudaCompiler>(std::move(nvrtc), std::move(cache));
}

// Of what the driver shows, the first device of that name.
absl::StatusOr<std::unique_ptr<CudaDevice>> OpenDevice(const HardwareInfo& wanted) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::Open());
  int count = 0;
  SEEDTUNE_RETURN_IF_ERROR(
      driver->Check("cuDeviceGetCount", driver->functions().device_get_count(&count)));
  for (int i = 0; i < count; ++i) {
    CuDevice handle = 0;
    char name[256] = {};
    SEEDTUNE_RETURN_IF_ERROR(
        driver->Check("cuDeviceGet", driver->functions().device_get(&handle, i)));
    SEEDTUNE_RETURN_IF_ERROR(driver->Check(
        "cuDeviceGetName", driver->functions().device_get_name(name, sizeof(name) - 1, handle)));
    if (wanted.name == name) return CudaDevice::Open(driver, i);
  }
  return absl::NotFoundError(absl::StrCat("no device named \"", wanted.name, "\" among the ", count,
                                          " that the NVIDIA driver shows"));
}

class CudaCompileBackend : public Backend {
 public:
  CudaCompileBackend(const HardwareInfo& device, std::unique_ptr<const CudaCompiler> compiler)
      : compiler_(std::move(compiler)), info_(CudaMeasurerInfo(device, compiler_->version())) {}

  const MeasurerInfo& info() const override { return info_; }
  absl::Status Supports(const Kernel& kernel) const override {
    return SupportsCudaKernel(kernel, info_.device);
  }

  Outcome Measure(const MeasureRequest& request) override {
    const double start_ns = NowNs();
    const absl::StatusOr<CompiledCudaProgram> compiled =
        CompileCudaCandidate(*compiler_, *request.kernel, request.config, info_.device);
    Outcome outcome;
    if (compiled.ok()) {
      outcome.kind = OutcomeKind::kOk;
      outcome.samples_ns = {NowNs() - start_ns};
    } else {
      outcome = Failure(OutcomeKind::kCompileError, compiled.status());
    }
    outcome.compile_ns = NowNs() - start_ns;
    return outcome;
  }

 private:
  const std::unique_ptr<const CudaCompiler> compiler_;
  const MeasurerInfo info_;
};

class CudaBackend : public Backend {
 public:
  CudaBackend(const HardwareInfo& device, std::unique_ptr<const CudaCompiler> compiler,
              CudaBackendOptions options)
      : options_(std::move(options)),
        compiler_(std::move(compiler)),
        info_(CudaMeasurerInfo(device, compiler_->version())) {}

  const MeasurerInfo& info() const override { return info_; }
  absl::Status Supports(const Kernel& kernel) const override {
    return SupportsCudaKernel(kernel, info_.device);
  }
  bool spent() const override { return spent_; }

  // The device, if it is not open yet.
  absl::Status Open() {
    if (device_ == nullptr) {
      SEEDTUNE_ASSIGN_OR_RETURN(device_, OpenDevice(info_.device));
      int driver_version = 0;
      SEEDTUNE_RETURN_IF_ERROR(device_->driver().Check(
          "cuDriverGetVersion", device_->driver().functions().driver_get_version(&driver_version)));
      SEEDTUNE_RETURN_IF_ERROR(compiler_->CheckDriver(driver_version));
      clocks_ = ClockWatch::Open(device_->pci_bus_id());
    }
    if (!timer_) {
      const int64_t flush_bytes = std::max(options_.flush_bytes, 2 * info_.device.l2_bytes);
      SEEDTUNE_ASSIGN_OR_RETURN(
          timer_, CudaTimer::Create(*device_, *compiler_,
                                    {.arch = info_.device.arch, .flush_bytes = flush_bytes}));
    }
    return absl::OkStatus();
  }

  Outcome Measure(const MeasureRequest& request) override {
    const double start_ns = NowNs();
    double compile_ns = 0;
    Outcome outcome = MeasureCandidate(request, compile_ns);
    outcome.compile_ns = compile_ns;
    outcome.measure_ns = NowNs() - start_ns - compile_ns;
    return outcome;
  }

 private:
  Outcome MeasureCandidate(const MeasureRequest& request, double& compile_ns) {
    if (const absl::Status status = Prepare(request); !status.ok()) {
      return LaunchFailure(Noted(status));
    }
    const double start_ns = NowNs();
    absl::StatusOr<CompiledCudaProgram> compiled =
        CompileCudaCandidate(*compiler_, *request.kernel, request.config, info_.device);
    compile_ns = NowNs() - start_ns;
    if (!compiled.ok()) return Failure(OutcomeKind::kCompileError, compiled.status());
    absl::StatusOr<CudaCandidate> candidate =
        CudaCandidate::Load(*device_, *request.kernel, *std::move(compiled), check_->tensors());
    if (!candidate.ok()) return LaunchFailure(Noted(candidate.status()));

    hang_ns_ = request.timeout_ns / 2;
    if (request.drop_above_ns > 0) {
      hang_ns_ = std::min(hang_ns_, std::max(kMinHangNs, kHangFactor * request.drop_above_ns));
    }
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    absl::Status status = FirstRun(*candidate, request, outcome);
    if (status.ok() && outcome.ok()) status = Time(*candidate, request, outcome);
    if (status.ok() && outcome.ok() && request.check_result) {
      status = CheckNow(*candidate, "after more runs, ", outcome);
    }
    if (!status.ok()) outcome = LaunchFailure(Noted(status));
    if (spent_) {
      // Giving back what a dead or busy device holds fails, or waits for ever: the process ends
      // soon, and the driver then does it.
      new CudaCandidate(*std::move(candidate));
    }
    return outcome;
  }

  // Remembers what makes this process useless.
  const absl::Status& Noted(const absl::Status& status) {
    spent_ = spent_ || absl::IsAborted(status) || absl::IsDeadlineExceeded(status);
    return status;
  }

  // The device, and the operands of the request's kernel, made anew only when it is another one.
  absl::Status Prepare(const MeasureRequest& request) {
    SEEDTUNE_RETURN_IF_ERROR(Open());
    std::string identity = absl::StrCat(KernelFingerprint(*request.kernel), "/", request.data_seed);
    if (check_ != nullptr && identity == identity_) return absl::OkStatus();
    check_.reset();  // first, so that two kernels' operands are never in memory together
    SEEDTUNE_ASSIGN_OR_RETURN(
        check_, CudaMatmulCheck::Create(*device_, *compiler_, info_.device.arch, *request.kernel,
                                        request.data_seed));
    identity_ = std::move(identity);
    return absl::OkStatus();
  }

  // One run into poison, compared with the reference.
  absl::Status FirstRun(const CudaCandidate& candidate, const MeasureRequest& request,
                        Outcome& outcome) {
    if (request.check_result) SEEDTUNE_RETURN_IF_ERROR(check_->PoisonOutput());
    SEEDTUNE_ASSIGN_OR_RETURN(const double took_ns,
                              timer_->TimeWarm(Launcher(candidate), hang_ns_));
    if (request.check_result) SEEDTUNE_RETURN_IF_ERROR(CheckNow(candidate, "", outcome));
    // A first run is slow for other reasons, too: only the hopeless ends here.
    if (outcome.ok() && request.drop_above_ns > 0 && took_ns > 4 * request.drop_above_ns) {
      Censor(request.drop_above_ns, outcome);
    }
    return absl::OkStatus();
  }

  absl::Status CheckNow(const CudaCandidate& candidate, std::string_view when, Outcome& outcome) {
    SEEDTUNE_ASSIGN_OR_RETURN(CudaCheckResult result, check_->Check());
    if (result.ok && candidate.zeroed_workspace_bytes() > 0) {
      SEEDTUNE_ASSIGN_OR_RETURN(
          const int64_t left,
          check_->CountOtherBytes(candidate.workspace(), candidate.zeroed_workspace_bytes(), 0));
      if (left > 0) {
        result.ok = false;
        result.message = absl::StrCat("it leaves ", left, " bytes of its cleared workspace set");
      }
    }
    if (result.ok) return absl::OkStatus();
    outcome = Outcome();
    outcome.kind = OutcomeKind::kWrongResult;
    outcome.message = absl::StrCat(std::string(when), result.message);
    return absl::OkStatus();
  }

  static void Censor(double lower_bound_ns, Outcome& outcome) {
    outcome = Outcome();
    outcome.kind = OutcomeKind::kCensored;
    outcome.lower_bound_ns = lower_bound_ns;
    outcome.message = absl::StrFormat("slower than %.0f ns", lower_bound_ns);
  }

  CudaTimer::LaunchFunction Launcher(const CudaCandidate& candidate) const {
    return [&candidate](CuStream stream) { return candidate.Launch(stream); };
  }

  // Takes samples until there are enough or time is up; ends early when the candidate is hopeless.
  absl::Status Time(const CudaCandidate& candidate, const MeasureRequest& request,
                    Outcome& outcome) {
    const CudaTimer::LaunchFunction launch = Launcher(candidate);
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<double> first, timer_->Time(launch, 1, hang_ns_));
    if (request.drop_above_ns > 0 && first[0] > request.drop_above_ns) {
      Censor(first[0], outcome);
      return absl::OkStatus();
    }
    for (int attempt = 0;; ++attempt) {
      outcome.samples_ns.clear();
      clocks_.Reset();
      SEEDTUNE_RETURN_IF_ERROR(TakeSamples(launch, request, first[0], outcome.samples_ns));
      if (attempt == kThrottleRetries || !clocks_.SlowedDown()) return absl::OkStatus();
      clocks_.WaitForCool();
    }
  }

  absl::Status TakeSamples(const CudaTimer::LaunchFunction& launch, const MeasureRequest& request,
                           double estimate_ns, std::vector<double>& samples_ns) {
    double spent_ns = 0;
    while (static_cast<int>(samples_ns.size()) < request.max_samples) {
      const int samples = static_cast<int>(samples_ns.size());
      if (samples >= request.min_samples && spent_ns >= request.target_measure_ns) break;
      if (samples >= 2 && spent_ns >= kPatience * request.target_measure_ns) break;
      const double fit = std::max(1.0, (request.target_measure_ns - spent_ns) / estimate_ns);
      const int runs = std::min(
          {kBatch, request.max_samples - samples, static_cast<int>(std::min(fit, 1.0 * kBatch))});
      SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<double> times_ns,
                                timer_->Time(launch, runs, runs * hang_ns_));
      for (const double time_ns : times_ns) spent_ns += time_ns;
      samples_ns.insert(samples_ns.end(), times_ns.begin(), times_ns.end());
    }
    return absl::OkStatus();
  }

  const CudaBackendOptions options_;
  const std::unique_ptr<const CudaCompiler> compiler_;
  const MeasurerInfo info_;
  bool spent_ = false;
  double hang_ns_ = 0;
  std::unique_ptr<CudaDevice> device_;  // before all that needs it
  ClockWatch clocks_;
  std::optional<CudaTimer> timer_;
  std::string identity_;  // of the kernel and data that `check_` is for
  std::unique_ptr<CudaMatmulCheck> check_;
};

}  // namespace

MeasurerInfo CudaMeasurerInfo(const HardwareInfo& device, std::string compiler_version) {
  MeasurerInfo info;
  info.backend = "cuda";
  info.device = device;
  info.code_generator_version = std::string(kCudaCodeGenerator);
  info.compiler_version = std::move(compiler_version);
  return info;
}

absl::StatusOr<std::unique_ptr<Backend>> MakeCudaBackend(const HardwareInfo& device,
                                                         CudaBackendOptions options) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<const CudaCompiler> compiler, MakeCompiler(options));
  const bool open_now = options.open_now;
  auto backend = std::make_unique<CudaBackend>(device, std::move(compiler), std::move(options));
  if (open_now) SEEDTUNE_RETURN_IF_ERROR(backend->Open());
  return backend;
}

absl::StatusOr<std::unique_ptr<Backend>> MakeCudaCompileBackend(const HardwareInfo& device,
                                                                CudaBackendOptions options) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<const CudaCompiler> compiler, MakeCompiler(options));
  return std::make_unique<CudaCompileBackend>(device, std::move(compiler));
}

}  // namespace seedtune

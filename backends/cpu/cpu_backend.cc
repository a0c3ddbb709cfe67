#include "backends/cpu/cpu_backend.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "backends/cpu/operands.h"
#include "backends/cpu/reference.h"
#include "ir/fingerprint.h"
#include "util/integer_math.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// A sample is at least this long, so that reading the clock (some 30 ns) does not count: short
// kernels are run several times a sample.
constexpr double kMinSampleNs = 20e3;

// Runs that are this many times longer in all than asked for are too long for the samples asked
// for: two will do.
constexpr double kPatience = 10;

double NowNs() {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                 std::chrono::steady_clock::now().time_since_epoch())
                                 .count());
}

std::string CompilerOfThisBuild() {
#if defined(__clang__)
  return absl::StrCat("clang ", __clang_major__, ".", __clang_minor__, ".", __clang_patchlevel__);
#else
  return absl::StrCat("gcc ", __GNUC__, ".", __GNUC_MINOR__, ".", __GNUC_PATCHLEVEL__);
#endif
}

absl::StatusOr<GemmActivation> ToGemmActivation(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return GemmActivation::kNone;
    case Activation::kRelu:
      return GemmActivation::kRelu;
    case Activation::kGelu:
      return GemmActivation::kGelu;
    case Activation::kSilu:
      break;
  }
  return absl::UnimplementedError("the cpu backend has no silu epilogue, want none, relu or gelu");
}

absl::Status CheckF32(std::string_view what, DType dtype) {
  if (dtype == DType::kF32) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("the ", std::string(what), " is ",
                                               std::string(DTypeName(dtype)),
                                               ", the cpu backend runs f32 only"));
}

absl::StatusOr<GemmProblem> ProblemOf(const Kernel& kernel) {
  SEEDTUNE_ASSIGN_OR_RETURN(const SimpleMatmul matmul,
                            MatchSimpleMatmul(kernel));  // names the kernel
  absl::StatusOr<GemmProblem> problem = GemmProblemFromMatmul(matmul);
  if (problem.ok()) return problem;
  return absl::Status(
      problem.status().code(),
      absl::StrCat("kernel \"", kernel.name, "\": ", std::string(problem.status().message())));
}

// "nkm" -> kNkm and so on.
GemmLoopOrder LoopOrderFromName(std::string_view name) {
  if (name == "knm") return GemmLoopOrder::kKnm;
  if (name == "mkn") return GemmLoopOrder::kMkn;
  if (name == "kmn") return GemmLoopOrder::kKmn;
  if (name == "nmk") return GemmLoopOrder::kNmk;
  if (name == "mnk") return GemmLoopOrder::kMnk;
  return GemmLoopOrder::kNkm;
}

GemmThreadSplit ThreadSplitFromName(std::string_view name) {
  if (name == "n") return GemmThreadSplit::kN;
  if (name == "mn") return GemmThreadSplit::kMN;
  if (name == "k") return GemmThreadSplit::kK;
  if (name == "batch") return GemmThreadSplit::kBatch;
  return GemmThreadSplit::kM;
}

Outcome Failure(OutcomeKind kind, std::string_view message) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.message = std::string(message);
  return outcome;
}

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(const HardwareInfo& device) {
    info_.backend = "cpu";
    info_.device = device;
    // The instruction set is part of the code: the same binary makes other code on another machine.
    info_.code_generator_version =
        absl::StrCat(kCpuCodeGeneratorVersion, "/", std::string(ActiveTargetName()));
    info_.compiler_version = CompilerOfThisBuild();
  }

  const MeasurerInfo& info() const override { return info_; }

  absl::Status Supports(const Kernel& kernel) const override { return ProblemOf(kernel).status(); }

  Outcome Measure(const MeasureRequest& request) override {
    const double start_ns = NowNs();
    if (const absl::Status status = Prepare(request); !status.ok()) {
      return Failure(absl::IsResourceExhausted(status) ? OutcomeKind::kOutOfResources
                                                       : OutcomeKind::kLaunchError,
                     std::string(status.message()));
    }
    const double prepared_ns = NowNs();
    absl::StatusOr<GemmPlan> plan =
        GemmPlan::Create(problem_, GemmConfigFromConfig(request.config));
    if (!plan.ok()) {
      return Failure(absl::IsResourceExhausted(plan.status()) ? OutcomeKind::kOutOfResources
                                                              : OutcomeKind::kCompileError,
                     std::string(plan.status().message()));
    }
    const double planned_ns = NowNs();
    Outcome outcome = Check(*plan, request);
    if (outcome.ok()) Time(*plan, request, outcome);
    outcome.compile_ns = planned_ns - prepared_ns;
    outcome.measure_ns = NowNs() - start_ns - outcome.compile_ns;
    return outcome;
  }

 private:
  // The operands of the request's kernel, made anew only when it is another one.
  absl::Status Prepare(const MeasureRequest& request) {
    std::string identity = absl::StrCat(KernelFingerprint(*request.kernel), "/", request.data_seed);
    if (operands_ && identity == identity_) return absl::OkStatus();
    next_set_ = 0;
    operands_.reset();  // first, so that two kernels' operands are never in memory together
    SEEDTUNE_ASSIGN_OR_RETURN(problem_, ProblemOf(*request.kernel));
    const int64_t last_level = std::max(info_.device.l3_bytes, info_.device.l2_bytes);
    SEEDTUNE_ASSIGN_OR_RETURN(operands_,
                              Operands::Create(problem_, request.data_seed,
                                               ColdBytes(last_level, info_.device.compute_units)));
    const OperandSet& set = (*operands_)[0];  // every copy has the same inputs
    checker_.emplace(problem_, set.a.data(), set.b.data(), set.bias.data(), set.residual.data(),
                     CheckOptions{.seed = request.data_seed});
    identity_ = std::move(identity);
    return absl::OkStatus();
  }

  void RunOnce(GemmPlan& plan) {
    OperandSet& set = (*operands_)[next_set_];
    next_set_ = (next_set_ + 1) % operands_->size();
    plan.Run(set.a.data(), set.b.data(), set.bias.data(), set.residual.data(), set.c.data());
  }

  // One run into poison, compared with the reference.
  Outcome Check(GemmPlan& plan, const MeasureRequest& request) {
    Outcome outcome;
    outcome.kind = OutcomeKind::kOk;
    if (!request.check_result) return outcome;
    OperandSet& set = (*operands_)[next_set_];
    std::fill_n(set.c.data(), set.c.size(), std::numeric_limits<float>::quiet_NaN());
    RunOnce(plan);
    const CheckResult check = checker_->Check(set.c.data());
    if (check.ok) return outcome;
    return Failure(OutcomeKind::kWrongResult, check.message);
  }

  // Takes samples until there are enough or time is up; ends early when the candidate is hopeless.
  void Time(GemmPlan& plan, const MeasureRequest& request, Outcome& outcome) {
    int runs_per_sample = 1;
    double spent_ns = 0, fastest_ns = std::numeric_limits<double>::infinity();
    while (static_cast<int>(outcome.samples_ns.size()) < request.max_samples) {
      const double start_ns = NowNs();
      for (int i = 0; i < runs_per_sample; ++i) RunOnce(plan);
      const double took_ns = NowNs() - start_ns;
      spent_ns += took_ns;
      if (took_ns < kMinSampleNs && outcome.samples_ns.size() <= 1) {
        // Too short to time: the sample does not count, the next is longer.
        runs_per_sample = static_cast<int>(runs_per_sample *
                                           std::clamp(2 * kMinSampleNs / (took_ns + 1), 2.0, 1e4));
        outcome.samples_ns.clear();
        continue;
      }
      outcome.samples_ns.push_back(took_ns / runs_per_sample);
      fastest_ns = std::min(fastest_ns, outcome.samples_ns.back());
      // Twice, since once may be the system's doing.
      if (request.drop_above_ns > 0 && outcome.samples_ns.size() == 2 &&
          fastest_ns > request.drop_above_ns) {
        outcome.kind = OutcomeKind::kCensored;
        outcome.lower_bound_ns = fastest_ns;
        outcome.samples_ns.clear();
        outcome.message =
            absl::StrFormat("slower than %.0f ns in each of two runs", request.drop_above_ns);
        return;
      }
      const int samples = static_cast<int>(outcome.samples_ns.size());
      if (samples >= request.min_samples && spent_ns >= request.target_measure_ns) return;
      if (samples >= 2 && spent_ns >= kPatience * request.target_measure_ns) return;
    }
  }

  MeasurerInfo info_;
  std::string identity_;  // of the kernel and data that the operands are for
  GemmProblem problem_;
  std::optional<Operands> operands_;
  std::optional<GemmChecker> checker_;
  size_t next_set_ = 0;
};

}  // namespace

absl::StatusOr<GemmProblem> GemmProblemFromMatmul(const SimpleMatmul& matmul) {
  SEEDTUNE_RETURN_IF_ERROR(CheckF32("left operand", matmul.lhs.dtype));
  SEEDTUNE_RETURN_IF_ERROR(CheckF32("right operand", matmul.rhs.dtype));
  SEEDTUNE_RETURN_IF_ERROR(CheckF32("output", matmul.out.dtype));
  SEEDTUNE_RETURN_IF_ERROR(CheckF32("accumulator", matmul.accumulator));
  if (matmul.scale != 1) {
    return absl::UnimplementedError(
        absl::StrCat("the scale is ", matmul.scale, ", want 1 on the cpu backend"));
  }
  if (matmul.n > 1 && matmul.out.column_stride != 1) {
    return absl::UnimplementedError(
        "the output is not row-major, want its rows contiguous on the cpu backend");
  }
  GemmProblem problem;
  problem.m = matmul.m;
  problem.n = matmul.n;
  problem.k = matmul.k;
  problem.batch = matmul.batch;
  problem.a_row_stride = matmul.lhs.row_stride;
  problem.a_col_stride = matmul.lhs.column_stride;
  problem.a_batch_stride = matmul.lhs.batch_stride;
  problem.b_row_stride = matmul.rhs.row_stride;
  problem.b_col_stride = matmul.rhs.column_stride;
  problem.b_batch_stride = matmul.rhs.batch_stride;
  problem.c_row_stride = matmul.out.row_stride;
  problem.c_batch_stride = matmul.out.batch_stride;
  problem.epilogue.bias = matmul.bias.has_value();
  SEEDTUNE_ASSIGN_OR_RETURN(problem.epilogue.activation, ToGemmActivation(matmul.activation));
  if (matmul.residual) {
    SEEDTUNE_RETURN_IF_ERROR(CheckF32("residual", matmul.residual->dtype));
    if (matmul.n > 1 && matmul.residual->column_stride != 1) {
      return absl::UnimplementedError(
          "the residual is not row-major, want its rows contiguous on the cpu backend");
    }
    problem.epilogue.residual = GemmResidual::kAfterActivation;
    problem.epilogue.residual_row_stride = matmul.residual->row_stride;
    problem.epilogue.residual_batch_stride = matmul.residual->batch_stride;
  }
  SEEDTUNE_RETURN_IF_ERROR(ValidateGemm(problem, GemmConfig()));
  return problem;
}

GemmConfig GemmConfigFromConfig(const Config& config) {
  GemmConfig gemm;
  // A space without the knob has nothing to gain from it.
  gemm.transpose = config.space().FindKnob("transpose") && config.GetBool("transpose");
  gemm.mr = static_cast<int>(config.GetInt("register_tile[m]"));
  gemm.nr_vectors = static_cast<int>(config.GetInt("register_tile[n]"));
  // Blocks come in elements, the same on every machine; whole register tiles are fast.
  gemm.mc = RoundUp(config.GetInt("block_size[m]"), gemm.mr);
  gemm.nc = RoundUp(config.GetInt("block_size[n]"), int64_t{gemm.nr_vectors} * VectorLanesF32());
  gemm.kc = config.GetInt("block_size[k]");
  gemm.pack_a = config.GetBool("pack[lhs]");
  gemm.pack_b = config.GetBool("pack[rhs]");
  gemm.k_unroll = static_cast<int>(config.GetInt("unroll[k]"));
  gemm.prefetch_distance = static_cast<int>(config.GetInt("prefetch_distance"));
  gemm.loop_order = LoopOrderFromName(config.GetEnum("loop_order"));
  gemm.threads = static_cast<int>(config.GetInt("threads"));
  gemm.thread_split = ThreadSplitFromName(config.GetEnum("thread_split"));
  return gemm;
}

std::unique_ptr<Backend> MakeCpuBackend(const HardwareInfo& device) {
  return std::make_unique<CpuBackend>(device);
}

}  // namespace seedtune

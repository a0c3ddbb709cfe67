// Seedtune's matmuls on an NVIDIA GPU, untuned and tuned, beside the best that cublasLt offers: the
// same operands, interleaved in one process, every result checked first.
//
//   cuda_gemm_benchmark                          # the shape list, tuned for ten seconds each
//   cuda_gemm_benchmark --shape=matmul:16x8192x8192:bf16 --tune_budget=30s
//   cuda_gemm_benchmark --random_shapes=20       # as well, from a seed that is printed
//   cuda_gemm_benchmark --check                  # no times: every family x type x layout x ...
//
// Each run meets a cold L2 (256 MB are read in between) and is timed by events around it; times
// are medians. A ratio above 1 says that ours is faster. Ours must pass the check to be timed;
// cublasLt's algorithms that miss it (some add the parts of a split sum in 16 bits) are timed all
// the same, and listed. Needs the driver and NVRTC; without cublasLt, ours alone.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "autotuner/clock.h"
#include "autotuner/statistics.h"
#include "autotuner/tuner.h"
#include "backends/cuda/candidate.h"
#include "backends/cuda/clock_watch.h"
#include "backends/cuda/compiler.h"
#include "backends/cuda/cubin_cache.h"
#include "backends/cuda/cublaslt.h"
#include "backends/cuda/cuda_measurer.h"
#include "backends/cuda/driver.h"
#include "backends/cuda/matmul_check.h"
#include "backends/cuda/nvrtc.h"
#include "backends/cuda/timer.h"
#include "backends/worker/worker_loop.h"
#include "backends/worker/worker_process.h"
#include "benchmarks/cuda_gemm_shapes.h"
#include "config/config_io.h"
#include "config/spaces/spaces.h"
#include "hardware/cuda_detector.h"
#include "hardware/real_system_reader.h"
#include "heuristics/builtin.h"
#include "heuristics/default_config.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "matmul_ops/simple_matmul.h"
#include "nlohmann/json.hpp"
#include "util/embedded_file.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

constexpr char kWorkerArgument[] = "--run-as-worker";
constexpr uint64_t kDataSeed = 20'261'123;
constexpr int64_t kFlushBytes = int64_t{256} << 20;
constexpr int64_t kLtWorkspaceBytes = int64_t{256} << 20;
constexpr int kLtAlgorithms = 8;
constexpr int kRunsAtATime = 3;
constexpr double kTimeoutNs = 20e9;

struct Flags {
  std::string budget = "10s";
  std::string algorithm = TuneOptions().algorithm;
  std::vector<std::string> shapes;
  std::vector<std::string> groups;
  int random_shapes = 0;
  uint64_t seed = 0;
  int rounds = 10;
  std::vector<std::string> configs;
  std::string json;
  int compile_workers = 0;
  bool no_overlap = false;
  bool dirty_flush = false;
  std::string trials;
  bool check = false;
  int check_configs = 2;
  std::vector<std::string> families;
};

struct Shape {
  std::string group;
  std::string kernel;  // short form
};

// One kernel, ready to be asked about.
struct Subject {
  std::shared_ptr<const Kernel> kernel;
  std::vector<MatmulFact> facts;
  std::shared_ptr<const ConfigSpace> space;
  SimpleMatmul matmul;
};

absl::StatusOr<Subject> MakeSubject(const std::string& short_form, const HardwareInfo& device) {
  Subject subject;
  SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(short_form));
  SEEDTUNE_ASSIGN_OR_RETURN(Kernel kernel, BuildMatmul(spec));
  subject.kernel = std::make_shared<const Kernel>(std::move(kernel));
  subject.facts = ExtractMatmulFacts(*subject.kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(subject.space, BuildConfigSpace("cuda", subject.facts, device));
  SEEDTUNE_ASSIGN_OR_RETURN(subject.matmul, MatchSimpleMatmul(*subject.kernel));
  return subject;
}

std::vector<Shape> ListedShapes() {
  std::vector<Shape> shapes;
  for (const absl::string_view line :
       absl::StrSplit(std::string(CudaGemmShapes()[0].contents), '\n')) {
    const absl::string_view text = absl::StripAsciiWhitespace(line);
    if (text.empty() || text[0] == '#') continue;
    const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
    shapes.push_back({words[0], words[1]});
  }
  return shapes;
}

// Extents log-uniform from 1 to 16384 within 1.1 TFLOP; half of the shapes of multiples of 8.
std::vector<Shape> RandomShapes(int count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Shape> shapes;
  while (static_cast<int>(shapes.size()) < count) {
    const bool aligned = shapes.size() % 2 == 0;
    const auto extent = [&] {
      const double exponent = 14.0 * static_cast<double>(random() >> 11) * 0x1p-53;
      const auto value = static_cast<int64_t>(std::exp2(exponent));
      return aligned ? (value + 7) / 8 * 8 : value;
    };
    const int64_t m = extent(), n = extent(), k = extent();
    if (2.0 * m * n * k > 1.1e12) continue;
    shapes.push_back({"random", absl::StrCat("matmul:", m, "x", n, "x", k, ":bf16")});
  }
  return shapes;
}

// The GPU, and all that runs on it.
struct World {
  HardwareInfo info;
  HeuristicRegistry heuristics;
  Budget budget;  // without limit: no tuning
  std::unique_ptr<const CudaCompiler> compiler;
  std::unique_ptr<Measurer> measurer;  // in other processes
  std::unique_ptr<CudaDevice> device;
  std::optional<CudaTimer> timer;
  ClockWatch clocks;
  std::unique_ptr<CublasLt> lt;  // may be null
  CudaMemory lt_workspace;
};

absl::StatusOr<World> OpenWorld(const Flags& flags) {
  World world;
  if (flags.budget != "0") {
    SEEDTUNE_ASSIGN_OR_RETURN(world.budget, ParseBudget(flags.budget));
  }
  const DetectedHardware detected = DetectCuda(*NewRealSystemReader());
  if (detected.devices.empty()) {
    return absl::NotFoundError(absl::StrCat("no CUDA device here",
                                            detected.notes.empty() ? "" : ": ",
                                            detected.notes.empty() ? "" : detected.notes[0]));
  }
  world.info = detected.devices[0];
  world.heuristics = BuiltinHeuristics();
  SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<const Nvrtc> nvrtc, Nvrtc::Open());
  CubinCache::Options cache;
  cache.folder = DefaultCubinCacheFolder();
  world.compiler = std::make_unique<const CudaCompiler>(std::move(nvrtc), std::move(cache));
  SEEDTUNE_ASSIGN_OR_RETURN(world.measurer,
                            MakeCudaMeasurer({.worker_argv = {"/proc/self/exe", kWorkerArgument},
                                              .device = world.info,
                                              .compile_workers = flags.compile_workers,
                                              .overlap = !flags.no_overlap},
                                             SystemClock()));
  return world;
}

absl::Status OpenDevice(World& world, const Flags& flags) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const CudaDriver> driver, CudaDriver::Open());
  SEEDTUNE_ASSIGN_OR_RETURN(world.device, CudaDevice::Open(driver, /*ordinal=*/0));
  SEEDTUNE_ASSIGN_OR_RETURN(world.timer, CudaTimer::Create(*world.device, *world.compiler,
                                                           {.arch = world.info.arch,
                                                            .flush_bytes = kFlushBytes,
                                                            .dirty = flags.dirty_flush}));
  world.clocks = ClockWatch::Open(world.device->pci_bus_id());
  absl::StatusOr<std::unique_ptr<CublasLt>> lt = CublasLt::Open();
  if (!lt.ok()) {
    std::cerr << "no comparison: " << std::string(lt.status().message()) << "\n";
    return absl::OkStatus();
  }
  world.lt = *std::move(lt);
  SEEDTUNE_ASSIGN_OR_RETURN(world.lt_workspace, world.device->Allocate(kLtWorkspaceBytes));
  return absl::OkStatus();
}

// One who multiplies.
struct Contender {
  std::string name;
  std::string config;  // ours
  CudaTimer::LaunchFunction launch;
  std::string error;       // why it does not take part; "": it does
  std::string inaccurate;  // how its result misses the tolerance
  double relative_error = 0;
  std::vector<double> samples_ns;
  double MedianNs() const { return samples_ns.empty() ? 0 : Median(samples_ns); }
};

bool IsCublasLt(const Contender& contender) { return absl::StartsWith(contender.name, "cublasLt"); }

struct Row {
  Shape shape;
  double untuned_ns = 0, tuned_ns = 0, lt_first_ns = 0, lt_best_ns = 0;  // 0: none
  double read_ns = 0, read_bytes = 0;  // of the larger operand, read once
  double lt_accurate_ns = 0;           // the best of those that pass our check; 0: none does
  double flops = 0, bytes = 0;
  // Of the whole output against double precision: ours (tuned, else untuned), the best cublasLt's.
  double relative_error = 0, lt_relative_error = 0;
  int lt_algorithms = 0;
  int evaluations = 0;
  double tuning_seconds = 0;
  double busy = 0;  // of these, the share in which the device's worker had a candidate
  int sm_mhz = 0;
  std::string config;  // of tuned, else of untuned
  // Seconds into tuning and the best time known by then, whenever that changes.
  std::vector<std::pair<double, double>> best_so_far;
  std::vector<Trial> trials;
  std::vector<std::string> errors;
  std::vector<std::string> notes;
};

absl::Status CheckContender(World& world, const CudaMatmulCheck& check, Contender& contender) {
  SEEDTUNE_RETURN_IF_ERROR(check.PoisonOutput());
  const absl::StatusOr<double> took = world.timer->TimeWarm(contender.launch, kTimeoutNs);
  if (!took.ok()) {
    contender.error = std::string(took.status().message());
    return absl::IsAborted(took.status()) ? took.status() : absl::OkStatus();
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const CudaCheckResult result, check.Check());
  contender.relative_error = result.relative_error;
  // Some of cublasLt's algorithms add the parts of a split sum in the output's type. They miss what
  // is asked of ours, and are timed all the same: leaving them out would flatter us.
  if (!result.ok) {
    (IsCublasLt(contender) ? contender.inaccurate : contender.error) = result.message;
  }
  return absl::OkStatus();
}

// Measured in a worker, others compile meanwhile: what fails there is not run here.
absl::StatusOr<std::vector<Outcome>> TryConfigs(World& world, const Subject& subject,
                                                const std::vector<Config>& configs) {
  std::vector<Outcome> outcomes(configs.size());
  size_t sent = 0, answered = 0;
  while (answered < configs.size()) {
    while (sent < configs.size() &&
           static_cast<int>(sent - answered) < world.measurer->capacity()) {
      MeasureRequest request;
      request.id = static_cast<int64_t>(sent);
      request.kernel = subject.kernel;
      request.config = configs[sent++];
      request.data_seed = kDataSeed;
      SEEDTUNE_RETURN_IF_ERROR(world.measurer->Submit(std::move(request)));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<MeasureReply> replies,
                              world.measurer->Wait(int64_t{600'000'000'000}));
    if (replies.empty()) return absl::InternalError("no answer from the worker");
    for (const MeasureReply& reply : replies) {
      outcomes[static_cast<size_t>(reply.id)] = reply.outcome;
      ++answered;
    }
  }
  return outcomes;
}

// `tried` is how it went in a worker.
absl::StatusOr<Contender> Ours(const std::string& name, World& world, const Subject& subject,
                               const Config& config, const Outcome& tried,
                               const CudaMatmulCheck& check) {
  Contender contender;
  contender.name = name;
  contender.config = config.ToJson();
  if (!tried.ok()) {
    contender.error = absl::StrCat(std::string(OutcomeKindName(tried.kind)), ": ", tried.message);
    return contender;
  }
  SEEDTUNE_ASSIGN_OR_RETURN(
      CompiledCudaProgram compiled,
      CompileCudaCandidate(*world.compiler, *subject.kernel, config, world.info));
  SEEDTUNE_ASSIGN_OR_RETURN(
      CudaCandidate candidate,
      CudaCandidate::Load(*world.device, *subject.kernel, std::move(compiled), check.tensors()));
  auto shared = std::make_shared<CudaCandidate>(std::move(candidate));
  contender.launch = [shared](CuStream stream) { return shared->Launch(stream); };
  return contender;
}

// No matmul: the larger operand is read once, by plain loads of 16 bytes. What only waits for
// memory is hardly faster.
Contender Reader(const World& world, const Subject& subject, const CudaMatmulCheck& check,
                 Row& row) {
  const SimpleMatmul& matmul = subject.matmul;
  const int64_t lhs = matmul.batch * matmul.m * matmul.k * DTypeBytes(matmul.lhs.dtype);
  const int64_t rhs = matmul.batch * matmul.k * matmul.n * DTypeBytes(matmul.rhs.dtype);
  const TensorId larger = lhs > rhs ? matmul.lhs.tensor : matmul.rhs.tensor;
  const int64_t bytes = std::max(lhs, rhs) / 16 * 16;
  row.read_bytes = static_cast<double>(bytes);
  Contender contender;
  contender.name = "read";
  contender.launch = [&timer = *world.timer, data = check.tensors()[larger],
                      bytes](CuStream stream) { return timer.Read(data, bytes, stream); };
  return contender;
}

std::string Microseconds(double ns) { return ns > 0 ? absl::StrFormat("%.2f", ns / 1e3) : "-"; }

// Ours, and what cublasLt suggests.
absl::StatusOr<std::vector<Contender>> Contenders(World& world, const Subject& subject,
                                                  const Flags& flags, const CudaMatmulCheck& check,
                                                  Row& row) {
  std::vector<Contender> contenders;
  SEEDTUNE_ASSIGN_OR_RETURN(const UntunedConfig untuned,
                            DefaultConfig(world.heuristics, "cuda", *subject.kernel, world.info));
  row.config = untuned.config.ToJson();
  std::vector<Config> configs = {untuned.config};
  for (const std::string& json : flags.configs) {
    SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig partial, PartialConfigFromJson(json));
    SEEDTUNE_ASSIGN_OR_RETURN(Config config,
                              subject.space->Normalize(partial, NormalizeMode::kRepair));
    configs.push_back(std::move(config));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Outcome> outcomes,
                            TryConfigs(world, subject, configs));
  for (size_t i = 0; i < configs.size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(Contender ours, Ours(i == 0 ? "untuned" : "tuned", world, subject,
                                                   configs[i], outcomes[i], check));
    contenders.push_back(std::move(ours));
  }
  if (flags.configs.empty() && world.budget.HasLimit()) {
    TuneOptions options;
    options.algorithm = flags.algorithm;
    options.budget = world.budget;
    options.progress = [&row](const TuningProgress& progress) {
      if (progress.best_ns > 0 &&
          (row.best_so_far.empty() || row.best_so_far.back().second != progress.best_ns)) {
        row.best_so_far.emplace_back(progress.seconds, progress.best_ns);
      }
    };
    const absl::StatusOr<TuneResult> result =
        Tune(subject.kernel, subject.facts, subject.space, world.heuristics, *world.measurer,
             /*database=*/nullptr, SystemClock(), options);
    if (result.ok()) {
      SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<Outcome> tried,
                                TryConfigs(world, subject, {result->best.config}));
      SEEDTUNE_ASSIGN_OR_RETURN(
          Contender ours, Ours("tuned", world, subject, result->best.config, tried[0], check));
      contenders.push_back(std::move(ours));
      row.evaluations = static_cast<int>(result->evaluations);
      row.tuning_seconds = result->seconds;
      double busy_ns = 0;
      for (const Trial& trial : result->trials) busy_ns += trial.outcome.measure_ns;
      row.busy = result->seconds > 0 ? busy_ns / 1e9 / result->seconds : 0;
      row.trials = result->trials;
    } else {
      row.errors.push_back(absl::StrCat("tuning: ", std::string(result.status().message())));
    }
  }
  if (world.lt == nullptr) return contenders;
  absl::StatusOr<std::unique_ptr<CublasLtMatmul>> plan =
      world.lt->Plan(subject.matmul, *subject.kernel, check.tensors(), world.lt_workspace.address(),
                     kLtWorkspaceBytes, kLtAlgorithms);
  if (!plan.ok()) {
    row.errors.push_back(absl::StrCat("cublasLt: ", std::string(plan.status().message())));
    return contenders;
  }
  const std::shared_ptr<CublasLtMatmul> shared = *std::move(plan);
  row.lt_algorithms = shared->algorithms();
  for (int i = 0; i < shared->algorithms(); ++i) {
    Contender contender;
    contender.name = absl::StrCat("cublasLt ", i);
    contender.launch = [shared, i](CuStream stream) { return shared->Launch(i, stream); };
    contenders.push_back(std::move(contender));
  }
  return contenders;
}

absl::StatusOr<Row> RunShape(World& world, const Shape& shape, const Flags& flags) {
  Row row;
  row.shape = shape;
  SEEDTUNE_ASSIGN_OR_RETURN(const Subject subject, MakeSubject(shape.kernel, world.info));
  row.flops = static_cast<double>(subject.facts[0].flops);
  row.bytes = static_cast<double>(subject.facts[0].bytes);
  SEEDTUNE_ASSIGN_OR_RETURN(const std::unique_ptr<CudaMatmulCheck> check,
                            CudaMatmulCheck::Create(*world.device, *world.compiler, world.info.arch,
                                                    *subject.kernel, kDataSeed));
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<Contender> contenders,
                            Contenders(world, subject, flags, *check, row));
  for (Contender& contender : contenders) {
    if (contender.error.empty()) {
      SEEDTUNE_RETURN_IF_ERROR(CheckContender(world, *check, contender));
    }
    if (!contender.error.empty()) {
      row.errors.push_back(absl::StrCat(contender.name, ": ", contender.error));
    } else if (!contender.inaccurate.empty()) {
      row.errors.push_back(absl::StrCat(contender.name, " (timed): ", contender.inaccurate));
    }
  }
  contenders.push_back(Reader(world, subject, *check, row));
  std::vector<size_t> order(contenders.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::mt19937_64 random(kDataSeed);
  for (int round = 0; round < flags.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      Contender& contender = contenders[i];
      if (!contender.error.empty()) continue;
      SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<double> times_ns,
                                world.timer->Time(contender.launch, kRunsAtATime, kTimeoutNs));
      contender.samples_ns.insert(contender.samples_ns.end(), times_ns.begin(), times_ns.end());
    }
  }
  row.sm_mhz = world.clocks.SmClockMhz();
  for (const Contender& contender : contenders) {
    const double ns = contender.MedianNs();
    if (ns <= 0) continue;
    if (contender.name == "read") {
      row.read_ns = ns;
      continue;
    }
    if (contender.name == "untuned") row.untuned_ns = ns;
    if (contender.name == "tuned" && (row.tuned_ns == 0 || ns < row.tuned_ns)) {
      row.tuned_ns = ns;
      row.config = contender.config;
    }
    if (flags.configs.size() > 1 && contender.name == "tuned") {
      row.notes.push_back(absl::StrCat(Microseconds(ns), " us  ", contender.config));
    }
    if (!IsCublasLt(contender)) {
      row.relative_error = contender.relative_error;
      continue;
    }
    if (contender.name == "cublasLt 0") row.lt_first_ns = ns;
    if (row.lt_best_ns == 0 || ns < row.lt_best_ns) {
      row.lt_best_ns = ns;
      row.lt_relative_error = contender.relative_error;
    }
    if (contender.inaccurate.empty() && (row.lt_accurate_ns == 0 || ns < row.lt_accurate_ns)) {
      row.lt_accurate_ns = ns;
    }
  }
  return row;
}

std::string Ratio(double of_ns, double ns) {
  return of_ns > 0 && ns > 0 ? absl::StrFormat("%.3f", of_ns / ns) : "-";
}

class GeometricMeans {
 public:
  void Add(const std::string& group, double of_ns, double ns) {
    if (of_ns <= 0 || ns <= 0) return;
    for (const std::string& to : {group, std::string("all")}) {
      sums_[to].first += std::log(of_ns / ns);
      ++sums_[to].second;
    }
  }
  std::string Of(const std::string& group) const {
    const auto found = sums_.find(group);
    if (found == sums_.end()) return "-";
    return absl::StrFormat("%.3f", std::exp(found->second.first / found->second.second));
  }

 private:
  std::map<std::string, std::pair<double, int>> sums_;
};

std::string FamilyOf(const std::string& config) {
  const size_t at = config.find("\"family\":\"");
  if (at == std::string::npos) return "";
  const size_t begin = at + 10;
  return config.substr(begin, config.find('"', begin) - begin);
}

std::string ResultTable(const std::vector<Row>& rows) {
  Table table({{"group", Align::kLeft},
               {"kernel", Align::kLeft},
               {"untuned us", Align::kRight},
               {"tuned us", Align::kRight},
               {"Lt first", Align::kRight},
               {"Lt best", Align::kRight},
               {"accurate", Align::kRight},
               {"read us", Align::kRight},
               {"untuned/Lt", Align::kRight},
               {"tuned/Lt", Align::kRight},
               {"TFLOP/s", Align::kRight},
               {"TB/s", Align::kRight},
               {"MHz", Align::kRight},
               {"tried", Align::kRight},
               {"busy", Align::kRight},
               {"family", Align::kLeft}});
  GeometricMeans untuned, tuned;
  std::vector<std::string> groups;
  for (const Row& row : rows) {
    const double ns = row.tuned_ns > 0 ? row.tuned_ns : row.untuned_ns;
    untuned.Add(row.shape.group, row.lt_best_ns, row.untuned_ns);
    tuned.Add(row.shape.group, row.lt_best_ns, row.tuned_ns);
    if (std::find(groups.begin(), groups.end(), row.shape.group) == groups.end()) {
      groups.push_back(row.shape.group);
    }
    table.AddRow({row.shape.group, row.shape.kernel, Microseconds(row.untuned_ns),
                  Microseconds(row.tuned_ns), Microseconds(row.lt_first_ns),
                  Microseconds(row.lt_best_ns), Microseconds(row.lt_accurate_ns),
                  Microseconds(row.read_ns), Ratio(row.lt_best_ns, row.untuned_ns),
                  Ratio(row.lt_best_ns, row.tuned_ns),
                  ns > 0 ? absl::StrFormat("%.1f", row.flops / ns / 1e3) : "-",
                  ns > 0 ? absl::StrFormat("%.2f", row.bytes / ns / 1e3) : "-",
                  absl::StrCat(row.sm_mhz), absl::StrCat(row.evaluations),
                  row.busy > 0 ? absl::StrFormat("%.2f", row.busy) : "-", FamilyOf(row.config)});
  }
  groups.push_back("all");
  for (const std::string& group : groups) {
    table.AddRow({group, "geometric mean", "", "", "", "", "", "", untuned.Of(group),
                  tuned.Of(group), "", "", "", "", "", ""});
  }
  return table.ToString();
}

constexpr int kJsonSchemaVersion = 4;

// Times in nanoseconds, 0 where there is none.
nlohmann::ordered_json ResultJson(const std::vector<Row>& rows, const World& world,
                                  const Flags& flags) {
  nlohmann::ordered_json json;
  json["schema_version"] = kJsonSchemaVersion;
  json["device"] = world.info.name;
  json["driver"] = world.info.driver_version;
  json["compiler"] = world.compiler->version();
  json["library"] = world.lt == nullptr ? "" : world.lt->version();
  json["memory_clock_mhz"] = world.clocks.MemoryClockMhz();
  json["tune_budget"] = flags.budget;
  json["runs"] = flags.rounds * kRunsAtATime;
  json["flush_bytes"] = kFlushBytes;
  json["flush"] = flags.dirty_flush ? "write" : "read";
  json["rows"] = nlohmann::ordered_json::array();
  for (const Row& row : rows) {
    json["rows"].push_back({{"group", row.shape.group},
                            {"kernel", row.shape.kernel},
                            {"untuned_ns", row.untuned_ns},
                            {"tuned_ns", row.tuned_ns},
                            {"library_first_ns", row.lt_first_ns},
                            {"library_best_ns", row.lt_best_ns},
                            {"library_best_accurate_ns", row.lt_accurate_ns},
                            {"library_algorithms", row.lt_algorithms},
                            {"read_ns", row.read_ns},
                            {"read_bytes", row.read_bytes},
                            {"relative_error", row.relative_error},
                            {"library_relative_error", row.lt_relative_error},
                            {"flops", row.flops},
                            {"bytes", row.bytes},
                            {"sm_clock_mhz", row.sm_mhz},
                            {"evaluations", row.evaluations},
                            {"tuning_seconds", row.tuning_seconds},
                            {"device_busy", row.busy},
                            {"best_so_far_s_ns", row.best_so_far},
                            {"config", row.config},
                            {"errors", row.errors}});
  }
  return json;
}

// A line for each candidate of the row's search.
std::string TrialLines(const Row& row) {
  std::string lines;
  for (const Trial& trial : row.trials) {
    const nlohmann::ordered_json line = {
        {"kernel", row.shape.kernel},
        {"outcome", std::string(OutcomeKindName(trial.outcome.kind))},
        {"ns", trial.outcome.ok() ? trial.outcome.objective_ns() : 0.0},
        {"compile_ns", trial.outcome.compile_ns},
        {"measure_ns", trial.outcome.measure_ns},
        {"config", nlohmann::ordered_json::parse(trial.candidate.config.ToJson())}};
    absl::StrAppend(&lines, line.dump(), "\n");
  }
  return lines;
}

absl::Status RunBenchmark(const Flags& flags) {
  SEEDTUNE_ASSIGN_OR_RETURN(World world, OpenWorld(flags));
  SEEDTUNE_RETURN_IF_ERROR(OpenDevice(world, flags));
  std::vector<Shape> shapes;
  for (const std::string& kernel : flags.shapes) shapes.push_back({"given", kernel});
  if (flags.shapes.empty()) {
    for (const Shape& shape : ListedShapes()) {
      if (flags.groups.empty() ||
          std::find(flags.groups.begin(), flags.groups.end(), shape.group) != flags.groups.end()) {
        shapes.push_back(shape);
      }
    }
  }
  if (flags.random_shapes > 0) {
    const uint64_t seed = flags.seed != 0 ? flags.seed : std::random_device()();
    std::cout << "random shapes from --seed=" << seed << "\n";
    for (Shape& shape : RandomShapes(flags.random_shapes, seed)) {
      shapes.push_back(std::move(shape));
    }
  }
  std::vector<Row> rows;
  std::string trials;
  for (const Shape& shape : shapes) {
    absl::StatusOr<Row> row = RunShape(world, shape, flags);
    if (!row.ok()) {
      Row failed;
      failed.shape = shape;
      failed.errors.push_back(std::string(row.status().message()));
      row = std::move(failed);
    }
    std::cerr << shape.kernel << ": untuned " << Microseconds(row->untuned_ns) << ", tuned "
              << Microseconds(row->tuned_ns) << ", cublasLt " << Microseconds(row->lt_best_ns)
              << " us (best of " << row->lt_algorithms << ")  " << row->config << std::endl;
    for (const std::string& note : row->notes) std::cerr << "  " << note << std::endl;
    for (const std::string& error : row->errors) std::cerr << "  " << error << std::endl;
    if (!flags.trials.empty()) {
      absl::StrAppend(&trials, TrialLines(*row));
      SEEDTUNE_RETURN_IF_ERROR(WriteFileAtomically(ResolveUserPath(flags.trials), trials));
    }
    rows.push_back(*std::move(row));
  }
  std::cout << "\n"
            << DescribeHardware(world.info) << world.compiler->version() << ", "
            << (world.lt == nullptr ? "no cublasLt" : world.lt->version()) << ", driver "
            << world.info.driver_version << "\ncold L2 (256 MB "
            << (flags.dirty_flush ? "written" : "read") << " before each run), medians of "
            << flags.rounds * kRunsAtATime << " interleaved runs; ratios are of cublasLt's best of "
            << kLtAlgorithms
            << ", above 1: ours is faster; \"accurate\" is the best of those that pass the check "
               "of ours; \"read\": to read the larger operand once and do nothing\n\n"
            << ResultTable(rows);
  if (flags.json.empty()) return absl::OkStatus();
  return WriteFileAtomically(ResolveUserPath(flags.json),
                             ResultJson(rows, world, flags).dump(2) + "\n");
}

// Kernels of every kind: types x layouts x epilogues x edges, not all of them with all.
std::vector<std::string> CheckKernels() {
  const std::array<const char*, 9> types = {
      "f16", "bf16", "tf32", "f32", "f8e4m3:out=bf16", "f8e5m2:out=f16", "i8:out=i32", "i8", "f64"};
  const std::array<const char*, 4> layouts = {"nn", "nt", "tn", "tt"};
  const std::array<const char*, 6> epilogues = {"",      ":bias",          ":scale=0.125:bias:relu",
                                                ":gelu", ":silu:residual", ":bias:gelu:residual"};
  // Round sizes; edges that are no multiple of a tile; of 8; of anything; thin; a long sum; a
  // batch.
  const std::array<const char*, 8> shapes = {"256x512x384", "320x200x136", "129x259x71",
                                             "1x1024x2048", "9x130x515",   "1000x13x256",
                                             "64x48x16384", "65x67x69"};
  std::vector<std::string> kernels;
  int turn = 0;
  for (const char* type : types) {
    const bool integer = type[0] == 'i';
    for (const char* shape : shapes) {
      for (const char* layout : layouts) {
        // Every epilogue meets every type and shape, in turns over the layouts.
        std::string epilogue = epilogues[turn++ % epilogues.size()];
        if (integer && (absl::StrContains(epilogue, "lu:res") || epilogue == ":gelu")) {
          epilogue = ":bias:residual";
        }
        if (integer && absl::StrContains(epilogue, "scale")) epilogue = ":bias:relu";
        kernels.push_back(absl::StrCat("matmul:", shape, ":", type, ":", layout, epilogue));
      }
    }
    kernels.push_back(absl::StrCat("matmul:100x120x72:", type, ":batch=3"));
  }
  return kernels;
}

struct CheckCount {
  int ok = 0, wrong = 0, failed = 0;
};

absl::Status RunCheck(const Flags& flags) {
  SEEDTUNE_ASSIGN_OR_RETURN(World world, OpenWorld(flags));
  const std::vector<std::string> kernels = flags.shapes.empty() ? CheckKernels() : flags.shapes;
  std::mt19937_64 random(flags.seed);
  struct Item {
    std::string kernel;
    Subject subject;
    Config config;
  };
  // Of each family that the kernel's space has, the first that chance meets; one kernel after the
  // other, so that operands are made once.
  std::map<int64_t, Item> items;
  int64_t unsupported = 0;
  for (const std::string& kernel : kernels) {
    absl::StatusOr<Subject> subject = MakeSubject(kernel, world.info);
    if (!subject.ok()) {
      ++unsupported;
      std::cerr << kernel << ": " << std::string(subject.status().message()) << "\n";
      continue;
    }
    for (const std::string& json : flags.configs) {
      SEEDTUNE_ASSIGN_OR_RETURN(const PartialConfig partial, PartialConfigFromJson(json));
      SEEDTUNE_ASSIGN_OR_RETURN(Config config,
                                subject->space->Normalize(partial, NormalizeMode::kRepair));
      const int64_t id = static_cast<int64_t>(items.size());
      items[id] = {kernel, *subject, std::move(config)};
    }
    if (!flags.configs.empty()) continue;
    std::map<std::string, int> taken;
    for (int i = 0; i < 400; ++i) {
      Config config = i == 0 && flags.families.empty() ? subject->space->Default()
                                                       : subject->space->Sample(random);
      const std::string family = subject->space->FindKnob("family") ? config.GetEnum("family") : "";
      if (!flags.families.empty() &&
          std::find(flags.families.begin(), flags.families.end(), family) == flags.families.end()) {
        continue;
      }
      if (taken[family]++ >= flags.check_configs) continue;
      const int64_t id = static_cast<int64_t>(items.size());
      items[id] = {kernel, *subject, std::move(config)};
    }
  }
  std::map<std::string, CheckCount> counts;  // by family and type
  std::vector<int64_t> again;
  std::set<int64_t> cut;  // took longer than they might while others compiled: once more, later
  int64_t next = 0, answered = 0;
  int under_way = 0, failures_shown = 0;
  while (answered < static_cast<int64_t>(items.size())) {
    while (under_way < world.measurer->capacity()) {
      int64_t id = next;
      if (next < static_cast<int64_t>(items.size())) {
        ++next;
      } else if (!again.empty()) {
        id = again.back();
        again.pop_back();
      } else {
        break;
      }
      MeasureRequest request;
      request.id = id;
      request.kernel = items.at(id).subject.kernel;
      request.config = items.at(id).config;
      request.data_seed = kDataSeed;
      request.min_samples = request.max_samples = 1;
      SEEDTUNE_RETURN_IF_ERROR(world.measurer->Submit(std::move(request)));
      ++under_way;
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const std::vector<MeasureReply> replies,
                              world.measurer->Wait(int64_t{600'000'000'000}));
    for (const MeasureReply& reply : replies) {
      --under_way;
      if (reply.outcome.kind == OutcomeKind::kTimeout && cut.insert(reply.id).second) {
        again.push_back(reply.id);
        continue;
      }
      ++answered;
      const Item& item = items.at(reply.id);
      const std::string config = item.config.ToJson();
      const DType type = item.subject.matmul.lhs.dtype;
      for (const std::string& key :
           {absl::StrCat(FamilyOf(config), " ", std::string(DTypeName(type))),
            absl::StrCat(FamilyOf(config), " all")}) {
        CheckCount& count = counts[key];
        if (reply.outcome.ok()) {
          ++count.ok;
        } else if (reply.outcome.kind == OutcomeKind::kWrongResult) {
          ++count.wrong;
        } else {
          ++count.failed;
        }
      }
      if (reply.outcome.ok() || ++failures_shown > 60) continue;
      std::cout << std::string(OutcomeKindName(reply.outcome.kind)) << ": " << item.kernel << " "
                << config << "\n    " << reply.outcome.message.substr(0, 400) << std::endl;
    }
  }
  Table table({{"family, type", Align::kLeft},
               {"right", Align::kRight},
               {"wrong", Align::kRight},
               {"failed", Align::kRight}});
  int bad = 0;
  for (const auto& [key, count] : counts) {
    table.AddRow(
        {key, absl::StrCat(count.ok), absl::StrCat(count.wrong), absl::StrCat(count.failed)});
    if (absl::EndsWith(key, " all")) bad += count.wrong + count.failed;
  }
  std::cout << table.ToString() << items.size() << " candidates of " << kernels.size()
            << " kernels, " << unsupported << " kernels not supported, " << bad << " bad\n";
  if (bad == 0) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(bad, " candidates are not right"));
}

int Main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == kWorkerArgument) {
    return RunWorker(kWorkerSocket, MakeCudaWorkerBackend);
  }
  Flags flags;
  CLI::App app{
      "Compare Seedtune's matmuls on an NVIDIA GPU with cublasLt, or check them.\n"
      "  e.g.  cuda_gemm_benchmark --shape=matmul:16x8192x8192:bf16 --tune_budget=30s\n"};
  app.add_option("--shape", flags.shapes, "instead of the fixed list; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--group", flags.groups, "of the fixed list: only this group; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--random_shapes", flags.random_shapes, "so many more, by chance")
      ->capture_default_str();
  app.add_option("--seed", flags.seed, "of the random shapes; 0: another every time (printed)")
      ->capture_default_str();
  app.add_option("--tune_budget", flags.budget, "for each shape: 10s, 100evals, 0 for none")
      ->capture_default_str();
  app.add_option("--algorithm", flags.algorithm, "how to search")->capture_default_str();
  CLI::Option* const compile_workers =
      app.add_option("--compile_workers", flags.compile_workers,
                     "processes that compile; 0: all cores but one, 16 at most")
          ->check(CLI::NonNegativeNumber)
          ->capture_default_str();
  app.add_flag("--no_overlap", flags.no_overlap,
               "compile and measure one candidate after the other, to see what overlap is worth")
      ->excludes(compile_workers);
  app.add_option("--rounds", flags.rounds, "of three runs of everyone")->capture_default_str();
  app.add_option(
         "--config", flags.configs,
         "a JSON object to check, or to run instead of tuning; may be repeated: the best is "
         "\"tuned\"")
      ->allow_extra_args(false);
  app.add_option("--json", flags.json, "a file to write the results to, too");
  app.add_flag("--dirty_flush", flags.dirty_flush,
               "write to the L2 cache before each run that is compared, as others do, instead of "
               "reading: what was written goes to memory while the next kernel runs");
  app.add_option("--trials", flags.trials,
                 "a file for every candidate that tuning tried, a JSON object a line");
  app.add_flag("--check", flags.check, "check results of every kind of kernel; measure nothing");
  app.add_option("--check_configs", flags.check_configs, "of each family on each kernel")
      ->capture_default_str();
  app.add_option("--family", flags.families, "check only this; may be repeated")
      ->allow_extra_args(false);
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = flags.check ? RunCheck(flags) : RunBenchmark(flags);
  if (status.ok()) return 0;
  std::cerr << "cuda_gemm_benchmark: " << std::string(status.message()) << "\n";
  return 1;
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) { return seedtune::Main(argc, argv); }

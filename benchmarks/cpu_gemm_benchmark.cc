// Seedtune's f32 matmul on one thread, untuned and tuned, beside OpenBLAS and oneDNN: the same
// operands, interleaved repetitions in one process, every result checked first.
//
//   bazel run //benchmarks:cpu_gemm_benchmark                      # all shapes, a few minutes
//   bazel run //benchmarks:cpu_gemm_benchmark -- --benchmark_filter=16x4096x4096 --tune_budget=20s
//
// Prints a table at the end: medians, ratios to each peer (above 1: we are faster) and their
// geometric means. All of Google Benchmark's flags work; --benchmark_out=FILE writes every
// repetition as JSON. Operands are cold: runs walk through copies that together exceed the
// last-level cache twice over.
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/clock.h"
#include "autotuner/statistics.h"
#include "autotuner/tuner.h"
#include "backends/cpu/cpu_backend.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/operands.h"
#include "backends/cpu/reference.h"
#include "backends/in_process_measurer.h"
#include "benchmark/benchmark.h"
#include "benchmarks/initialize.h"
#include "cblas.h"
#include "config/spaces/spaces.h"
#include "dnnl.h"
#include "hardware/cpu_detector.h"
#include "hardware/real_system_reader.h"
#include "heuristics/builtin.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"
#include "matmul_ops/simple_matmul.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

// Fixed before anything was tuned: shapes of models (the layers of examples/), squares, and awkward
// ones.
constexpr const char* kShapes[] = {
    "matmul:16x6144x4096:f32",   // Llama-3 8B decode, batch 16: fused q, k and v
    "matmul:16x4096x14336:f32",  // its second feed-forward projection
    "matmul:1x4096x4096:f32",    // one token
    "matmul:128x4096x4096:f32",  // a prefill of 128 tokens
    "matmul:384x768x768:f32",    // BERT-base at 384 tokens: attention output
    "matmul:384x3072x768:f32",   // its feed-forward layers
    "matmul:384x768x3072:f32",
    "matmul:3136x64x576:f32",  // ResNet-50's 3x3 convolutions as matmuls
    "matmul:784x128x1152:f32",   "matmul:196x256x2304:f32",   "matmul:49x512x4608:f32",
    "matmul:256x256x256:f32",    "matmul:1024x1024x1024:f32", "matmul:2048x2048x2048:f32",
    "matmul:128x128x16384:f32",   // deep k, small output
    "matmul:127x253x509:f32",     // nothing divides anything
    "matmul:512x512x512:f32:nt",  // the right operand column-major
};

constexpr const char* kImplementations[] = {"untuned", "tuned", "openblas", "onednn"};
constexpr uint64_t kDataSeed = 20'240'601;

using Implementation = std::function<void(OperandSet&)>;

// One shape with its operands and everyone who multiplies them.
struct Case {
  std::string name;  // "16x4096x4096"
  int64_t flops = 0;
  GemmProblem problem;
  std::unique_ptr<Operands> operands;
  std::map<std::string, Implementation> implementations;
  size_t next_set = 0;
};

// What a tuning of this shape needs of the world.
struct World {
  HardwareInfo device;  // of one core
  HeuristicRegistry heuristics;
  Budget budget;
};

// OpenBLAS reads these when it is loaded, before main(). Left over from elsewhere, they make it
// another machine's. Starts the program anew without them.
void FreePeersOfTheEnvironment(char** argv) {
  bool found = false;
  for (const char* name : {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_VERBOSE"}) {
    if (getenv(name) == nullptr) continue;
    found = true;
    unsetenv(name);
  }
  if (found) execv("/proc/self/exe", argv);
}

void LimitPeersToOneThread() {
  openblas_set_num_threads(1);
  // oneDNN's threads are OpenMP's, whose runtime comes with it.
  if (void* set = dlsym(RTLD_DEFAULT, "omp_set_num_threads"))
    reinterpret_cast<void (*)(int)>(set)(1);
}

// Leading dimension and transposition as BLAS has them.
struct BlasMatrix {
  bool transposed;
  int64_t leading;
};
BlasMatrix ToBlas(int64_t row_stride, int64_t column_stride) {
  return column_stride == 1 ? BlasMatrix{false, row_stride} : BlasMatrix{true, column_stride};
}

Implementation OpenBlas(const GemmProblem& p) {
  const BlasMatrix a = ToBlas(p.a_row_stride, p.a_col_stride),
                   b = ToBlas(p.b_row_stride, p.b_col_stride);
  return [=](OperandSet& set) {
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans,
                b.transposed ? CblasTrans : CblasNoTrans, p.m, p.n, p.k, 1.0f, set.a.data(),
                a.leading, set.b.data(), b.leading, 0.0f, set.c.data(), p.c_row_stride);
  };
}

Implementation OneDnn(const GemmProblem& p) {
  const BlasMatrix a = ToBlas(p.a_row_stride, p.a_col_stride),
                   b = ToBlas(p.b_row_stride, p.b_col_stride);
  return [=](OperandSet& set) {
    dnnl_sgemm(a.transposed ? 'T' : 'N', b.transposed ? 'T' : 'N', p.m, p.n, p.k, 1.0f,
               set.a.data(), a.leading, set.b.data(), b.leading, 0.0f, set.c.data(),
               p.c_row_stride);
  };
}

absl::StatusOr<Implementation> Ours(const GemmProblem& problem, const Config& config) {
  SEEDTUNE_ASSIGN_OR_RETURN(GemmPlan plan, GemmPlan::Create(problem, GemmConfigFromConfig(config)));
  auto shared = std::make_shared<GemmPlan>(std::move(plan));
  return [shared](OperandSet& set) {
    shared->Run(set.a.data(), set.b.data(), set.bias.data(), set.residual.data(), set.c.data());
  };
}

absl::StatusOr<TuneResult> TuneShape(const Kernel& kernel, const World& world) {
  auto shared = std::make_shared<const Kernel>(kernel);
  const std::vector<MatmulFact> facts = ExtractMatmulFacts(kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(const auto space, BuildConfigSpace("cpu", facts, world.device));
  InProcessMeasurer measurer(MakeCpuBackend(world.device));
  TuneOptions options;
  options.budget = world.budget;
  return Tune(shared, facts, space, world.heuristics, measurer, /*database=*/nullptr, SystemClock(),
              options);
}

absl::StatusOr<std::unique_ptr<Case>> MakeCase(const std::string& shape, const World& world) {
  SEEDTUNE_ASSIGN_OR_RETURN(const MatmulSpec spec, ParseMatmulShortForm(shape));
  SEEDTUNE_ASSIGN_OR_RETURN(const Kernel kernel, BuildMatmul(spec));
  SEEDTUNE_ASSIGN_OR_RETURN(const SimpleMatmul matmul, MatchSimpleMatmul(kernel));
  auto made = std::make_unique<Case>();
  made->name = absl::StrCat(spec.m.value, "x", spec.n.value, "x", spec.k.value,
                            spec.rhs_layout == MatrixLayout::kColumnMajor ? "_nt" : "");
  made->flops = 2 * spec.m.value * spec.n.value * spec.k.value;
  SEEDTUNE_ASSIGN_OR_RETURN(made->problem, GemmProblemFromMatmul(matmul));

  std::cerr << "tuning " << made->name << " (" << BudgetToString(world.budget) << ")" << std::endl;
  SEEDTUNE_ASSIGN_OR_RETURN(const TuneResult tuned, TuneShape(kernel, world));
  SEEDTUNE_ASSIGN_OR_RETURN(made->implementations["untuned"], Ours(made->problem, tuned.untuned));
  SEEDTUNE_ASSIGN_OR_RETURN(made->implementations["tuned"], Ours(made->problem, tuned.best.config));
  made->implementations["openblas"] = OpenBlas(made->problem);
  made->implementations["onednn"] = OneDnn(made->problem);

  const int64_t last_level = std::max(world.device.l3_bytes, world.device.l2_bytes);
  SEEDTUNE_ASSIGN_OR_RETURN(Operands operands,
                            Operands::Create(made->problem, kDataSeed,
                                             ColdBytes(last_level, world.device.compute_units)));
  made->operands = std::make_unique<Operands>(std::move(operands));
  return made;
}

void RunCase(benchmark::State& state, Case& c, const Implementation& multiply) {
  OperandSet& first = (*c.operands)[0];
  std::fill_n(first.c.data(), first.c.size(), std::nanf(""));
  multiply(first);
  const CheckResult check = CheckGemm(c.problem, first.a.data(), first.b.data(), first.bias.data(),
                                      first.residual.data(), first.c.data(), {.seed = kDataSeed});
  if (!check.ok) {
    state.SkipWithError(check.message.c_str());
    return;
  }
  for (auto _ : state) {
    multiply((*c.operands)[c.next_set]);
    benchmark::ClobberMemory();
    c.next_set = (c.next_set + 1) % c.operands->size();
  }
  state.counters["FLOP/s"] = benchmark::Counter(static_cast<double>(c.flops * state.iterations()),
                                                benchmark::Counter::kIsRate);
}

// Prints the median of each benchmark, and keeps all times for the table.
class TableReporter : public benchmark::ConsoleReporter {
 public:
  TableReporter() : ConsoleReporter(OO_None) {}

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.iterations == 0) continue;
      times_[run.run_name.function_name].push_back(1e9 * run.GetAdjustedRealTime() /
                                                   benchmark::GetTimeUnitMultiplier(run.time_unit));
    }
    std::vector<Run> medians;
    std::copy_if(runs.begin(), runs.end(), std::back_inserter(medians),
                 [](const Run& run) { return run.aggregate_name == "median"; });
    ConsoleReporter::ReportRuns(medians);
  }

  // Nanoseconds of one run, the median over repetitions; 0: not measured.
  double MedianNs(const std::string& benchmark) const {
    const auto found = times_.find(benchmark);
    return found == times_.end() ? 0 : Median(found->second);
  }
  size_t Repetitions(const std::string& benchmark) const {
    const auto found = times_.find(benchmark);
    return found == times_.end() ? 0 : found->second.size();
  }

 private:
  std::map<std::string, std::vector<double>> times_;
};

class GeometricMean {
 public:
  void Add(double value) {
    log_sum_ += std::log(value);
    ++count_;
  }
  std::string ToString() const {
    return count_ == 0 ? "-" : absl::StrFormat("%.2f", std::exp(log_sum_ / count_));
  }

 private:
  double log_sum_ = 0;
  int count_ = 0;
};

std::string ComparisonTable(const std::vector<std::unique_ptr<Case>>& cases,
                            const TableReporter& reporter) {
  const std::vector<std::pair<std::string, std::string>> kRatios = {{"untuned", "openblas"},
                                                                    {"untuned", "onednn"},
                                                                    {"tuned", "openblas"},
                                                                    {"tuned", "onednn"},
                                                                    {"tuned", "untuned"}};
  std::vector<Table::Column> columns = {{"M x N x K", Align::kLeft}};
  for (const char* name : kImplementations)
    columns.push_back({absl::StrCat(name, " GFLOP/s"), Align::kRight});
  for (const auto& [ours, peer] : kRatios)
    columns.push_back({absl::StrCat(ours, "/", peer), Align::kRight});
  Table table(columns);
  std::vector<GeometricMean> means(kRatios.size());
  for (const auto& c : cases) {
    std::map<std::string, double> ns;
    for (const char* name : kImplementations)
      ns[name] = reporter.MedianNs(absl::StrCat(c->name, "/", name));
    std::vector<std::string> row = {c->name};
    for (const char* name : kImplementations) {
      row.push_back(ns[name] > 0 ? absl::StrFormat("%.1f", static_cast<double>(c->flops) / ns[name])
                                 : "-");
    }
    for (size_t i = 0; i < kRatios.size(); ++i) {
      const double ours_ns = ns[kRatios[i].first], peer_ns = ns[kRatios[i].second];
      if (ours_ns <= 0 || peer_ns <= 0) {
        row.push_back("-");
        continue;
      }
      means[i].Add(peer_ns / ours_ns);
      row.push_back(absl::StrFormat("%.2f", peer_ns / ours_ns));
    }
    table.AddRow(std::move(row));
  }
  std::vector<std::string> last = {"geometric mean", "", "", "", ""};
  for (const GeometricMean& mean : means) last.push_back(mean.ToString());
  table.AddRow(std::move(last));
  return table.ToString();
}

absl::Status Run(const std::string& budget, const std::vector<std::string>& shapes) {
  LimitPeersToOneThread();
  World world;
  SEEDTUNE_ASSIGN_OR_RETURN(world.device, DetectCpu(*NewRealSystemReader()));
  world.device.compute_units = 1;
  world.heuristics = BuiltinHeuristics();
  SEEDTUNE_ASSIGN_OR_RETURN(world.budget, ParseBudget(budget));

  std::vector<std::unique_ptr<Case>> cases;
  for (const std::string& shape : shapes) {
    SEEDTUNE_ASSIGN_OR_RETURN(std::unique_ptr<Case> made, MakeCase(shape, world));
    cases.push_back(std::move(made));
  }
  for (const auto& c : cases) {
    for (const char* name : kImplementations) {
      benchmark::RegisterBenchmark(absl::StrCat(c->name, "/", name).c_str(),
                                   [&c = *c, name](benchmark::State& state) {
                                     RunCase(state, c, c.implementations.at(name));
                                   })
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  TableReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  std::cout << "\n"
            << DescribeHardware(world.device) << "\none thread, f32, cold operands, medians of "
            << reporter.Repetitions(absl::StrCat(cases.front()->name, "/tuned"))
            << " interleaved repetitions; ratios above 1: the first is faster\n\n"
            << ComparisonTable(cases, reporter);
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  seedtune::FreePeersOfTheEnvironment(argv);
  std::vector<char*> arguments =
      seedtune::InitializeBenchmark({"--benchmark_enable_random_interleaving=true",
                                     "--benchmark_repetitions=7", "--benchmark_min_time=0.1"},
                                    argc, argv);

  CLI::App app{
      "Compare Seedtune's f32 matmul with OpenBLAS and oneDNN.\n"
      "  e.g.  cpu_gemm_benchmark --shape=matmul:16x4096x4096:f32 --tune_budget=20s\n"};
  std::string budget = "8s";
  std::vector<std::string> shapes(std::begin(seedtune::kShapes), std::end(seedtune::kShapes));
  app.add_option("--tune_budget", budget, "for each shape: 8s, 100evals")->capture_default_str();
  app.add_option("--shape", shapes, "instead of the fixed list; may be repeated")
      ->allow_extra_args(false);
  CLI11_PARSE(app, static_cast<int>(arguments.size()), arguments.data());

  if (const absl::Status status = seedtune::Run(budget, shapes); !status.ok()) {
    std::cerr << "cpu_gemm_benchmark: " << std::string(status.message()) << "\n";
    return 1;
  }
  return 0;
}

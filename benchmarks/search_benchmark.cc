// What search algorithms themselves cost: time an evaluation and memory a record, on the valid
// configurations of CLBlast's GEMM (116,928) with an invented objective that costs nothing.
//
//   bazel run //benchmarks:search_benchmark
//   bazel run //benchmarks:search_benchmark -- --benchmark_filter=auto/1000
//
// Without a model: 10,000 evaluations; with one: 1,000. Each run checks that nothing is asked
// twice. All of Google Benchmark's flags work.
#include <malloc.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "autotuner/outcome.h"
#include "autotuner/search/search.h"
#include "autotuner/search/search_algorithm.h"
#include "benchmark/benchmark.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "util/file.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::array<std::string_view, 3> kWithModel = {"auto", "bayesian", "forest"};

// Valleys in every knob, ridges between neighbouring ones, and a tenth that fails (negative).
double ObjectiveNs(const Config& config) {
  double ns = 1000;
  uint64_t hash = 1469598103934665603u;
  double last = 0;
  for (size_t knob = 0; knob < config.choices().size(); ++knob) {
    const double at =
        static_cast<double>(config.choices()[knob]) / config.space().knobs()[knob].num_choices();
    ns *= 1 + std::abs(at - 0.4) + 0.3 * std::abs(at - last);
    last = at;
    hash = (hash ^ config.choices()[knob]) * 1099511628211u;
  }
  hash ^= hash >> 29;
  return hash % 10 == 0 ? -1 : ns;
}

int64_t BytesInUse() { return static_cast<int64_t>(mallinfo2().uordblks); }

void BM_Search(benchmark::State& state, const std::string& algorithm,
               const std::shared_ptr<const ConfigSpace>& space, int64_t evaluations) {
  uint64_t seed = 0;
  double bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    absl::flat_hash_set<Config> asked;
    asked.reserve(static_cast<size_t>(evaluations) + 1);
    std::vector<Candidate> candidates;
    state.ResumeTiming();
    const int64_t before = BytesInUse();
    auto search = MakeSearch(algorithm, {.space = space, .random_seed = ++seed});
    if (!search.ok()) {
      state.SkipWithError(std::string(search.status().message()).c_str());
      break;
    }
    bool is_new = true;
    for (int64_t i = 0; i < evaluations && is_new; ++i) {
      candidates = (*search)->Ask(1);
      if (candidates.empty()) break;
      const double ns = ObjectiveNs(candidates[0].config);
      (*search)->Tell({.candidate = candidates[0],
                       .kind = ns > 0 ? OutcomeKind::kOk : OutcomeKind::kCompileError,
                       .objective_ns = ns});
      is_new = asked.insert(candidates[0].config).second;
    }
    state.PauseTiming();
    if (!is_new || static_cast<int64_t>(asked.size()) != evaluations) {
      state.SkipWithError("asked twice, or too little");
    }
    // What the check itself holds comes off when it is gone.
    asked = {};
    candidates = {};
    bytes += static_cast<double>(BytesInUse() - before);
    search->reset();
    state.ResumeTiming();
  }
  const auto all = static_cast<double>(evaluations) * static_cast<double>(state.iterations());
  state.counters["s/evaluation"] =
      benchmark::Counter(all, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes/record"] = bytes / all;
}

absl::Status Run(std::string_view path) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  SEEDTUNE_ASSIGN_OR_RETURN(const T1Space definition, ReadT1(text));
  SEEDTUNE_ASSIGN_OR_RETURN(const std::shared_ptr<const ConfigSpace> space,
                            MakeConfigSpace(definition));
  for (const std::string_view name : SearchAlgorithmNames()) {
    bool with_model = false;
    for (const std::string_view one : kWithModel) with_model |= one == name;
    const int64_t evaluations = with_model ? 1'000 : 10'000;
    benchmark::RegisterBenchmark(
        absl::StrCat(std::string(name), "/", evaluations).c_str(),
        [=](benchmark::State& state) { BM_Search(state, std::string(name), space, evaluations); })
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const absl::Status status = seedtune::Run("benchmarks/testdata/clblast_gemm_space.json");
  if (!status.ok()) {
    std::cerr << "search_benchmark: " << std::string(status.message()) << "\n";
    return 1;
  }
  return 0;
}

// What the untuned answer costs, for every backend: cold (facts and space made anew, as
// DefaultConfig() does), with facts and space at hand, and all that `explain` asks beside it.
//
// Wanted: below 200 us cold and below 20 us with facts at hand.
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "benchmark/benchmark.h"
#include "config/config_space.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_info.h"
#include "hardware/specs.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/default_config.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "ir/matmul.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {
namespace {

constexpr struct {
  const char *backend, *device, *kernel;
} kCases[] = {
    {"cpu", "epyc_9654", "matmul:16x8192x8192:f32"},
    {"cpu", "epyc_9654", "matmul:1024x1024x1024:f32"},
    {"cpu", "graviton4", "matmul:4096x4096x4096:f32"},
    {"cuda", "h100_sxm", "matmul:4096x4096x4096:bf16"},
    {"cuda", "h100_sxm", "matmul:16x8192x8192:bf16"},
    {"cute", "b200", "matmul:4096x4096x4096:bf16"},
    {"cute", "h100_sxm", "matmul:4096x4096x4096:bf16"},
    {"triton", "h100_sxm", "matmul:8192x512x4096:bf16"},
    {"triton", "b200", "matmul:4096x4096x4096:f8e4m3:out=bf16"},
    {"triton", "mi350x", "matmul:16x8192x8192:bf16"},
    {"triton", "l40s", "matmul:128x128x128:f16:batch=64"},
};

template <typename T>
T OrExit(absl::StatusOr<T> value) {
  if (value.ok()) return *std::move(value);
  std::fprintf(stderr, "untuned_benchmark: %s\n", std::string(value.status().message()).c_str());
  std::exit(1);
}

Kernel ReadKernel(const char* text) {
  return OrExit(BuildMatmul(OrExit(ParseMatmulShortForm(text))));
}

void Label(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  state.SetLabel(std::string(c.backend) + " " + c.device + " " + c.kernel);
}

void BM_DefaultConfigCold(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  const HeuristicRegistry registry = BuiltinHeuristics();
  const Kernel kernel = ReadKernel(c.kernel);
  const HardwareInfo device = OrExit(FindSpec(c.device));
  for (auto _ : state) {
    auto untuned = DefaultConfig(registry, c.backend, kernel, device);
    if (!untuned.ok()) state.SkipWithError(std::string(untuned.status().message()).c_str());
    benchmark::DoNotOptimize(untuned);
  }
  Label(state);
}
BENCHMARK(BM_DefaultConfigCold)->DenseRange(0, std::size(kCases) - 1);

struct Asked {
  explicit Asked(const char* backend, const char* device_name, const char* text)
      : kernel(ReadKernel(text)),
        device(OrExit(FindSpec(device_name))),
        facts(ExtractMatmulFacts(kernel)),
        space(OrExit(BuildConfigSpace(backend, facts, device))) {}
  TuningContext context() const { return {kernel, facts, device, *space}; }

  const Kernel kernel;
  const HardwareInfo device;
  const std::vector<MatmulFact> facts;
  const std::shared_ptr<const ConfigSpace> space;
};

void BM_DefaultConfigFactsCached(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  const HeuristicRegistry registry = BuiltinHeuristics();
  const Asked asked(c.backend, c.device, c.kernel);
  for (auto _ : state) {
    auto untuned = FindUntunedDefault(registry, c.backend, asked.context());
    benchmark::DoNotOptimize(untuned);
  }
  Label(state);
}
BENCHMARK(BM_DefaultConfigFactsCached)->DenseRange(0, std::size(kCases) - 1);

void BM_ConsultAll(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  const HeuristicRegistry registry = BuiltinHeuristics();
  const Asked asked(c.backend, c.device, c.kernel);
  for (auto _ : state) {
    auto report = ConsultHeuristics(registry, c.backend, asked.context());
    benchmark::DoNotOptimize(report);
  }
  Label(state);
}
BENCHMARK(BM_ConsultAll)->DenseRange(0, std::size(kCases) - 1);

// What a search pays beside it, once: the index of all valid configurations.
void BM_IndexSpace(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  for (auto _ : state) {
    state.PauseTiming();
    const Asked asked(c.backend, c.device, c.kernel);
    state.ResumeTiming();
    auto count = asked.space->NumValid();
    benchmark::DoNotOptimize(count);
  }
  Label(state);
}
BENCHMARK(BM_IndexSpace)->DenseRange(0, std::size(kCases) - 1);

}  // namespace
}  // namespace seedtune

BENCHMARK_MAIN();

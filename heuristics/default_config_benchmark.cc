// What the untuned answer costs: cold (facts and space made anew, as DefaultConfig() does) and with
// facts and space at hand.
#include <string>

#include "benchmark/benchmark.h"
#include "heuristics/builtin.h"
#include "heuristics/consult.h"
#include "heuristics/default_config.h"
#include "heuristics/registry.h"
#include "heuristics/test_kernel.h"

namespace seedtune {
namespace {

constexpr struct {
  const char *backend, *device, *kernel;
} kCases[] = {
    {"cpu", "epyc_9654", "matmul:16x8192x8192:f32"},
    {"cpu", "epyc_9654", "matmul:1024x1024x1024:f32"},
    {"cpu", "graviton4", "matmul:4096x4096x4096:f32"},
    {"cute", "b200", "matmul:4096x4096x4096:bf16"},
    {"triton", "h100_sxm", "matmul:8192x512x4096:bf16"},
    {"triton", "mi350x", "matmul:8192x512x4096:bf16"},
};

void Label(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  state.SetLabel(std::string(c.backend) + " " + c.device + " " + c.kernel);
}

void BM_DefaultConfig(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  const HeuristicRegistry registry = BuiltinHeuristics();
  const Kernel kernel = TestKernel::Kernel(c.kernel);
  const HardwareInfo device = TestKernel::Device(c.device);
  for (auto _ : state) {
    auto untuned = DefaultConfig(registry, c.backend, kernel, device);
    if (!untuned.ok()) state.SkipWithError(std::string(untuned.status().message()).c_str());
    benchmark::DoNotOptimize(untuned);
  }
  Label(state);
}
BENCHMARK(BM_DefaultConfig)->DenseRange(0, std::size(kCases) - 1);

void BM_Consult(benchmark::State& state) {
  const auto& c = kCases[state.range(0)];
  const HeuristicRegistry registry = BuiltinHeuristics();
  const TestKernel test(c.backend, c.kernel, c.device);
  for (auto _ : state) {
    auto report = ConsultHeuristics(registry, c.backend, test.context());
    benchmark::DoNotOptimize(report);
  }
  Label(state);
}
BENCHMARK(BM_Consult)->DenseRange(0, std::size(kCases) - 1);

}  // namespace
}  // namespace seedtune

BENCHMARK_MAIN();

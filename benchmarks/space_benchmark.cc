// What it costs to make a config space of its definition: parse the conditions, build the index,
// count the valid configurations.
//
//   bazel run //benchmarks:space_benchmark                       # the one definition checked in
//   bazel run //benchmarks:space_benchmark -- --spaces=FOLDER    # every T1 file (*.json) there
//
// The counts of well-known spaces (Willemsen et al., arXiv 2509.26253, table 1) are asserted: a
// file is recognised by its name and its Cartesian size. All of Google Benchmark's flags work.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "autotuner/statistics.h"
#include "benchmark/benchmark.h"
#include "benchmarks/initialize.h"
#include "config/config_space.h"
#include "config/t1.h"
#include "util/file.h"
#include "util/format.h"
#include "util/status_macros.h"
#include "util/table.h"

namespace seedtune {
namespace {

// ExpDist's published count, 294,000, leaves out blocks of more than 1,024 threads, which its
// definition does not.
constexpr struct {
  const char* in_name;
  uint64_t cartesian;
  uint64_t valid;
  const char* source = "as published";
} kKnown[] = {
    {"gemm", 663'552, 116'928},
    {"hotspot", 22'200'000, 349'853},
    {"microhh", 1'166'400, 138'600},
    {"expdist", 9'732'096, 504'000, "ours (published: 294,000)"},
    {"dedispersion", 22'272, 11'130},
    {"convolution", 10'240, 4'362},
    {"atf_prl", 36'864, 1'200},
    {"atf_prl", 9'437'184, 10'800},
    {"atf_prl", 2'415'919'104, 48'720},
};

struct SpaceRun {
  std::string name;
  T1Space definition;
  absl::uint128 cartesian = 0;
  absl::uint128 valid = 0;
  std::string asserted;  // whose counts were asserted; "": nobody's
  std::vector<double> milliseconds;
};

void CreateSpace(benchmark::State& state, SpaceRun& run) {
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    auto space = MakeConfigSpace(run.definition);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    if (!space.ok()) {
      state.SkipWithError(std::string(space.status().message()).c_str());
      return;
    }
    state.SetIterationTime(elapsed.count());
    run.milliseconds.push_back(elapsed.count() * 1e3);
    run.cartesian = (*space)->CartesianSize();
    run.valid = (*space)->NumValid();
  }
  for (const auto& known : kKnown) {
    if (!absl::StrContains(run.name, known.in_name) || run.cartesian != known.cartesian) continue;
    run.asserted = known.source;
    if (run.valid != known.valid) {
      state.SkipWithError(absl::StrCat("counts ", FormatCount(run.valid),
                                       " valid configurations, want ", FormatCount(known.valid))
                              .c_str());
    }
  }
}

absl::StatusOr<std::vector<SpaceRun>> ReadSpaces(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> paths;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (it->path().extension() == ".json") paths.push_back(it->path().string());
  }
  if (error) return absl::NotFoundError(absl::StrCat(folder, ": ", error.message()));
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat(folder, ": no *.json here, want T1 files"));
  }
  std::sort(paths.begin(), paths.end());
  std::vector<SpaceRun> runs;
  for (const std::string& path : paths) {
    SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
    auto definition = ReadT1(text);
    if (!definition.ok()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": ", definition.status().message()));
    }
    SpaceRun& run = runs.emplace_back();
    run.name = std::filesystem::path(path).stem().string();
    run.definition = *std::move(definition);
  }
  return runs;
}

absl::Status Run(const std::string& folder) {
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<SpaceRun> runs, ReadSpaces(folder));
  for (SpaceRun& run : runs) {
    benchmark::RegisterBenchmark(run.name.c_str(),
                                 [&run](benchmark::State& state) { CreateSpace(state, run); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  Table table({{"space"},
               {"knobs", Align::kRight},
               {"conditions", Align::kRight},
               {"Cartesian", Align::kRight},
               {"valid", Align::kRight},
               {"median ms", Align::kRight},
               {"count"}});
  for (const SpaceRun& run : runs) {
    if (run.milliseconds.empty()) continue;
    table.AddRow({run.name, absl::StrCat(run.definition.parameters.size()),
                  absl::StrCat(run.definition.conditions.size()), FormatCount(run.cartesian),
                  FormatCount(run.valid), absl::StrFormat("%.3f", Median(run.milliseconds)),
                  run.asserted.empty() ? "not known" : run.asserted});
  }
  std::cout << "\n" << table.ToString();
  return absl::OkStatus();
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  std::vector<char*> arguments = seedtune::InitializeBenchmark(
      {"--benchmark_enable_random_interleaving=true", "--benchmark_repetitions=5"}, argc, argv);

  CLI::App app{
      "Measure how long it takes to make config spaces of their definitions.\n"
      "  e.g.  space_benchmark --spaces=my_spaces\n"};
  std::string spaces;
  app.add_option("--spaces", spaces, "a folder of T1 files; without it, the one checked in");
  CLI11_PARSE(app, static_cast<int>(arguments.size()), arguments.data());

  const std::string folder =
      spaces.empty() ? "benchmarks/testdata" : seedtune::ResolveUserPath(spaces);
  if (const absl::Status status = seedtune::Run(folder); !status.ok()) {
    std::cerr << "space_benchmark: " << std::string(status.message()) << "\n";
    return 1;
  }
  return 0;
}

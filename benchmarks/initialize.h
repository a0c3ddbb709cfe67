// Google Benchmark's flags for programs that have flags of their own.
#ifndef SEEDTUNE_BENCHMARKS_INITIALIZE_H_
#define SEEDTUNE_BENCHMARKS_INITIALIZE_H_

#include <string>
#include <vector>

namespace seedtune {

// benchmark::Initialize with `defaults` ("--benchmark_repetitions=5") before the user's flags,
// which win. Returns what it leaves for others to parse, the program's name first. Call it once.
std::vector<char*> InitializeBenchmark(std::vector<std::string> defaults, int argc, char** argv);

}  // namespace seedtune

#endif  // SEEDTUNE_BENCHMARKS_INITIALIZE_H_

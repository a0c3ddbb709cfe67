#include "benchmarks/initialize.h"

#include <cstddef>
#include <string>
#include <vector>

#include "benchmark/benchmark.h"

namespace seedtune {

std::vector<char*> InitializeBenchmark(std::vector<std::string> defaults, int argc, char** argv) {
  std::vector<char*> arguments = {argv[0]};
  for (std::string& flag : defaults) arguments.push_back(flag.data());
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  arguments.resize(static_cast<size_t>(count));
  return arguments;
}

}  // namespace seedtune

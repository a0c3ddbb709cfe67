// A worker for `seedtune tune --backend=external`: transposes a matrix by code that it compiles for
// each configuration.
//
//   c++ -std=c++17 -O2 transpose_worker.cc -o transpose_worker -ldl     (wants nlohmann-json3-dev)
//   seedtune tune external:transpose:rows=4096:columns=4096 --backend=external
//   --worker=./transpose_worker
//
// Yours to change: Space, kSource and Run. The rules: docs/worker-protocol.md.
#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace {

using Json = nlohmann::json;
using Function = void (*)(const float* a, float* out, int rows, int columns);

struct Failure {
  std::string kind, message;
};

Json Hello() {
  return {{"protocol_version", 1},
          {"name", "transpose_cpp"},
          {"version", "1"},
          {"code_generator", "transpose.cc 1"},
          {"compiler", "c++ " __VERSION__},
          {"device", {{"detect", "cpu"}}},
          {"kernels", {{{"name", "transpose"}, {"dtypes", {"f32"}}}}},
          {"checks_results", true}};
}

Json Space(const Json& kernel) {
  if (kernel["function"] != "transpose") {
    throw Failure{"unsupported", "want external:transpose:rows=R:columns=C"};
  }
  return {{"name", "transpose_cpp"},
          {"parameters",
           {{{"name", "tile_rows"}, {"values", {1, 4, 8, 16, 32, 64}}, {"default", 1}},
            {{"name", "tile_columns"}, {"values", {1, 4, 8, 16, 32, 64}}, {"default", 1}},
            {{"name", "optimize"}, {"values", {"-O1", "-O2", "-O3"}}, {"default", "-O2"}}}},
          {"constraints", {"tile_rows * tile_columns <= 2048"}}};
}

constexpr char kSource[] = R"(
extern "C" void Transpose(const float* __restrict a, float* __restrict out, int rows, int columns) {
  for (int i0 = 0; i0 < rows; i0 += TILE_ROWS) {
    for (int j0 = 0; j0 < columns; j0 += TILE_COLUMNS) {
      const int i1 = i0 + TILE_ROWS < rows ? i0 + TILE_ROWS : rows;
      const int j1 = j0 + TILE_COLUMNS < columns ? j0 + TILE_COLUMNS : columns;
      for (int j = j0; j < j1; ++j) {
        for (int i = i0; i < i1; ++i) out[j * (long)rows + i] = a[i * (long)columns + j];
      }
    }
  }
}
)";

struct Candidate {
  int rows = 0, columns = 0;
  void* library = nullptr;
  Function function = nullptr;
};

// A folder of our own, gone with us.
struct Folder {
  std::string path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "worker-XXXXXX").string();
    path = mkdtemp(pattern.data());
    std::ofstream(path + "/kernel.cc") << kSource;
  }
  ~Folder() { std::filesystem::remove_all(path); }
};

Candidate Compile(const Json& request, const std::string& folder, int id) {
  const Json& config = request["config"];
  const std::string library = folder + "/" + std::to_string(id) + ".so";
  // -march=native: this code runs on the machine that compiles it, and nowhere else.
  const std::string command =
      "c++ " + config["optimize"].get<std::string>() +
      " -march=native -shared -fPIC -DTILE_ROWS=" + config["tile_rows"].dump() +
      " -DTILE_COLUMNS=" + config["tile_columns"].dump() + " " + folder + "/kernel.cc -o " +
      library + " >&2";
  if (std::system(command.c_str()) != 0) throw Failure{"compile_error", command};
  Candidate candidate;
  candidate.rows = request["kernel"]["parameters"]["rows"];
  candidate.columns = request["kernel"]["parameters"]["columns"];
  candidate.library = dlopen(library.c_str(), RTLD_NOW);
  if (candidate.library == nullptr) throw Failure{"compile_error", dlerror()};
  candidate.function = reinterpret_cast<Function>(dlsym(candidate.library, "Transpose"));
  return candidate;
}

Json Run(const Json& request, const Candidate& c) {
  const size_t size = static_cast<size_t>(c.rows) * c.columns;
  std::mt19937 random(request["data_seed"].get<unsigned>());
  std::vector<float> a(size), out(size, std::numeric_limits<float>::quiet_NaN());
  for (float& x : a) x = std::uniform_real_distribution<float>(-1, 1)(random);

  const bool check = request["check_result"];
  if (check) {
    c.function(a.data(), out.data(), c.rows, c.columns);
    for (size_t i = 0; i < size; ++i) {
      const float want = a[i % c.rows * c.columns + i / c.rows];
      if (out[i] != want) {
        throw Failure{"wrong_result", "out[" + std::to_string(i) + "] is " +
                                          std::to_string(out[i]) + ", want " +
                                          std::to_string(want)};
      }
    }
  }

  std::vector<double> samples;
  double sum = 0;
  const double drop = request["drop_above_ns"];
  while (samples.size() < request["max_samples"].get<size_t>()) {
    const auto start = std::chrono::steady_clock::now();
    c.function(a.data(), out.data(), c.rows, c.columns);
    const std::chrono::duration<double, std::nano> ns = std::chrono::steady_clock::now() - start;
    samples.push_back(ns.count());
    sum += samples.back();
    if (drop > 0 && samples.size() > 1) {
      const double least = std::min(samples.back(), samples[samples.size() - 2]);
      if (least > drop) return {{"lower_bound_ns", least}};
    }
    if (samples.size() >= request["min_samples"].get<size_t>() && sum > request["target_ns"]) break;
  }
  return {{"samples_ns", samples}, {"checked", check}};
}

}  // namespace

int main() {
  const Folder folder;
  std::map<int, Candidate> candidates;
  const auto held = [&](const Json& request) -> Candidate& {
    const auto it = candidates.find(request["candidate"].get<int>());
    if (it == candidates.end()) throw Failure{"launch_error", "no such candidate"};
    return it->second;
  };
  std::string line;
  while (std::getline(std::cin, line)) {
    const Json message = Json::parse(line);
    const int id = message["id"];
    Json reply = {{"id", id}};
    bool is_last = false;
    try {
      if (message.contains("hello")) {
        reply["hello"] = Hello();
      } else if (message.contains("space")) {
        reply["space"] = Space(message["space"]["kernel"]);
      } else if (message.contains("compile")) {
        candidates[id] = Compile(message["compile"], folder.path, id);
        reply["compile"] = Json::object();
      } else if (message.contains("run")) {
        reply["run"] = Run(message["run"], held(message["run"]));
      } else if (message.contains("release")) {
        dlclose(held(message["release"]).library);
        candidates.erase(message["release"]["candidate"].get<int>());
        reply["release"] = Json::object();
      } else {
        reply["goodbye"] = Json::object();
        is_last = true;
      }
    } catch (const Failure& failure) {
      reply["error"] = {{"kind", failure.kind}, {"message", failure.message}};
    }
    std::cout << reply.dump() << std::endl;
    if (is_last) break;
  }
  return 0;
}

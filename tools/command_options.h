// What the flags of the commands set.
#ifndef SEEDTUNE_TOOLS_COMMAND_OPTIONS_H_
#define SEEDTUNE_TOOLS_COMMAND_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

namespace seedtune {

// Of every command that is about kernels.
struct KernelOptions {
  std::vector<std::string> kernels;  // files or short forms
  std::string backend = "cpu";
  std::string device;                // see device.h
  std::vector<std::string> workers;  // commands; of the external backend
  std::string restrict_to;           // of each space, see restriction.h; "": the whole of it
  bool json = false;
};

// Of the commands that consult heuristics.
struct SeedOptions {
  bool no_seeds = false;
  bool no_neighbors = false;
  std::vector<std::string> disabled;    // heuristics, by name
  std::vector<std::string> user_seeds;  // configurations, see foreign_config.h
  std::vector<std::string> seed_files;  // of such, one a line
};

struct TuneCommandOptions {
  KernelOptions kernel;
  SeedOptions seeds;
  std::string budget = "60s";
  std::string algorithm = "auto";
  uint64_t random_seed = 1;
  std::string database;  // "": the default path
  bool retune = false;
  bool no_transfer = false;          // no seeds from what the database has of the like
  bool exhaustive = false;           // instead of `algorithm` and `budget`
  int64_t exhaustive_limit = 20000;  // configurations of a kernel, at most
  std::string output_t4;             // "": none; see t4_files.h
  double peak_gflops = 0;  // of the device, for a budget in shares of the roofline; 0: none
};

struct LookupCommandOptions {
  KernelOptions kernel;
  std::string database;
  std::string match = "strict";  // or "loose": other versions of code generator, compiler, driver
  std::string format;            // prints configurations alone, in this form; "": with their times
};

struct ExplainCommandOptions {
  KernelOptions kernel;
  SeedOptions seeds;
  std::string database;
};

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_COMMAND_OPTIONS_H_

// `seedtune replay`: search algorithms against recorded spaces, scored; no device is touched.
#ifndef SEEDTUNE_TOOLS_REPLAY_COMMAND_H_
#define SEEDTUNE_TOOLS_REPLAY_COMMAND_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tools/environment.h"

namespace seedtune {

struct ReplayCommandOptions {
  std::vector<std::string> records;               // T4 files or Kernel Tuner caches; may be .gz
  std::vector<std::string> spaces;                // T1 files; each record takes the first that fits
  std::vector<std::string> conditions;            // of caches
  std::vector<std::string> algorithms = {"all"};  // "all" stands for every one there is
  int repeats = 25;
  uint64_t random_seed = 1;
  int samples = 0;  // see ExperimentOptions
  std::vector<double> worker_speeds = {1};
  double max_share = 1;
  int threads = 0;
  bool json = false;
  // Records to mine seeds from for spaces of theirs on other devices or of other kernels.
  std::vector<std::string> seed_records;
  int max_seeds = 4;        // of those
  bool heuristics = false;  // seeds and moves of ours; see replay_seeds.h
  std::string device;       // that these are asked about; "": the record's
  // Pairs of knobs that are moved together, "MWG*MDIMC"; see coupled_moves.h.
  std::vector<std::string> coupled;
  std::string plot;  // "": none; else a file whose name ends in .svg or .html
};

absl::Status RunReplay(const ReplayCommandOptions& options, const Environment& environment);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_REPLAY_COMMAND_H_

// What a replay is given to start from: seeds from other records, and what heuristics say.
#ifndef SEEDTUNE_TOOLS_REPLAY_SEEDS_H_
#define SEEDTUNE_TOOLS_REPLAY_SEEDS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/replay/recorded_space.h"
#include "autotuner/search/search_algorithm.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/consult.h"
#include "heuristics/registry.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"
#include "tools/environment.h"

namespace seedtune {

using Records = std::vector<std::shared_ptr<const RecordedSpace>>;

// For `record`, a portfolio of at most `max_seeds` of those of `sources` that share its space but
// are of other devices or kernels: a record never seeds itself. One line about it goes to `notes`.
std::vector<Candidate> SeedsFromRecords(const RecordedSpace& record, const Records& sources,
                                        int max_seeds, std::vector<std::string>& notes);

// What our heuristics say of a record's kernel on its device: for records of `seedtune tune
// --output-t4`, whose kernel's name is a short form (ir/load.h). Borrows the environment.
// Thread-safe.
class RecordHeuristics {
 public:
  // `device` is a known device or a spec file; "": the known device of the record's device name,
  // else this machine's if that is its name. kInvalidArgument: no such kernel, or a space of none
  // of our backends. kNotFound: the device.
  static absl::StatusOr<RecordHeuristics> Create(std::shared_ptr<const RecordedSpace> record,
                                                 const std::string& device,
                                                 const Environment& environment);

  // What `seedtune tune` would plant, in order, but for configurations that were not recorded. One
  // line about it goes to `notes`.
  std::vector<Candidate> Seeds(std::vector<std::string>& notes) const;
  // The moves that heuristics propose from `config`, to what was recorded.
  std::vector<Candidate> Neighbors(const Config& config) const;

  const ConfigSpace* space() const { return record_->space().get(); }

 private:
  RecordHeuristics(std::shared_ptr<const RecordedSpace> record, Kernel kernel, HardwareInfo device,
                   std::string backend, const HeuristicRegistry& registry);
  TuningContext Context() const { return {kernel_, facts_, device_, *record_->space()}; }
  std::vector<Candidate> Recorded(const std::vector<Seed>& seeds, const std::string& origin) const;

  std::shared_ptr<const RecordedSpace> record_;
  Kernel kernel_;
  std::vector<MatmulFact> facts_;
  HardwareInfo device_;
  std::string backend_;
  const HeuristicRegistry* registry_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_REPLAY_SEEDS_H_

// A kernel's whole tuning space, measured once on some device: every configuration with its samples
// and its costs. What search algorithms are scored on without that device.
//
// Formats that hold one: T4 (t4.h) with its space in T1 (config/t1.h), and Kernel Tuner's cache
// (kernel_tuner_cache.h).
#ifndef SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_SPACE_H_
#define SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_SPACE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"

namespace seedtune {

// One configuration as it was recorded. Costs are nanoseconds of the recording tuner's wall clock;
// 0: not recorded.
struct RecordedConfig {
  Config config;
  Outcome outcome;  // samples_ns are the recorded runs; failures carry their message. compile_ns
                    // and measure_ns are compile_cost_ns and benchmark_cost_ns
  double compile_cost_ns = 0;
  double benchmark_cost_ns = 0;
  double framework_cost_ns = 0;
  double search_cost_ns = 0;
  double verification_cost_ns = 0;

  double total_cost_ns() const {
    return compile_cost_ns + benchmark_cost_ns + framework_cost_ns + search_cost_ns +
           verification_cost_ns;
  }
};

// Immutable; thread-safe.
class RecordedSpace {
 public:
  // kInvalidArgument: no results, a configuration of another space, one recorded twice, a cost that
  // is negative or not finite, an outcome that cannot be (ValidateOutcome).
  static absl::StatusOr<std::shared_ptr<const RecordedSpace>> Create(
      std::string kernel_name, std::string device_name, std::shared_ptr<const ConfigSpace> space,
      std::vector<RecordedConfig> configs);

  const std::string& kernel_name() const { return kernel_name_; }
  const std::string& device_name() const { return device_name_; }
  const std::shared_ptr<const ConfigSpace>& space() const { return space_; }
  const std::vector<RecordedConfig>& configs() const { return configs_; }
  // nullptr: valid in the space but not recorded.
  const RecordedConfig* Find(const Config& config) const;
  // Whether every valid configuration of the space was recorded.
  bool is_exhaustive() const;

 private:
  RecordedSpace() = default;
  std::string kernel_name_, device_name_;
  std::shared_ptr<const ConfigSpace> space_;
  std::vector<RecordedConfig> configs_;
  absl::flat_hash_map<Config, size_t> index_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_REPLAY_RECORDED_SPACE_H_

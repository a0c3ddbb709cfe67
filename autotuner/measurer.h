// The seam between search and devices: requests go in, outcomes come back, in any order.
#ifndef SEEDTUNE_AUTOTUNER_MEASURER_H_
#define SEEDTUNE_AUTOTUNER_MEASURER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/outcome.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "ir/kernel.h"

namespace seedtune {

struct MeasureRequest {
  int64_t id = 0;  // the caller's; comes back in the reply
  std::shared_ptr<const Kernel> kernel;
  Config config;
  bool check_result = true;  // against the backend's reference, before any time counts
  int min_samples = 5;       // two will do for kernels so slow that these take ten times the target
  int max_samples = 30;      // fewer are taken once `target_measure_ns` is spent
  double target_measure_ns = 30e6;
  double drop_above_ns = 0;  // a run slower than this ends the candidate as kCensored; 0: never
  double timeout_ns = 20e9;  // for the whole candidate
  uint64_t data_seed = 0;    // of the random inputs
};

struct MeasureReply {
  int64_t id = 0;
  Outcome outcome;
};

// Who measures: part of every record's key.
struct MeasurerInfo {
  std::string backend;  // "cpu"
  HardwareInfo device;
  std::string code_generator_version;  // raised whenever the same config gives other code
  std::string compiler_version;  // of what compiles candidates at run time; "" if nothing does
};

// Not thread-safe: one tuning loop drives it.
class Measurer {
 public:
  virtual ~Measurer() = default;

  virtual const MeasurerInfo& info() const = 0;
  // How many requests are worth having under way at once; at least 1.
  virtual int capacity() const = 0;

  // Takes a request; the answer, failures of the candidate included, comes out of Wait. An error
  // means that the measurer itself is broken and tuning cannot go on.
  virtual absl::Status Submit(MeasureRequest request) = 0;

  // Blocks until a request is answered or `timeout_ns` has passed; returns all answers at hand
  // (none: time-out, or nothing under way).
  virtual absl::StatusOr<std::vector<MeasureReply>> Wait(int64_t timeout_ns) = 0;

  // Gives up those of these requests that have not begun to run, and returns their ids: no answer
  // to them will come, and their places are free. A measurer may keep any.
  virtual std::vector<int64_t> GiveUp(std::span<const int64_t> /*ids*/) { return {}; }
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_MEASURER_H_

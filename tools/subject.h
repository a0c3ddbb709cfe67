// A kernel made ready to be asked about: its facts, and its config space on one backend and device.
#ifndef SEEDTUNE_TOOLS_SUBJECT_H_
#define SEEDTUNE_TOOLS_SUBJECT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "autotuner/database/records.h"
#include "config/config_space.h"
#include "hardware/hardware_info.h"
#include "heuristics/tuning_context.h"
#include "ir/kernel.h"
#include "matmul_ops/matmul_fact.h"

namespace seedtune {

struct Subject {
  std::shared_ptr<const Kernel> kernel;
  int64_t count = 1;  // how often its workload runs it
  std::vector<MatmulFact> facts;
  std::shared_ptr<const ConfigSpace> space;
  std::string heuristics;  // the backend whose heuristics know this space; "": none do

  int64_t flops() const;  // of all its matmuls; 0: unknown
  TuningContext Context(const HardwareInfo& device) const {
    return {*kernel, facts, device, *space};
  }
};

// The kernels named on the command line (files or short forms, see ir/load.h), in order.
// Errors name the kernel.
absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& kernel_arguments,
                                                  std::string_view backend,
                                                  const HardwareInfo& device);

// What a kernel may be made of, and whose heuristics know it.
struct SubjectSpace {
  std::shared_ptr<const ConfigSpace> space;
  std::string heuristics;
};
using SpaceMaker = std::function<absl::StatusOr<SubjectSpace>(const Kernel& kernel,
                                                              std::span<const MatmulFact> facts)>;
// The same where somebody else knows the spaces.
absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& kernel_arguments,
                                                  const SpaceMaker& make_space);

// Where a recorded run was measured.
absl::StatusOr<HardwareInfo> DeviceOfRun(const RunInfo& run);

// What a recorded run, on that device, was about. kFailedPrecondition: its config space is another
// one by now (both ids are named), or no longer made, or only a worker knows it.
absl::StatusOr<Subject> SubjectOfRun(const RunInfo& run, const HardwareInfo& device);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_SUBJECT_H_

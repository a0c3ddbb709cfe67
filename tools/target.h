// Who makes and measures kernels, and on which device: what --backend, --device and --worker say.
#ifndef SEEDTUNE_TOOLS_TARGET_H_
#define SEEDTUNE_TOOLS_TARGET_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "backends/external/external_measurer.h"
#include "hardware/hardware_info.h"
#include "tools/command_options.h"
#include "tools/environment.h"
#include "tools/subject.h"

namespace seedtune {

// Borrows the options and the environment. Movable. Not thread-safe.
class Target {
 public:
  // Finds the device. Of the external backend it is the workers that say what it is: they are
  // started. kInvalidArgument: --worker without that backend, or the reverse. Others: as
  // ResolveDevice and StartExternalMeasurer.
  static absl::StatusOr<Target> Resolve(const KernelOptions& options,
                                        const Environment& environment);

  const HardwareInfo& device() const { return device_; }
  // "cpu, znver5", "external, odd 1": for people.
  std::string Describe() const;

  // The kernels of the options, each with its space, or what they leave of it.
  absl::StatusOr<std::vector<Subject>> Subjects();
  // kUnimplemented: what of the kernel cannot be run there.
  absl::Status Supports(const Kernel& kernel) const;
  // What its records are filed under; starts nothing.
  absl::StatusOr<MeasurerInfo> Info() const;
  // Started where it is not yet; lives as long as this.
  absl::StatusOr<Measurer*> StartedMeasurer();
  // Null: no worker of somebody else's.
  const ExternalWorkerInfo* worker() const {
    return external_ == nullptr ? nullptr : &external_->worker();
  }

 private:
  Target(const KernelOptions& options, const Environment& environment)
      : options_(&options), environment_(&environment) {}
  absl::StatusOr<std::vector<Subject>> WholeSubjects();

  const KernelOptions* options_;
  const Environment* environment_;
  HardwareInfo device_;
  std::unique_ptr<ExternalMeasurer> external_;
  std::unique_ptr<Measurer> measurer_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_TARGET_H_

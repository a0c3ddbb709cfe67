#include "tools/target.h"

#include <span>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "backends/external/hello.h"
#include "config/restriction.h"
#include "tools/device.h"
#include "util/status_macros.h"

namespace seedtune {

absl::StatusOr<Target> Target::Resolve(const KernelOptions& options,
                                       const Environment& environment) {
  Target target(options, environment);
  if (options.backend != kExternalBackend) {
    if (!options.workers.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--worker goes with --backend=external, not with --backend=", options.backend));
    }
    SEEDTUNE_ASSIGN_OR_RETURN(target.device_,
                              ResolveDevice(options.device, options.backend, environment.reader));
    return target;
  }
  if (options.workers.empty()) {
    return absl::InvalidArgumentError(
        "--backend=external wants --worker=COMMAND, a program that speaks docs/worker-protocol.md");
  }
  ExternalOptions external;
  external.commands = options.workers;
  external.device = options.device;
  external.detect = [&environment](std::string_view device) {
    return DetectDevice(device, environment.reader);
  };
  SEEDTUNE_ASSIGN_OR_RETURN(target.external_,
                            StartExternalMeasurer(std::move(external), environment.clock));
  target.device_ = target.external_->info().device;
  return target;
}

std::string Target::Describe() const {
  if (external_ != nullptr) {
    return absl::StrCat(options_->backend, ", ", external_->info().code_generator_version);
  }
  return absl::StrCat(options_->backend, ", ", device_.arch.ToString());
}

absl::StatusOr<std::vector<Subject>> Target::Subjects() {
  SEEDTUNE_ASSIGN_OR_RETURN(std::vector<Subject> subjects, WholeSubjects());
  if (options_->restrict_to.empty()) return subjects;
  for (Subject& subject : subjects) {
    auto part = RestrictSpace(*subject.space, options_->restrict_to);
    if (!part.ok()) {
      return absl::Status(part.status().code(),
                          absl::StrCat("--restrict: kernel \"", subject.kernel->name,
                                       "\": ", std::string(part.status().message())));
    }
    subject.space = *std::move(part);
  }
  return subjects;
}

absl::StatusOr<std::vector<Subject>> Target::WholeSubjects() {
  if (external_ == nullptr) return LoadSubjects(options_->kernels, options_->backend, device_);
  return LoadSubjects(options_->kernels,
                      [this](const Kernel& kernel,
                             std::span<const MatmulFact> facts) -> absl::StatusOr<SubjectSpace> {
                        SEEDTUNE_ASSIGN_OR_RETURN(WorkerSpace space,
                                                  external_->SpaceOf(kernel, facts));
                        return SubjectSpace{std::move(space.space), std::move(space.heuristics)};
                      });
}

absl::Status Target::Supports(const Kernel& kernel) const {
  // A worker has said so when it gave the kernel's space.
  if (external_ != nullptr) return absl::OkStatus();
  return environment_->supports(options_->backend, device_, kernel);
}

absl::StatusOr<MeasurerInfo> Target::Info() const {
  if (external_ != nullptr) return external_->info();
  return environment_->measurer_info(options_->backend, device_);
}

absl::StatusOr<Measurer*> Target::StartedMeasurer() {
  if (external_ != nullptr) return external_.get();
  if (measurer_ == nullptr) {
    SEEDTUNE_ASSIGN_OR_RETURN(measurer_, environment_->make_measurer(options_->backend, device_));
  }
  return measurer_.get();
}

}  // namespace seedtune

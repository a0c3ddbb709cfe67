#include "tools/subject.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/external/hello.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_proto.h"
#include "hardware/hardware_spec.pb.h"
#include "ir/ir.pb.h"
#include "ir/load.h"
#include "ir/opaque.h"
#include "ir/proto_convert.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

absl::StatusOr<Subject> MakeSubject(Kernel kernel, int64_t count, const SpaceMaker& make_space) {
  Subject subject;
  subject.kernel = std::make_shared<const Kernel>(std::move(kernel));
  subject.count = count;
  subject.facts = ExtractMatmulFacts(*subject.kernel);
  SEEDTUNE_ASSIGN_OR_RETURN(SubjectSpace made, make_space(*subject.kernel, subject.facts));
  subject.space = std::move(made.space);
  subject.heuristics = std::move(made.heuristics);
  return subject;
}

// The space that a backend of ours has for a kernel.
SpaceMaker SpacesOf(std::string_view backend, const HardwareInfo& device) {
  return
      [backend = std::string(backend), &device](
          const Kernel& kernel, std::span<const MatmulFact> facts) -> absl::StatusOr<SubjectSpace> {
        const std::string where = absl::StrCat("kernel \"", kernel.name, "\": ");
        if (IsOpaque(kernel)) {
          return absl::UnimplementedError(absl::StrCat(
              where, "only a worker knows what it is, want --backend=external --worker=COMMAND"));
        }
        absl::StatusOr<std::shared_ptr<const ConfigSpace>> space =
            BuildConfigSpace(backend, facts, device);
        if (!space.ok()) {
          return absl::Status(space.status().code(),
                              absl::StrCat(where, std::string(space.status().message())));
        }
        return SubjectSpace{*std::move(space), backend};
      };
}

// What was measured by a worker in one of our spaces; any other is known to the worker alone.
SpaceMaker SpacesById(const std::string& space_id, const HardwareInfo& device) {
  return [&space_id, &device](const Kernel&,
                              std::span<const MatmulFact> facts) -> absl::StatusOr<SubjectSpace> {
    for (const std::string_view backend : SpaceBackends()) {
      const auto space = BuildConfigSpace(backend, facts, device);
      if (space.ok() && (*space)->id() == space_id) {
        return SubjectSpace{*space, std::string(backend)};
      }
    }
    return absl::FailedPreconditionError(
        absl::StrCat("config space ", space_id,
                     " is the worker's own; `seedtune tune "
                     "--output-t4` writes it while the worker is at hand"));
  };
}

}  // namespace

int64_t Subject::flops() const {
  int64_t sum = 0;
  for (const MatmulFact& fact : facts) {
    if (fact.flops == 0) return 0;
    sum += fact.flops;
  }
  return sum;
}

absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& kernel_arguments,
                                                  std::string_view backend,
                                                  const HardwareInfo& device) {
  return LoadSubjects(kernel_arguments, SpacesOf(backend, device));
}

absl::StatusOr<std::vector<Subject>> LoadSubjects(const std::vector<std::string>& kernel_arguments,
                                                  const SpaceMaker& make_space) {
  std::vector<Subject> subjects;
  for (const std::string& argument : kernel_arguments) {
    SEEDTUNE_ASSIGN_OR_RETURN(Workload workload, LoadWorkload(argument));
    for (Workload::Entry& entry : workload.entries) {
      SEEDTUNE_ASSIGN_OR_RETURN(Subject subject,
                                MakeSubject(std::move(entry.kernel), entry.count, make_space));
      subjects.push_back(std::move(subject));
    }
  }
  return subjects;
}

absl::StatusOr<HardwareInfo> DeviceOfRun(const RunInfo& run) {
  HardwareSpecProto proto;
  SEEDTUNE_RETURN_IF_ERROR(
      ParseTextProto(run.device_text, absl::StrCat("run ", run.id, ", its device"), &proto));
  return FromProto(proto);
}

absl::StatusOr<Subject> SubjectOfRun(const RunInfo& run, const HardwareInfo& device) {
  const std::string where = absl::StrCat("run ", run.id);
  KernelProto kernel_proto;
  SEEDTUNE_RETURN_IF_ERROR(
      ParseTextProto(run.kernel_text, absl::StrCat(where, ", its kernel"), &kernel_proto));
  SEEDTUNE_ASSIGN_OR_RETURN(Kernel kernel, KernelFromProto(kernel_proto));
  absl::StatusOr<Subject> made =
      MakeSubject(std::move(kernel), /*count=*/1,
                  run.key.backend == kExternalBackend ? SpacesById(run.key.space_id, device)
                                                      : SpacesOf(run.key.backend, device));
  if (!made.ok() && run.key.backend == kExternalBackend) {
    return absl::Status(made.status().code(),
                        absl::StrCat(where, ": ", std::string(made.status().message())));
  }
  SEEDTUNE_ASSIGN_OR_RETURN(Subject subject, std::move(made));
  if (subject.space->id() != run.key.space_id) {
    return absl::FailedPreconditionError(absl::StrCat(
        where, ": recorded over config space ", run.key.space_id, ", which is ",
        subject.space->id(),
        " in this release; use the release that recorded it, or, if --restrict made it, "
        "`seedtune tune --output-t4` with the same restriction"));
  }
  return subject;
}

}  // namespace seedtune

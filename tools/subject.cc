#include "tools/subject.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/spaces/spaces.h"
#include "hardware/hardware_proto.h"
#include "hardware/hardware_spec.pb.h"
#include "ir/ir.pb.h"
#include "ir/load.h"
#include "ir/proto_convert.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

absl::StatusOr<Subject> MakeSubject(Kernel kernel, int64_t count, std::string_view backend,
                                    const HardwareInfo& device) {
  Subject subject;
  subject.kernel = std::make_shared<const Kernel>(std::move(kernel));
  subject.count = count;
  subject.facts = ExtractMatmulFacts(*subject.kernel);
  absl::StatusOr<std::shared_ptr<const ConfigSpace>> space =
      BuildConfigSpace(backend, subject.facts, device);
  if (!space.ok()) {
    return absl::Status(space.status().code(),
                        absl::StrCat("kernel \"", subject.kernel->name,
                                     "\": ", std::string(space.status().message())));
  }
  subject.space = *std::move(space);
  return subject;
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
  std::vector<Subject> subjects;
  for (const std::string& argument : kernel_arguments) {
    SEEDTUNE_ASSIGN_OR_RETURN(Workload workload, LoadWorkload(argument));
    for (Workload::Entry& entry : workload.entries) {
      SEEDTUNE_ASSIGN_OR_RETURN(Subject subject,
                                MakeSubject(std::move(entry.kernel), entry.count, backend, device));
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
  SEEDTUNE_ASSIGN_OR_RETURN(Subject subject,
                            MakeSubject(std::move(kernel), /*count=*/1, run.key.backend, device));
  if (subject.space->id() != run.key.space_id) {
    return absl::FailedPreconditionError(
        absl::StrCat(where, ": recorded over config space ", run.key.space_id, ", which is ",
                     subject.space->id(), " in this release; use the release that recorded it"));
  }
  return subject;
}

}  // namespace seedtune

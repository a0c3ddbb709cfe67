#include "tools/subject.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "config/spaces/spaces.h"
#include "ir/load.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

absl::StatusOr<Subject> MakeSubject(Workload::Entry entry, std::string_view backend,
                                    const HardwareInfo& device) {
  Subject subject;
  subject.kernel = std::make_shared<const Kernel>(std::move(entry.kernel));
  subject.count = entry.count;
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
      SEEDTUNE_ASSIGN_OR_RETURN(Subject subject, MakeSubject(std::move(entry), backend, device));
      subjects.push_back(std::move(subject));
    }
  }
  return subjects;
}

}  // namespace seedtune

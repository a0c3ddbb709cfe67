// Checks the device specs that it is given; the build runs it before it compiles them in.
#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "hardware/hardware_spec.pb.h"
#include "hardware/spec_validator.h"
#include "util/file.h"
#include "util/status_macros.h"
#include "util/textproto.h"

namespace seedtune {
namespace {

absl::Status CheckSpec(const std::string& path) {
  SEEDTUNE_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  HardwareSpecProto spec;
  SEEDTUNE_RETURN_IF_ERROR(ParseTextProto(text, path, &spec));
  const absl::Status status = ValidateSpecWithSources(spec);
  if (status.ok()) return status;
  return absl::Status(status.code(), path + ": " + std::string(status.message()));
}

}  // namespace
}  // namespace seedtune

int main(int argc, char** argv) {
  int faults = 0;
  for (int i = 1; i < argc; ++i) {
    const absl::Status status = seedtune::CheckSpec(argv[i]);
    if (status.ok()) continue;
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    ++faults;
  }
  return faults == 0 ? 0 : 1;
}

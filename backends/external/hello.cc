#include "backends/external/hello.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "backends/external/messages.h"
#include "hardware/hardware_proto.h"
#include "hardware/hardware_spec.pb.h"
#include "hardware/specs.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int kMostCompiles = 256, kMostCandidates = 4096;

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("hello.", parts...));
}

absl::StatusOr<HardwareInfo> ReadDevice(const ExternalDevice& device,
                                        const DeviceDetector& detect) {
  HardwareSpecProto proto;
  if (!device.detect().empty()) {
    absl::StatusOr<HardwareInfo> found = detect(device.detect());
    if (!found.ok()) return Wrong("device.detect: ", std::string(found.status().message()));
    proto = ToProto(*found);
  } else if (!device.spec().empty()) {
    absl::StatusOr<HardwareInfo> found = FindSpec(device.spec());
    if (!found.ok()) return Wrong("device.spec: ", std::string(found.status().message()));
    proto = ToProto(*found);
  } else if (!device.has_info()) {
    return Wrong("device has none of \"detect\", \"spec\" and \"info\", want one of them");
  }
  if (device.info().isa_size() > 0) proto.clear_isa();
  proto.MergeFrom(device.info());
  absl::StatusOr<HardwareInfo> info = FromProto(proto);
  if (!info.ok()) return Wrong("device.info: ", std::string(info.status().message()));
  if (info->kind == DeviceKind::kUnknown) {
    return Wrong("device.info.kind is not set, want \"CPU\", \"CUDA\" or \"ROCM\"");
  }
  if (info->name.empty()) {
    return Wrong("device.info.name is empty, want the device's name as its driver gives it");
  }
  FillRatesFromSpec(/*packages=*/1, &*info);
  return info;
}

}  // namespace

absl::StatusOr<ExternalWorkerInfo> ReadHello(const ExternalReply::Hello& hello,
                                             const DeviceDetector& detect) {
  if (hello.protocol_version() != kExternalProtocolVersion) {
    return Wrong("protocol_version is ", hello.protocol_version(), ", want ",
                 kExternalProtocolVersion, ", the one that this release speaks");
  }
  if (hello.name().empty()) return Wrong("name is empty, want the worker's name");
  if (hello.version().empty()) return Wrong("version is empty, want the worker's version");
  if (hello.code_generator().empty()) {
    return Wrong("code_generator is empty, want what makes the code, and its version");
  }
  if (hello.max_compiles() < 0 || hello.max_compiles() > kMostCompiles) {
    return Wrong("max_compiles is ", hello.max_compiles(), ", want 1 to ", kMostCompiles);
  }
  if (hello.max_candidates() < 0 || hello.max_candidates() > kMostCandidates) {
    return Wrong("max_candidates is ", hello.max_candidates(), ", want 1 to ", kMostCandidates);
  }
  ExternalWorkerInfo worker;
  worker.title = absl::StrCat(hello.name(), " ", hello.version());
  worker.max_compiles = std::max(1, hello.max_compiles());
  worker.max_candidates = hello.max_candidates() > 0 ? hello.max_candidates() : 8;
  if (worker.max_candidates < worker.max_compiles) {
    if (hello.max_candidates() > 0) {
      return Wrong("max_candidates is ", worker.max_candidates, ", want at least max_compiles, ",
                   worker.max_compiles);
    }
    worker.max_candidates = worker.max_compiles;
  }
  worker.compiles_while_running = hello.compiles_while_running();
  worker.checks_results = hello.checks_results();
  worker.simulated_time = hello.simulated_time();
  worker.info.backend = kExternalBackend;
  SEEDTUNE_ASSIGN_OR_RETURN(worker.info.device, ReadDevice(hello.device(), detect));
  worker.info.code_generator_version =
      absl::StrCat(worker.title, ", ", hello.code_generator(),
                   worker.checks_results ? "" : ", results unchecked");
  worker.info.compiler_version = hello.compiler();
  return worker;
}

}  // namespace seedtune

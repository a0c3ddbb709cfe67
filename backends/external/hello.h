// What a worker says of itself (docs/worker-protocol.md, section 2).
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_HELLO_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_HELLO_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "autotuner/measurer.h"
#include "backends/external/external_worker.pb.h"
#include "hardware/hardware_info.h"

namespace seedtune {

inline constexpr char kExternalBackend[] = "external";

// A device of this machine: "cpu", "cuda:0", "rocm:1".
using DeviceDetector = std::function<absl::StatusOr<HardwareInfo>(std::string_view device)>;

struct ExternalWorkerInfo {
  std::string title;  // "transpose 1", for messages
  // backend "external". Of a worker that does not check its results, the code generator's version
  // says so: such records never answer for those of one that does.
  MeasurerInfo info;
  int max_compiles = 1;
  bool compiles_while_running = false;
  bool checks_results = false;
  bool simulated_time = false;
  int max_candidates = 8;
};

// kInvalidArgument: what of the reply is wrong: "hello.name is empty, want ...". Other errors: the
// detector's. Thread-safe if the detector is.
absl::StatusOr<ExternalWorkerInfo> ReadHello(const ExternalReply::Hello& hello,
                                             const DeviceDetector& detect);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_HELLO_H_

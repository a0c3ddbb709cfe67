// The world as a command sees it: main() makes the real one, tests their own.
#ifndef SEEDTUNE_TOOLS_ENVIRONMENT_H_
#define SEEDTUNE_TOOLS_ENVIRONMENT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <ostream>

#include "absl/status/statusor.h"
#include "autotuner/clock.h"
#include "autotuner/measurer.h"
#include "hardware/hardware_info.h"
#include "hardware/system_reader.h"
#include "heuristics/registry.h"
#include "tools/progress.h"

namespace seedtune {

// Borrows everything.
struct Environment {
  std::ostream& out;  // results: what programs read
  std::ostream& err;  // progress: what people read
  const SystemReader& reader;
  Clock& clock;
  const HeuristicRegistry& heuristics;
  // Starts whatever measures on this device. kUnimplemented: nothing here measures for that
  // backend.
  std::function<absl::StatusOr<std::unique_ptr<Measurer>>(const std::string& backend,
                                                          const HardwareInfo& device)>
      make_measurer;
  // The same measurer's record key parts, without starting it.
  std::function<absl::StatusOr<MeasurerInfo>(const std::string& backend,
                                             const HardwareInfo& device)>
      measurer_info;
  // Whether that backend can run a kernel.
  std::function<absl::Status(const std::string& backend, const HardwareInfo& device,
                             const Kernel& kernel)>
      supports;
  const std::atomic<bool>* stop = nullptr;
  ProgressLine::Options progress;
};

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_ENVIRONMENT_H_

// The worker's side: serves requests on a socket until the other side closes it.
#ifndef SEEDTUNE_BACKENDS_WORKER_WORKER_LOOP_H_
#define SEEDTUNE_BACKENDS_WORKER_WORKER_LOOP_H_

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "backends/backend.h"
#include "hardware/hardware_info.h"

namespace seedtune {

// Makes the backend that the parent asks for. Errors are sent back to it.
using BackendFactory = std::function<absl::StatusOr<std::unique_ptr<Backend>>(
    std::string_view backend, const HardwareInfo& device)>;

// Dies with its parent. Returns the process's exit status: 0 when the parent has closed the socket,
// 1 when it spoke nonsense (said on stderr).
int RunWorker(int socket, const BackendFactory& make_backend);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_WORKER_LOOP_H_

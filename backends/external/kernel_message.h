// A kernel as the protocol puts it to workers (docs/worker-protocol.md, section 9).
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_KERNEL_MESSAGE_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_KERNEL_MESSAGE_H_

#include "absl/status/statusor.h"
#include "backends/external/external_worker.pb.h"
#include "ir/kernel.h"

namespace seedtune {

// kUnimplemented: an extent is symbolic (bind it first), or beyond 32 bits. Thread-safe.
absl::StatusOr<ExternalKernel> MakeExternalKernel(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_KERNEL_MESSAGE_H_

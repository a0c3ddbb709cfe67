// Kernels from the outside: files and short forms.
#ifndef SEEDTUNE_IR_LOAD_H_
#define SEEDTUNE_IR_LOAD_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

// Text of a `Workload` textproto (proto-message: seedtune.WorkloadProto), or of a single
// `KernelProto`. `file_name` only serves the messages. kInvalidArgument: "file:line:column: ..." or
// "file: kernels[2] ...".
absl::StatusOr<Workload> ParseWorkload(std::string_view text, std::string_view file_name);

// KERNEL of the command line: a short form (`matmul:...`, or `external:...` of opaque.h) or a path
// (relative to where the user stands). A single kernel comes back as a workload of one, named after it. kNotFound: no such
// file.
absl::StatusOr<Workload> LoadWorkload(std::string_view kernel_argument);

// Text that ParseWorkload reads back to an equal workload.
std::string PrintWorkload(const Workload& workload);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_LOAD_H_

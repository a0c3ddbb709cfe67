// Kernels and workloads to and from their protos, which files and messages hold. Thread-safe: no
// state.
#ifndef SEEDTUNE_IR_PROTO_CONVERT_H_
#define SEEDTUNE_IR_PROTO_CONVERT_H_

#include <string_view>

#include "absl/status/statusor.h"
#include "ir/dtype.h"
#include "ir/dtype.pb.h"
#include "ir/ir.pb.h"
#include "ir/kernel.h"
#include "ir/matmul.h"

namespace seedtune {

DTypeProto DTypeToProto(DType dtype);

// kInvalidArgument: not set, or a number that is no dtype. `where` opens the message: "when.dtype".
absl::StatusOr<DType> DTypeFromProto(DTypeProto proto, std::string_view where);

// The kernel has to be valid (see validate.h); then KernelFromProto gives it back as it was.
KernelProto KernelToProto(const Kernel& kernel);

// A valid kernel. kInvalidArgument: a name that refers to nothing, a field that is not set, or what
// ValidateKernel rejects; opens with `kernel "name": `.
absl::StatusOr<Kernel> KernelFromProto(const KernelProto& proto);

MatmulProto MatmulToProto(const MatmulSpec& spec);  // the name is left out

// kInvalidArgument: m, n, k or the dtype is not set, or below 1. What BuildMatmul rejects is left
// to it.
absl::StatusOr<MatmulSpec> MatmulFromProto(const MatmulProto& proto);

WorkloadProto WorkloadToProto(const Workload& workload);

// kInvalidArgument: no name, no kernels, a name twice, a count below 1, or a wrong kernel; opens
// with `kernels[2] ("ffn_up"): ` where one entry is at fault.
absl::StatusOr<Workload> WorkloadFromProto(const WorkloadProto& proto);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_PROTO_CONVERT_H_

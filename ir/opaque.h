// Kernels that Seedtune knows nothing of but a name and parameters: somebody else's functions.
//
// Such a kernel has no axes, tensors and ops, and its name is its short form,
// `external:transpose:columns=512:rows=4096`, which is its identity: ValidateKernel wants it in the
// form below, and KernelFingerprint hashes it.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_IR_OPAQUE_H_
#define SEEDTUNE_IR_OPAQUE_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "absl/status/statusor.h"
#include "ir/kernel.h"

namespace seedtune {

inline constexpr char kOpaquePrefix[] = "external:";

using OpaqueValue = std::variant<int64_t, double, std::string>;

struct OpaqueFunction {
  std::string function;  // letters, digits and "_", a letter or "_" first
  std::map<std::string, OpaqueValue, std::less<>> parameters;  // names as above
  friend bool operator==(const OpaqueFunction&, const OpaqueFunction&) = default;
};

// Reads `external:FUNCTION[:NAME=VALUE...]`: whole numbers of up to 2^53 either way (what JSON
// carries), other finite numbers, else words of letters, digits and any of "_.,/+-".
// kInvalidArgument: where, what is wrong, what is wanted.
absl::StatusOr<OpaqueFunction> ParseOpaqueShortForm(std::string_view text);
// The one way to write it: parameters sorted by name, numbers at their shortest.
std::string OpaqueShortForm(const OpaqueFunction& function);

Kernel BuildOpaqueKernel(const OpaqueFunction& function);
// Nothing but a name.
bool IsOpaque(const Kernel& kernel);
// Of a kernel that is. kInvalidArgument: its name is no short form.
absl::StatusOr<OpaqueFunction> ReadOpaqueKernel(const Kernel& kernel);

}  // namespace seedtune

#endif  // SEEDTUNE_IR_OPAQUE_H_

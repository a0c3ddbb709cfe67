// HardwareInfo as a proto and back, for files, databases, worker messages and JSON.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_HARDWARE_PROTO_H_
#define SEEDTUNE_HARDWARE_HARDWARE_PROTO_H_

#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"
#include "hardware/hardware_spec.pb.h"

namespace seedtune {

// Unknown fields stay unset. FromProto(ToProto(info)) is `info`.
HardwareSpecProto ToProto(const HardwareInfo& info);

// Takes what is there and asks for nothing that is not (ValidateSpec of specs.h does); sources and
// other names are dropped. kInvalidArgument: `architecture` is set and no architecture's name, or a
// kind that this release does not know.
absl::StatusOr<HardwareInfo> FromProto(const HardwareSpecProto& proto);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_HARDWARE_PROTO_H_

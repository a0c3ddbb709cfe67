// What a device description in a file must say, and what may stand in it.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_SPEC_VALIDATOR_H_
#define SEEDTUNE_HARDWARE_SPEC_VALIDATOR_H_

#include "absl/status/status.h"
#include "hardware/hardware_spec.pb.h"

namespace seedtune {

// Checks kind, name and architecture, that all is there which seeds and spaces ask a device of its
// kind for, and that each figure is plausible and fits the others. kInvalidArgument: the first
// fault; the message begins with the field's name.
absl::Status ValidateSpec(const HardwareSpecProto& spec);

// Also that each figure has a source: what Seedtune's own specs are held to. kInvalidArgument.
absl::Status ValidateSpecWithSources(const HardwareSpecProto& spec);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_SPEC_VALIDATOR_H_

// Part of a space: some knobs held, or left fewer choices, by whoever tunes.
#ifndef SEEDTUNE_CONFIG_RESTRICTION_H_
#define SEEDTUNE_CONFIG_RESTRICTION_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/config_space.h"

namespace seedtune {

// `json` is one object, a knob's name to the value that it keeps or an array of them (a permutation
// is an array of numbers): {"family":"wgmma","num_stages":[3,4,6]}. The other knobs keep all their
// choices, and all constraints hold. A number has the values that it keeps for its choices; a name
// or a boolean keeps its choices and has a constraint over them, since heuristics read from these
// what kernel and device allow (tensor cores, say). Its configurations are configurations of
// `space`, under another id: ConfigSpace::whole_id() is that of `space`. The default is as near to
// that of `space` as there is one. Thread-safe. kInvalidArgument: no such object, an unknown knob,
// a value that is no choice, or nothing valid is left. kResourceExhausted: as ConfigSpace::Create.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> RestrictSpace(const ConfigSpace& space,
                                                                 std::string_view json);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_RESTRICTION_H_

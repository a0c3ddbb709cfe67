// Configurations of the `triton` space as Helion keeps them: the JSON of a helion.Config, lists by
// position where Seedtune has knobs by name.
//
//   {"block_sizes": [128, 256, 64], "l2_groupings": [8], "indexing": ["pointer", "pointer",
//    "tensor_descriptor"], "pid_type": "flat", "num_warps": 8, "num_stages": 4}
//
// block_sizes are those of m, n and k, of kernels with a batch 1 before them; range_* those of the
// loop over tiles, then of the loop over k. `split_k` stands for a tunable of that name, which
// Helion's kernels register themselves, and is written where it is not 1. Names and layouts:
// pytorch/helion, config_spec.py, commit ef091f41.
#ifndef SEEDTUNE_CONFIG_INTERCHANGE_HELION_CONFIG_H_
#define SEEDTUNE_CONFIG_INTERCHANGE_HELION_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/json_text.h"
#include "config/knob.h"

namespace seedtune {

// Thread-safe, all of it.

// Whether a JSON object has a key that only Helion's configurations have.
bool LooksLikeHelionConfig(const JsonValue& json);

// kInvalidArgument: a key or value that has no knob in Seedtune's space, by name. Keys that the
// space has no knob for pass where they say nothing (null, false, "", empty lists).
absl::StatusOr<PartialConfig> PartialConfigFromHelion(const JsonValue& json);

// One line. Knobs that are not set are left out where their list has no other, else written as
// their defaults. kInvalidArgument: a knob or value that Helion has no key for, by name;
// block_size[m], [n] or [k] is not set.
absl::StatusOr<std::string> PartialConfigToHelion(const PartialConfig& partial);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_INTERCHANGE_HELION_CONFIG_H_

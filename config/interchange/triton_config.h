// Configurations of the `triton` space as Triton's users write them, in Python:
//
//   triton.Config({'BLOCK_SIZE_M': 128, 'BLOCK_SIZE_N': 256, 'BLOCK_SIZE_K': 64,
//                  'GROUP_SIZE_M': 8}, num_warps=8, num_stages=4)
//
// The names of the dictionary are those of Triton's tutorials; BLOCK_M, BLOCK_N, BLOCK_K and
// GROUP_M are read, too. How a kernel walks its tiles and addresses its operands stands in its
// code, not in its triton.Config: such knobs are refused unless they have the space's defaults.
#ifndef SEEDTUNE_CONFIG_INTERCHANGE_TRITON_CONFIG_H_
#define SEEDTUNE_CONFIG_INTERCHANGE_TRITON_CONFIG_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "config/knob.h"

namespace seedtune {

// Thread-safe, all of it.

// Reads one call, `triton.Config(...)` or `Config(...)`, with a comma or nothing after it.
// kInvalidArgument: the offset and what is wrong; a name that has no knob, a value that is none.
absl::StatusOr<PartialConfig> PartialConfigFromTriton(std::string_view text);

// One line. kInvalidArgument: a knob or value that it has no name for.
absl::StatusOr<std::string> PartialConfigToTriton(const PartialConfig& partial);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_INTERCHANGE_TRITON_CONFIG_H_

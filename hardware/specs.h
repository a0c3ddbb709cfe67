// Descriptions of known devices, so that seeds can be asked for a device that is not here. They are
// specs/*.textproto, checked and compiled in when Seedtune is built: nothing is opened at run time.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_HARDWARE_SPECS_H_
#define SEEDTUNE_HARDWARE_SPECS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "hardware/hardware_info.h"

namespace seedtune {

// The device that specs/<name>.textproto describes: "h100_sxm". kNotFound: there is none; the
// message names what may have been meant, and all that there are.
absl::StatusOr<HardwareInfo> FindSpec(std::string_view name);

// Sorted.
std::vector<std::string> SpecNames();

// A description that somebody wrote, as textproto of HardwareSpecProto; `file_name` is for
// messages. Sources may be missing. kInvalidArgument: the first fault and its place.
absl::StatusOr<HardwareInfo> ParseSpec(std::string_view text, std::string_view file_name);

// Takes over memory bandwidth and clock, where `info` does not know them, from the spec of the same
// device, if there is one: same kind, architecture and name, and for GPUs as many compute units
// (a partition of a device has neither its bandwidth nor its name's figures). `packages`: how many
// of them `info` is; the bandwidth of processors adds up.
void FillRatesFromSpec(int packages, HardwareInfo* info);

}  // namespace seedtune

#endif  // SEEDTUNE_HARDWARE_SPECS_H_

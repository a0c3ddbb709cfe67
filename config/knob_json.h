// How knob values are written in JSON: integers, true and false, strings, arrays of integers.
#ifndef SEEDTUNE_CONFIG_KNOB_JSON_H_
#define SEEDTUNE_CONFIG_KNOB_JSON_H_

#include <string>
#include <string_view>

#include "config/knob.h"

namespace seedtune {

// Append to `out`, with no spaces. Control characters are escaped, other bytes copied.
void AppendJsonString(std::string_view text, std::string& out);
void AppendJsonValue(const KnobValue& value, std::string& out);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_KNOB_JSON_H_

// Textproto in and out, with errors that name the place: "kernel.textproto:3:5: no field \"naem\"
// in seedtune.Kernel, did you mean \"name\"". Thread-safe; nothing is ever printed.
#ifndef SEEDTUNE_UTIL_TEXTPROTO_H_
#define SEEDTUNE_UTIL_TEXTPROTO_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace seedtune {

// Replaces `message` by what `text` says. `file_name` is only for the errors. kInvalidArgument: the
// first fault, with its line and column, counted from 1 (a tab goes to the next multiple of 8);
// `message` is then unspecified.
absl::Status ParseTextProto(std::string_view text, std::string_view file_name,
                            google::protobuf::Message* message);

// Several lines, short lists on one line, text as it is and not as escapes. Reads back as the same
// message.
std::string PrintTextProto(const google::protobuf::Message& message);

}  // namespace seedtune

#endif  // SEEDTUNE_UTIL_TEXTPROTO_H_

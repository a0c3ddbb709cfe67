// Whole messages over a stream socket: a length of 4 bytes, little-endian, then the serialised
// message.
#ifndef SEEDTUNE_BACKENDS_WORKER_FRAMING_H_
#define SEEDTUNE_BACKENDS_WORKER_FRAMING_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "google/protobuf/message_lite.h"

namespace seedtune {

inline constexpr size_t kMaxMessageBytes = 64 << 20;

// Writes all of it, blocking. kUnavailable: the other side is gone. kInvalidArgument: longer than
// kMaxMessageBytes.
absl::Status SendMessage(int fd, const google::protobuf::MessageLite& message);

// Collects bytes as they come. Not thread-safe.
class MessageReader {
 public:
  // Reads what is there now (once); call when poll() says readable. kUnavailable: the other side
  // has closed.
  absl::Status ReadSome(int fd);
  // Takes the next complete message. False: not yet complete. kInvalidArgument: a length over
  // kMaxMessageBytes, or bytes that are no such message; nothing sensible can follow.
  absl::StatusOr<bool> Next(google::protobuf::MessageLite* message);

 private:
  std::string buffer_;
};

// Blocks until one whole message has come.
absl::Status ReceiveMessage(int fd, MessageReader& reader, google::protobuf::MessageLite* message);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_WORKER_FRAMING_H_

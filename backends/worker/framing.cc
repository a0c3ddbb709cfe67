#include "backends/worker/framing.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr size_t kHeaderBytes = 4;

absl::Status WriteAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    // MSG_NOSIGNAL: a dead peer is an error here, not a SIGPIPE.
    const ssize_t n = send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      return absl::UnavailableError(
          absl::StrCat("cannot write to the other process: ", strerror(errno)));
    }
    data += n;
    size -= static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SendMessage(int fd, const google::protobuf::MessageLite& message) {
  std::string bytes(kHeaderBytes, '\0');
  if (!message.AppendToString(&bytes)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot serialise a ", message.GetTypeName()));
  }
  const size_t size = bytes.size() - kHeaderBytes;
  if (size > kMaxMessageBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message of ", size, " bytes, want at most ", kMaxMessageBytes));
  }
  for (size_t i = 0; i < kHeaderBytes; ++i) bytes[i] = static_cast<char>((size >> (8 * i)) & 0xff);
  return WriteAll(fd, bytes.data(), bytes.size());
}

absl::Status MessageReader::ReadSome(int fd) {
  char chunk[1 << 16];
  while (true) {
    const ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
    if (n > 0) {
      buffer_.append(chunk, static_cast<size_t>(n));
      return absl::OkStatus();
    }
    if (n == 0) return absl::UnavailableError("the other process has closed the connection");
    if (errno == EINTR) continue;
    return absl::UnavailableError(
        absl::StrCat("cannot read from the other process: ", strerror(errno)));
  }
}

absl::StatusOr<bool> MessageReader::Next(google::protobuf::MessageLite* message) {
  if (buffer_.size() < kHeaderBytes) return false;
  size_t size = 0;
  for (size_t i = 0; i < kHeaderBytes; ++i) {
    size |= static_cast<size_t>(static_cast<unsigned char>(buffer_[i])) << (8 * i);
  }
  if (size > kMaxMessageBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a message of ", size, " bytes is announced, want at most ", kMaxMessageBytes));
  }
  if (buffer_.size() < kHeaderBytes + size) return false;
  if (!message->ParseFromArray(buffer_.data() + kHeaderBytes, static_cast<int>(size))) {
    return absl::InvalidArgumentError(
        absl::StrCat(size, " bytes that are no ", message->GetTypeName()));
  }
  buffer_.erase(0, kHeaderBytes + size);
  return true;
}

absl::Status ReceiveMessage(int fd, MessageReader& reader, google::protobuf::MessageLite* message) {
  while (true) {
    SEEDTUNE_ASSIGN_OR_RETURN(const bool complete, reader.Next(message));
    if (complete) return absl::OkStatus();
    SEEDTUNE_RETURN_IF_ERROR(reader.ReadSome(fd));
  }
}

}  // namespace seedtune

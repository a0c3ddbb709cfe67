// The messages of external_worker.proto as the lines that go over the pipes.
//
// Thread-safe: no state.
#ifndef SEEDTUNE_BACKENDS_EXTERNAL_MESSAGES_H_
#define SEEDTUNE_BACKENDS_EXTERNAL_MESSAGES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "backends/external/external_worker.pb.h"
#include "config/config_space.h"

namespace seedtune {

inline constexpr int kExternalProtocolVersion = 1;  // docs/worker-protocol.md, section 11

// One line, without its end; every field is there.
std::string RequestLine(const ExternalRequest& request);
// A kernel as it stands in the lines of requests. Most of what a line costs: compile requests of
// one kernel share it.
std::string KernelJson(const ExternalKernel& kernel);
// The line of a compile request that has no kernel, with `kernel_json` for it.
std::string CompileLine(const ExternalRequest& request, std::string_view kernel_json);
// For fakes of workers, and for showing what is wanted.
std::string ReplyLine(const ExternalReply& reply);

// kInvalidArgument: no JSON object, a field of another type, or no kind of reply at all: says what.
// Unknown fields are passed over.
absl::StatusOr<ExternalReply> ParseReply(std::string_view line);
// The same of a request, for fakes of workers.
absl::StatusOr<ExternalRequest> ParseRequest(std::string_view line);

// The fields of a reply that no message has, with where they stand: "hello.devise".
std::vector<std::string> UnknownReplyFields(std::string_view line);

// "hello", "space", ... of what it holds; "nothing".
std::string_view KindName(const ExternalRequest& request);
std::string_view KindName(const ExternalReply& reply);

// One value a knob, as the protocol writes them.
google::protobuf::Struct ConfigToStruct(const Config& config);

// For messages: at most so many bytes of it, in quotes.
std::string Excerpt(std::string_view line, size_t limit = 100);

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_EXTERNAL_MESSAGES_H_

#include "backends/external/messages.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "config/t1.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "google/protobuf/util/json_util.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

std::string Line(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string line;
  // Fails only for values that no JSON can hold, which no caller puts in.
  (void)google::protobuf::util::MessageToJsonString(message, &line, options);
  return line;
}

template <typename Message>
absl::StatusOr<Message> Parse(std::string_view line) {
  // Says better what is no JSON, and where; takes NaN, which the other does not.
  absl::StatusOr<JsonValue> json = ParseJson(line);
  if (!json.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Excerpt(line), ", which is no JSON: ", std::string(json.status().message())));
  }
  if (!json->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(Excerpt(line), ", which is ", json->Describe(), ", want an object"));
  }
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  Message message;
  const auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(line.data(), line.size()), &message, options);
  if (!status.ok()) {
    // Only the first line of it: the others repeat the text.
    std::string what = status.message().ToString();
    what = what.substr(0, what.find('\n'));
    return absl::InvalidArgumentError(absl::StrCat(Excerpt(line), ", which is no message: ", what));
  }
  return message;
}

// Of the messages that a JSON object stands for as it is: objects of any shape.
bool IsFreeForm(const google::protobuf::Descriptor& message) {
  return message.file()->name() == "google/protobuf/struct.proto";
}

void FindUnknown(const JsonValue& json, const google::protobuf::Descriptor& message,
                 const std::string& where, std::vector<std::string>& unknown) {
  if (!json.is_object() || IsFreeForm(message)) return;
  for (size_t i = 0; i < json.keys.size(); ++i) {
    const std::string& key = json.keys[i];
    const google::protobuf::FieldDescriptor* field = message.FindFieldByName(key);
    if (field == nullptr) field = message.FindFieldByCamelcaseName(key);
    if (field == nullptr) {
      unknown.push_back(where + key);
    } else if (field->message_type() != nullptr) {
      const JsonValue& value = json.members[i];
      const std::string below = absl::StrCat(where, key, ".");
      if (field->is_repeated()) {
        for (const JsonValue& member : value.members) {
          FindUnknown(member, *field->message_type(), below, unknown);
        }
      } else {
        FindUnknown(value, *field->message_type(), below, unknown);
      }
    }
  }
}

std::string_view OneofName(const google::protobuf::Message& message, const char* oneof) {
  const google::protobuf::FieldDescriptor* field = message.GetReflection()->GetOneofFieldDescriptor(
      message, message.GetDescriptor()->FindOneofByName(oneof));
  return field == nullptr ? std::string_view("nothing") : std::string_view(field->name());
}

}  // namespace

std::string RequestLine(const ExternalRequest& request) { return Line(request); }
std::string KernelJson(const ExternalKernel& kernel) { return Line(kernel); }

std::string CompileLine(const ExternalRequest& request, std::string_view kernel_json) {
  std::string line = Line(request);
  constexpr std::string_view kBody = "\"compile\":{";
  // The first of it is the message's own: what stands before is the id.
  line.insert(line.find(kBody) + kBody.size(),
              absl::StrCat("\"kernel\":", ToAbsl(kernel_json), ","));
  return line;
}

std::string ReplyLine(const ExternalReply& reply) { return Line(reply); }

absl::StatusOr<ExternalReply> ParseReply(std::string_view line) {
  SEEDTUNE_ASSIGN_OR_RETURN(ExternalReply reply, Parse<ExternalReply>(line));
  if (reply.reply_case() == ExternalReply::REPLY_NOT_SET) {
    return absl::InvalidArgumentError(
        absl::StrCat(Excerpt(line),
                     ", which has none of \"hello\", \"space\", \"compile\", \"run\", "
                     "\"release\", \"goodbye\" and \"error\""));
  }
  return reply;
}

absl::StatusOr<ExternalRequest> ParseRequest(std::string_view line) {
  return Parse<ExternalRequest>(line);
}

std::vector<std::string> UnknownReplyFields(std::string_view line) {
  std::vector<std::string> unknown;
  const absl::StatusOr<JsonValue> json = ParseJson(line);
  if (json.ok()) FindUnknown(*json, *ExternalReply::descriptor(), "", unknown);
  return unknown;
}

std::string_view KindName(const ExternalRequest& request) { return OneofName(request, "request"); }
std::string_view KindName(const ExternalReply& reply) { return OneofName(reply, "reply"); }

google::protobuf::Struct ConfigToStruct(const Config& config) {
  google::protobuf::Struct values;
  const std::span<const Knob> knobs = config.space().knobs();
  for (size_t slot = 0; slot < knobs.size(); ++slot) {
    const Knob& knob = knobs[slot];
    const int choice = config.choices()[slot];
    google::protobuf::Value& value = (*values.mutable_fields())[knob.name()];
    const KnobValue& chosen = knob.choice(choice);
    if (const int64_t* integer = std::get_if<int64_t>(&chosen)) {
      value.set_number_value(static_cast<double>(*integer));
    } else if (const bool* boolean = std::get_if<bool>(&chosen)) {
      value.set_bool_value(*boolean);
    } else if (const std::vector<int>* permutation = std::get_if<std::vector<int>>(&chosen)) {
      for (const int index : *permutation) {
        value.mutable_list_value()->add_values()->set_number_value(index);
      }
    } else {
      // Numbers with a fraction are an enum here, and numbers there.
      const std::string json = KnobValueToJson(knob, choice);
      if (json[0] == '"') {
        value.set_string_value(std::get<std::string>(chosen));
      } else {
        value.set_number_value(std::strtod(json.c_str(), nullptr));
      }
    }
  }
  return values;
}

std::string Excerpt(std::string_view line, size_t limit) {
  std::string text(line.substr(0, limit));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return absl::StrCat("\"", text, line.size() > limit ? "...\"" : "\"",
                      line.size() > limit ? absl::StrCat(" (", line.size(), " bytes)") : "");
}

}  // namespace seedtune

#include "util/textproto.h"

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/tokenizer.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "google/protobuf/message.h"
#include "google/protobuf/text_format.h"
#include "util/edit_distance.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

// Deeper nesting than any message of ours has; without a limit a hostile file exhausts the stack.
constexpr int kMaxDepth = 64;

// Keeps the first error.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override {
    if (message_.empty()) {
      line_ = line;
      column_ = column;
      message_ = message;
    }
  }

  // Counted from 0; -1: the fault is of the whole file.
  int line() const { return line_; }
  int column() const { return column_; }
  const std::string& message() const { return message_; }

 private:
  int line_ = -1;
  int column_ = -1;
  std::string message_;
};

// What stands between `before` and `after` in `text`, which begins with `before`.
std::optional<std::string> Between(const std::string& text, const std::string& before,
                                   const std::string& after) {
  if (text.compare(0, before.size(), before) != 0) return std::nullopt;
  const size_t end = text.find(after, before.size());
  if (end == std::string::npos) return std::nullopt;
  return text.substr(before.size(), end - before.size());
}

// ", did you mean "x"", or all that is known if nothing is near.
std::string Hint(const std::string& name, const std::vector<std::string>& known) {
  if (const std::optional<std::string> nearest = NearestName(name, known)) {
    return absl::StrCat(", did you mean \"", *nearest, "\"");
  }
  return known.empty() ? "" : absl::StrCat("; known: ", absl::StrJoin(known, ", "));
}

std::vector<std::string> FieldNames(const google::protobuf::Descriptor& type) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return names;
}

// The names that an enum field called `field` takes, in `type` or a message inside it.
std::vector<std::string> EnumNames(const google::protobuf::Descriptor& type,
                                   const std::string& field,
                                   std::set<const google::protobuf::Descriptor*>& seen) {
  if (!seen.insert(&type).second) return {};
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor& candidate = *type.field(i);
    std::vector<std::string> names;
    if (candidate.enum_type() != nullptr && candidate.name() == field) {
      for (int j = 0; j < candidate.enum_type()->value_count(); ++j) {
        names.push_back(candidate.enum_type()->value(j)->name());
      }
    } else if (candidate.message_type() != nullptr) {
      names = EnumNames(*candidate.message_type(), field, seen);
    }
    if (!names.empty()) return names;
  }
  return {};
}

// Protobuf's words in ours, with a hint where a name is misspelt.
std::string Reword(const std::string& message, const google::protobuf::Descriptor& root) {
  // Message type "pkg.Type" has no field named "name".
  if (const auto type_name = Between(message, "Message type \"", "\" has no field named \"")) {
    const auto field = Between(
        message, absl::StrCat("Message type \"", *type_name, "\" has no field named \""), "\"");
    const google::protobuf::Descriptor* const type =
        root.file()->pool()->FindMessageTypeByName(*type_name);
    if (field && type != nullptr) {
      return absl::StrCat("no field \"", *field, "\" in ", *type_name,
                          Hint(*field, FieldNames(*type)));
    }
  }
  // Unknown enumeration value of "VALUE" for field "name".
  if (const auto value = Between(message, "Unknown enumeration value of \"", "\" for field \"")) {
    const auto field = Between(
        message, absl::StrCat("Unknown enumeration value of \"", *value, "\" for field \""), "\"");
    if (field) {
      std::set<const google::protobuf::Descriptor*> seen;
      return absl::StrCat("\"", *value, "\" is no value of ", *field,
                          Hint(*value, EnumNames(root, *field, seen)));
    }
  }
  std::string reworded = message;
  if (!reworded.empty() && reworded.back() == '.') reworded.pop_back();
  if (!reworded.empty()) reworded[0] = absl::ascii_tolower(reworded[0]);
  return reworded;
}

}  // namespace

absl::Status ParseTextProto(std::string_view text, std::string_view file_name,
                            google::protobuf::Message* message) {
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.SetRecursionLimit(kMaxDepth);
  google::protobuf::io::ArrayInputStream input(text.data(), static_cast<int>(text.size()));
  if (parser.Parse(&input, message)) return absl::OkStatus();
  std::string place(file_name);
  if (error.line() >= 0) absl::StrAppend(&place, ":", error.line() + 1, ":", error.column() + 1);
  return absl::InvalidArgumentError(
      absl::StrCat(place, ": ", Reword(error.message(), *message->GetDescriptor())));
}

std::string PrintTextProto(const google::protobuf::Message& message) {
  google::protobuf::TextFormat::Printer printer;
  printer.SetUseShortRepeatedPrimitives(true);
  printer.SetUseUtf8StringEscaping(true);
  std::string text;
  printer.PrintToString(message, &text);
  return text;
}

}  // namespace seedtune

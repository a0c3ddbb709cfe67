#include "config/config_io.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config.pb.h"
#include "config/knob.h"
#include "config/knob_json.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// Reads the one form of JSON that a configuration has.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  absl::StatusOr<PartialConfig> Read() {
    PartialConfig partial;
    SEEDTUNE_RETURN_IF_ERROR(Expect('{', "a configuration: an object"));
    if (!TryTake('}')) {
      do {
        SkipSpace();
        const size_t start = at_;
        SEEDTUNE_ASSIGN_OR_RETURN(std::string name, ReadString("a knob's name in quotes"));
        if (name.empty()) return Error(start, "an empty name, want a knob's");
        SEEDTUNE_RETURN_IF_ERROR(Expect(':', "':' after the knob's name"));
        SEEDTUNE_ASSIGN_OR_RETURN(KnobValue value, ReadValue());
        if (!partial.values.emplace(name, std::move(value)).second) {
          return Error(start, absl::StrCat("\"", name, "\" a second time, want each knob once"));
        }
      } while (TryTake(','));
      SEEDTUNE_RETURN_IF_ERROR(Expect('}', "',' or '}'"));
    }
    SkipSpace();
    if (at_ != text_.size()) return Error(at_, absl::StrCat(Found(), ", want the end"));
    return partial;
  }

 private:
  static absl::Status Error(size_t offset, std::string_view problem) {
    return absl::InvalidArgumentError(absl::StrCat("offset ", offset, ": ", std::string(problem)));
  }

  std::string Found() const {
    if (at_ >= text_.size()) return "the end";
    const auto byte = static_cast<unsigned char>(text_[at_]);
    if (byte < 0x20 || byte >= 0x7f)
      return absl::StrCat("byte 0x", absl::Hex(byte, absl::kZeroPad2));
    return absl::StrCat("'", std::string(1, text_[at_]), "'");
  }

  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  bool TryTake(char wanted) {
    SkipSpace();
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  bool TryTakeWord(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  absl::Status Expect(char wanted, std::string_view want) {
    if (TryTake(wanted)) return absl::OkStatus();
    return Error(at_, absl::StrCat(Found(), ", want ", std::string(want)));
  }

  absl::StatusOr<KnobValue> ReadValue() {
    SkipSpace();
    if (at_ < text_.size()) {
      const char first = text_[at_];
      if (first == '"') {
        SEEDTUNE_ASSIGN_OR_RETURN(std::string text, ReadString("a string"));
        return KnobValue(std::move(text));
      }
      if (first == '[') return ReadPermutation();
      if (first == '-' || (first >= '0' && first <= '9')) {
        SEEDTUNE_ASSIGN_OR_RETURN(const int64_t integer, ReadInteger());
        return KnobValue(integer);
      }
      if (TryTakeWord("true")) return KnobValue(true);
      if (TryTakeWord("false")) return KnobValue(false);
    }
    return Error(at_, absl::StrCat(Found(),
                                   ", want an integer, true, false, a string or an array "
                                   "of integers"));
  }

  absl::StatusOr<KnobValue> ReadPermutation() {
    std::vector<int> values;
    SEEDTUNE_RETURN_IF_ERROR(Expect('[', "'['"));
    if (TryTake(']')) return KnobValue(std::move(values));
    do {
      SkipSpace();
      const size_t start = at_;
      SEEDTUNE_ASSIGN_OR_RETURN(const int64_t value, ReadInteger());
      if (value < 0 || value > std::numeric_limits<int>::max()) {
        return Error(start, absl::StrCat(value, " in an array, want an index"));
      }
      values.push_back(static_cast<int>(value));
    } while (TryTake(','));
    SEEDTUNE_RETURN_IF_ERROR(Expect(']', "',' or ']'"));
    return KnobValue(std::move(values));
  }

  absl::StatusOr<int64_t> ReadInteger() {
    const size_t start = at_;
    size_t digits = at_ + (at_ < text_.size() && text_[at_] == '-' ? 1 : 0);
    int64_t value = 0;
    const char* const begin = text_.data() + at_;
    const char* const end = text_.data() + text_.size();
    const auto [rest, error] = std::from_chars(begin, end, value);
    if (error == std::errc::invalid_argument) {
      return Error(start, absl::StrCat(Found(), ", want an integer"));
    }
    const size_t length = rest - begin;
    if (error == std::errc::result_out_of_range) {
      return Error(start, "an integer that does not fit into 64 bits");
    }
    if (text_[digits] == '0' && start + length > digits + 1) {
      return Error(start, "an integer with a leading zero");
    }
    at_ += length;
    if (at_ < text_.size() && (text_[at_] == '.' || text_[at_] == 'e' || text_[at_] == 'E')) {
      return Error(start, "a number with a fraction or an exponent, want an integer");
    }
    return value;
  }

  // The four digits of an escape.
  absl::StatusOr<uint32_t> ReadHex4() {
    uint32_t code = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [rest, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
    if (digits.size() != 4 || error != std::errc() || rest != digits.data() + 4) {
      return Error(at_, "want four hexadecimal digits after \\u");
    }
    at_ += 4;
    return code;
  }

  absl::Status ReadEscape(std::string& out) {
    const size_t start = at_ - 1;
    if (at_ >= text_.size()) return Error(at_, "the end within a string");
    const char kind = text_[at_++];
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        out += kind;
        return absl::OkStatus();
      case 'b':
        out += '\b';
        return absl::OkStatus();
      case 'f':
        out += '\f';
        return absl::OkStatus();
      case 'n':
        out += '\n';
        return absl::OkStatus();
      case 'r':
        out += '\r';
        return absl::OkStatus();
      case 't':
        out += '\t';
        return absl::OkStatus();
      case 'u':
        break;
      default:
        return Error(start, "an unknown escape in a string");
    }
    SEEDTUNE_ASSIGN_OR_RETURN(uint32_t code, ReadHex4());
    if (code >= 0xd800 && code < 0xe000) {  // Half of a surrogate pair.
      uint32_t low = 0;
      if (code < 0xdc00 && TryTakeWord("\\u")) {
        SEEDTUNE_ASSIGN_OR_RETURN(low, ReadHex4());
      }
      if (low < 0xdc00 || low >= 0xe000) return Error(start, "half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xc0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
      out += static_cast<char>(0xe0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    } else {
      out += static_cast<char>(0xf0 | code >> 18);
      out += static_cast<char>(0x80 | (code >> 12 & 0x3f));
      out += static_cast<char>(0x80 | (code >> 6 & 0x3f));
      out += static_cast<char>(0x80 | (code & 0x3f));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> ReadString(std::string_view want) {
    SEEDTUNE_RETURN_IF_ERROR(Expect('"', want));
    std::string out;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) {
        return Error(at_, absl::StrCat(Found(), " within a string, want it escaped"));
      }
      ++at_;
      if (c == '\\') {
        SEEDTUNE_RETURN_IF_ERROR(ReadEscape(out));
      } else {
        out += c;
      }
    }
    return Error(at_, "the end within a string, want '\"'");
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

absl::StatusOr<PartialConfig> PartialConfigFromJson(std::string_view json) {
  return JsonReader(json).Read();
}

std::string PartialConfigToJson(const PartialConfig& partial) {
  std::string json = "{";
  for (const auto& [name, value] : partial.values) {
    if (json.size() > 1) json += ',';
    AppendJsonString(name, json);
    json += ':';
    AppendJsonValue(value, json);
  }
  json += '}';
  return json;
}

absl::StatusOr<PartialConfig> PartialConfigFromProto(const ConfigProto& proto) {
  PartialConfig partial;
  for (int i = 0; i < proto.knob_size(); ++i) {
    const KnobProto& knob = proto.knob(i);
    const auto error = [&](std::string_view problem) {
      return absl::InvalidArgumentError(absl::StrCat("knob[", i, "]: ", std::string(problem)));
    };
    if (knob.name().empty()) return error("no name, want a knob's");
    KnobValue value;
    switch (knob.value_case()) {
      case KnobProto::kIntValue:
        value = knob.int_value();
        break;
      case KnobProto::kBoolValue:
        value = knob.bool_value();
        break;
      case KnobProto::kEnumValue:
        value = knob.enum_value();
        break;
      case KnobProto::kPermutationValue:
        value = std::vector<int>(knob.permutation_value().index().begin(),
                                 knob.permutation_value().index().end());
        break;
      case KnobProto::VALUE_NOT_SET:
        return error(absl::StrCat("\"", knob.name(),
                                  "\" has no value, want int_value, bool_value, enum_value or "
                                  "permutation_value"));
    }
    if (!partial.values.emplace(knob.name(), std::move(value)).second) {
      return error(absl::StrCat("\"", knob.name(), "\" a second time, want each knob once"));
    }
  }
  return partial;
}

ConfigProto PartialConfigToProto(const PartialConfig& partial) {
  ConfigProto proto;
  for (const auto& [name, value] : partial.values) {
    KnobProto& knob = *proto.add_knob();
    knob.set_name(name);
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      knob.set_int_value(*integer);
    } else if (const auto* boolean = std::get_if<bool>(&value)) {
      knob.set_bool_value(*boolean);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      knob.set_enum_value(*text);
    } else {
      PermutationProto& permutation = *knob.mutable_permutation_value();
      for (const int index : *std::get_if<std::vector<int>>(&value)) permutation.add_index(index);
    }
  }
  return proto;
}

}  // namespace seedtune

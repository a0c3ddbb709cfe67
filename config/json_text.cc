#include "config/json_text.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace seedtune {
namespace {

constexpr size_t kMaxDepth = 64;

// Fit for a line of an error: printable ASCII only, and cut.
std::string Printable(std::string_view text) {
  std::string printable;
  for (const char c : text.substr(0, 48)) printable += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > 48) printable += "...";
  return printable;
}

// Builds a JsonValue of the parser's events.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(std::string_view text) : text_(text) {}

  bool null() override { return Add(JsonValue::Kind::kNull, ""); }
  bool boolean(bool value) override {
    if (!Add(JsonValue::Kind::kBoolean, "")) return false;
    last_->boolean = value;
    return true;
  }
  bool number_integer(int64_t value) override {
    return Add(JsonValue::Kind::kNumber, absl::StrCat(value));
  }
  bool number_unsigned(uint64_t value) override {
    return Add(JsonValue::Kind::kNumber, absl::StrCat(value));
  }
  bool number_float(double, const std::string& spelling) override {
    return Add(JsonValue::Kind::kNumber, spelling);
  }
  bool string(std::string& value) override {
    return Add(JsonValue::Kind::kString, std::move(value));
  }
  bool binary(nlohmann::json::binary_t&) override { return false; }  // not in JSON text
  bool start_object(size_t) override { return Open(JsonValue::Kind::kObject); }
  bool start_array(size_t) override { return Open(JsonValue::Kind::kArray); }
  bool key(std::string& key) override {
    open_.back()->keys.push_back(std::move(key));
    return true;
  }
  bool end_object() override {
    open_.pop_back();
    return true;
  }
  bool end_array() override {
    open_.pop_back();
    return true;
  }
  bool parse_error(size_t position, const std::string& token,
                   const nlohmann::json::exception&) override {
    const std::string_view before = text_.substr(0, position == 0 ? 0 : position - 1);
    const size_t line = 1 + static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
    const size_t start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    const bool ended = position > text_.size();
    status_ = absl::InvalidArgumentError(
        absl::StrCat("line ", line, ", column ", before.size() - start + 1, ": not JSON, ",
                     ended ? std::string("the text ends too early; was it cut off")
                           : absl::StrCat("found \"", Printable(token), "\"")));
    return false;
  }

  const absl::Status& status() const { return status_; }
  JsonValue& root() { return root_; }

 private:
  bool Add(JsonValue::Kind kind, std::string text) {
    last_ = open_.empty() ? &root_ : &open_.back()->members.emplace_back();
    last_->kind = kind;
    last_->text = std::move(text);
    return true;
  }
  bool Open(JsonValue::Kind kind) {
    if (open_.size() == kMaxDepth) {
      status_ = absl::InvalidArgumentError(
          absl::StrCat("nested deeper than ", kMaxDepth, " levels, want fewer"));
      return false;
    }
    Add(kind, "");
    // Stays where it is while it is open: only the innermost value grows.
    open_.push_back(last_);
    return true;
  }

  std::string_view text_;
  JsonValue root_;
  std::vector<JsonValue*> open_;
  JsonValue* last_ = nullptr;
  absl::Status status_;
};

absl::StatusOr<JsonValue> Parse(std::string_view text) {
  Builder builder(text);
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return builder.status().ok() ? absl::InvalidArgumentError("not JSON") : builder.status();
  }
  return std::move(builder.root());
}

// Whether any word outside of strings was replaced.
bool ReplaceNonFinite(std::string& text) {
  constexpr std::string_view kWords[] = {"NaN", "-Infinity", "Infinity"};
  std::string replaced;
  size_t copied = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (quoted) {
      if (text[i] == '\\') ++i;
      continue;
    }
    for (const std::string_view word : kWords) {
      if (std::string_view(text).substr(i, word.size()) != word) continue;
      replaced.append(text, copied, i - copied).append("null");
      i += word.size() - 1;
      copied = i + 1;
      break;
    }
  }
  if (copied == 0) return false;
  replaced.append(text, copied, std::string::npos);
  text = std::move(replaced);
  return true;
}

}  // namespace

const JsonValue* JsonValue::Find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &members[static_cast<size_t>(found - keys.begin())];
}

std::string JsonValue::Describe() const {
  switch (kind) {
    case Kind::kNull:
      return "null";
    case Kind::kBoolean:
      return boolean ? "true" : "false";
    case Kind::kNumber:
      return Printable(text);
    case Kind::kString:
      return absl::StrCat("\"", Printable(text), "\"");
    case Kind::kArray:
      return "an array";
    case Kind::kObject:
      break;
  }
  return "an object";
}

absl::StatusOr<JsonValue> ParseJson(std::string_view text) {
  absl::StatusOr<JsonValue> value = Parse(text);
  if (value.ok()) return value;
  std::string finite(text);
  if (!ReplaceNonFinite(finite)) return value;
  absl::StatusOr<JsonValue> again = Parse(finite);
  // The first error's place is that in the file.
  return again.ok() ? std::move(again) : std::move(value);
}

}  // namespace seedtune

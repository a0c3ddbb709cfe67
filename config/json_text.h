// JSON as it stands in a file, for formats that other tools write: numbers keep their spelling, so
// that converting a unit rounds once and not twice, and errors name line and column.
#ifndef SEEDTUNE_CONFIG_JSON_TEXT_H_
#define SEEDTUNE_CONFIG_JSON_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace seedtune {

// A value type; thread-compatible.
struct JsonValue {
  enum class Kind { kNull, kBoolean, kNumber, kString, kArray, kObject };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::string text;                // a string's contents, or a number as it is spelt
  std::vector<std::string> keys;   // of an object, in the file's order
  std::vector<JsonValue> members;  // an array's elements, or an object's values beside `keys`

  // The first member of that name; nullptr: there is none, or this is no object.
  const JsonValue* Find(std::string_view key) const;
  bool is_number() const { return kind == Kind::kNumber; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_array() const { return kind == Kind::kArray; }
  bool is_object() const { return kind == Kind::kObject; }
  // What it is, for errors: `"text"`, `12`, `an array`; at most about 60 characters.
  std::string Describe() const;
};

// NaN, Infinity and -Infinity, which Python writes, are read as null. kInvalidArgument: `line 3,
// column 14: not JSON, found ...`, or it is nested deeper than 64 levels.
absl::StatusOr<JsonValue> ParseJson(std::string_view text);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_JSON_TEXT_H_

// T1: the auto-tuning community's format for tuning spaces, as JSON
// (https://github.com/odgaard/TuningSchema). Read here are ConfigurationSpace's TuningParameters
// and Conditions, and the benchmark's name; the rest of a file (how to build and run the kernel) is
// left alone.
//
// A parameter's Values are a Python list in a string ("[1, 2, 4]", "['row', 'col']", "[0.5, 1.5]"),
// "range(1, 9)" or "list(range(32, 257, 8))", or a JSON array. Conditions are expressions
// (expression.h).
#ifndef SEEDTUNE_CONFIG_T1_H_
#define SEEDTUNE_CONFIG_T1_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "config/config_space.h"
#include "config/expression.h"
#include "config/json_text.h"
#include "config/knob.h"

namespace seedtune {

struct T1Parameter {
  std::string name;
  std::string type;                              // as the file has it: "int", "bool", "string"
  std::vector<ExpressionValue> values;           // in the file's order; booleans are 0 and 1
  std::optional<ExpressionValue> default_value;  // unset: the first value
  friend bool operator==(const T1Parameter&, const T1Parameter&) = default;
};

// A value type; thread-compatible.
struct T1Space {
  std::string name;  // of the benchmark; "t1" where a file has none
  std::vector<T1Parameter> parameters;
  std::vector<std::string> conditions;
  friend bool operator==(const T1Space&, const T1Space&) = default;
};

// kInvalidArgument: no JSON, or no T1: `ConfigurationSpace.TuningParameters[2].Values: ...`.
// Conditions are parsed here, too; whether they fit the parameters is known in MakeConfigSpace.
absl::StatusOr<T1Space> ReadT1(std::string_view text);

// ReadT1 gives `space` again.
std::string WriteT1(const T1Space& space);

// Integers become an ordered knob, whatever their order in the file; type "bool" a boolean knob;
// anything else an enum in the file's order, its names the values as text (0.5). Each condition
// becomes a constraint `condition_<number>`; parts of a condition that `and` joins are constraints
// of their own, so that each is checked as early as it can be. kInvalidArgument: a value twice, a
// default that is none of the values, a condition over an unknown name, or what ConfigSpace::Create
// rejects.
absl::StatusOr<std::shared_ptr<const ConfigSpace>> MakeConfigSpace(const T1Space& space);

// `space` in T1: all knobs (a permutation's choices become strings such as "[1, 0]") and all
// constraints, those that are C++ as the expression of what they let through
// (constraint_table.h). The names of constraints that are too large for that go to `left_out` if
// that is not null.
T1Space MakeT1(const ConfigSpace& space, std::vector<std::string>* left_out = nullptr);

// A number (an integer if it is one that fits), a boolean as 0 or 1, or a string. kInvalidArgument:
// anything else.
absl::StatusOr<ExpressionValue> T1ValueFromJson(const JsonValue& json);

// The value of `knob` that `json` stands for: what T4 and Kernel Tuner's caches say of an integer,
// a boolean (also 0 and 1), or an enum's name (also as a number of the same value).
// kInvalidArgument: none of its choices.
absl::StatusOr<KnobValue> KnobValueFromJson(const Knob& knob, const JsonValue& json);

// The inverse: an enum whose names are all numbers is written as numbers.
std::string KnobValueToJson(const Knob& knob, int choice);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_T1_H_

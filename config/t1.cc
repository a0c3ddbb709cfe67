#include "config/t1.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/constraint_table.h"
#include "config/expression.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "config/knob_json.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr size_t kMaxValues = 65535;  // what a knob can have

template <typename... Parts>
absl::Status Invalid(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

absl::Status At(std::string_view where, const absl::Status& status) {
  return Invalid(ToAbsl(where), ": ", status.message());
}

// The shortest spelling that reads back as the same double, as Python has it: 0.5, 2.0, 1e+20.
std::string RealToString(double real) {
  char buffer[40];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), real).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

// The name of an enum's choice.
std::string ValueToName(const ExpressionValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const auto* real = std::get_if<double>(&value)) return RealToString(*real);
  return *std::get_if<std::string>(&value);
}

// As Python spells it.
std::string ValueToPython(const ExpressionValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return ValueToName(value);
  std::string quoted = "'";
  for (const char c : *text) {
    switch (c) {
      case '\n':
        quoted += "\\n";
        break;
      case '\r':
        quoted += "\\r";
        break;
      case '\t':
        quoted += "\\t";
        break;
      case '\\':
      case '\'':
        quoted += '\\';
        [[fallthrough]];
      default:
        quoted += c;
    }
  }
  return quoted + "'";
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return "";
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The parts between commas that stand in no parentheses and no string.
std::vector<std::string_view> SplitAtCommas(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  char quote = 0;
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\') {
        ++i;
      } else if (c == quote) {
        quote = 0;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '(' || c == '[') {
      ++depth;
    } else if (c == ')' || c == ']') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.push_back(text.substr(start, i - start));
      start = i + 1;
    }
  }
  parts.push_back(text.substr(start));
  return parts;
}

absl::StatusOr<ExpressionValue> EvaluateConstant(std::string_view text) {
  // Not only for speed: the smallest integer is no literal.
  if (int64_t integer = 0; absl::SimpleAtoi(ToAbsl(text), &integer)) {
    return ExpressionValue(integer);
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const Expression expression, Expression::Parse(text));
  if (!expression.names().empty()) {
    return Invalid("\"", expression.names()[0], "\" is a name, want a number or a quoted string");
  }
  SEEDTUNE_ASSIGN_OR_RETURN(ExpressionValue value, expression.Evaluate({}));
  const auto* real = std::get_if<double>(&value);
  if (real != nullptr && !std::isfinite(*real)) return Invalid("not a finite number");
  return value;
}

absl::StatusOr<std::vector<ExpressionValue>> ParseRange(std::string_view arguments) {
  std::vector<int64_t> numbers;
  for (const std::string_view part : SplitAtCommas(arguments)) {
    SEEDTUNE_ASSIGN_OR_RETURN(const ExpressionValue value, EvaluateConstant(part));
    const auto* integer = std::get_if<int64_t>(&value);
    if (integer == nullptr) return Invalid("range of ", ValueToPython(value), ", want integers");
    numbers.push_back(*integer);
  }
  if (numbers.size() > 3) return Invalid("range of ", numbers.size(), " numbers, want 1 to 3");
  const int64_t start = numbers.size() == 1 ? 0 : numbers[0];
  const int64_t stop = numbers.size() == 1 ? numbers[0] : numbers[1];
  const int64_t step = numbers.size() == 3 ? numbers[2] : 1;
  if (step == 0) return Invalid("range with a step of 0, want another");
  std::vector<ExpressionValue> values;
  for (int64_t value = start; step > 0 ? value < stop : value > stop;) {
    if (values.size() == kMaxValues) return Invalid("more than ", kMaxValues, " values");
    values.emplace_back(value);
    if (__builtin_add_overflow(value, step, &value)) break;
  }
  return values;
}

// "[1, 2]", "(1, 2)", "range(1, 3)", "list(range(1, 3))".
absl::StatusOr<std::vector<ExpressionValue>> ParseValues(std::string_view text) {
  text = Trim(text);
  const auto inside = [&](std::string_view open, char close) -> std::optional<std::string_view> {
    if (text.size() <= open.size() || text.substr(0, open.size()) != open || text.back() != close) {
      return std::nullopt;
    }
    return Trim(text.substr(open.size(), text.size() - open.size() - 1));
  };
  if (const auto argument = inside("list(", ')')) text = *argument;
  if (const auto arguments = inside("range(", ')')) return ParseRange(*arguments);
  std::optional<std::string_view> list = inside("[", ']');
  if (!list) list = inside("(", ')');
  if (!list) {
    return Invalid("\"", ToAbsl(text.substr(0, 60)),
                   "\" is no list, want one such as [1, 2, 4] or range(1, 9)");
  }
  std::vector<std::string_view> parts = SplitAtCommas(*list);
  if (Trim(parts.back()).empty()) parts.pop_back();  // "[1, 2,]", and "[]"
  if (parts.size() > kMaxValues) return Invalid(parts.size(), " values, want at most ", kMaxValues);
  std::vector<ExpressionValue> values;
  for (const std::string_view part : parts) {
    auto value = EvaluateConstant(Trim(part));
    if (!value.ok()) return At(absl::StrCat("value ", values.size() + 1), value.status());
    values.push_back(*std::move(value));
  }
  return values;
}

// Of an object in the file, the member that must be there.
absl::StatusOr<const JsonValue*> Need(const JsonValue& object, std::string_view where,
                                      std::string_view member) {
  if (!object.is_object()) {
    return Invalid(ToAbsl(where), " is ", object.Describe(), ", want an object");
  }
  const JsonValue* found = object.Find(member);
  if (found == nullptr) {
    return Invalid(ToAbsl(where), where.empty() ? "" : ".", ToAbsl(member),
                   " is missing; is this a T1 file");
  }
  return found;
}

absl::StatusOr<std::string> NeedString(const JsonValue& object, const std::string& where,
                                       std::string_view member) {
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue* found, Need(object, where, member));
  if (!found->is_string()) {
    return Invalid(where, ".", ToAbsl(member), " is ", found->Describe(), ", want a string");
  }
  return found->text;
}

absl::StatusOr<T1Parameter> ReadParameter(const JsonValue& json, const std::string& where) {
  T1Parameter parameter;
  SEEDTUNE_ASSIGN_OR_RETURN(parameter.name, NeedString(json, where, "Name"));
  if (const JsonValue* type = json.Find("Type"); type != nullptr && type->is_string()) {
    parameter.type = type->text;
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue* values, Need(json, where, "Values"));
  const std::string of_values = absl::StrCat(where, ".Values");
  if (values->is_string()) {
    auto parsed = ParseValues(values->text);
    if (!parsed.ok()) return At(of_values, parsed.status());
    parameter.values = *std::move(parsed);
  } else if (values->is_array()) {
    for (const JsonValue& element : values->members) {
      auto value = T1ValueFromJson(element);
      if (!value.ok()) return At(of_values, value.status());
      parameter.values.push_back(*std::move(value));
    }
  } else {
    return Invalid(of_values, " is ", values->Describe(), ", want a list in a string");
  }
  if (parameter.values.empty()) return Invalid(of_values, " is empty, want at least one value");
  if (const JsonValue* json_default = json.Find("Default");
      json_default != nullptr && json_default->kind != JsonValue::Kind::kNull) {
    auto value = T1ValueFromJson(*json_default);
    if (!value.ok()) return At(absl::StrCat(where, ".Default"), value.status());
    parameter.default_value = *std::move(value);
  }
  return parameter;
}

// A string's value is text where numbers are wanted: some files quote their defaults.
bool SameValue(const ExpressionValue& a, const ExpressionValue& b) {
  if (std::holds_alternative<std::string>(a) || std::holds_alternative<std::string>(b)) {
    return ValueToName(a) == ValueToName(b);
  }
  const auto real = [](const ExpressionValue& value) {
    const auto* integer = std::get_if<int64_t>(&value);
    return integer != nullptr ? static_cast<double>(*integer) : std::get<double>(value);
  };
  return a == b || (a.index() != b.index() && real(a) == real(b));
}

struct KnobAndMeaning {
  Knob knob;
  ExpressionKnob meaning;
};

absl::StatusOr<KnobAndMeaning> MakeKnob(const T1Parameter& parameter) {
  if (parameter.values.empty()) return Invalid(parameter.name, ": no values, want at least one");
  size_t default_index = 0;
  if (parameter.default_value) {
    while (default_index < parameter.values.size() &&
           !SameValue(parameter.values[default_index], *parameter.default_value)) {
      ++default_index;
    }
    if (default_index == parameter.values.size()) {
      return Invalid(parameter.name, ": the default ", ValueToPython(*parameter.default_value),
                     " is none of its values");
    }
  }
  std::vector<int64_t> integers;
  for (const ExpressionValue& value : parameter.values) {
    if (const auto* integer = std::get_if<int64_t>(&value)) integers.push_back(*integer);
  }
  if (integers.size() != parameter.values.size()) {
    std::vector<std::string> names;
    for (const ExpressionValue& value : parameter.values) names.push_back(ValueToName(value));
    std::string default_name = names[default_index];
    SEEDTUNE_ASSIGN_OR_RETURN(
        Knob knob, Knob::Enum(parameter.name, std::move(names), std::move(default_name)));
    return KnobAndMeaning{std::move(knob), {parameter.name, parameter.values}};
  }
  const int64_t default_value = integers[default_index];
  std::sort(integers.begin(), integers.end());
  if (const auto twice = std::adjacent_find(integers.begin(), integers.end());
      twice != integers.end()) {
    return Invalid(parameter.name, ": ", *twice, " is listed twice");
  }
  if (parameter.type == "bool" && integers.front() >= 0 && integers.back() <= 1) {
    SEEDTUNE_ASSIGN_OR_RETURN(Knob knob, Knob::Boolean(parameter.name, default_value == 1));
    if (integers.size() == 1) {
      SEEDTUNE_ASSIGN_OR_RETURN(knob, knob.Keeping({KnobValue(integers.front() == 1)}));
    }
    return KnobAndMeaning{std::move(knob), {parameter.name, {}}};
  }
  SEEDTUNE_ASSIGN_OR_RETURN(
      Knob knob, Knob::IntegerChoice(parameter.name, std::move(integers), default_value));
  return KnobAndMeaning{std::move(knob), {parameter.name, {}}};
}

// Whether each name of the enum is a number.
bool IsNumeric(const Knob& knob) {
  if (knob.kind() != KnobKind::kEnum) return false;
  for (int i = 0; i < knob.num_choices(); ++i) {
    const std::string& name = std::get<std::string>(knob.choice(i));
    double real = 0;
    // Not all that SimpleAtod takes is JSON: "+1", " 1", "inf", ".5".
    const bool starts_well =
        !name.empty() && (name[0] == '-' ? name.size() > 1 && name[1] >= '0' && name[1] <= '9'
                                         : name[0] >= '0' && name[0] <= '9');
    if (!starts_well || name.back() < '0' || name.back() > '9' || !absl::SimpleAtod(name, &real) ||
        !std::isfinite(real)) {
      return false;
    }
    const size_t digits = name[0] == '-' ? 1 : 0;
    if (name[digits] == '0' && name.size() > digits + 1 && name[digits + 1] != '.' &&
        name[digits + 1] != 'e') {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::StatusOr<T1Space> ReadT1(std::string_view text) {
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue json, ParseJson(text));
  T1Space space;
  space.name = "t1";
  for (const std::string_view section : {"KernelSpecification", "General"}) {
    const JsonValue* found = json.Find(section);
    const JsonValue* name = found == nullptr ? nullptr : found->Find("BenchmarkName");
    if (name != nullptr && name->is_string() && !name->text.empty()) space.name = name->text;
  }
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue* config, Need(json, "", "ConfigurationSpace"));
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue* parameters,
                            Need(*config, "ConfigurationSpace", "TuningParameters"));
  if (!parameters->is_array()) {
    return Invalid("ConfigurationSpace.TuningParameters is ", parameters->Describe(),
                   ", want an array");
  }
  for (size_t i = 0; i < parameters->members.size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(
        T1Parameter parameter,
        ReadParameter(parameters->members[i],
                      absl::StrCat("ConfigurationSpace.TuningParameters[", i, "]")));
    space.parameters.push_back(std::move(parameter));
  }
  const JsonValue* conditions = config->Find("Conditions");
  if (conditions == nullptr || conditions->kind == JsonValue::Kind::kNull) return space;
  if (!conditions->is_array()) {
    return Invalid("ConfigurationSpace.Conditions is ", conditions->Describe(), ", want an array");
  }
  for (size_t i = 0; i < conditions->members.size(); ++i) {
    const std::string where = absl::StrCat("ConfigurationSpace.Conditions[", i, "]");
    SEEDTUNE_ASSIGN_OR_RETURN(std::string condition,
                              NeedString(conditions->members[i], where, "Expression"));
    if (const auto parsed = Expression::Parse(condition); !parsed.ok()) {
      return At(absl::StrCat(where, ".Expression"), parsed.status());
    }
    space.conditions.push_back(std::move(condition));
  }
  return space;
}

std::string WriteT1(const T1Space& space) {
  std::string out = "{\n  \"General\": {\n    \"BenchmarkName\": ";
  AppendJsonString(space.name, out);
  out +=
      ",\n    \"OutputFormat\": \"JSON\"\n  },\n  \"ConfigurationSpace\": {\n"
      "    \"TuningParameters\": [";
  for (size_t i = 0; i < space.parameters.size(); ++i) {
    const T1Parameter& parameter = space.parameters[i];
    out += i == 0 ? "\n      {" : ",\n      {";
    out += "\n        \"Name\": ";
    AppendJsonString(parameter.name, out);
    out += ",\n        \"Type\": ";
    AppendJsonString(parameter.type, out);
    out += ",\n        \"Values\": ";
    std::string values = "[";
    for (size_t v = 0; v < parameter.values.size(); ++v) {
      absl::StrAppend(&values, v == 0 ? "" : ", ", ValueToPython(parameter.values[v]));
    }
    AppendJsonString(values + "]", out);
    if (parameter.default_value) {
      out += ",\n        \"Default\": ";
      if (const auto* name = std::get_if<std::string>(&*parameter.default_value)) {
        AppendJsonString(*name, out);
      } else {
        out += ValueToName(*parameter.default_value);
      }
    }
    out += "\n      }";
  }
  out += space.parameters.empty() ? "],\n    \"Conditions\": [" : "\n    ],\n    \"Conditions\": [";
  for (size_t i = 0; i < space.conditions.size(); ++i) {
    out += i == 0 ? "\n      {" : ",\n      {";
    out += "\n        \"Expression\": ";
    AppendJsonString(space.conditions[i], out);
    out += ",\n        \"Parameters\": [";
    if (const auto expression = Expression::Parse(space.conditions[i]); expression.ok()) {
      for (size_t n = 0; n < expression->names().size(); ++n) {
        if (n != 0) out += ", ";
        AppendJsonString(expression->names()[n], out);
      }
    }
    out += "]\n      }";
  }
  out += space.conditions.empty() ? "]\n  }\n}\n" : "\n    ]\n  }\n}\n";
  return out;
}

absl::StatusOr<std::shared_ptr<const ConfigSpace>> MakeConfigSpace(const T1Space& space) {
  ConfigSpace::Options options;
  options.name = space.name;
  std::vector<ExpressionKnob> meanings;
  for (const T1Parameter& parameter : space.parameters) {
    auto knob = MakeKnob(parameter);
    if (!knob.ok()) return At(space.name, knob.status());
    options.knobs.push_back(std::move(knob->knob));
    meanings.push_back(std::move(knob->meaning));
  }
  for (size_t i = 0; i < space.conditions.size(); ++i) {
    const auto where = [&] { return absl::StrCat(space.name, ": condition_", i); };
    auto expression = Expression::Parse(space.conditions[i]);
    if (!expression.ok()) return At(where(), expression.status());
    const std::vector<Expression> parts = expression->Conjuncts();
    for (size_t part = 0; part < parts.size(); ++part) {
      auto constraint =
          MakeExpressionConstraint(parts.size() == 1 ? absl::StrCat("condition_", i)
                                                     : absl::StrCat("condition_", i, "_", part),
                                   parts[part], meanings);
      if (!constraint.ok()) return At(where(), constraint.status());
      options.constraints.push_back(*std::move(constraint));
    }
  }
  return ConfigSpace::Create(std::move(options));
}

T1Space MakeT1(const ConfigSpace& space, std::vector<std::string>* left_out) {
  T1Space t1;
  t1.name = space.name();
  for (const Knob& knob : space.knobs()) {
    T1Parameter& parameter = t1.parameters.emplace_back();
    parameter.name = knob.name();
    const bool numeric = IsNumeric(knob);
    parameter.type = knob.is_ordered()                   ? "int"
                     : knob.kind() == KnobKind::kBoolean ? "bool"
                     : numeric                           ? "float"
                                                         : "string";
    const auto value = [&](int choice) -> ExpressionValue {
      if (knob.is_ordered() || knob.kind() == KnobKind::kBoolean) return knob.numeric(choice);
      if (knob.kind() == KnobKind::kPermutation) return KnobValueToString(knob.choice(choice));
      const std::string& name = std::get<std::string>(knob.choice(choice));
      int64_t integer = 0;
      double real = 0;
      if (numeric && absl::SimpleAtoi(name, &integer)) return integer;
      if (numeric && absl::SimpleAtod(name, &real)) return real;
      return name;
    };
    for (int choice = 0; choice < knob.num_choices(); ++choice) {
      parameter.values.push_back(value(choice));
    }
    parameter.default_value = value(knob.default_choice());
  }
  for (const Constraint& constraint : space.constraints()) {
    if (const std::string* text = ExpressionText(constraint)) {
      t1.conditions.push_back(*text);
      continue;
    }
    std::vector<TabulatedKnob> knobs;
    for (const std::string& name : constraint.knobs) {
      const int slot = *space.FindKnob(name);
      const Knob& knob = space.knobs()[slot];
      TabulatedKnob& tabulated = knobs.emplace_back();
      tabulated.name = name;
      tabulated.is_ordered = knob.is_ordered();
      for (int choice = 0; choice < knob.num_choices(); ++choice) {
        tabulated.numerics.push_back(knob.numeric(choice));
        tabulated.spelling.push_back(ValueToPython(t1.parameters[slot].values[choice]));
      }
    }
    std::optional<std::string> text = TabulateConstraint(constraint, knobs);
    if (text.has_value() && *text != "True") {
      t1.conditions.push_back(*std::move(text));
    } else if (!text.has_value() && left_out != nullptr) {
      left_out->push_back(constraint.name);
    }
  }
  return t1;
}

absl::StatusOr<ExpressionValue> T1ValueFromJson(const JsonValue& json) {
  switch (json.kind) {
    case JsonValue::Kind::kBoolean:
      return ExpressionValue(int64_t{json.boolean ? 1 : 0});
    case JsonValue::Kind::kNumber: {
      int64_t integer = 0;
      double real = 0;
      if (absl::SimpleAtoi(json.text, &integer)) return ExpressionValue(integer);
      if (absl::SimpleAtod(json.text, &real)) return ExpressionValue(real);
      break;
    }
    case JsonValue::Kind::kString:
      return ExpressionValue(json.text);
    default:
      break;
  }
  return Invalid(json.Describe(), ", want a number, a boolean or a string");
}

absl::StatusOr<KnobValue> KnobValueFromJson(const Knob& knob, const JsonValue& json) {
  const auto wrong = [&] {
    return Invalid(knob.name(), " is ", json.Describe(), ", want ", knob.DescribeChoices());
  };
  auto read = T1ValueFromJson(json);
  if (!read.ok()) return wrong();
  ExpressionValue value = *std::move(read);
  if (const auto* real = std::get_if<double>(&value);
      real != nullptr && knob.kind() != KnobKind::kEnum && *real == std::floor(*real) &&
      std::fabs(*real) < 9e15) {
    value = static_cast<int64_t>(*real);
  }
  if (knob.is_ordered()) {
    const auto* integer = std::get_if<int64_t>(&value);
    if (integer == nullptr || !knob.Find(KnobValue(*integer)).ok()) return wrong();
    return KnobValue(*integer);
  }
  if (knob.kind() == KnobKind::kBoolean) {
    const auto* integer = std::get_if<int64_t>(&value);
    if (integer == nullptr || *integer < 0 || *integer > 1) return wrong();
    return KnobValue(*integer == 1);
  }
  for (int i = 0; i < knob.num_choices(); ++i) {
    const KnobValue& choice = knob.choice(i);
    if (knob.kind() == KnobKind::kPermutation) {
      if (SameValue(value, ExpressionValue(KnobValueToString(choice)))) return choice;
      continue;
    }
    const std::string& name = std::get<std::string>(choice);
    double real = 0;
    if (ValueToName(value) == name) return choice;
    if (!std::holds_alternative<std::string>(value) && absl::SimpleAtod(name, &real) &&
        SameValue(value, ExpressionValue(real))) {
      return choice;
    }
  }
  return wrong();
}

std::string KnobValueToJson(const Knob& knob, int choice) {
  const KnobValue& value = knob.choice(choice);
  if (IsNumeric(knob)) return std::get<std::string>(value);
  std::string out;
  if (knob.kind() == KnobKind::kPermutation) {
    AppendJsonString(KnobValueToString(value), out);
  } else {
    AppendJsonValue(value, out);
  }
  return out;
}

}  // namespace seedtune

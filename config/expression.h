// Expressions over knob values, as T1 files write their conditions: `MWG % (MDIMC * VWM) == 0`,
// `32 <= block_size_x * block_size_y <= 1024`, `use_padding == 0 or block_size_x % 32 != 0`.
//
// The language is a part of Python's and means what it means there: `/` is true division, `//`
// floors, `%` has the sign of the divisor, `**` binds tighter than a minus on its left,
// comparisons chain, `and` and `or` stop early and give one of their operands, True is 1.
//
//   or_test     := and_test ("or" and_test)*
//   and_test    := not_test ("and" not_test)*
//   not_test    := "not" not_test | comparison
//   comparison  := sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" list)*
//   list        := ("[" | "(") or_test ("," or_test)* [","] ("]" | ")")       nothing follows a
//   list sum         := term (("+" | "-") term)* term        := unary (("*" | "/" | "//" | "%")
//   unary)* unary       := ("+" | "-") unary | power power       := atom ["**" unary] atom :=
//   number | string | "True" | "False" | name | "(" or_test ")"
//                | ("min" | "max" | "abs" | "int") "(" or_test ("," or_test)* ")"
//   name        := (letter | "_") (letter | "_" | digit)* ["[" (letter | digit | "_")+ "]"]
//
// A name may end in a role in brackets, as Seedtune's own knobs do: `block_size[m]`. Two departures
// from Python: an integer that leaves 64 bits goes on as a double, and strings are only compared.
#ifndef SEEDTUNE_CONFIG_EXPRESSION_H_
#define SEEDTUNE_CONFIG_EXPRESSION_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/constraint.h"

namespace seedtune {

// Python's bool is the integer 0 or 1.
using ExpressionValue = std::variant<int64_t, double, std::string>;

// A parsed expression. Immutable, cheap to copy; thread-safe.
class Expression {
 public:
  // kInvalidArgument: not an expression, with the place: `column 5: expected a value, found ")"`
  // (columns count bytes from 1). Also where it is longer than 64 KiB, nested deeper than 64 levels
  // or compares more than 200 values at once.
  static absl::StatusOr<Expression> Parse(std::string_view text);

  const std::string& text() const;
  // The names in it, each once, in the order of their first use.
  const std::vector<std::string>& names() const;
  // What `and` joins at the outermost level, which is true together exactly where this is; this
  // alone if nothing is joined there.
  std::vector<Expression> Conjuncts() const;

  // `values` stand in the order of names(). kInvalidArgument: too few or too many values, a string
  // where a number is wanted. kOutOfRange: no value, as with a division by zero or a complex power.
  absl::StatusOr<ExpressionValue> Evaluate(std::span<const ExpressionValue> values) const;

 private:
  friend class ExpressionParser;
  friend class ExpressionCondition;
  struct Program;
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

// A knob as expressions see it.
struct ExpressionKnob {
  std::string name;
  // What each choice of an enum is, by its index; empty for knobs whose Knob::numeric is the value.
  std::vector<ExpressionValue> choices;
};

// The condition that `expression` is true. Combinations for which it has no value (a division by
// zero) do not fulfil it. `knobs` are all that may be read, in any order. kInvalidArgument: a name
// in it is no knob, or a string is calculated with: that some combination of choices compares a
// string with a number by `<`, or adds to it.
absl::StatusOr<Constraint> MakeExpressionConstraint(std::string name, const Expression& expression,
                                                    std::span<const ExpressionKnob> knobs);

// The text of the expression that MakeExpressionConstraint made it of; nullptr: it is C++.
const std::string* ExpressionText(const Constraint& constraint);

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_EXPRESSION_H_

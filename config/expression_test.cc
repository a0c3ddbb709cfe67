#include "config/expression.h"

#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/constraint.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Value = ExpressionValue;
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

// With these variables.
const std::map<std::string, Value> kVariables = {
    {"a", int64_t{7}}, {"b", int64_t{-3}},         {"zero", int64_t{0}},
    {"half", 0.5},     {"name", std::string("x")}, {"block_size[m]", int64_t{64}},
    {"biggest", kMax}, {"smallest", kMin}};

absl::StatusOr<Value> Evaluate(const std::string& text) {
  const absl::StatusOr<Expression> expression = Expression::Parse(text);
  if (!expression.ok()) return expression.status();
  std::vector<Value> values;
  for (const std::string& name : expression->names()) {
    const auto variable = kVariables.find(name);
    if (variable == kVariables.end()) return absl::NotFoundError(name);
    values.push_back(variable->second);
  }
  return expression->Evaluate(values);
}

// Each value but those marked below was compared with what Python 3.11.7 makes of the same text,
// its bools as 0 and 1, block_size a dictionary.
TEST(ExpressionTest, MeansWhatItMeansInPython) {
  const struct {
    const char* text;
    Value value;
  } kCases[] = {
      {"1", int64_t{1}},
      {"0x1F", int64_t{31}},
      {"1.5e3", 1500.0},
      {".5", 0.5},
      {"5.", 5.0},
      {"True", int64_t{1}},
      {"False", int64_t{0}},
      {"2 + 3 * 4", int64_t{14}},
      {"(2 + 3) * 4", int64_t{20}},
      {"10 - 4 - 3", int64_t{3}},
      {"2 ** 3 ** 2", int64_t{512}},
      {"-2 ** 2", int64_t{-4}},
      {"2 ** -1", 0.5},
      {"(-8) ** 3", int64_t{-512}},
      {"0 ** 0", int64_t{1}},
      {"- - +a", int64_t{7}},
      {"7 // 2", int64_t{3}},
      {"-7 // 2", int64_t{-4}},
      {"7 // -2", int64_t{-4}},
      {"-7 // -2", int64_t{3}},
      {"-7 % 3", int64_t{2}},
      {"7 % -3", int64_t{-2}},
      {"-7 % -3", int64_t{-1}},
      {"6 % -3", int64_t{0}},
      {"7 / 2", 3.5},
      {"6 / 2", 3.0},
      {"-7.5 // 2", -4.0},
      {"-7.5 % 2", 0.5},
      {"7.5 % -2", -0.5},
      {"1 == 1.0", int64_t{1}},
      {"a < 8 <= 8 != 9", int64_t{1}},
      {"1 < a < 3", int64_t{0}},
      {"3 > 2 == 2", int64_t{1}},
      {"(3 > 2) == 2", int64_t{0}},
      {"1 < 2 < 3 < 3 or 5", int64_t{5}},
      {"zero or half", 0.5},
      {"a or 1 / zero", int64_t{7}},
      {"zero and 1 / zero", int64_t{0}},
      {"a and b", int64_t{-3}},
      {"not zero", int64_t{1}},
      {"not a == 7", int64_t{0}},
      {"not not a", int64_t{1}},
      {"True or False and False", int64_t{1}},
      {"1 > 2 < 1 / zero", int64_t{0}},
      {"a in [1, 7]", int64_t{1}},
      {"a in (1, 7.0)", int64_t{1}},
      {"a not in [1, 7,]", int64_t{0}},
      {"a in []", int64_t{0}},
      {"a in (1,)", int64_t{0}},
      {"a in[7]", int64_t{1}},
      {"5 < a in [7]", int64_t{1}},
      {"9 < a in [7]", int64_t{0}},
      {"not a in [7]", int64_t{0}},
      {"min(a, b, 2)", int64_t{-3}},
      {"max(a, b, 7.5)", 7.5},
      {"abs(b) + abs(-1.5)", 4.5},
      {"int(-7 / 2)", int64_t{-3}},
      {"name == 'x'", int64_t{1}},
      {"name != \"x\"", int64_t{0}},
      {"name == 7", int64_t{0}},
      {"name < 'y'", int64_t{1}},
      {"name in ['y', 'x']", int64_t{1}},
      {"name in [1, 2]", int64_t{0}},
      {"'it\\'s'", std::string("it's")},
      {"\"a\\n\\t\\\\\"", std::string("a\n\t\\")},
      {"block_size[m] // 2", int64_t{32}},
      {"biggest == 9223372036854775807.0", int64_t{0}},
      {"biggest < 9223372036854775807.0", int64_t{1}},
      {"smallest == -9223372036854775808.0", int64_t{1}},
      {"smallest % -1", int64_t{0}},
      // Python wants several values, or a list.
      {"max(a)", int64_t{7}},
      // Python goes on in integers; here they are doubles from 64 bits on.
      {"biggest + 1", 9223372036854775808.0},
      {"smallest - 1", -9223372036854775809.0},
      {"biggest * 2", 18446744073709551614.0},
      {"-smallest", 9223372036854775808.0},
      {"abs(smallest)", 9223372036854775808.0},
      {"smallest // -1", 9223372036854775808.0},
      {"2 ** 64", 18446744073709551616.0},
      {"99999999999999999999", 1e20},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(Evaluate(c.text), IsOkAndHolds(c.value));
  }
}

TEST(ExpressionTest, SaysWhereItIsWrong) {
  const struct {
    std::string text;
    const char* error;
  } kCases[] = {
      {"", "column 1: expected a value, found the end"},
      {"   ", "column 4: expected a value, found the end"},
      {"1 +", "column 4: expected a value, found the end"},
      {"a *)", "column 4: expected a value, found \")\""},
      {"(a", "column 3: expected \")\", found the end"},
      {"a)", "column 2: expected an operator or the end, found \")\""},
      {"a b", "column 3: expected an operator or the end, found \"b\""},
      {"a && b", "column 3: \"&&\" is no operator, want \"and\""},
      {"a || b", "want \"or\""},
      {"!a", "column 1: \"!\" is no operator, want \"not\""},
      {"a = 1", "column 3: \"=\" is no operator, want \"==\""},
      {"a & 1", "column 3: expected a value or an operator, found \"&\""},
      {"a \xff", "found \"?\""},
      {"1_5", "\"1_5\" is no number"},
      {"012", "want no leading zeros"},
      {"1e", "\"1e\" is no number"},
      {"3x", "column 1: \"3x\" is no number"},
      {"0x", "want hexadecimal digits"},
      {"0x8000000000000000", "want hexadecimal digits for at most 63 bits"},
      {"'abc", "column 1: the string does not end"},
      {"'\\x'", "column 2: unknown escape"},
      {"a if b else zero", "column 3: expected an operator or the end, found \"if\""},
      {"a in 3", "column 6: expected a list"},
      {"a in (3)", "is no list"},
      {"a in [3", "column 8: expected \",\" or \"]\", found the end"},
      {"a in [3] == 1", "column 10: a list cannot be compared further"},
      {"a not 3", "column 7: expected \"in\""},
      {"sqrt(a)", "column 1: no function named \"sqrt\"; known: abs, int, max, min"},
      {"abs(a, b)", "column 6: expected \")\""},
      {"max()", "column 5: expected a value"},
      {"'x' + 1", "column 5: a string is calculated with"},
      {"-'x'", "column 1: a string is calculated with"},
      {"'x' < 1", "column 5: a string is ordered against a number"},
      {"1 < 2 < 'x'", "column 7: a string is ordered against a number"},
      {"and a", "column 1: expected a value"},
      {std::string(65, '(') + "a" + std::string(65, ')'), "column 65: nested deeper than 64"},
      {std::string(100'000, ' '), "has 100000 bytes, want at most 65536"},
      {std::string(60'000, '('), "nested deeper"},
      {std::string(60'000, '-') + "a", "nested deeper"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text.substr(0, 80));
    EXPECT_THAT(Expression::Parse(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

// Python 3.11.7 raises an error for each but "b ** half", which is a complex number there.
TEST(ExpressionTest, HasNoValueWherePythonRaises) {
  const struct {
    const char* text;
    absl::StatusCode code;
    const char* error;
  } kCases[] = {
      {"a / zero", absl::StatusCode::kOutOfRange, "column 3: division by zero"},
      {"a // zero", absl::StatusCode::kOutOfRange, "column 3: division by zero"},
      {"a % zero", absl::StatusCode::kOutOfRange, "column 3: division by zero"},
      {"a % (zero * 1.0)", absl::StatusCode::kOutOfRange, "division by zero"},
      {"zero ** -1", absl::StatusCode::kOutOfRange, "zero to a negative power"},
      {"b ** half", absl::StatusCode::kOutOfRange, "not whole"},
      {"int(1e999)", absl::StatusCode::kOutOfRange, "not a finite number"},
      {"name + 1", absl::StatusCode::kInvalidArgument, "column 6: a string is calculated with"},
      {"name < 1", absl::StatusCode::kInvalidArgument, "ordered against a number"},
      {"min(name, 1)", absl::StatusCode::kInvalidArgument, "ordered against a number"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    EXPECT_THAT(Evaluate(c.text), StatusIs(c.code, HasSubstr(c.error)));
  }
}

TEST(ExpressionTest, NamesStandInTheOrderOfTheirFirstUse) {
  ASSERT_OK_AND_ASSIGN(const Expression expression,
                       Expression::Parse("b + a * b > max(block_size[k], c)"));
  EXPECT_THAT(expression.names(), ElementsAre("b", "a", "block_size[k]", "c"));
  EXPECT_EQ(expression.text(), "b + a * b > max(block_size[k], c)");
  ASSERT_OK_AND_ASSIGN(const Expression constant, Expression::Parse("1 < 2"));
  EXPECT_THAT(constant.names(), IsEmpty());
}

TEST(ExpressionTest, ConjunctsAreWhatTheOuterAndsJoin) {
  const struct {
    const char* text;
    std::vector<std::string> conjuncts;
  } kCases[] = {
      {"a", {"a"}},
      {"a and b", {"a", "b"}},
      {"not a and b and(c and d)", {"not a", "b", "(c and d)"}},
      {"a and b or c", {"a and b or c"}},
      {"(a and b)", {"(a and b)"}},
      {"a in [b and c] and 'x and y' == d", {"a in [b and c]", "'x and y' == d"}},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const Expression expression, Expression::Parse(c.text));
    std::vector<std::string> texts;
    for (const Expression& conjunct : expression.Conjuncts()) texts.push_back(conjunct.text());
    EXPECT_EQ(texts, c.conjuncts);
  }
}

TEST(ExpressionTest, WantsOneValuePerName) {
  ASSERT_OK_AND_ASSIGN(const Expression expression, Expression::Parse("a + b"));
  const std::vector<Value> one = {Value(int64_t{1})};
  EXPECT_THAT(expression.Evaluate(one),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 values, want 2")));
}

TEST(ExpressionTest, LongChainsNeedNoStack) {
  std::string sum = "1";
  for (int i = 0; i < 20'000; ++i) sum += "+1";
  EXPECT_THAT(Evaluate(sum), IsOkAndHolds(Value(int64_t{20'001})));
  std::string list = "a in [0";
  for (int i = 0; i < 400; ++i) list += ",0";
  EXPECT_THAT(Evaluate(list + "]"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("values at once")));
}

// An expression beside its value, found another way: no program, all numbers long doubles (whole
// multiples of 2^-20 far below 2^63, so that nothing is rounded).
struct Random {
  explicit Random(uint64_t seed) : engine(seed) {}
  int Below(int bound) { return static_cast<int>(engine() % static_cast<uint64_t>(bound)); }
  std::mt19937_64 engine;
};

struct Node {
  std::string op;  // "": a leaf
  long double leaf = 0;
  std::string text;  // of a leaf
  std::vector<std::unique_ptr<Node>> children;
};

constexpr long double kLimit = 1e9L;

std::unique_ptr<Node> Generate(Random& random, int depth) {
  auto node = std::make_unique<Node>();
  if (depth == 0 || random.Below(5) == 0) {
    const int value = random.Below(12);
    if (random.Below(2) == 0) {
      node->leaf = value % 3;
      node->text = absl::StrCat("v", value % 3);  // the variable v<i> is i
    } else if (random.Below(4) == 0) {
      node->leaf = value + 0.5L;
      node->text = absl::StrCat(value, ".5");
    } else {
      node->leaf = value;
      node->text = absl::StrCat(value);
    }
    return node;
  }
  static const char* const kOps[] = {"+",   "-",   "*",  "//",    "%",   "**", "<",
                                     "<=",  "==",  "!=", ">",     "and", "or", "not",
                                     "neg", "min", "in", "chain", "abs", ">=", "/"};
  node->op = kOps[random.Below(static_cast<int>(std::size(kOps)))];
  const int count = node->op == "not" || node->op == "neg" || node->op == "abs" ? 1
                    : node->op == "in" || node->op == "chain"                   ? 3
                                                                                : 2;
  for (int i = 0; i < count; ++i) node->children.push_back(Generate(random, depth - 1));
  return node;
}

// How tightly it binds, as Python's grammar has it.
int Tightness(const Node& node) {
  static const std::map<std::string, int> kTightness = {
      {"or", 1}, {"and", 2}, {"not", 3}, {"<", 4},     {"<=", 4}, {"==", 4}, {"!=", 4},
      {">", 4},  {">=", 4},  {"in", 4},  {"chain", 4}, {"+", 5},  {"-", 5},  {"*", 6},
      {"/", 6},  {"//", 6},  {"%", 6},   {"neg", 7},   {"**", 8}};
  const auto found = kTightness.find(node.op);
  return found == kTightness.end() ? 9 : found->second;
}

// In parentheses where it binds less tightly than `at_least`, and sometimes for nothing.
std::string Print(const Node& node, int at_least, Random& random) {
  const auto child = [&](size_t i, int tightness) {
    return Print(*node.children[i], tightness, random);
  };
  const std::string space = random.Below(3) == 0 ? "" : " ";
  const int mine = Tightness(node);
  std::string text;
  if (node.op.empty()) {
    text = node.text;
  } else if (node.op == "min") {
    text = absl::StrCat("min(", child(0, 1), ",", space, child(1, 1), ")");
  } else if (node.op == "abs") {
    text = absl::StrCat("abs(", child(0, 1), ")");
  } else if (node.op == "not") {
    text = absl::StrCat("not ", child(0, mine));
  } else if (node.op == "neg") {
    text = absl::StrCat("-", child(0, mine));
  } else if (node.op == "in") {
    text = absl::StrCat(child(0, 5), " in [", child(1, 1), ",", child(2, 1), "]");
  } else if (node.op == "chain") {
    text = absl::StrCat(child(0, 5), space, "<=", space, child(1, 5), " != ", child(2, 5));
  } else if (node.op == "**") {
    text = absl::StrCat(child(0, 9), "**", child(1, 7));
  } else if (node.op == "and" || node.op == "or") {
    text = absl::StrCat(child(0, mine), " ", node.op, " ", child(1, mine + 1));
  } else {
    // Comparisons do not associate: both sides are sums.
    text = absl::StrCat(child(0, mine == 4 ? 5 : mine), space, node.op, space, child(1, mine + 1));
  }
  if (mine < at_least || random.Below(8) == 0) text = absl::StrCat("(", text, ")");
  return text;
}

enum class Verdict { kValue, kNoValue, kTooLarge };

Verdict Reference(const Node& node, long double& value) {
  if (node.op.empty()) {
    value = node.leaf;
    return Verdict::kValue;
  }
  std::vector<long double> v(node.children.size());
  for (size_t i = 0; i < v.size(); ++i) {
    if (const Verdict verdict = Reference(*node.children[i], v[i]); verdict != Verdict::kValue) {
      return verdict;
    }
    const std::string& op = node.op;
    if (i == 0 && op == "and" && v[0] == 0) {
      value = v[0];
      return Verdict::kValue;
    }
    if (i == 0 && op == "or" && v[0] != 0) {
      value = v[0];
      return Verdict::kValue;
    }
    if (i == 1 && op == "chain" && v[0] > v[1]) {
      value = 0;
      return Verdict::kValue;
    }
  }
  const std::string& op = node.op;
  if ((op == "/" || op == "//" || op == "%") && v[1] == 0) return Verdict::kNoValue;
  if (op == "+") value = v[0] + v[1];
  if (op == "-") value = v[0] - v[1];
  if (op == "*") value = v[0] * v[1];
  if (op == "//") value = std::floor(v[0] / v[1]);
  if (op == "%") value = v[0] - v[1] * std::floor(v[0] / v[1]);
  if (op == "<") value = v[0] < v[1] ? 1 : 0;
  if (op == "<=") value = v[0] <= v[1] ? 1 : 0;
  if (op == ">") value = v[0] > v[1] ? 1 : 0;
  if (op == ">=") value = v[0] >= v[1] ? 1 : 0;
  if (op == "==") value = v[0] == v[1] ? 1 : 0;
  if (op == "!=") value = v[0] != v[1] ? 1 : 0;
  if (op == "and" || op == "or") value = v[1];
  if (op == "not") value = v[0] == 0 ? 1 : 0;
  if (op == "neg") value = -v[0];
  if (op == "abs") value = std::fabs(v[0]);
  if (op == "min") value = v[1] < v[0] ? v[1] : v[0];
  if (op == "in") value = v[0] == v[1] || v[0] == v[2] ? 1 : 0;
  if (op == "chain") value = v[1] != v[2] ? 1 : 0;
  if (op == "/") value = v[0] / v[1];
  if (op == "**") {
    if (v[0] == 0 && v[1] < 0) return Verdict::kNoValue;
    if (v[1] != std::floor(v[1]) || v[1] < 0 || v[1] > 8) return Verdict::kTooLarge;
    value = 1;
    for (int i = 0; i < static_cast<int>(v[1]); ++i) value *= v[0];
  }
  // What doubles would round is not compared.
  const long double scaled = value * 1048576;
  if (std::fabs(value) > kLimit || scaled != std::floor(scaled)) return Verdict::kTooLarge;
  return Verdict::kValue;
}

TEST(ExpressionPropertyTest, AgreesWithAnotherEvaluator) {
  Random random(20261123);
  int compared = 0;
  int without_value = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::unique_ptr<Node> node = Generate(random, 1 + random.Below(5));
    long double want = 0;
    const Verdict verdict = Reference(*node, want);
    const std::string text = Print(*node, 1, random);
    SCOPED_TRACE(text);
    ASSERT_OK_AND_ASSIGN(const Expression expression, Expression::Parse(text));
    if (verdict == Verdict::kTooLarge) continue;
    std::vector<Value> values;
    for (const std::string& name : expression.names()) {
      values.push_back(Value(static_cast<int64_t>(name[1] - '0')));
    }
    const absl::StatusOr<Value> value = expression.Evaluate(values);
    if (verdict == Verdict::kNoValue) {
      ++without_value;
      ASSERT_THAT(value, StatusIs(absl::StatusCode::kOutOfRange));
      continue;
    }
    ++compared;
    ASSERT_TRUE(value.ok()) << value.status();
    const long double got = std::holds_alternative<int64_t>(*value)
                                ? static_cast<long double>(std::get<int64_t>(*value))
                                : static_cast<long double>(std::get<double>(*value));
    ASSERT_EQ(got, want);
  }
  EXPECT_GT(compared, 8'000);
  EXPECT_GT(without_value, 500);
}

TEST(ExpressionConstraintTest, ReadsTheKnobsThatItNames) {
  ASSERT_OK_AND_ASSIGN(const Expression expression,
                       Expression::Parse("mode == 'fast' and scale * n > 2"));
  const std::vector<ExpressionKnob> knobs = {
      {"n", {}},
      {"mode", {Value(std::string("slow")), Value(std::string("fast"))}},
      {"scale", {Value(0.5), Value(1.5)}},
      {"unused", {}}};
  ASSERT_OK_AND_ASSIGN(const Constraint constraint,
                       MakeExpressionConstraint("condition_0", expression, knobs));
  EXPECT_EQ(constraint.name, "condition_0");
  EXPECT_THAT(constraint.knobs, ElementsAre("mode", "scale", "n"));
  const auto holds = [&](int64_t mode, int64_t scale, int64_t n) {
    const int64_t values[] = {mode, scale, n};
    return constraint.holds(values);
  };
  EXPECT_TRUE(holds(1, 1, 2));
  EXPECT_FALSE(holds(1, 0, 2));
  EXPECT_TRUE(holds(1, 0, 5));
  EXPECT_FALSE(holds(0, 1, 2));
  ASSERT_NE(ExpressionText(constraint), nullptr);
  EXPECT_EQ(*ExpressionText(constraint), "mode == 'fast' and scale * n > 2");
}

TEST(ExpressionConstraintTest, WithoutAValueItDoesNotHold) {
  ASSERT_OK_AND_ASSIGN(const Expression expression, Expression::Parse("8 % n == 0"));
  const std::vector<ExpressionKnob> knobs = {{"n", {}}};
  ASSERT_OK_AND_ASSIGN(const Constraint constraint,
                       MakeExpressionConstraint("c", expression, knobs));
  for (int64_t n = 0; n <= 4; ++n) {
    SCOPED_TRACE(n);
    EXPECT_EQ(constraint.holds(std::vector<int64_t>{n}), n == 1 || n == 2 || n == 4);
  }
}

TEST(ExpressionConstraintTest, RejectsUnknownNamesAndStringsCalculatedWith) {
  const std::vector<ExpressionKnob> knobs = {
      {"block_size", {}}, {"mode", {Value(std::string("a")), Value(std::string("b"))}}};
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"block_sice > 1", "no knob named \"block_sice\"; did you mean \"block_size\""},
      {"mode * 2 == 4", "column 6: a string is calculated with"},
      {"mode < block_size", "column 6: a string is ordered against a number"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.text);
    ASSERT_OK_AND_ASSIGN(const Expression expression, Expression::Parse(c.text));
    EXPECT_THAT(MakeExpressionConstraint("c", expression, knobs),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
  }
}

TEST(ExpressionConstraintTest, CxxConstraintsHaveNoText) {
  const Constraint constraint{"c", "", {}, [](std::span<const int64_t>) { return true; }};
  EXPECT_EQ(ExpressionText(constraint), nullptr);
}

}  // namespace
}  // namespace seedtune

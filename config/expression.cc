#include "config/expression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "config/constraint.h"
#include "util/edit_distance.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr size_t kMaxText = 64 * 1024;
constexpr int kMaxDepth = 64;
constexpr int kMaxStack = 256;

// An ExpressionValue that is trivial to copy; strings are borrowed.
struct Value {
  enum class Type : uint8_t { kInt, kFloat, kString };
  Type type;
  union {
    int64_t integer;
    double real;
    const std::string* text;
  };
};

Value Int(int64_t integer) {
  Value value;
  value.type = Value::Type::kInt;
  value.integer = integer;
  return value;
}
Value Bool(bool truth) { return Int(truth ? 1 : 0); }
Value Float(double real) {
  Value value;
  value.type = Value::Type::kFloat;
  value.real = real;
  return value;
}
Value Text(const std::string* text) {
  Value value;
  value.type = Value::Type::kString;
  value.text = text;
  return value;
}

Value Borrow(const ExpressionValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return Int(*integer);
  if (const auto* real = std::get_if<double>(&value)) return Float(*real);
  return Text(std::get_if<std::string>(&value));
}

bool IsText(const Value& value) { return value.type == Value::Type::kString; }
bool IsInt(const Value& value) { return value.type == Value::Type::kInt; }

// Of numbers only.
double ToDouble(const Value& value) {
  return IsInt(value) ? static_cast<double>(value.integer) : value.real;
}

bool IsTrue(const Value& value) {
  switch (value.type) {
    case Value::Type::kInt:
      return value.integer != 0;
    case Value::Type::kFloat:
      return value.real != 0;
    case Value::Type::kString:
      return !value.text->empty();
  }
  return false;
}

enum class Order { kLess, kEqual, kGreater, kNone };

template <typename T>
Order OrderOf(const T& a, const T& b) {
  return a < b ? Order::kLess : b < a ? Order::kGreater : a == b ? Order::kEqual : Order::kNone;
}

Order Reverse(Order order) {
  if (order == Order::kLess) return Order::kGreater;
  if (order == Order::kGreater) return Order::kLess;
  return order;
}

// Exact: the integer is not rounded.
Order OrderOfIntAndFloat(int64_t a, double b) {
  if (std::isnan(b)) return Order::kNone;
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (b >= kTwoTo63) return Order::kLess;
  if (b < -kTwoTo63) return Order::kGreater;
  const double whole = std::floor(b);
  const Order order = OrderOf(a, static_cast<int64_t>(whole));
  return order == Order::kEqual && b > whole ? Order::kLess : order;
}

// Nothing if one is a string and the other a number.
std::optional<Order> Compare(const Value& a, const Value& b) {
  if (IsInt(a) && IsInt(b)) return OrderOf(a.integer, b.integer);
  if (IsText(a) || IsText(b)) {
    if (!IsText(a) || !IsText(b)) return std::nullopt;
    return OrderOf(*a.text, *b.text);
  }
  if (IsInt(a)) return OrderOfIntAndFloat(a.integer, b.real);
  if (IsInt(b)) return Reverse(OrderOfIntAndFloat(b.integer, a.real));
  return OrderOf(a.real, b.real);
}

bool AreEqual(const Value& a, const Value& b) {
  const std::optional<Order> order = Compare(a, b);
  return order && *order == Order::kEqual;
}

enum class Op : uint8_t {
  kConstant,  // pushes constant `arg`
  kVariable,  // pushes variable `arg`
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kFloorDivide,
  kModulo,
  kPower,
  kNegate,
  kPlus,  // wants a number, and changes nothing
  kAbsolute,
  kTruncate,
  kMin,
  kMax,
  kNot,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
  kIn,               // [x, `arg` elements] -> [whether x is among them]
  kContinueIfTrue,   // true: pops; false: goes to `arg`
  kContinueIfFalse,  // false: pops; true: goes to `arg`
  kChainEqual,       // [a, b] -> [b] if a == b; else [False] and goes to `arg`; and so on
  kChainNotEqual,
  kChainLess,
  kChainLessOrEqual,
  kChainGreater,
  kChainGreaterOrEqual,
};

constexpr int kFirstComparison = static_cast<int>(Op::kEqual);
constexpr int kChainOffset = static_cast<int>(Op::kChainEqual) - static_cast<int>(Op::kEqual);

struct Instruction {
  Op op;
  uint32_t arg = 0;
  uint32_t offset = 0;  // in the text, for errors
};

struct Fault {
  const char* what = nullptr;
  bool is_type = false;
  uint32_t offset = 0;
};

bool Holds(Op comparison, Order order) {
  switch (comparison) {
    case Op::kEqual:
      return order == Order::kEqual;
    case Op::kNotEqual:
      return order != Order::kEqual;
    case Op::kLess:
      return order == Order::kLess;
    case Op::kLessOrEqual:
      return order == Order::kLess || order == Order::kEqual;
    case Op::kGreater:
      return order == Order::kGreater;
    default:
      return order == Order::kGreater || order == Order::kEqual;
  }
}

// Python's, whose sign is the divisor's. b is not 0.
double FloatModulo(double a, double b) {
  double modulo = std::fmod(a, b);
  if (modulo != 0) {
    if ((b < 0) != (modulo < 0)) modulo += b;
  } else {
    modulo = std::copysign(0.0, b);
  }
  return modulo;
}

double FloatFloorDivide(double a, double b) {
  double modulo = std::fmod(a, b);
  double quotient = (a - modulo) / b;
  if (modulo != 0 && (b < 0) != (modulo < 0)) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  const double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

// nullopt: does not fit.
std::optional<int64_t> IntPower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) return std::nullopt;
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) return std::nullopt;
  }
  return result;
}

constexpr const char* kWantsNumbers = "a string is calculated with, want a number";
constexpr const char* kWantsAlike = "a string is ordered against a number, want two alike";

// Returns nullptr, or what is wrong.
const char* Arithmetic(Op op, const Value& a, const Value& b, Value& result) {
  if (IsInt(a) && IsInt(b)) {
    const int64_t x = a.integer;
    const int64_t y = b.integer;
    int64_t z = 0;
    switch (op) {
      case Op::kAdd:
        if (__builtin_add_overflow(x, y, &z)) break;
        result = Int(z);
        return nullptr;
      case Op::kSubtract:
        if (__builtin_sub_overflow(x, y, &z)) break;
        result = Int(z);
        return nullptr;
      case Op::kMultiply:
        if (__builtin_mul_overflow(x, y, &z)) break;
        result = Int(z);
        return nullptr;
      case Op::kFloorDivide:
      case Op::kModulo:
        if (y == 0) return "division by zero";
        if (y == -1) {  // the quotient may not fit, and the processor traps then
          if (op == Op::kModulo) {
            result = Int(0);
            return nullptr;
          }
          if (x == std::numeric_limits<int64_t>::min()) break;
          result = Int(-x);
          return nullptr;
        }
        {
          const int64_t remainder = x % y;
          const bool inexact = remainder != 0 && (remainder < 0) != (y < 0);
          result = op == Op::kModulo ? Int(inexact ? remainder + y : remainder)
                                     : Int(x / y - (inexact ? 1 : 0));
        }
        return nullptr;
      case Op::kPower:
        if (y >= 0) {
          if (const auto power = IntPower(x, y)) {
            result = Int(*power);
            return nullptr;
          }
        }
        break;
      default:
        break;
    }
  } else if (IsText(a) || IsText(b)) {
    return kWantsNumbers;
  }
  const double x = ToDouble(a);
  const double y = ToDouble(b);
  switch (op) {
    case Op::kAdd:
      result = Float(x + y);
      return nullptr;
    case Op::kSubtract:
      result = Float(x - y);
      return nullptr;
    case Op::kMultiply:
      result = Float(x * y);
      return nullptr;
    case Op::kDivide:
      if (y == 0) return "division by zero";
      result = Float(x / y);
      return nullptr;
    case Op::kFloorDivide:
      if (y == 0) return "division by zero";
      result = Float(FloatFloorDivide(x, y));
      return nullptr;
    case Op::kModulo:
      if (y == 0) return "division by zero";
      result = Float(FloatModulo(x, y));
      return nullptr;
    default:  // kPower
      if (x == 0 && y < 0) return "zero to a negative power";
      if (x < 0 && std::isfinite(x) && std::isfinite(y) && y != std::floor(y)) {
        return "a negative number to a power that is not whole";
      }
      result = Float(std::pow(x, y));
      return nullptr;
  }
}

const char* Unary(Op op, Value& value) {
  if (op == Op::kNot) {
    value = Bool(!IsTrue(value));
    return nullptr;
  }
  if (IsText(value)) return kWantsNumbers;
  switch (op) {
    case Op::kNegate:
    case Op::kAbsolute:
      if (op == Op::kAbsolute && ToDouble(value) >= 0) return nullptr;
      if (!IsInt(value)) {
        value = Float(op == Op::kAbsolute ? std::fabs(value.real) : -value.real);
      } else if (value.integer == std::numeric_limits<int64_t>::min()) {
        value = Float(-static_cast<double>(value.integer));
      } else {
        value = Int(-value.integer);
      }
      return nullptr;
    case Op::kTruncate: {
      if (IsInt(value)) return nullptr;
      if (!std::isfinite(value.real)) return "not a finite number";
      const double whole = std::trunc(value.real);
      value = std::fabs(whole) < 9.2e18 ? Int(static_cast<int64_t>(whole)) : Float(whole);
      return nullptr;
    }
    default:  // kPlus
      return nullptr;
  }
}

// What is known of a value before it is known.
enum class Kind { kNumber, kString, kEither };

bool IsNameStart(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }

}  // namespace

struct Expression::Program {
  std::string text;
  std::vector<std::string> names;
  std::vector<Instruction> code;
  std::vector<Value> constants;
  std::deque<std::string> strings;  // that constants point to
  std::vector<size_t> outer_ands;   // where they stand in the text; none beside an outer `or`

  // `load(i)` gives variable i as a Value. Nullopt: `fault` says why.
  template <typename Load>
  std::optional<Value> Run(const Load& load, Fault& fault) const {
    Value stack[kMaxStack + 1];
    Value* top = stack;  // the last value; the first slot stays empty
    const size_t size = code.size();
    for (size_t at = 0; at < size; ++at) {
      const Instruction& instruction = code[at];
      const char* problem = nullptr;
      switch (instruction.op) {
        case Op::kConstant:
          *++top = constants[instruction.arg];
          break;
        case Op::kVariable:
          *++top = load(instruction.arg);
          break;
        case Op::kAdd:
        case Op::kSubtract:
        case Op::kMultiply:
        case Op::kDivide:
        case Op::kFloorDivide:
        case Op::kModulo:
        case Op::kPower:
          problem = Arithmetic(instruction.op, top[-1], top[0], top[-1]);
          --top;
          break;
        case Op::kNegate:
        case Op::kPlus:
        case Op::kAbsolute:
        case Op::kTruncate:
        case Op::kNot:
          problem = Unary(instruction.op, *top);
          break;
        case Op::kMin:
        case Op::kMax: {
          const std::optional<Order> order = Compare(top[0], top[-1]);
          if (!order) {
            problem = kWantsAlike;
          } else if (*order == (instruction.op == Op::kMin ? Order::kLess : Order::kGreater)) {
            top[-1] = top[0];
          }
          --top;
          break;
        }
        case Op::kEqual:
        case Op::kNotEqual:
        case Op::kLess:
        case Op::kLessOrEqual:
        case Op::kGreater:
        case Op::kGreaterOrEqual: {
          bool holds = false;
          problem = CompareAs(instruction.op, top[-1], top[0], holds);
          *--top = Bool(holds);
          break;
        }
        case Op::kIn: {
          const Value* element = top - instruction.arg + 1;
          const Value wanted = element[-1];
          bool found = false;
          for (; element <= top; ++element) found = found || AreEqual(wanted, *element);
          top -= instruction.arg;
          *top = Bool(found);
          break;
        }
        case Op::kContinueIfTrue:
        case Op::kContinueIfFalse:
          if (IsTrue(*top) == (instruction.op == Op::kContinueIfTrue)) {
            --top;
          } else {
            at = instruction.arg - 1;
          }
          break;
        case Op::kChainEqual:
        case Op::kChainNotEqual:
        case Op::kChainLess:
        case Op::kChainLessOrEqual:
        case Op::kChainGreater:
        case Op::kChainGreaterOrEqual: {
          bool holds = false;
          problem = CompareAs(static_cast<Op>(static_cast<int>(instruction.op) - kChainOffset),
                              top[-1], top[0], holds);
          --top;
          if (holds) {
            top[0] = top[1];
          } else {
            top[0] = Bool(false);
            at = instruction.arg - 1;
          }
          break;
        }
      }
      if (problem != nullptr) {
        fault = {problem, problem == kWantsNumbers || problem == kWantsAlike, instruction.offset};
        return std::nullopt;
      }
    }
    return *top;
  }

 private:
  static const char* CompareAs(Op op, const Value& a, const Value& b, bool& holds) {
    const std::optional<Order> order = Compare(a, b);
    if (order) {
      holds = Holds(op, *order);
    } else if (op == Op::kEqual || op == Op::kNotEqual) {
      holds = op == Op::kNotEqual;
    } else {
      return kWantsAlike;
    }
    return nullptr;
  }
};

// One pass: the instructions are written while the text is read. Beside them it keeps what kind of
// value each will be, so that strings in the wrong place are found before anything runs.
class ExpressionParser {
 public:
  using Kinds = std::unordered_map<std::string, Kind>;

  // Names are of the kind in `kinds`, either if missing there.
  ExpressionParser(std::string_view text, const Kinds& kinds) : text_(text), kinds_(kinds) {}

  absl::StatusOr<Expression> Parse() {
    if (text_.size() > kMaxText) {
      return absl::InvalidArgumentError(
          absl::StrCat("the expression has ", text_.size(), " bytes, want at most ", kMaxText));
    }
    program_->text = std::string(text_);
    Next();
    OrTest();
    if (status_.ok() && token_ != TokenKind::kEnd) Unexpected("an operator or the end");
    if (!status_.ok()) return status_;
    if (outer_or_) program_->outer_ands.clear();
    return Expression(std::move(program_));
  }

 private:
  enum class TokenKind { kEnd, kNumber, kString, kName, kSymbol };

  // The first error stays. Afterwards the rest is not read: the token is the end.
  void Fail(size_t offset, const std::string& what) {
    if (status_.ok()) {
      status_ = absl::InvalidArgumentError(absl::StrCat("column ", offset + 1, ": ", what));
    }
    token_ = TokenKind::kEnd;
    spelling_ = "";
  }

  void Unexpected(std::string_view wanted) {
    std::string found = "the end";
    if (token_ != TokenKind::kEnd) {
      found.clear();
      for (const char c : spelling_.substr(0, 40)) {
        found += c >= 0x20 && c < 0x7f ? c : '?';
      }
      found = absl::StrCat("\"", found, "\"");
    }
    Fail(start_, absl::StrCat("expected ", ToAbsl(wanted), ", found ", found));
  }

  void Next() {
    if (!status_.ok()) return;
    while (end_ < text_.size() && (text_[end_] == ' ' || text_[end_] == '\t' ||
                                   text_[end_] == '\n' || text_[end_] == '\r')) {
      ++end_;
    }
    start_ = end_;
    if (end_ == text_.size()) {
      token_ = TokenKind::kEnd;
      spelling_ = "";
      return;
    }
    const char c = text_[end_];
    if (IsNameStart(c)) {
      ReadName();
    } else if (IsDigit(c) || (c == '.' && end_ + 1 < text_.size() && IsDigit(text_[end_ + 1]))) {
      ReadNumber();
    } else if (c == '"' || c == '\'') {
      ReadString(c);
    } else {
      ReadSymbol(c);
    }
    if (status_.ok()) spelling_ = text_.substr(start_, end_ - start_);
  }

  void ReadName() {
    token_ = TokenKind::kName;
    while (end_ < text_.size() && IsNamePart(text_[end_])) ++end_;
    // A role in brackets, unless the name is `in` before a list.
    const std::string_view word = text_.substr(start_, end_ - start_);
    if (word == "in" || word == "not" || word == "and" || word == "or") return;
    if (end_ == text_.size() || text_[end_] != '[') return;
    size_t close = end_ + 1;
    while (close < text_.size() && IsNamePart(text_[close])) ++close;
    if (close > end_ + 1 && close < text_.size() && text_[close] == ']') end_ = close + 1;
  }

  void ReadNumber() {
    token_ = TokenKind::kNumber;
    const bool hex = text_[end_] == '0' && end_ + 1 < text_.size() &&
                     (text_[end_ + 1] == 'x' || text_[end_ + 1] == 'X');
    bool is_float = false;
    if (hex) {
      end_ += 2;
      while (end_ < text_.size() && IsNamePart(text_[end_])) ++end_;
    } else {
      const auto digits = [this] {
        while (end_ < text_.size() && IsDigit(text_[end_])) ++end_;
      };
      digits();
      if (end_ < text_.size() && text_[end_] == '.') {
        is_float = true;
        ++end_;
        digits();
      }
      if (end_ < text_.size() && (text_[end_] == 'e' || text_[end_] == 'E')) {
        is_float = true;
        ++end_;
        if (end_ < text_.size() && (text_[end_] == '+' || text_[end_] == '-')) ++end_;
        digits();
      }
      while (end_ < text_.size() && IsNamePart(text_[end_])) ++end_;
    }
    const std::string word(text_.substr(start_, end_ - start_));
    const auto bad = [&](std::string_view want) {
      Fail(start_, absl::StrCat("\"", word.substr(0, 40), "\" is no number", ToAbsl(want)));
    };
    if (hex) {
      uint64_t value = 0;
      if (!absl::SimpleHexAtoi(word, &value) ||
          value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        return bad(", want hexadecimal digits for at most 63 bits");
      }
      number_ = Int(static_cast<int64_t>(value));
      return;
    }
    int64_t integer = 0;
    double real = 0;
    const bool all_digits = std::all_of(word.begin(), word.end(), IsDigit);
    if (!is_float && all_digits && word.size() > 1 && word[0] == '0' &&
        word.find_first_not_of('0') != std::string::npos) {
      return bad(", want no leading zeros");
    }
    if (!is_float && all_digits && absl::SimpleAtoi(word, &integer)) {
      number_ = Int(integer);
    } else if ((is_float || all_digits) && absl::SimpleAtod(word, &real)) {
      number_ = Float(real);
    } else {
      bad("");
    }
  }

  void ReadString(char quote) {
    token_ = TokenKind::kString;
    string_.clear();
    for (++end_; end_ < text_.size() && text_[end_] != quote; ++end_) {
      if (text_[end_] == '\n') break;
      if (text_[end_] == '\\') {
        ++end_;
        if (end_ == text_.size()) break;
        constexpr std::string_view kEscapes = "\\'\"nrt", kMeanings = "\\'\"\n\r\t";
        const size_t escape = kEscapes.find(text_[end_]);
        if (escape == std::string_view::npos) {
          return Fail(end_ - 1, "unknown escape, want \\\\, \\', \\\", \\n, \\r or \\t");
        }
        string_ += kMeanings[escape];
        continue;
      }
      string_ += text_[end_];
    }
    if (end_ >= text_.size() || text_[end_] != quote) {
      return Fail(start_, "the string does not end, want a closing quote");
    }
    ++end_;
  }

  void ReadSymbol(char c) {
    token_ = TokenKind::kSymbol;
    const std::string_view rest = text_.substr(end_);
    for (const std::string_view symbol : {"**", "//", "==", "!=", "<=", ">="}) {
      if (rest.substr(0, 2) == symbol) {
        end_ += 2;
        return;
      }
    }
    if (std::string_view("+-*/%<>()[],").find(c) != std::string_view::npos) {
      ++end_;
      return;
    }
    const struct {
      std::string_view symbol, instead;
    } kOthers[] = {{"&&", "and"}, {"||", "or"}, {"!", "not"}, {"=", "=="}};
    for (const auto& other : kOthers) {
      if (rest.substr(0, other.symbol.size()) == other.symbol) {
        return Fail(end_, absl::StrCat("\"", ToAbsl(other.symbol), "\" is no operator, want \"",
                                       ToAbsl(other.instead), "\""));
      }
    }
    end_ += 1;
    spelling_ = rest.substr(0, 1);
    Unexpected("a value or an operator");
  }

  bool Is(std::string_view spelling) const {
    return (token_ == TokenKind::kSymbol || token_ == TokenKind::kName) && spelling_ == spelling;
  }

  bool Take(std::string_view spelling) {
    if (!Is(spelling)) return false;
    Next();
    return true;
  }

  // `pushed`: how many values more (or fewer) are on the stack afterwards.
  size_t Emit(Op op, size_t arg, size_t offset, int pushed) {
    stack_ += pushed;
    if (stack_ > kMaxStack) {
      Fail(offset, absl::StrCat("more than ", kMaxStack, " values at once, want a simpler one"));
    }
    program_->code.push_back({op, static_cast<uint32_t>(arg), static_cast<uint32_t>(offset)});
    return program_->code.size() - 1;
  }

  void JumpHere(size_t from) {
    program_->code[from].arg = static_cast<uint32_t>(program_->code.size());
  }

  // Counts the levels of recursion.
  class Level {
   public:
    explicit Level(ExpressionParser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) {
        parser_.Fail(parser_.start_,
                     absl::StrCat("nested deeper than ", kMaxDepth, " levels, want fewer"));
      }
    }
    ~Level() { --parser_.depth_; }

   private:
    ExpressionParser& parser_;
  };

  static Kind Either(Kind a, Kind b) { return a == b ? a : Kind::kEither; }

  void WantNumber(Kind kind, size_t offset) {
    if (kind == Kind::kString) Fail(offset, kWantsNumbers);
  }

  void WantAlike(Kind a, Kind b, size_t offset) {
    if ((a == Kind::kString && b == Kind::kNumber) || (a == Kind::kNumber && b == Kind::kString)) {
      Fail(offset, kWantsAlike);
    }
  }

  Kind OrTest() { return Logic("or", Op::kContinueIfFalse, &ExpressionParser::AndTest); }
  Kind AndTest() { return Logic("and", Op::kContinueIfTrue, &ExpressionParser::NotTest); }

  Kind Logic(std::string_view word, Op op, Kind (ExpressionParser::*operand)()) {
    Kind kind = (this->*operand)();
    std::vector<size_t> jumps;
    while (Is(word)) {
      jumps.push_back(Emit(op, 0, start_, -1));
      if (depth_ == 0 && op == Op::kContinueIfTrue) program_->outer_ands.push_back(start_);
      if (depth_ == 0 && op == Op::kContinueIfFalse) outer_or_ = true;
      Next();
      kind = Either(kind, (this->*operand)());
    }
    for (const size_t jump : jumps) JumpHere(jump);
    return kind;
  }

  Kind NotTest() {
    if (!Is("not")) return Comparison();
    const Level level(*this);
    const size_t offset = start_;
    Next();
    NotTest();
    Emit(Op::kNot, 0, offset, 0);
    return Kind::kNumber;
  }

  std::optional<Op> ComparisonOperator() const {
    constexpr std::string_view kSpellings[] = {"==", "!=", "<", "<=", ">", ">="};
    for (int i = 0; i < 6; ++i) {
      if (Is(kSpellings[i])) return static_cast<Op>(kFirstComparison + i);
    }
    return std::nullopt;
  }

  Kind Comparison() {
    Kind kind = Sum();
    std::vector<size_t> jumps;
    bool compared = false;
    while (status_.ok()) {
      const size_t offset = start_;
      // A comparison goes on only if another follows, which is known once its operand is read.
      if (const std::optional<Op> op = ComparisonOperator()) {
        Next();
        const Kind right = Sum();
        if (*op != Op::kEqual && *op != Op::kNotEqual) WantAlike(kind, right, offset);
        kind = right;
        compared = true;
        if (ComparisonOperator() || Is("in") || Is("not")) {
          jumps.push_back(
              Emit(static_cast<Op>(static_cast<int>(*op) + kChainOffset), 0, offset, -1));
        } else {
          Emit(*op, 0, offset, -1);
          break;
        }
      } else if (Is("in") || Is("not")) {
        const bool negated = Take("not");
        if (!Is("in")) {
          Unexpected("\"in\"");
          break;
        }
        Next();
        List(offset);
        if (negated) Emit(Op::kNot, 0, offset, 0);
        compared = true;
        if (ComparisonOperator() || Is("in") || Is("not")) {
          Fail(start_, "a list cannot be compared further, want parentheses around the comparison");
        }
        break;
      } else {
        break;
      }
    }
    for (const size_t jump : jumps) JumpHere(jump);
    return compared ? Kind::kNumber : kind;
  }

  void List(size_t offset) {
    const Level level(*this);
    const bool round = Is("(");
    if (!round && !Is("[")) return Unexpected("a list such as [1, 2]");
    const std::string_view close = round ? ")" : "]";
    Next();
    size_t elements = 0;
    bool comma = true;
    while (status_.ok() && !Is(close)) {
      OrTest();
      ++elements;
      comma = Take(",");
      if (!comma) break;
    }
    if (!Is(close)) return Unexpected(round ? "\",\" or \")\"" : "\",\" or \"]\"");
    // (1) is a number in brackets, as in Python.
    if (round && elements == 1 && !comma) {
      return Fail(start_, "a number in parentheses is no list, want [..]");
    }
    Next();
    Emit(Op::kIn, elements, offset, -static_cast<int>(elements));
  }

  Kind Sum() {
    Kind kind = Term();
    while (Is("+") || Is("-")) {
      kind = Binary(kind, Is("+") ? Op::kAdd : Op::kSubtract, &ExpressionParser::Term);
    }
    return kind;
  }

  Kind Term() {
    Kind kind = UnaryOperation();
    while (true) {
      if (Is("*")) {
        kind = Binary(kind, Op::kMultiply, &ExpressionParser::UnaryOperation);
      } else if (Is("/")) {
        kind = Binary(kind, Op::kDivide, &ExpressionParser::UnaryOperation);
      } else if (Is("//")) {
        kind = Binary(kind, Op::kFloorDivide, &ExpressionParser::UnaryOperation);
      } else if (Is("%")) {
        kind = Binary(kind, Op::kModulo, &ExpressionParser::UnaryOperation);
      } else {
        return kind;
      }
    }
  }

  Kind Binary(Kind left, Op op, Kind (ExpressionParser::*operand)()) {
    const size_t offset = start_;
    Next();
    const Kind right = (this->*operand)();
    WantNumber(left, offset);
    WantNumber(right, offset);
    Emit(op, 0, offset, -1);
    return Kind::kNumber;
  }

  Kind UnaryOperation() {
    if (!Is("-") && !Is("+")) return Power();
    const Level level(*this);
    const size_t offset = start_;
    const Op op = Is("-") ? Op::kNegate : Op::kPlus;
    Next();
    WantNumber(UnaryOperation(), offset);
    Emit(op, 0, offset, 0);
    return Kind::kNumber;
  }

  Kind Power() {
    const Kind kind = Atom();
    if (!Is("**")) return kind;
    const Level level(*this);
    return Binary(kind, Op::kPower, &ExpressionParser::UnaryOperation);
  }

  Kind Constant(Value value, Kind kind) {
    program_->constants.push_back(value);
    Emit(Op::kConstant, program_->constants.size() - 1, start_, 1);
    Next();
    return kind;
  }

  Kind Atom() {
    switch (token_) {
      case TokenKind::kNumber:
        return Constant(number_, Kind::kNumber);
      case TokenKind::kString:
        program_->strings.push_back(string_);
        return Constant(Text(&program_->strings.back()), Kind::kString);
      case TokenKind::kName:
        return Name();
      default:
        break;
    }
    if (!Is("(")) {
      Unexpected("a value");
      return Kind::kEither;
    }
    const Level level(*this);
    Next();
    const Kind kind = OrTest();
    if (!Is(")")) Unexpected("\")\"");
    Next();
    return kind;
  }

  Kind Name() {
    if (Is("True")) return Constant(Bool(true), Kind::kNumber);
    if (Is("False")) return Constant(Bool(false), Kind::kNumber);
    for (const std::string_view word :
         {"and", "or", "not", "in", "is", "if", "else", "lambda", "None"}) {
      if (Is(word)) {
        Unexpected("a value");
        return Kind::kEither;
      }
    }
    const std::string name(spelling_);
    const size_t offset = start_;
    Next();
    if (Is("(")) return Call(name, offset);
    const auto [it, inserted] = index_.emplace(name, program_->names.size());
    if (inserted) program_->names.push_back(name);
    Emit(Op::kVariable, it->second, offset, 1);
    const auto kind = kinds_.find(name);
    return kind == kinds_.end() ? Kind::kEither : kind->second;
  }

  Kind Call(const std::string& name, size_t offset) {
    const struct {
      std::string_view name;
      Op op;
      bool many;
    } kFunctions[] = {{"abs", Op::kAbsolute, false},
                      {"int", Op::kTruncate, false},
                      {"max", Op::kMax, true},
                      {"min", Op::kMin, true}};
    for (const auto& function : kFunctions) {
      if (name != function.name) continue;
      const Level level(*this);
      Next();
      Kind kind = OrTest();
      if (!function.many) {
        WantNumber(kind, offset);
        Emit(function.op, 0, offset, 0);
        kind = Kind::kNumber;
      }
      while (function.many && Take(",")) {
        const Kind next = OrTest();
        WantAlike(kind, next, offset);
        kind = Either(kind, next);
        Emit(function.op, 0, offset, -1);
      }
      if (!Is(")")) Unexpected(function.many ? "\",\" or \")\"" : "\")\"");
      Next();
      return kind;
    }
    Fail(offset,
         absl::StrCat("no function named \"", name.substr(0, 40), "\"; known: abs, int, max, min"));
    return Kind::kEither;
  }

  std::string_view text_;
  const Kinds& kinds_;
  std::shared_ptr<Expression::Program> program_ = std::make_shared<Expression::Program>();
  std::unordered_map<std::string, size_t> index_;  // of names
  absl::Status status_;
  int depth_ = 0;
  int stack_ = 0;
  bool outer_or_ = false;

  // The token that stands at start_ .. end_.
  TokenKind token_ = TokenKind::kEnd;
  std::string_view spelling_;
  size_t start_ = 0;
  size_t end_ = 0;
  Value number_ = Int(0);
  std::string string_;
};

absl::StatusOr<Expression> Expression::Parse(std::string_view text) {
  return ExpressionParser(text, {}).Parse();
}

const std::string& Expression::text() const { return program_->text; }

const std::vector<std::string>& Expression::names() const { return program_->names; }

std::vector<Expression> Expression::Conjuncts() const {
  if (program_->outer_ands.empty()) return {*this};
  const std::string_view text = program_->text;
  std::vector<Expression> conjuncts;
  size_t start = 0;
  for (size_t i = 0; i <= program_->outer_ands.size(); ++i) {
    const bool last = i == program_->outer_ands.size();
    size_t end = last ? text.size() : program_->outer_ands[i];
    const size_t next = end + 3;
    while (start < end && text[start] == ' ') ++start;
    while (start < end && text[end - 1] == ' ') --end;
    absl::StatusOr<Expression> conjunct = Parse(text.substr(start, end - start));
    if (!conjunct.ok()) return {*this};  // cannot be: it was parsed as a part
    conjuncts.push_back(*std::move(conjunct));
    start = next;
  }
  return conjuncts;
}

absl::StatusOr<ExpressionValue> Expression::Evaluate(
    std::span<const ExpressionValue> values) const {
  if (values.size() != names().size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(values.size(), " values, want ", names().size(), ", one a name"));
  }
  Fault fault;
  const std::optional<Value> result =
      program_->Run([&](uint32_t i) { return Borrow(values[i]); }, fault);
  if (!result) {
    const std::string message = absl::StrCat("column ", fault.offset + 1, ": ", fault.what);
    return fault.is_type ? absl::InvalidArgumentError(message) : absl::OutOfRangeError(message);
  }
  switch (result->type) {
    case Value::Type::kInt:
      return ExpressionValue(result->integer);
    case Value::Type::kFloat:
      return ExpressionValue(result->real);
    case Value::Type::kString:
      break;
  }
  return ExpressionValue(*result->text);
}

// What std::function holds for MakeExpressionConstraint.
class ExpressionCondition {
 public:
  // `knobs` in the order of the program's names.
  ExpressionCondition(Expression expression, std::vector<ExpressionKnob> knobs)
      : bound_(std::make_shared<Bound>(std::move(expression), std::move(knobs))) {
    for (const ExpressionKnob& knob : bound_->knobs) {
      std::vector<Value>& values = bound_->values.emplace_back();
      for (const ExpressionValue& choice : knob.choices) values.push_back(Borrow(choice));
    }
  }

  bool operator()(std::span<const int64_t> numerics) const {
    const Bound& bound = *bound_;
    Fault fault;
    const std::optional<Value> result = bound.expression.program_->Run(
        [&](uint32_t i) {
          const std::vector<Value>& values = bound.values[i];
          return values.empty() ? Int(numerics[i]) : values[static_cast<size_t>(numerics[i])];
        },
        fault);
    return result && IsTrue(*result);
  }

  const std::string& text() const { return bound_->expression.text(); }

 private:
  struct Bound {
    Bound(Expression expression, std::vector<ExpressionKnob> knobs)
        : expression(std::move(expression)), knobs(std::move(knobs)) {}
    Expression expression;
    std::vector<ExpressionKnob> knobs;       // owns the strings
    std::vector<std::vector<Value>> values;  // of choices, by variable; empty: integers
  };
  std::shared_ptr<Bound> bound_;
};

absl::StatusOr<Constraint> MakeExpressionConstraint(std::string name, const Expression& expression,
                                                    std::span<const ExpressionKnob> knobs) {
  std::vector<ExpressionKnob> read;
  ExpressionParser::Kinds kinds;
  for (const std::string& variable : expression.names()) {
    const auto knob = std::find_if(knobs.begin(), knobs.end(), [&](const ExpressionKnob& known) {
      return known.name == variable;
    });
    if (knob == knobs.end()) {
      std::vector<std::string> known;
      for (const ExpressionKnob& other : knobs) known.push_back(other.name);
      const std::optional<std::string> nearest = NearestName(variable, known);
      return absl::InvalidArgumentError(absl::StrCat(
          "\"", expression.text(), "\": no knob named \"", variable, "\"",
          nearest ? absl::StrCat("; did you mean \"", *nearest, "\"") : std::string()));
    }
    Kind kind = Kind::kNumber;
    for (size_t i = 0; i < knob->choices.size(); ++i) {
      const Kind choice =
          std::holds_alternative<std::string>(knob->choices[i]) ? Kind::kString : Kind::kNumber;
      if (i == 0) {
        kind = choice;
      } else if (kind != choice) {
        kind = Kind::kEither;
      }
    }
    kinds.emplace(variable, kind);
    read.push_back(*knob);
  }
  // Once more, now that it is known which names are strings.
  if (const auto checked = ExpressionParser(expression.text(), kinds).Parse(); !checked.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", expression.text(), "\": ", checked.status().message()));
  }
  Constraint constraint;
  constraint.name = std::move(name);
  constraint.description = expression.text();
  constraint.knobs = expression.names();
  constraint.holds = ExpressionCondition(expression, std::move(read));
  return constraint;
}

const std::string* ExpressionText(const Constraint& constraint) {
  const auto* condition = constraint.holds.target<ExpressionCondition>();
  return condition == nullptr ? nullptr : &condition->text();
}

}  // namespace seedtune

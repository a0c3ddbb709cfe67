#include "ir/opaque.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr char kExample[] = "external:transpose:rows=4096:columns=512";
constexpr int64_t kLargestInteger = int64_t{1} << 53;

bool IsIdentifier(std::string_view name) {
  if (name.empty() || absl::ascii_isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_'; });
}

bool IsWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) ||
           std::string_view("_.,/+-").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

// Digits, a sign, a point, an exponent: what is meant as a number.
bool LooksLikeNumber(std::string_view text) {
  const size_t at = text[0] == '-' || text[0] == '+' ? 1 : 0;
  return at < text.size() && (absl::ascii_isdigit(static_cast<unsigned char>(text[at])) ||
                              (text[at] == '.' && at + 1 < text.size() &&
                               absl::ascii_isdigit(static_cast<unsigned char>(text[at + 1]))));
}

// nullopt: no value at all.
std::optional<OpaqueValue> ParseValue(std::string_view text) {
  if (!IsWord(text)) return std::nullopt;
  int64_t integer = 0;
  if (absl::SimpleAtoi(ToAbsl(text), &integer)) {
    if (integer < -kLargestInteger || integer > kLargestInteger) return std::nullopt;
    return integer;
  }
  double number = 0;
  if (LooksLikeNumber(text) && absl::SimpleAtod(ToAbsl(text), &number)) {
    if (!std::isfinite(number)) return std::nullopt;
    // 1e3 is 1000: one value, one spelling.
    if (number == std::floor(number) && std::abs(number) <= kLargestInteger) {
      return static_cast<int64_t>(number);
    }
    return number;
  }
  return std::string(text);
}

std::string ShortestText(double number) {
  for (int digits = 1; digits < 17; ++digits) {
    const std::string text = absl::StrFormat("%.*g", digits, number);
    double back = 0;
    if (absl::SimpleAtod(text, &back) && back == number) return text;
  }
  return absl::StrFormat("%.17g", number);
}

std::string ValueText(const OpaqueValue& value) {
  if (const int64_t* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const double* number = std::get_if<double>(&value)) return ShortestText(*number);
  return std::get<std::string>(value);
}

}  // namespace

absl::StatusOr<OpaqueFunction> ParseOpaqueShortForm(std::string_view text) {
  const auto error = [&](const auto&... parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", std::string(text), "\": ", parts..., ", as in ", kExample));
  };
  if (!absl::StartsWith(ToAbsl(text), kOpaquePrefix)) {
    return error("does not begin with \"", kOpaquePrefix, "\", want a function's short form");
  }
  const std::vector<std::string> parts =
      absl::StrSplit(ToAbsl(text.substr(sizeof(kOpaquePrefix) - 1)), ':');
  OpaqueFunction function;
  function.function = parts[0];
  if (!IsIdentifier(function.function)) {
    return error("the function is \"", function.function,
                 "\", want letters, digits and \"_\", no digit first");
  }
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    const std::string name = parts[i].substr(0, equals);
    if (equals == std::string::npos || !IsIdentifier(name)) {
      return error("parameter ", i, " is \"", parts[i], "\", want NAME=VALUE");
    }
    const std::optional<OpaqueValue> value =
        ParseValue(std::string_view(parts[i]).substr(equals + 1));
    if (!value) {
      return error("parameter \"", name, "\" is \"", parts[i].substr(equals + 1),
                   "\", want a whole number of at most 2^53, a number, or a word");
    }
    if (!function.parameters.emplace(name, *value).second) {
      return error("parameter \"", name, "\" is there twice, want it once");
    }
  }
  return function;
}

std::string OpaqueShortForm(const OpaqueFunction& function) {
  std::string text = absl::StrCat(kOpaquePrefix, function.function);
  for (const auto& [name, value] : function.parameters) {
    absl::StrAppend(&text, ":", name, "=", ValueText(value));
  }
  return text;
}

Kernel BuildOpaqueKernel(const OpaqueFunction& function) {
  Kernel kernel;
  kernel.name = OpaqueShortForm(function);
  return kernel;
}

bool IsOpaque(const Kernel& kernel) {
  return kernel.axes.empty() && kernel.tensors.empty() && kernel.ops.empty();
}

absl::StatusOr<OpaqueFunction> ReadOpaqueKernel(const Kernel& kernel) {
  return ParseOpaqueShortForm(kernel.name);
}

}  // namespace seedtune

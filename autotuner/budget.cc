#include "autotuner/budget.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr double kMostSeconds = 366.0 * 24 * 3600;

// The fewest digits that read back as `value`, never with an exponent.
std::string ShortestDouble(double value) {
  char buffer[400];
  const std::to_chars_result end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::fixed);
  return std::string(buffer, end.ptr);
}

}  // namespace

absl::StatusOr<Budget> ParseBudget(std::string_view text) {
  const auto error = [&](auto... what) {
    return absl::InvalidArgumentError(absl::StrCat("budget \"", ToAbsl(text), "\": ", what...,
                                                   "; for example 30s, 200evals or 200evals,2m"));
  };
  Budget budget;
  for (const absl::string_view raw : absl::StrSplit(ToAbsl(text), ',')) {
    const std::string_view part = ToStd(absl::StripAsciiWhitespace(raw));
    if (part.empty()) return error("is empty, want a number and its unit");
    const size_t digits = std::min(part.find_first_not_of("0123456789.+-"), part.size());
    const std::string_view number = part.substr(0, digits);
    const std::string_view unit = part.substr(digits);
    if (number.empty())
      return error("\"", ToAbsl(part), "\" has no number, want one before the unit");

    const char* const end = number.data() + number.size();
    if (unit == "evals") {
      int64_t evaluations = 0;
      const std::from_chars_result read = std::from_chars(number.data(), end, evaluations);
      if (read.ec != std::errc() || read.ptr != end || evaluations <= 0) {
        return error(ToAbsl(number), " evaluations, want a whole number above 0");
      }
      if (budget.evaluations != 0) return error("evaluations are given twice, want them once");
      budget.evaluations = evaluations;
      continue;
    }
    double scale = 0;
    if (unit == "s") scale = 1;
    if (unit == "m") scale = 60;
    if (unit == "h") scale = 3600;
    if (unit.empty()) return error(ToAbsl(number), " has no unit, want s, m, h or evals");
    if (scale == 0) return error("no unit named \"", ToAbsl(unit), "\", want s, m, h or evals");
    double time = 0;
    const std::from_chars_result read = std::from_chars(number.data(), end, time);
    const double seconds = time * scale;
    if (read.ec != std::errc() || read.ptr != end || !(seconds > 0) || seconds > kMostSeconds) {
      return error(ToAbsl(part), ", want more than 0 and at most a year");
    }
    if (budget.seconds != 0) return error("time is given twice, want it once");
    budget.seconds = seconds;
  }
  return budget;
}

std::string BudgetToString(const Budget& budget) {
  std::string text;
  if (budget.evaluations > 0) text = absl::StrCat(budget.evaluations, "evals");
  if (budget.seconds > 0) {
    absl::StrAppend(&text, text.empty() ? "" : ",", ShortestDouble(budget.seconds), "s");
  }
  return text.empty() ? "none" : text;
}

}  // namespace seedtune

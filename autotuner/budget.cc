#include "autotuner/budget.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

constexpr double kMostSeconds = 366.0 * 24 * 3600;
constexpr char kUnits[] = "ms, s, m, h, evals, device-s, stale or %roofline";

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
    if (unit == "evals" || unit == "stale") {
      int64_t& count = unit == "evals" ? budget.evaluations : budget.stale_evaluations;
      int64_t read_count = 0;
      const std::from_chars_result read = std::from_chars(number.data(), end, read_count);
      if (read.ec != std::errc() || read.ptr != end || read_count <= 0) {
        return error(ToAbsl(number), unit == "evals" ? " evaluations" : " stale evaluations",
                     ", want a whole number above 0");
      }
      if (count != 0) {
        return error(unit == "evals" ? "evaluations" : "stale evaluations",
                     " are given twice, want them once");
      }
      count = read_count;
      continue;
    }
    if (unit.empty()) return error(ToAbsl(number), " has no unit, want ", kUnits);
    double value = 0;
    const std::from_chars_result read = std::from_chars(number.data(), end, value);
    const bool is_number = read.ec == std::errc() && read.ptr == end && value > 0;
    if (unit == "%roofline") {
      if (!is_number || value > 100)
        return error(ToAbsl(part), ", want more than 0% and at most 100%");
      if (budget.roofline_fraction != 0) return error("the target is given twice, want it once");
      budget.roofline_fraction = value / 100;
      continue;
    }
    const bool is_device = unit == "device-s";
    double scale = 0;
    if (unit == "ms") scale = 1e-3;
    if (unit == "s" || is_device) scale = 1;
    if (unit == "m") scale = 60;
    if (unit == "h") scale = 3600;
    if (scale == 0) return error("no unit named \"", ToAbsl(unit), "\", want ", kUnits);
    const double seconds = value * scale;
    if (!is_number || !(seconds > 0) || seconds > kMostSeconds) {
      return error(ToAbsl(part), ", want more than 0 and at most a year");
    }
    double& time = is_device ? budget.device_seconds : budget.seconds;
    if (time != 0)
      return error(is_device ? "device time" : "time", " is given twice, want it once");
    time = seconds;
  }
  return budget;
}

std::string BudgetToString(const Budget& budget) {
  std::vector<std::string> rules;
  const auto add = [&](auto... parts) { rules.push_back(absl::StrCat(parts...)); };
  if (budget.evaluations > 0) add(budget.evaluations, "evals");
  if (budget.seconds > 0) add(ShortestDouble(budget.seconds), "s");
  if (budget.device_seconds > 0) add(ShortestDouble(budget.device_seconds), "device-s");
  if (budget.stale_evaluations > 0) add(budget.stale_evaluations, "stale");
  if (budget.roofline_fraction > 0) {
    add(ShortestDouble(budget.roofline_fraction * 100), "%roofline");
  }
  return rules.empty() ? "none" : absl::StrJoin(rules, ",");
}

}  // namespace seedtune

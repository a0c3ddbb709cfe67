#include "autotuner/outcome.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "util/edit_distance.h"
#include "util/string_view.h"

namespace seedtune {
namespace {

struct NamedKind {
  OutcomeKind kind;
  std::string_view name;
};

constexpr NamedKind kKinds[] = {
    {OutcomeKind::kOk, "ok"},
    {OutcomeKind::kCensored, "censored"},
    {OutcomeKind::kCompileError, "compile_error"},
    {OutcomeKind::kLaunchError, "launch_error"},
    {OutcomeKind::kWrongResult, "wrong_result"},
    {OutcomeKind::kTimeout, "timeout"},
    {OutcomeKind::kCrash, "crash"},
    {OutcomeKind::kOutOfResources, "out_of_resources"},
};

// The middle one, or the middle of the middle two; +infinity if a sample is not a number, because
// such a candidate must not win.
double Median(std::vector<double> samples) {
  if (std::any_of(samples.begin(), samples.end(), [](double x) { return std::isnan(x); })) {
    return std::numeric_limits<double>::infinity();
  }
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  if (samples.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(samples.begin(), middle), *middle);
}

}  // namespace

std::string_view OutcomeKindName(OutcomeKind kind) {
  for (const NamedKind& known : kKinds) {
    if (known.kind == kind) return known.name;
  }
  return "unknown";
}

absl::StatusOr<OutcomeKind> ParseOutcomeKind(std::string_view name) {
  std::vector<std::string_view> names;
  std::string list;
  for (const NamedKind& known : kKinds) {
    if (known.name == name) return known.kind;
    names.push_back(known.name);
    absl::StrAppend(&list, list.empty() ? "" : ", ", ToAbsl(known.name));
  }
  const std::optional<std::string> nearest = NearestName(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("no outcome kind named \"", ToAbsl(name), "\"; known: ", list,
                   nearest ? absl::StrCat("; did you mean \"", *nearest, "\"") : ""));
}

absl::Status ValidateOutcome(const Outcome& outcome) {
  const auto bad = [](std::string_view field, double value, std::string_view want) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToAbsl(field), " is ", value, ", want ", ToAbsl(want)));
  };
  if (OutcomeKindName(outcome.kind) == "unknown") {
    return absl::InvalidArgumentError(absl::StrCat("kind is number ",
                                                   static_cast<int>(outcome.kind), ", want 1 to ",
                                                   static_cast<int>(std::size(kKinds))));
  }
  if (outcome.ok() && outcome.samples_ns.empty()) {
    return absl::InvalidArgumentError("samples_ns is empty, want at least one where kind is ok");
  }
  for (size_t i = 0; i < outcome.samples_ns.size(); ++i) {
    const double sample = outcome.samples_ns[i];
    if (!std::isfinite(sample) || sample <= 0) {
      return bad(absl::StrCat("samples_ns[", i, "]"), sample, "a finite number above 0");
    }
  }
  const std::pair<std::string_view, double> amounts[] = {{"lower_bound_ns", outcome.lower_bound_ns},
                                                         {"compile_ns", outcome.compile_ns},
                                                         {"measure_ns", outcome.measure_ns}};
  for (const auto& [field, value] : amounts) {
    if (!std::isfinite(value) || value < 0) {
      return bad(field, value, "a finite number of at least 0");
    }
  }
  return absl::OkStatus();
}

double Outcome::objective_ns() const {
  if (kind == OutcomeKind::kOk && !samples_ns.empty()) return Median(samples_ns);
  if (kind == OutcomeKind::kCensored && !std::isnan(lower_bound_ns)) return lower_bound_ns;
  return std::numeric_limits<double>::infinity();
}

}  // namespace seedtune

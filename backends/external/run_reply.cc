#include "backends/external/run_reply.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace seedtune {
namespace {

// Clocks of two processes, and the rounding of samples.
constexpr double kSlackNs = 1e6, kSlackFactor = 1.01;

template <typename... Parts>
absl::Status Wrong(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat(parts...));
}

}  // namespace

absl::StatusOr<Outcome> ReadRun(const ExternalReply::Run& run, const RunFacts& facts) {
  Outcome outcome;
  outcome.measure_ns = facts.elapsed_ns;
  double sum_ns = 0;
  for (int i = 0; i < run.samples_ns_size(); ++i) {
    const double sample = run.samples_ns(i);
    if (!std::isfinite(sample) || sample <= 0) {
      return Wrong("run.samples_ns[", i, "] is ", sample, ", want nanoseconds above 0");
    }
    sum_ns += sample;
  }
  if (!facts.simulated_time && sum_ns > facts.elapsed_ns * kSlackFactor + kSlackNs) {
    return Wrong(
        absl::StrFormat("run.samples_ns adds up to %.3g s, but only %.3g s have passed "
                        "since the request, want what a clock says",
                        sum_ns / 1e9, facts.elapsed_ns / 1e9));
  }
  if (run.has_lower_bound_ns()) {
    if (!(facts.drop_above_ns > 0)) {
      return Wrong("run.lower_bound_ns is set, but drop_above_ns was 0, want samples");
    }
    if (!std::isfinite(run.lower_bound_ns()) || run.lower_bound_ns() < facts.drop_above_ns) {
      return Wrong("run.lower_bound_ns is ", run.lower_bound_ns(),
                   ", want at least drop_above_ns, ", facts.drop_above_ns);
    }
    outcome.kind = OutcomeKind::kCensored;
    outcome.lower_bound_ns = run.lower_bound_ns();
    return outcome;
  }
  if (run.samples_ns_size() == 0) return Wrong("run.samples_ns is empty, want a time a sample");
  if (facts.want_check && !run.checked()) {
    return Wrong(
        "run.checked is not true, want a checked result, or an error of kind "
        "\"wrong_result\"");
  }
  outcome.kind = OutcomeKind::kOk;
  outcome.samples_ns.assign(run.samples_ns().begin(), run.samples_ns().end());
  return outcome;
}

std::span<const std::string_view> ErrorKinds(std::string_view request_kind) {
  static constexpr std::string_view kStart[] = {"unsupported"};
  static constexpr std::string_view kCompile[] = {"compile_error", "out_of_resources", "timeout",
                                                  "crash"};
  static constexpr std::string_view kRun[] = {"wrong_result", "launch_error", "out_of_resources",
                                              "timeout", "crash"};
  if (request_kind == "hello" || request_kind == "space") return kStart;
  if (request_kind == "compile") return kCompile;
  if (request_kind == "run") return kRun;
  return {};
}

absl::Status CheckError(const ExternalReply::Error& error, std::string_view request_kind) {
  const std::span<const std::string_view> kinds = ErrorKinds(request_kind);
  if (std::find(kinds.begin(), kinds.end(), error.kind()) == kinds.end()) {
    return Wrong(
        "error.kind is \"", error.kind(), "\" in answer to ", std::string(request_kind), ", want ",
        kinds.empty() ? "no error"
                      : absl::StrJoin(kinds, " or ", [](std::string* out, std::string_view kind) {
                          absl::StrAppend(out, "\"", std::string(kind), "\"");
                        }));
  }
  if (error.message().empty()) return Wrong("error.message is empty, want what went wrong");
  return absl::OkStatus();
}

}  // namespace seedtune

#include "tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/numeric/int128.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "util/format.h"

namespace seedtune {
namespace {

// The first few candidates are seeds, and start workers: they say little about the rest.
constexpr int64_t kFewestToForesee = 20;

std::string Describe(const TuningProgress& progress) {
  const int64_t wanted = progress.budget_evaluations;
  std::string line = absl::StrFormat(
      "%s, %d%s measured", progress.phase, progress.evaluations,
      wanted > 0 ? absl::StrCat(" of ", FormatCount(static_cast<absl::uint128>(wanted))) : "");
  if (progress.failures > 0) absl::StrAppend(&line, " (", progress.failures, " failed)");
  absl::StrAppendFormat(&line, ", %.1f s", progress.seconds);
  if (progress.evaluations >= kFewestToForesee && progress.evaluations < wanted) {
    const double each = progress.seconds / static_cast<double>(progress.evaluations);
    const double left = each * static_cast<double>(wanted - progress.evaluations);
    absl::StrAppend(&line, ", about ", FormatSeconds(left), " left");
  }
  if (progress.best_ns > 0) {
    absl::StrAppend(&line, ", best ", FormatNs(progress.best_ns));
    if (progress.default_ns > 0) {
      absl::StrAppend(&line, " (", FormatSpeedup(progress.default_ns, progress.best_ns), ")");
    }
    absl::StrAppend(&line, " from ", progress.best_origin);
  }
  return line;
}

}  // namespace

void ProgressLine::Start(std::string subject) {
  Finish();
  subject_ = std::move(subject);
  last_seconds_ = -1e9;
}

void ProgressLine::Update(const TuningProgress& progress, double now_seconds) {
  Show(Describe(progress), now_seconds);
}

void ProgressLine::Show(const std::string& text, double now_seconds) {
  if (now_seconds - last_seconds_ < options_.every_seconds) return;
  last_seconds_ = now_seconds;
  std::string line = absl::StrCat(subject_, ": ", text);
  if (!options_.in_place) {
    out_ << line << std::endl;
    return;
  }
  // One column is left free: a full line would wrap on some terminals.
  line.resize(std::min(line.size(), static_cast<size_t>(std::max(options_.width - 1, 1))));
  const size_t stale = shown_ > line.size() ? shown_ - line.size() : 0;
  out_ << "\r" << line << std::string(stale, ' ') << std::flush;
  shown_ = line.size();
}

void ProgressLine::Finish() {
  if (shown_ == 0) return;
  out_ << "\r" << std::string(shown_, ' ') << "\r" << std::flush;
  shown_ = 0;
}

ProgressLine::Options DetectProgressOptions() {
  ProgressLine::Options options;
  options.in_place = isatty(STDERR_FILENO) != 0;
  winsize size{};
  if (options.in_place && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.width = size.ws_col;
  }
  if (!options.in_place) options.every_seconds = 5;
  return options;
}

}  // namespace seedtune

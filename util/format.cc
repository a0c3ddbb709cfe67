#include "util/format.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"

namespace seedtune {
namespace {

bool IsKnown(double ns) { return std::isfinite(ns) && ns > 0; }

}  // namespace

std::string FormatNs(double ns) {
  if (!IsKnown(ns)) return "-";
  if (ns < 1e3) return absl::StrFormat("%.0f ns", ns);
  if (ns < 1e6) return absl::StrFormat("%.3g us", ns / 1e3);
  if (ns < 1e9) return absl::StrFormat("%.3g ms", ns / 1e6);
  return absl::StrFormat("%.3g s", ns / 1e9);
}

std::string FormatSeconds(double seconds) {
  constexpr double kMost = 1e15;  // seconds: nobody waits that long
  if (!(seconds < kMost)) return "for ever";
  const auto whole = static_cast<int64_t>(std::ceil(std::max(seconds, 0.0)));
  if (whole < 60) return absl::StrFormat("%d s", whole);
  if (whole < 3600) return absl::StrFormat("%d min %d s", whole / 60, whole % 60);
  const int64_t minutes = (whole + 59) / 60;
  if (minutes < 24 * 60) return absl::StrFormat("%d h %d min", minutes / 60, minutes % 60);
  const int64_t hours = (minutes + 59) / 60;
  return absl::StrFormat("%d d %d h", hours / 24, hours % 24);
}

std::string FormatSpeedup(double before_ns, double after_ns) {
  if (!IsKnown(before_ns) || !IsKnown(after_ns)) return "-";
  return absl::StrFormat("%.2fx", before_ns / after_ns);
}

std::string FormatGflops(int64_t flops, double ns) {
  if (flops <= 0 || !IsKnown(ns)) return "-";
  return absl::StrFormat("%.1f", static_cast<double>(flops) / ns);
}

std::string FormatCount(absl::uint128 count) {
  std::string digits;
  int written = 0;
  do {
    if (written > 0 && written % 3 == 0) digits.insert(digits.begin(), ',');
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(count % 10)));
    ++written;
    count /= 10;
  } while (count > 0);
  return digits;
}

}  // namespace seedtune

#include "util/edit_distance.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/ascii.h"

namespace seedtune {
namespace {

// Longer names are no misspellings of ours, and would cost quadratic time.
constexpr size_t kMaxNameSize = 256;

template <typename String>
std::optional<std::string> Nearest(std::string_view name, std::span<const String> candidates) {
  std::optional<std::string> nearest;
  if (name.size() > kMaxNameSize) return nearest;
  int nearest_distance = 0;
  for (const String& candidate : candidates) {
    if (candidate.size() > kMaxNameSize) continue;
    const int limit = std::max(1, static_cast<int>(std::max(name.size(), candidate.size())) / 3);
    const int distance = EditDistance(name, candidate);
    if (distance > limit || distance >= static_cast<int>(candidate.size())) continue;
    if (!nearest || distance < nearest_distance) {
      nearest = std::string(candidate);
      nearest_distance = distance;
    }
  }
  return nearest;
}

}  // namespace

int EditDistance(std::string_view a, std::string_view b) {
  // Row i holds the distances from the first i characters of `a` to each prefix of `b`.
  std::vector<int> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  const auto same = [](char x, char y) {
    return absl::ascii_tolower(static_cast<unsigned char>(x)) ==
           absl::ascii_tolower(static_cast<unsigned char>(y));
  };
  for (size_t j = 0; j <= b.size(); ++j) row[j] = static_cast<int>(j);
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = static_cast<int>(i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const int replaced = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string_view> candidates) {
  return Nearest(name, candidates);
}

std::optional<std::string> NearestName(std::string_view name,
                                       std::span<const std::string> candidates) {
  return Nearest(name, candidates);
}

}  // namespace seedtune

#include "config/constraint_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/constraint.h"

namespace seedtune {
namespace {

constexpr size_t kMostCombinations = size_t{1} << 18;
constexpr size_t kLongestText = size_t{1} << 15;
constexpr size_t kMostListed = 200;  // values at once, see Expression::Parse

// What is left to say of the knobs after those that are decided.
struct Rest {
  std::string text;  // "True" and "False" stand alone
  bool has_or = false;
  friend bool operator==(const Rest&, const Rest&) = default;
};
const char* const kAlways = "True";
const char* const kNever = "False";

// The knob is one of `choices`: ascending, not empty and not all.
std::optional<std::string> IsOneOf(const TabulatedKnob& knob, const std::vector<size_t>& choices) {
  const auto spelled = [&](size_t choice) { return knob.spelling[choice]; };
  const size_t all = knob.spelling.size(), first = choices.front(), last = choices.back();
  if (choices.size() == 1) return absl::StrCat(knob.name, " == ", spelled(first));
  if (choices.size() + 1 == all && !(knob.is_ordered && (first == 1 || last + 2 == all))) {
    // The sum of all numbers, less those that are there.
    const size_t missing =
        all * (all - 1) / 2 - std::accumulate(choices.begin(), choices.end(), size_t{0});
    return absl::StrCat(knob.name, " != ", spelled(missing));
  }
  if (knob.is_ordered && last - first + 1 == choices.size()) {
    if (first == 0) return absl::StrCat(knob.name, " <= ", spelled(last));
    if (last + 1 == all) return absl::StrCat(knob.name, " >= ", spelled(first));
    return absl::StrCat(spelled(first), " <= ", knob.name, " <= ", spelled(last));
  }
  if (choices.size() > kMostListed) return std::nullopt;
  return absl::StrCat(
      knob.name, " in [",
      absl::StrJoin(choices, ", ",
                    [&](std::string* out, size_t choice) { out->append(spelled(choice)); }),
      "]");
}

class Tabulation {
 public:
  Tabulation(const Constraint& constraint, std::span<const TabulatedKnob> knobs)
      : constraint_(constraint), knobs_(knobs), values_(knobs.size()) {}

  // Of the knobs in `order` from `level` on, those before it decided.
  std::optional<Rest> Describe(std::span<const size_t> order, size_t level) {
    if (level == order.size()) return Rest{constraint_.holds(values_) ? kAlways : kNever};
    const TabulatedKnob& knob = knobs_[order[level]];
    // Choices after which the same is left to say, in the order of the first of each.
    std::vector<std::pair<Rest, std::vector<size_t>>> groups;
    for (size_t choice = 0; choice < knob.numerics.size(); ++choice) {
      values_[order[level]] = knob.numerics[choice];
      std::optional<Rest> rest = Describe(order, level + 1);
      if (!rest.has_value()) return std::nullopt;
      size_t group = 0;
      while (group < groups.size() && groups[group].first != *rest) ++group;
      if (group == groups.size()) groups.push_back({*std::move(rest), {}});
      groups[group].second.push_back(choice);
    }
    if (groups.size() == 1) return std::move(groups[0].first);
    std::vector<std::string> terms;
    size_t length = 0;
    for (const auto& [rest, choices] : groups) {
      if (rest.text == kNever) continue;
      std::optional<std::string> term = IsOneOf(knob, choices);
      if (!term.has_value()) return std::nullopt;
      if (rest.text != kAlways) {
        absl::StrAppend(&*term, " and ", rest.has_or ? "(" : "", rest.text, rest.has_or ? ")" : "");
      }
      length += term->size() + 4;
      terms.push_back(*std::move(term));
    }
    if (length > kLongestText) return std::nullopt;
    return Rest{absl::StrJoin(terms, " or "), terms.size() > 1};
  }

 private:
  const Constraint& constraint_;
  const std::span<const TabulatedKnob> knobs_;
  std::vector<int64_t> values_;
};

}  // namespace

std::optional<std::string> TabulateConstraint(const Constraint& constraint,
                                              std::span<const TabulatedKnob> knobs) {
  size_t combinations = 1;
  for (const TabulatedKnob& knob : knobs) {
    combinations *= knob.numerics.size();
    if (combinations > kMostCombinations) return std::nullopt;
  }
  std::vector<size_t> order(knobs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  // Which knob is decided first makes it short or long.
  std::optional<Rest> shortest;
  for (size_t turn = 0; turn < std::max<size_t>(1, knobs.size()); ++turn) {
    std::optional<Rest> rest = Tabulation(constraint, knobs).Describe(order, 0);
    if (rest.has_value() && (!shortest.has_value() || rest->text.size() < shortest->text.size())) {
      shortest = std::move(rest);
    }
    if (!order.empty()) std::rotate(order.begin(), order.begin() + 1, order.end());
  }
  if (!shortest.has_value()) return std::nullopt;
  return std::move(shortest->text);
}

}  // namespace seedtune

#include "config/knob.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr int kMaxChoices = 65535;
constexpr int kMaxPermutationSize = 6;
constexpr size_t kMaxListedChoices = 24;

bool IsPowerOfTwo(int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

std::string Quoted(std::string_view text) { return absl::StrCat("\"", std::string(text), "\""); }

absl::Status Invalid(const std::string& message) { return absl::InvalidArgumentError(message); }

}  // namespace

std::string KnobValueToString(const KnobValue& value) {
  if (const auto* integer = std::get_if<int64_t>(&value)) return absl::StrCat(*integer);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  if (const auto* name = std::get_if<std::string>(&value)) return Quoted(*name);
  return absl::StrCat("[", absl::StrJoin(*std::get_if<std::vector<int>>(&value), ", "), "]");
}

std::string_view KnobKindName(KnobKind kind) {
  switch (kind) {
    case KnobKind::kPowerOfTwo:
      return "power of two";
    case KnobKind::kInteger:
      return "integer";
    case KnobKind::kEnum:
      return "enum";
    case KnobKind::kBoolean:
      return "boolean";
    case KnobKind::kPermutation:
      return "permutation";
  }
  return "unknown";
}

absl::StatusOr<Knob> Knob::Make(std::string name, KnobKind kind, std::vector<KnobValue> choices,
                                const KnobValue& default_value) {
  if (name.empty()) return Invalid("knob: the name is empty");
  if (choices.empty()) return Invalid(absl::StrCat(name, ": no choices"));
  if (choices.size() > kMaxChoices) {
    return Invalid(
        absl::StrCat(name, ": ", choices.size(), " choices, want at most ", kMaxChoices));
  }
  Knob knob;
  knob.name_ = std::move(name);
  knob.kind_ = kind;
  knob.numeric_.reserve(choices.size());
  for (size_t i = 0; i < choices.size(); ++i) {
    if (const auto* integer = std::get_if<int64_t>(&choices[i])) {
      knob.numeric_.push_back(*integer);
    } else if (const auto* boolean = std::get_if<bool>(&choices[i])) {
      knob.numeric_.push_back(*boolean ? 1 : 0);
    } else {
      knob.numeric_.push_back(static_cast<int64_t>(i));
    }
  }
  knob.choices_ = std::move(choices);
  const auto found = std::find(knob.choices_.begin(), knob.choices_.end(), default_value);
  if (found == knob.choices_.end()) {
    return Invalid(absl::StrCat(knob.name_, ": the default is ", KnobValueToString(default_value),
                                ", want ", knob.DescribeChoices()));
  }
  knob.default_choice_ = static_cast<int>(found - knob.choices_.begin());
  return knob;
}

absl::StatusOr<Knob> Knob::PowerOfTwo(std::string name, int64_t min, int64_t max,
                                      int64_t default_value) {
  if (!IsPowerOfTwo(min) || !IsPowerOfTwo(max)) {
    return Invalid(
        absl::StrCat(name, ": the bounds are ", min, " and ", max, ", want powers of two"));
  }
  if (min > max) return Invalid(absl::StrCat(name, ": the range is ", min, " to ", max, ", empty"));
  std::vector<KnobValue> choices;
  for (int64_t value = min;; value *= 2) {
    choices.emplace_back(value);
    if (value == max) break;
  }
  return Make(std::move(name), KnobKind::kPowerOfTwo, std::move(choices), default_value);
}

absl::StatusOr<Knob> Knob::Integer(std::string name, int64_t min, int64_t max, int64_t step,
                                   int64_t default_value) {
  if (step < 1) return Invalid(absl::StrCat(name, ": the step is ", step, ", want at least 1"));
  if (min > max) return Invalid(absl::StrCat(name, ": the range is ", min, " to ", max, ", empty"));
  // Unsigned, since max - min may exceed what int64_t holds.
  const uint64_t span = static_cast<uint64_t>(max) - static_cast<uint64_t>(min);
  const uint64_t steps = span / static_cast<uint64_t>(step);
  if (steps >= kMaxChoices) {
    return Invalid(absl::StrCat(name, ": ", min, " to ", max, " in steps of ", step,
                                " is more than ", kMaxChoices, " choices"));
  }
  std::vector<KnobValue> choices;
  choices.reserve(steps + 1);
  for (uint64_t i = 0; i <= steps; ++i) {
    choices.emplace_back(
        static_cast<int64_t>(static_cast<uint64_t>(min) + i * static_cast<uint64_t>(step)));
  }
  return Make(std::move(name), KnobKind::kInteger, std::move(choices), default_value);
}

absl::StatusOr<Knob> Knob::IntegerChoice(std::string name, std::vector<int64_t> values,
                                         int64_t default_value) {
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i - 1] >= values[i]) {
      return Invalid(absl::StrCat(name, ": ", values[i - 1], " stands before ", values[i],
                                  ", want values strictly ascending"));
    }
  }
  std::vector<KnobValue> choices(values.begin(), values.end());
  return Make(std::move(name), KnobKind::kInteger, std::move(choices), default_value);
}

absl::StatusOr<Knob> Knob::Enum(std::string name, std::vector<std::string> values,
                                std::string default_value) {
  std::set<std::string_view> seen;
  for (const std::string& value : values) {
    if (!seen.insert(value).second) {
      return Invalid(absl::StrCat(name, ": ", Quoted(value), " is listed twice"));
    }
  }
  std::vector<KnobValue> choices;
  choices.reserve(values.size());
  for (std::string& value : values) choices.emplace_back(std::move(value));
  return Make(std::move(name), KnobKind::kEnum, std::move(choices),
              KnobValue(std::move(default_value)));
}

absl::StatusOr<Knob> Knob::Boolean(std::string name, bool default_value) {
  return Make(std::move(name), KnobKind::kBoolean, {KnobValue(false), KnobValue(true)},
              KnobValue(default_value));
}

absl::StatusOr<Knob> Knob::Permutation(std::string name, int size) {
  if (size < 1 || size > kMaxPermutationSize) {
    return Invalid(
        absl::StrCat(name, ": a permutation of ", size, ", want 1 to ", kMaxPermutationSize));
  }
  std::vector<int> order(size);
  std::iota(order.begin(), order.end(), 0);
  const std::vector<int> identity = order;
  std::vector<KnobValue> choices;
  do {
    choices.emplace_back(order);
  } while (std::next_permutation(order.begin(), order.end()));
  return Make(std::move(name), KnobKind::kPermutation, std::move(choices), KnobValue(identity));
}

absl::StatusOr<Knob> Knob::Keeping(const std::vector<KnobValue>& values) const {
  if (values.empty()) return Invalid(absl::StrCat(name_, ": no values, want ", DescribeChoices()));
  std::set<int> kept;
  for (const KnobValue& value : values) {
    SEEDTUNE_ASSIGN_OR_RETURN(const int choice, Find(value));
    if (!kept.insert(choice).second) {
      return Invalid(
          absl::StrCat(name_, ": ", KnobValueToString(value), " a second time, want each once"));
    }
  }
  Knob knob;
  knob.name_ = name_;
  knob.kind_ = kind_;
  for (const int choice : kept) {
    knob.choices_.push_back(choices_[choice]);
    knob.numeric_.push_back(numeric_[choice]);
  }
  // With gaps between them, powers of two are integers like any others.
  if (kind_ == KnobKind::kPowerOfTwo &&
      *kept.rbegin() - *kept.begin() >= static_cast<int>(kept.size())) {
    knob.kind_ = KnobKind::kInteger;
  }
  const KnobValue& default_value = choices_[default_choice_];
  knob.default_choice_ =
      is_ordered() ? *knob.FindNearest(default_value) : knob.IndexOf(default_value).value_or(0);
  return knob;
}

absl::Status Knob::NoSuchChoice(const KnobValue& value) const {
  return Invalid(
      absl::StrCat(name_, " is ", KnobValueToString(value), ", want ", DescribeChoices()));
}

std::optional<int> Knob::IndexOf(const KnobValue& value) const {
  if (is_ordered()) {
    const auto* integer = std::get_if<int64_t>(&value);
    if (integer == nullptr) return std::nullopt;
    const auto found = std::lower_bound(numeric_.begin(), numeric_.end(), *integer);
    if (found == numeric_.end() || *found != *integer) return std::nullopt;
    return static_cast<int>(found - numeric_.begin());
  }
  const auto found = std::find(choices_.begin(), choices_.end(), value);
  if (found == choices_.end()) return std::nullopt;
  return static_cast<int>(found - choices_.begin());
}

absl::StatusOr<int> Knob::Find(const KnobValue& value) const {
  if (const std::optional<int> index = IndexOf(value)) return *index;
  return NoSuchChoice(value);
}

absl::StatusOr<int> Knob::FindNearest(const KnobValue& value) const {
  const auto* integer = std::get_if<int64_t>(&value);
  if (!is_ordered() || integer == nullptr) return Find(value);
  const auto above = std::lower_bound(numeric_.begin(), numeric_.end(), *integer);
  if (above == numeric_.begin()) return 0;
  if (above == numeric_.end()) return num_choices() - 1;
  const int high = static_cast<int>(above - numeric_.begin());
  if (*above == *integer) return high;
  const int64_t below = numeric_[high - 1];
  bool nearer_to_high;
  if (kind_ == KnobKind::kPowerOfTwo) {
    // value / below > above / value. Doubles, since the squares may overflow; no tie is possible,
    // since the square of an integer is never an odd power of two.
    const double v = static_cast<double>(*integer);
    nearer_to_high = v * v > static_cast<double>(below) * static_cast<double>(*above);
  } else {
    // Ties go to the smaller. Unsigned, since differences may exceed what int64_t holds.
    const uint64_t v = static_cast<uint64_t>(*integer);
    nearer_to_high = static_cast<uint64_t>(*above) - v < v - static_cast<uint64_t>(below);
  }
  return nearer_to_high ? high : high - 1;
}

std::string Knob::DescribeChoices() const {
  const int count = num_choices();
  switch (kind_) {
    case KnobKind::kBoolean:
      if (count == 2) return "true or false";
      break;
    case KnobKind::kPermutation: {
      const size_t size = std::get_if<std::vector<int>>(&choices_[0])->size();
      int all = 1;
      for (size_t i = 2; i <= size; ++i) all *= static_cast<int>(i);
      if (count == all) return absl::StrCat("a permutation of 0 to ", size - 1);
      break;
    }
    case KnobKind::kPowerOfTwo:
      if (count > 1) {
        return absl::StrCat("a power of two from ", numeric_.front(), " to ", numeric_.back());
      }
      break;
    case KnobKind::kInteger: {
      if (count < 3) break;
      const uint64_t step = static_cast<uint64_t>(numeric_[1]) - static_cast<uint64_t>(numeric_[0]);
      for (int i = 2; i < count; ++i) {
        if (static_cast<uint64_t>(numeric_[i]) - static_cast<uint64_t>(numeric_[i - 1]) != step) {
          if (count <= static_cast<int>(kMaxListedChoices)) {
            return absl::StrCat("one of ", absl::StrJoin(numeric_, ", "));
          }
          return absl::StrCat("one of ", count, " integers from ", numeric_.front(), " to ",
                              numeric_.back());
        }
      }
      return absl::StrCat("an integer from ", numeric_.front(), " to ", numeric_.back(),
                          step == 1 ? "" : absl::StrCat(" in steps of ", step));
    }
    case KnobKind::kEnum:
      break;
  }
  if (count == 1) return KnobValueToString(choices_[0]);
  std::vector<std::string> names;
  for (const KnobValue& choice : choices_) names.push_back(KnobValueToString(choice));
  return absl::StrCat("one of ", absl::StrJoin(names, ", "));
}

PartialConfig& PartialConfig::Set(std::string_view knob, KnobValue value) {
  values.insert_or_assign(std::string(knob), std::move(value));
  return *this;
}

}  // namespace seedtune

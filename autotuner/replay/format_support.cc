#include "autotuner/replay/format_support.h"

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "autotuner/replay/recorded_space.h"
#include "config/config_space.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "config/t1.h"
#include "util/status_macros.h"
#include "util/string_view.h"

namespace seedtune {

absl::StatusOr<double> ScaleDecimal(std::string_view text, int shift) {
  const size_t e = text.find_first_of("eE");
  int exponent = 0;
  double value = 0;
  const std::string mantissa(text.substr(0, e));
  const bool ok =
      mantissa.find_first_not_of("-.0123456789") == std::string::npos &&
      (e == std::string_view::npos || (absl::SimpleAtoi(ToAbsl(text.substr(e + 1)), &exponent) &&
                                       exponent > -100'000 && exponent < 100'000)) &&
      absl::SimpleAtod(absl::StrCat(mantissa, "e", exponent + shift), &value) &&
      std::isfinite(value);
  if (!ok) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", ToAbsl(text.substr(0, 40)), "\" is no finite decimal number"));
  }
  return value;
}

std::string FormatDecimal(double value, int shift) {
  // The shortest digits that give the same double: d.dddde+dd.
  char buffer[48];
  const auto end =
      std::to_chars(buffer, buffer + sizeof(buffer), value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<size_t>(end - buffer));
  const size_t e = text.find('e');
  std::string digits;
  bool negative = false;
  for (const char c : text.substr(0, e)) {
    if (c == '-') negative = true;
    if (c >= '0' && c <= '9') digits += c;
  }
  int exponent = 0;
  std::string_view exponent_text = text.substr(e + 1);
  if (exponent_text[0] == '+') exponent_text.remove_prefix(1);
  std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);
  if (digits == "0") return "0";
  exponent += shift;
  std::string out = negative ? "-" : "";
  const int size = static_cast<int>(digits.size());
  if (exponent < -5 || exponent > 20) {
    absl::StrAppend(&out, digits.substr(0, 1), size > 1 ? "." : "", digits.substr(1), "e",
                    exponent);
  } else if (exponent < 0) {
    absl::StrAppend(&out, "0.", std::string(static_cast<size_t>(-exponent - 1), '0'), digits);
  } else if (exponent >= size - 1) {
    absl::StrAppend(&out, digits, std::string(static_cast<size_t>(exponent - size + 1), '0'));
  } else {
    absl::StrAppend(&out, digits.substr(0, static_cast<size_t>(exponent) + 1), ".",
                    digits.substr(static_cast<size_t>(exponent) + 1));
  }
  return out;
}

double ReadCost(const JsonValue* json, int shift) {
  if (json == nullptr) return 0;
  if (json->is_array()) {
    double sum = 0;
    for (const JsonValue& element : json->members) {
      if (element.is_number()) sum += ReadCost(&element, shift);
    }
    return std::isfinite(sum) ? sum : 0;
  }
  if (!json->is_number()) return 0;
  const absl::StatusOr<double> value = ScaleDecimal(json->text, shift);
  return value.ok() && *value > 0 ? *value : 0;
}

std::vector<double> ReadSamples(const JsonValue* json, int shift) {
  std::vector<double> samples;
  if (json == nullptr || !json->is_array()) return samples;
  samples.reserve(json->members.size());
  for (const JsonValue& element : json->members) {
    const double sample = element.is_number() ? ReadCost(&element, shift) : 0;
    if (sample > 0) samples.push_back(sample);
  }
  return samples;
}

absl::Status RecordCollector::Add(std::string_view where, const JsonValue& json,
                                  RecordedConfig record) {
  const auto wrong = [&](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(ToAbsl(where), ": ", parts...));
  };
  if (!json.is_object()) return wrong("is ", json.Describe(), ", want an object");
  std::vector<uint16_t> choices;
  for (const Knob& knob : space_->knobs()) {
    const JsonValue* member = json.Find(knob.name());
    if (member == nullptr) {
      if (knob.num_choices() != 1) {
        return wrong("no value of \"", knob.name(), "\", want ", knob.DescribeChoices());
      }
      choices.push_back(0);
      continue;
    }
    const absl::StatusOr<KnobValue> value = KnobValueFromJson(knob, *member);
    if (!value.ok()) return wrong(value.status().message());
    SEEDTUNE_ASSIGN_OR_RETURN(const int choice, knob.Find(*value));
    choices.push_back(static_cast<uint16_t>(choice));
  }
  record.config = Config(space_, std::move(choices));
  if (!space_->IsValid(record.config.choices())) {
    if (invalid_++ == 0) first_invalid_ = std::string(where);
    return absl::OkStatus();
  }
  if (!seen_.insert(record.config).second) {
    if (repeated_++ == 0) first_repeated_ = std::string(where);
    return absl::OkStatus();
  }
  records_.push_back(std::move(record));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const RecordedSpace>> RecordCollector::Finish(
    std::string kernel_name, std::string device_name, std::vector<std::string>* notes) {
  if (notes != nullptr && invalid_ > 0) {
    notes->push_back(absl::StrCat(invalid_, " results of configurations that ", space_->name(),
                                  " does not allow are left out, the first at ", first_invalid_));
  }
  if (notes != nullptr && repeated_ > 0) {
    notes->push_back(absl::StrCat(repeated_,
                                  " results of configurations that stand there before are left "
                                  "out, the first at ",
                                  first_repeated_));
  }
  return RecordedSpace::Create(std::move(kernel_name), std::move(device_name), space_,
                               std::move(records_));
}

}  // namespace seedtune

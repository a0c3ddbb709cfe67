#include "config/restriction.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/constraint.h"
#include "config/json_text.h"
#include "config/knob.h"
#include "config/t1.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

absl::StatusOr<KnobValue> ValueOf(const Knob& knob, const JsonValue& json) {
  if (knob.kind() != KnobKind::kPermutation || !json.is_array()) {
    return KnobValueFromJson(knob, json);
  }
  // As permutations are spelt where they are text.
  JsonValue text;
  text.kind = JsonValue::Kind::kString;
  text.text = absl::StrCat(
      "[",
      absl::StrJoin(json.members, ", ",
                    [](std::string* out, const JsonValue& member) { out->append(member.text); }),
      "]");
  return KnobValueFromJson(knob, text);
}

// Whether `json` is one value of the knob rather than a list of them.
bool IsOneValue(const Knob& knob, const JsonValue& json) {
  if (!json.is_array()) return true;
  return knob.kind() == KnobKind::kPermutation && !json.members.empty() &&
         std::none_of(json.members.begin(), json.members.end(),
                      [](const JsonValue& member) { return member.is_array(); });
}

// That a knob with all its choices takes those of `kept`.
Constraint OnlyThese(const Knob& kept) {
  std::vector<int64_t> allowed;
  for (int i = 0; i < kept.num_choices(); ++i) allowed.push_back(kept.numeric(i));
  Constraint only;
  only.name = absl::StrCat("restricted_", kept.name());
  only.description =
      absl::StrCat(kept.name(), " ", kept.DescribeChoices(), ", as it was restricted");
  only.knobs = {kept.name()};
  only.holds = [allowed](std::span<const int64_t> v) {
    return std::find(allowed.begin(), allowed.end(), v[0]) != allowed.end();
  };
  return only;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ConfigSpace>> RestrictSpace(const ConfigSpace& space,
                                                                 std::string_view json) {
  SEEDTUNE_ASSIGN_OR_RETURN(const JsonValue object, ParseJson(json));
  if (!object.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat(object.Describe(), ", want an object of knobs and the values that they keep"));
  }
  ConfigSpace::Options options;
  options.name = space.name();
  options.version = space.version();
  if (!object.keys.empty()) options.whole_id = space.whole_id();
  options.knobs.assign(space.knobs().begin(), space.knobs().end());
  options.constraints.assign(space.constraints().begin(), space.constraints().end());
  for (size_t i = 0; i < object.keys.size(); ++i) {
    SEEDTUNE_ASSIGN_OR_RETURN(const int slot, space.SlotOf(object.keys[i]));
    if (std::find(object.keys.begin(), object.keys.begin() + i, object.keys[i]) !=
        object.keys.begin() + i) {
      return absl::InvalidArgumentError(
          absl::StrCat("\"", object.keys[i], "\" a second time, want each knob once"));
    }
    Knob& knob = options.knobs[slot];
    const JsonValue& kept = object.members[i];
    std::vector<KnobValue> values;
    if (IsOneValue(knob, kept)) {
      SEEDTUNE_ASSIGN_OR_RETURN(values.emplace_back(), ValueOf(knob, kept));
    } else {
      for (const JsonValue& member : kept.members) {
        SEEDTUNE_ASSIGN_OR_RETURN(values.emplace_back(), ValueOf(knob, member));
      }
    }
    SEEDTUNE_ASSIGN_OR_RETURN(const Knob kept_knob, knob.Keeping(values));
    if (knob.is_ordered()) {
      knob = kept_knob;
    } else {
      options.constraints.push_back(OnlyThese(kept_knob));
    }
  }
  return ConfigSpace::Create(std::move(options));
}

}  // namespace seedtune

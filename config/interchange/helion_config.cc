#include "config/interchange/helion_config.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/knob_json.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr std::string_view kWhere = "helion.Config";

absl::Status Error(std::string_view problem) {
  return absl::InvalidArgumentError(absl::StrCat(std::string(kWhere), ": ", std::string(problem)));
}

// How the values of a knob are spelt in JSON.
enum class Spelling {
  kInteger,    // 4
  kNoneOrInt,  // null where the knob is its neutral integer
  kTristate,   // null, false, true: "auto", "false", "true"
  kEviction,   // "", "first", "last": "none", ...
  kCache,      // "", ".cg": "none", "cg"
  kIndexing,   // "block_ptr": "block_pointer"
  kName,       // as it is
  kBoolean,
};

// A key of a list: one knob an element.
struct ListKey {
  std::string_view key;
  std::vector<std::string_view> knobs;
  Spelling spelling;
};
// The longest form: what a kernel has fewer of ends before.
std::vector<ListKey> ListKeys() {
  return {
      {"l2_groupings", {"l2_grouping"}, Spelling::kInteger},
      {"range_unroll_factors",
       {"range_unroll_factor[grid]", "range_unroll_factor[k]"},
       Spelling::kInteger},
      {"range_num_stages", {"range_num_stages[grid]", "range_num_stages[k]"}, Spelling::kInteger},
      {"range_multi_buffers",
       {"range_multi_buffer[grid]", "range_multi_buffer[k]"},
       Spelling::kTristate},
      {"range_flattens", {"range_flatten[grid]", "range_flatten[k]"}, Spelling::kTristate},
      {"range_warp_specializes",
       {"range_warp_specialize[grid]", "range_warp_specialize[k]"},
       Spelling::kTristate},
      {"indexing", {"indexing[0]", "indexing[1]", "indexing[2]"}, Spelling::kIndexing},
      {"load_eviction_policies",
       {"load_eviction_policy[0]", "load_eviction_policy[1]"},
       Spelling::kEviction},
      {"load_cache_modifiers",
       {"load_cache_modifier[0]", "load_cache_modifier[1]"},
       Spelling::kCache},
      {"store_cache_modifiers", {"store_cache_modifier"}, Spelling::kCache},
  };
}

struct ScalarKey {
  std::string_view key;  // of Helion and of Seedtune
  Spelling spelling;
  int64_t neutral = 0;  // kNoneOrInt: what null stands for
};
constexpr ScalarKey kScalarKeys[] = {
    {"num_warps", Spelling::kInteger},    {"num_stages", Spelling::kInteger},
    {"pid_type", Spelling::kName},        {"num_sm_multiplier", Spelling::kInteger},
    {"maxnreg", Spelling::kNoneOrInt, 0}, {"epilogue_subtile", Spelling::kNoneOrInt, 1},
    {"waves_per_eu", Spelling::kInteger}, {"matrix_instr_nonkdim", Spelling::kInteger},
    {"xcd_remap", Spelling::kBoolean},    {"split_k", Spelling::kInteger},
};

constexpr std::array<std::string_view, 3> kBlockSizes = {"block_size[m]", "block_size[n]",
                                                         "block_size[k]"};
constexpr size_t kMaxLoopOrder = 3;  // axes: m, n, batch

std::string Spell(const KnobValue& value, const Spelling spelling, const int64_t neutral) {
  std::string text;
  if (spelling == Spelling::kNoneOrInt && value == KnobValue(neutral)) return "null";
  const auto* const name = std::get_if<std::string>(&value);
  if (name != nullptr) {
    if (spelling == Spelling::kTristate) return *name == "auto" ? "null" : *name;
    if (spelling == Spelling::kEviction && *name == "none") return "\"\"";
    if (spelling == Spelling::kCache) return *name == "none" ? "\"\"" : "\"." + *name + "\"";
    if (spelling == Spelling::kIndexing && *name == "block_pointer") return "\"block_ptr\"";
  }
  AppendJsonValue(value, text);
  return text;
}

std::string NeutralSpelling(const Spelling spelling, std::string_view knob) {
  switch (spelling) {
    case Spelling::kInteger:
      return knob == "l2_grouping" ? "1" : "0";
    case Spelling::kIndexing:
      return "\"pointer\"";
    case Spelling::kEviction:
    case Spelling::kCache:
      return "\"\"";
    default:
      return "null";
  }
}

absl::StatusOr<int64_t> IntegerOf(const JsonValue& value, std::string_view what) {
  int64_t integer = 0;
  if (!value.is_number() || !absl::SimpleAtoi(value.text, &integer)) {
    return Error(absl::StrCat(std::string(what), " is ", value.Describe(), ", want an integer"));
  }
  return integer;
}

absl::StatusOr<KnobValue> Read(const JsonValue& value, const Spelling spelling,
                               const int64_t neutral, const std::string& what) {
  switch (spelling) {
    case Spelling::kNoneOrInt:
      if (value.kind == JsonValue::Kind::kNull) return KnobValue(neutral);
      [[fallthrough]];
    case Spelling::kInteger: {
      SEEDTUNE_ASSIGN_OR_RETURN(const int64_t integer, IntegerOf(value, what));
      return KnobValue(integer);
    }
    case Spelling::kTristate:
      if (value.kind == JsonValue::Kind::kNull) return KnobValue(std::string("auto"));
      if (value.kind == JsonValue::Kind::kBoolean) {
        return KnobValue(std::string(value.boolean ? "true" : "false"));
      }
      return Error(absl::StrCat(what, " is ", value.Describe(), ", want null, false or true"));
    case Spelling::kBoolean:
      if (value.kind == JsonValue::Kind::kBoolean) return KnobValue(value.boolean);
      return Error(absl::StrCat(what, " is ", value.Describe(), ", want false or true"));
    default:
      break;
  }
  if (!value.is_string()) {
    return Error(absl::StrCat(what, " is ", value.Describe(), ", want a string"));
  }
  std::string name = value.text;
  if (spelling == Spelling::kEviction || spelling == Spelling::kCache) {
    if (name.empty()) name = "none";
    if (spelling == Spelling::kCache && name[0] == '.') name = name.substr(1);
  }
  if (spelling == Spelling::kIndexing && name == "block_ptr") name = "block_pointer";
  return KnobValue(std::move(name));
}

// Keys for which Seedtune has no knob pass where they say nothing.
bool SaysNothing(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull:
      return true;
    case JsonValue::Kind::kBoolean:
      return !value.boolean;
    case JsonValue::Kind::kString:
      return value.text.empty();
    case JsonValue::Kind::kArray:
      return std::all_of(value.members.begin(), value.members.end(), &SaysNothing);
    default:
      return false;
  }
}

// Helion's axes are batch, m, n; Seedtune's m, n, batch.
absl::StatusOr<std::vector<int>> ReadLoopOrder(const JsonValue& value) {
  if (!value.is_array() || value.members.size() != 1 || !value.members[0].is_array()) {
    return Error("loop_orders: want one list of axes, of one grid");
  }
  std::vector<int> order;
  const auto size = static_cast<int>(value.members[0].members.size());
  for (const JsonValue& member : value.members[0].members) {
    SEEDTUNE_ASSIGN_OR_RETURN(const int64_t axis, IntegerOf(member, "loop_orders[0]"));
    if (axis < 0 || axis >= size) {
      return Error(absl::StrCat("loop_orders[0] has axis ", axis, ", want 0 to ", size - 1));
    }
    order.push_back(size == 3 ? static_cast<int>((axis + 2) % 3) : static_cast<int>(axis));
  }
  return order;
}

absl::Status ReadBlockSizes(const JsonValue& value, PartialConfig& partial) {
  const size_t size = value.members.size();
  if (!value.is_array() || (size != kBlockSizes.size() && size != kBlockSizes.size() + 1)) {
    return Error(absl::StrCat("block_sizes is ", value.Describe(), " of ", size,
                              ", want those of m, n and k, or of a batch, m, n and k"));
  }
  for (size_t i = 0; i < size; ++i) {
    const std::string what = absl::StrCat("block_sizes[", i, "]");
    SEEDTUNE_ASSIGN_OR_RETURN(const int64_t block, IntegerOf(value.members[i], what));
    if (i + kBlockSizes.size() >= size) {
      partial.Set(kBlockSizes[i + kBlockSizes.size() - size], block);
    } else if (block != 1) {
      return Error(absl::StrCat(what, " is ", block, ", want 1 of a batch"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool LooksLikeHelionConfig(const JsonValue& json) {
  for (const std::string_view key : {"block_sizes", "block_size", "loop_orders", "indexing"}) {
    if (json.Find(key) != nullptr) return true;
  }
  const std::vector<ListKey> lists = ListKeys();
  return std::any_of(lists.begin(), lists.end(),
                     [&](const ListKey& list) { return json.Find(list.key) != nullptr; });
}

absl::StatusOr<PartialConfig> PartialConfigFromHelion(const JsonValue& json) {
  if (!json.is_object()) return Error(absl::StrCat("want an object, not ", json.Describe()));
  const std::vector<ListKey> lists = ListKeys();
  PartialConfig partial;
  std::set<std::string_view> seen;
  for (size_t i = 0; i < json.keys.size(); ++i) {
    const std::string& key = json.keys[i];
    const JsonValue& value = json.members[i];
    if (!seen.insert(key).second) return Error(absl::StrCat(key, " is there twice"));
    if (key == "block_sizes" || key == "block_size") {
      SEEDTUNE_RETURN_IF_ERROR(ReadBlockSizes(value, partial));
      continue;
    }
    if (key == "loop_orders") {
      if (SaysNothing(value)) continue;
      SEEDTUNE_ASSIGN_OR_RETURN(std::vector<int> order, ReadLoopOrder(value));
      partial.Set("loop_order", KnobValue(std::move(order)));
      continue;
    }
    const auto list = std::find_if(lists.begin(), lists.end(),
                                   [&](const ListKey& each) { return each.key == key; });
    if (list != lists.end()) {
      // One value serves all, as in Helion.
      const bool one = !value.is_array();
      if (!one && value.members.size() > list->knobs.size()) {
        return Error(absl::StrCat(key, " has ", value.members.size(), " elements, want at most ",
                                  list->knobs.size()));
      }
      const size_t count = one ? list->knobs.size() : value.members.size();
      for (size_t j = 0; j < count; ++j) {
        SEEDTUNE_ASSIGN_OR_RETURN(KnobValue knob_value,
                                  Read(one ? value : value.members[j], list->spelling, 0,
                                       absl::StrCat(key, "[", j, "]")));
        partial.Set(list->knobs[j], std::move(knob_value));
      }
      continue;
    }
    const auto* const scalar = std::find_if(std::begin(kScalarKeys), std::end(kScalarKeys),
                                            [&](const ScalarKey& each) { return each.key == key; });
    if (scalar != std::end(kScalarKeys)) {
      SEEDTUNE_ASSIGN_OR_RETURN(KnobValue knob_value,
                                Read(value, scalar->spelling, scalar->neutral, key));
      partial.Set(key, std::move(knob_value));
      continue;
    }
    if (!SaysNothing(value)) {
      return Error(absl::StrCat(key, " is ", value.Describe(),
                                ", which no knob of the triton space stands for"));
    }
  }
  return partial;
}

absl::StatusOr<std::string> PartialConfigToHelion(const PartialConfig& partial) {
  std::set<std::string_view> written;
  const auto find = [&](std::string_view knob) -> const KnobValue* {
    const auto found = partial.values.find(knob);
    if (found == partial.values.end()) return nullptr;
    written.insert(found->first);
    return &found->second;
  };

  std::vector<std::string> order;
  if (const KnobValue* value = find("loop_order")) {
    const auto* const axes = std::get_if<std::vector<int>>(value);
    if (axes == nullptr || axes->size() > kMaxLoopOrder) {
      return Error(absl::StrCat("loop_order is ", KnobValueToString(*value),
                                ", want a permutation of 2 or 3 axes"));
    }
    for (const int axis : *axes) {
      order.push_back(absl::StrCat(axes->size() == 3 ? (axis + 1) % 3 : axis));
    }
  }
  std::vector<std::string> blocks;
  if (order.size() == kMaxLoopOrder) blocks.push_back("1");
  for (const std::string_view knob : kBlockSizes) {
    const KnobValue* const value = find(knob);
    if (value == nullptr) {
      return Error(absl::StrCat(std::string(knob), " is not set; block_sizes are known by place"));
    }
    blocks.push_back(KnobValueToString(*value));
  }
  std::vector<std::string> parts = {
      absl::StrCat("\"block_sizes\": [", absl::StrJoin(blocks, ", "), "]")};
  if (!order.empty()) {
    parts.push_back(absl::StrCat("\"loop_orders\": [[", absl::StrJoin(order, ", "), "]]"));
  }
  for (const ListKey& list : ListKeys()) {
    std::vector<std::string> elements;
    size_t last = 0;  // beyond the last that is set
    for (size_t i = 0; i < list.knobs.size(); ++i) {
      const KnobValue* const value = find(list.knobs[i]);
      if (value != nullptr) last = i + 1;
      elements.push_back(value != nullptr ? Spell(*value, list.spelling, 0)
                                          : NeutralSpelling(list.spelling, list.knobs[i]));
    }
    elements.resize(last);
    if (elements.empty()) continue;
    parts.push_back(
        absl::StrCat("\"", std::string(list.key), "\": [", absl::StrJoin(elements, ", "), "]"));
  }
  for (const ScalarKey& scalar : kScalarKeys) {
    const KnobValue* const value = find(scalar.key);
    if (value == nullptr) continue;
    if (scalar.key == "split_k" && *value == KnobValue(int64_t{1})) continue;
    parts.push_back(absl::StrCat("\"", std::string(scalar.key),
                                 "\": ", Spell(*value, scalar.spelling, scalar.neutral)));
  }
  for (const auto& [knob, value] : partial.values) {
    if (written.count(knob) == 0) {
      return Error(absl::StrCat("no key for knob ", knob, " (", KnobValueToString(value), ")"));
    }
  }
  // Helion takes both of persistent programs alone.
  const KnobValue* const pid_type = find("pid_type");
  const bool persistent =
      pid_type != nullptr && KnobValueToString(*pid_type).find("persistent") != std::string::npos;
  const KnobValue* const maxnreg = find("maxnreg");
  if (!persistent && maxnreg != nullptr && *maxnreg != KnobValue(int64_t{0})) {
    return Error(absl::StrCat("maxnreg is ", KnobValueToString(*maxnreg),
                              " of programs that are not persistent, for which it has none"));
  }
  return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
}

}  // namespace seedtune

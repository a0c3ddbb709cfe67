#include "config/config_space.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "config/knob_json.h"
#include "config/space_index.h"
#include "util/edit_distance.h"
#include "util/stable_hash.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

// A bug of the caller.
[[noreturn]] void Fail(std::string_view function, std::string_view knob, std::string_view problem) {
  std::fprintf(stderr, "Config::%.*s(\"%.*s\"): %.*s\n", static_cast<int>(function.size()),
               function.data(), static_cast<int>(knob.size()), knob.data(),
               static_cast<int>(problem.size()), problem.data());
  std::abort();
}

// How far one choice of a knob is from another.
int64_t Steps(const Knob& knob, int from, int to) {
  if (from == to) return 0;
  return knob.is_ordered() ? std::abs(from - to) : 1;
}

// Steps first, then how many slots change: a move of two steps is better than two of one.
int64_t MoveCost(const Knob& knob, int from, int to) {
  const int64_t steps = Steps(knob, from, to);
  return steps == 0 ? 0 : steps * 256 + 1;
}

bool IsNeighborChoice(const Knob& knob, int from, int to) { return Steps(knob, from, to) == 1; }

uint64_t Scramble(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
  return x ^ (x >> 33);
}

std::string MakeId(const ConfigSpace::Options& options) {
  CanonicalBytes bytes;
  for (const Knob& knob : options.knobs) {
    bytes.Add(std::string_view(knob.name())).Add(KnobKindName(knob.kind())).Add(knob.num_choices());
    for (int i = 0; i < knob.num_choices(); ++i) {
      bytes.Add(std::string_view(KnobValueToString(knob.choice(i))));
    }
  }
  if (!options.whole_id.empty()) {
    // Parts of one whole may differ in what is let through alone.
    bytes.Add(std::string_view(options.whole_id));
    for (const Constraint& constraint : options.constraints) {
      bytes.Add(std::string_view(constraint.name)).Add(std::string_view(constraint.description));
    }
  }
  return absl::StrCat(options.name, ".v", options.version, ".",
                      ToHex(HashBytes(bytes.bytes())).substr(0, 16));
}

}  // namespace

struct ConfigSpace::Index {
  absl::flat_hash_map<std::string_view, int> slot_of_knob;  // keys are views of options_.knobs
  std::vector<std::vector<int>> constraint_slots;           // a constraint: the slots that it reads

  std::once_flag id_once;
  std::string id;
  std::once_flag valid_once;
  std::optional<SpaceIndex> valid;
  std::atomic<bool> is_valid_ready = false;
};

ConfigSpace::ConfigSpace(Options options)
    : options_(std::move(options)), index_(std::make_unique<Index>()) {}

ConfigSpace::~ConfigSpace() = default;

absl::StatusOr<std::shared_ptr<const ConfigSpace>> ConfigSpace::Create(Options options) {
  // The constructor is private, so make_shared cannot reach it.
  const std::shared_ptr<ConfigSpace> space(new ConfigSpace(std::move(options)));
  SEEDTUNE_RETURN_IF_ERROR(space->Init());
  return space;
}

absl::Status ConfigSpace::Init() {
  const auto error = [this](const auto&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(options_.name, ": ", parts...));
  };
  if (options_.name.empty()) return absl::InvalidArgumentError("config space: the name is empty");
  if (options_.knobs.empty()) return error("no knobs, want at least one");
  for (size_t slot = 0; slot < options_.knobs.size(); ++slot) {
    const std::string& name = options_.knobs[slot].name();
    if (!index_->slot_of_knob.emplace(name, static_cast<int>(slot)).second) {
      return error("two knobs are named \"", name, "\"");
    }
  }
  absl::flat_hash_set<std::string_view> names;
  for (const Constraint& constraint : options_.constraints) {
    if (constraint.name.empty()) return error("a constraint has no name");
    if (!names.insert(constraint.name).second) {
      return error("two constraints are named \"", constraint.name, "\"");
    }
    if (constraint.holds == nullptr) return error(constraint.name, ": `holds` is empty");
    std::vector<int> slots;
    for (const std::string& knob : constraint.knobs) {
      const std::optional<int> slot = FindKnob(knob);
      if (!slot) return error(constraint.name, ": ", UnknownKnob(knob));
      slots.push_back(*slot);
    }
    index_->constraint_slots.push_back(std::move(slots));
  }
  for (const Knob& knob : options_.knobs) {
    default_.push_back(static_cast<uint16_t>(knob.default_choice()));
  }
  const bool default_is_valid = FirstViolation(default_) == nullptr;
  if (options_.index_on_demand && default_is_valid) return absl::OkStatus();
  absl::Status status;
  std::call_once(index_->valid_once, [&] { status = BuildIndex(); });
  SEEDTUNE_RETURN_IF_ERROR(status);
  index_->valid->Nearest(default_, [this](int slot, int choice) {
    const Knob& knob = options_.knobs[slot];
    return MoveCost(knob, knob.default_choice(), choice);
  });
  return absl::OkStatus();
}

absl::Status ConfigSpace::BuildIndex() const {
  std::vector<SpaceIndex::BoundConstraint> bound;
  for (size_t i = 0; i < options_.constraints.size(); ++i) {
    bound.push_back({&options_.constraints[i], index_->constraint_slots[i]});
  }
  auto valid = SpaceIndex::Build(options_.knobs, bound, {.max_edges = options_.max_group_edges});
  if (!valid.ok()) {
    return absl::Status(valid.status().code(),
                        absl::StrCat(options_.name, ": ", std::string(valid.status().message())));
  }
  index_->valid = *std::move(valid);
  index_->is_valid_ready.store(true, std::memory_order_release);
  return absl::OkStatus();
}

const SpaceIndex& ConfigSpace::valid() const {
  std::call_once(index_->valid_once, [this] {
    const absl::Status status = BuildIndex();
    if (status.ok()) return;
    std::fprintf(stderr, "ConfigSpace: %s\n", std::string(status.message()).c_str());
    std::abort();
  });
  return *index_->valid;
}

bool ConfigSpace::Contains(std::span<const uint16_t> choices) const {
  // Few questions are answered sooner by the constraints themselves than by an index yet to be
  // made.
  return index_->is_valid_ready.load(std::memory_order_acquire)
             ? index_->valid->Contains(choices)
             : FirstViolation(choices) == nullptr;
}

const std::string& ConfigSpace::id() const {
  std::call_once(index_->id_once, [this] { index_->id = MakeId(options_); });
  return index_->id;
}

std::string ConfigSpace::UnknownKnob(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const Knob& knob : options_.knobs) names.push_back(knob.name());
  const std::optional<std::string> meant = NearestName(name, names);
  return absl::StrCat("no knob named \"", std::string(name), "\" in ", options_.name,
                      meant ? absl::StrCat("; did you mean \"", *meant, "\"") : "");
}

std::optional<int> ConfigSpace::FindKnob(std::string_view name) const {
  const auto found = index_->slot_of_knob.find(name);
  if (found == index_->slot_of_knob.end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<int> ConfigSpace::SlotOf(std::string_view name) const {
  if (const std::optional<int> slot = FindKnob(name)) return *slot;
  return absl::InvalidArgumentError(UnknownKnob(name));
}

absl::uint128 ConfigSpace::CartesianSize() const {
  absl::uint128 size = 1;
  for (const Knob& knob : options_.knobs) size = SaturatingMultiply(size, knob.num_choices());
  return size;
}

absl::uint128 ConfigSpace::NumValid() const { return valid().count(); }

Config ConfigSpace::At(absl::uint128 index) const {
  assert(index < NumValid());
  std::vector<uint16_t> choices(options_.knobs.size());
  valid().At(index, choices);
  return Config(shared_from_this(), std::move(choices));
}

std::optional<absl::uint128> ConfigSpace::IndexOf(const Config& config) const {
  if (!InRange(config.choices())) return std::nullopt;
  return valid().IndexOf(config.choices());
}

Config ConfigSpace::Sample(std::mt19937_64& random) const {
  std::vector<uint16_t> choices(options_.knobs.size());
  valid().Sample(random, choices);
  return Config(shared_from_this(), std::move(choices));
}

Config ConfigSpace::Default() const { return Config(shared_from_this(), default_); }

bool ConfigSpace::InRange(std::span<const uint16_t> choices) const {
  if (choices.size() != options_.knobs.size()) return false;
  for (size_t slot = 0; slot < choices.size(); ++slot) {
    if (choices[slot] >= options_.knobs[slot].num_choices()) return false;
  }
  return true;
}

bool ConfigSpace::IsValid(std::span<const uint16_t> choices) const {
  return InRange(choices) && Contains(choices);
}

const Constraint* ConfigSpace::FirstViolation(std::span<const uint16_t> choices) const {
  assert(InRange(choices));
  std::vector<int64_t> args;
  for (size_t i = 0; i < options_.constraints.size(); ++i) {
    args.clear();
    for (const int slot : index_->constraint_slots[i]) {
      args.push_back(options_.knobs[slot].numeric(choices[slot]));
    }
    if (!options_.constraints[i].holds(args)) return &options_.constraints[i];
  }
  return nullptr;
}

absl::StatusOr<const Constraint*> ConfigSpace::FirstViolationOf(
    const PartialConfig& partial) const {
  std::vector<uint16_t> choices = default_;
  for (const auto& [name, value] : partial.values) {
    SEEDTUNE_ASSIGN_OR_RETURN(const int slot, SlotOf(name));
    SEEDTUNE_ASSIGN_OR_RETURN(const int choice, options_.knobs[slot].Find(value));
    choices[slot] = static_cast<uint16_t>(choice);
  }
  return FirstViolation(choices);
}

absl::StatusOr<Config> ConfigSpace::Normalize(const PartialConfig& partial, NormalizeMode mode,
                                              std::vector<std::string>* changes) const {
  return NormalizeFrom(default_, partial, mode, changes);
}

absl::StatusOr<Config> ConfigSpace::NormalizeOver(const Config& base, const PartialConfig& partial,
                                                  NormalizeMode mode,
                                                  std::vector<std::string>* changes) const {
  if (!InRange(base.choices())) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.name, ": the configuration to start from is not of this space"));
  }
  return NormalizeFrom(base.choices(), partial, mode, changes);
}

absl::StatusOr<Config> ConfigSpace::NormalizeFrom(std::span<const uint16_t> base,
                                                  const PartialConfig& partial, NormalizeMode mode,
                                                  std::vector<std::string>* changes) const {
  const auto note = [&](int slot, const std::string& from, int to, std::string_view why) {
    if (changes == nullptr) return;
    const Knob& knob = options_.knobs[slot];
    changes->push_back(absl::StrCat(knob.name(), ": ", from, " -> ",
                                    KnobValueToString(knob.choice(to)), " (", std::string(why),
                                    ")"));
  };
  std::vector<uint16_t> choices(base.begin(), base.end());
  std::vector<bool> asked_for(choices.size(), false);
  for (const auto& [name, value] : partial.values) {
    SEEDTUNE_ASSIGN_OR_RETURN(const int slot, SlotOf(name));
    const Knob& knob = options_.knobs[slot];
    absl::StatusOr<int> choice = knob.Find(value);
    if (!choice.ok() && mode == NormalizeMode::kRepair) {
      choice = knob.FindNearest(value);
      if (choice.ok()) note(slot, KnobValueToString(value), *choice, "nearest choice");
    }
    if (!choice.ok()) return choice.status();
    choices[slot] = static_cast<uint16_t>(*choice);
    asked_for[slot] = true;
  }
  if (Contains(choices)) return Config(shared_from_this(), std::move(choices));

  if (mode == NormalizeMode::kReject) {
    const Constraint* violated = FirstViolation(choices);
    assert(violated != nullptr);
    std::string values;
    for (const std::string& name : violated->knobs) {
      const int slot = *FindKnob(name);
      absl::StrAppend(&values, values.empty() ? "" : ", ", name, " is ",
                      KnobValueToString(options_.knobs[slot].choice(choices[slot])));
    }
    return absl::InvalidArgumentError(
        absl::StrCat(violated->name, ": ", values, ", want: ", violated->description));
  }
  const std::vector<uint16_t> wanted = choices;
  valid().Nearest(choices, [&](int slot, int choice) {
    // What was asked for moves only where nothing else helps.
    return MoveCost(options_.knobs[slot], wanted[slot], choice) * (asked_for[slot] ? 1024 : 1);
  });
  for (size_t slot = 0; slot < choices.size(); ++slot) {
    if (choices[slot] == wanted[slot]) continue;
    note(static_cast<int>(slot), KnobValueToString(options_.knobs[slot].choice(wanted[slot])),
         choices[slot], WhyMoved(static_cast<int>(slot), wanted));
  }
  return Config(shared_from_this(), std::move(choices));
}

std::string_view ConfigSpace::WhyMoved(int slot, std::span<const uint16_t> choices) const {
  std::vector<int64_t> args;
  for (size_t i = 0; i < options_.constraints.size(); ++i) {
    const std::vector<int>& slots = index_->constraint_slots[i];
    if (std::find(slots.begin(), slots.end(), slot) == slots.end()) continue;
    args.clear();
    for (const int other : slots) args.push_back(options_.knobs[other].numeric(choices[other]));
    if (!options_.constraints[i].holds(args)) return options_.constraints[i].name;
  }
  return "so that the other constraints hold";
}

std::optional<Config> ConfigSpace::Repair(std::vector<uint16_t> choices,
                                          std::mt19937_64& random) const {
  if (!InRange(choices)) return std::nullopt;
  if (!Contains(choices)) {
    const std::vector<uint16_t> wanted = choices;
    const uint64_t salt = random();
    valid().Nearest(choices, [&](int slot, int choice) -> int64_t {
      const int64_t cost = MoveCost(options_.knobs[slot], wanted[slot], choice);
      if (cost == 0) return 0;
      // Among repairs of equal cost the one with the least noise wins.
      const uint64_t key =
          salt + (static_cast<uint64_t>(slot) << 16) + static_cast<uint64_t>(choice);
      return (cost << 24) + static_cast<int64_t>(Scramble(key) >> 48);
    });
  }
  return Config(shared_from_this(), std::move(choices));
}

std::vector<Config> ConfigSpace::Neighbors(const Config& config, NeighborKind kind,
                                           size_t limit) const {
  std::vector<Config> found;
  if (!InRange(config.choices())) return found;
  const std::span<const uint16_t> base = config.choices();
  const auto near = [&](int slot, int choice) {
    return kind == NeighborKind::kHamming ||
           IsNeighborChoice(options_.knobs[slot], base[slot], choice);
  };
  if (kind != NeighborKind::kAdjacent && Contains(base)) {
    // One slot changes, so only its own group can become invalid.
    std::vector<uint16_t> choices(base.begin(), base.end());
    for (size_t slot = 0; slot < choices.size(); ++slot) {
      for (int choice = 0; choice < options_.knobs[slot].num_choices(); ++choice) {
        if (choice == base[slot] || !near(static_cast<int>(slot), choice)) continue;
        if (found.size() >= limit) return found;
        choices[slot] = static_cast<uint16_t>(choice);
        if (valid().ContainsAround(static_cast<int>(slot), choices)) {
          found.emplace_back(shared_from_this(), choices);
        }
      }
      choices[slot] = base[slot];
    }
    return found;
  }
  const int max_distance =
      kind == NeighborKind::kAdjacent ? static_cast<int>(options_.knobs.size()) : 1;
  for (int distance = 1; distance <= max_distance && found.size() < limit; ++distance) {
    valid().ForEachAtDistance(base, distance, near, [&](std::span<const uint16_t> choices) {
      found.emplace_back(shared_from_this(), std::vector<uint16_t>(choices.begin(), choices.end()));
      return found.size() < limit;
    });
  }
  return found;
}

const KnobValue& Config::Get(std::string_view knob) const {
  if (space_ == nullptr) Fail("Get", knob, "the configuration is of no space");
  const std::optional<int> slot = space_->FindKnob(knob);
  if (!slot) Fail("Get", knob, "no such knob");
  return space_->knobs()[*slot].choice(choices_[*slot]);
}

int64_t Config::GetInt(std::string_view knob) const {
  const auto* value = std::get_if<int64_t>(&Get(knob));
  if (value == nullptr) Fail("GetInt", knob, "not an integer");
  return *value;
}

bool Config::GetBool(std::string_view knob) const {
  const auto* value = std::get_if<bool>(&Get(knob));
  if (value == nullptr) Fail("GetBool", knob, "not a boolean");
  return *value;
}

const std::string& Config::GetEnum(std::string_view knob) const {
  const auto* value = std::get_if<std::string>(&Get(knob));
  if (value == nullptr) Fail("GetEnum", knob, "not an enum");
  return *value;
}

PartialConfig Config::ToPartial() const {
  PartialConfig partial;
  for (size_t slot = 0; slot < choices_.size(); ++slot) {
    const Knob& knob = space_->knobs()[slot];
    partial.Set(knob.name(), knob.choice(choices_[slot]));
  }
  return partial;
}

std::string Config::ToJson() const {
  std::string json = "{";
  for (size_t slot = 0; slot < choices_.size(); ++slot) {
    const Knob& knob = space_->knobs()[slot];
    if (slot > 0) json += ',';
    AppendJsonString(knob.name(), json);
    json += ':';
    AppendJsonValue(knob.choice(choices_[slot]), json);
  }
  json += '}';
  return json;
}

uint64_t Config::Hash() const { return absl::Hash<std::vector<uint16_t>>()(choices_); }

}  // namespace seedtune

// One thing that may vary: a flat slot of a config space, with a finite, ordered list of choices.
//
// Knobs are keyed by name and role, never by position: `block_size[m]`, `num_warps`, `indexing[0]`.
// A list knob is a run of slots that differ in their last index, each a knob of its own.
#ifndef SEEDTUNE_CONFIG_KNOB_H_
#define SEEDTUNE_CONFIG_KNOB_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace seedtune {

// What a knob can be set to: an integer, a boolean, an enum's name, or a permutation of 0..n-1.
using KnobValue = std::variant<int64_t, bool, std::string, std::vector<int>>;
std::string KnobValueToString(const KnobValue& value);  // 64, true, "persistent", [1, 0]

enum class KnobKind { kPowerOfTwo, kInteger, kEnum, kBoolean, kPermutation };
std::string_view KnobKindName(KnobKind kind);

// Immutable; thread-safe. The factories return kInvalidArgument for an empty name, an empty range,
// more than 65,535 choices, a default that is no choice, bounds that are no power of two...
class Knob {
 public:
  static absl::StatusOr<Knob> PowerOfTwo(std::string name, int64_t min, int64_t max,
                                         int64_t default_value);
  // min, min + step, ... up to max.
  static absl::StatusOr<Knob> Integer(std::string name, int64_t min, int64_t max, int64_t step,
                                      int64_t default_value);
  // Some integers, strictly ascending: {6, 8, 12}.
  static absl::StatusOr<Knob> IntegerChoice(std::string name, std::vector<int64_t> values,
                                            int64_t default_value);
  static absl::StatusOr<Knob> Enum(std::string name, std::vector<std::string> values,
                                   std::string default_value);
  static absl::StatusOr<Knob> Boolean(std::string name, bool default_value);
  static absl::StatusOr<Knob> Permutation(std::string name,
                                          int size);  // 1 <= size <= 6; default: identity

  // The same knob with some of its choices only, in its own order; constraints see of them what
  // they saw before. The default stays if it is one of them, else it is the nearest (FindNearest)
  // or, of an unordered knob, the first. kInvalidArgument: none, one twice, or one that is no
  // choice.
  absl::StatusOr<Knob> Keeping(const std::vector<KnobValue>& values) const;

  const std::string& name() const { return name_; }
  KnobKind kind() const { return kind_; }
  int num_choices() const { return static_cast<int>(choices_.size()); }
  int default_choice() const { return default_choice_; }
  const KnobValue& choice(int index) const { return choices_[index]; }
  // What constraints see: the integer, 0 or 1, or for enums and permutations the choice's index.
  int64_t numeric(int index) const { return numeric_[index]; }
  // Whether neighbouring choices are alike (integers, powers of two), so that steps of one mean
  // something.
  bool is_ordered() const { return kind_ == KnobKind::kPowerOfTwo || kind_ == KnobKind::kInteger; }

  // kInvalidArgument: `block_size[m] is 48, want a power of two from 16 to 256`.
  absl::StatusOr<int> Find(const KnobValue& value) const;
  std::optional<int> IndexOf(const KnobValue& value) const;  // the same, without a reason
  // The choice nearest to a value of the right type but out of the list (log distance for powers of
  // two); an error as above where nothing is near (enums, wrong type).
  absl::StatusOr<int> FindNearest(const KnobValue& value) const;
  // "a power of two from 16 to 256", "one of \"flat\", \"xyz\""
  std::string DescribeChoices() const;

 private:
  Knob() = default;
  static absl::StatusOr<Knob> Make(std::string name, KnobKind kind, std::vector<KnobValue> choices,
                                   const KnobValue& default_value);
  absl::Status NoSuchChoice(const KnobValue& value) const;

  std::string name_;
  KnobKind kind_ = KnobKind::kBoolean;
  std::vector<KnobValue> choices_;
  std::vector<int64_t> numeric_;
  int default_choice_ = 0;
};

// Some knobs' values, by name: a seed, a user's file, a rule's right-hand side. Missing knobs take
// the defaults.
struct PartialConfig {
  std::map<std::string, KnobValue, std::less<>> values;

  PartialConfig& Set(std::string_view knob, KnobValue value);
  PartialConfig& Set(std::string_view knob, int value) {
    return Set(knob, KnobValue(int64_t{value}));
  }
  PartialConfig& Set(std::string_view knob, int64_t value) { return Set(knob, KnobValue(value)); }
  PartialConfig& Set(std::string_view knob, bool value) { return Set(knob, KnobValue(value)); }
  PartialConfig& Set(std::string_view knob, const char* value) {
    return Set(knob, KnobValue(std::string(value)));
  }
  friend bool operator==(const PartialConfig&, const PartialConfig&) = default;
};

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_KNOB_H_

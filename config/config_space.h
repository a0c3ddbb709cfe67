// What may vary, and which combinations mean something: an ordered list of knobs and the
// constraints between them.
//
// The list of flat slots is the single source of truth: encoding, decoding, duplicates, hashing,
// neighbours, crossover and features all read it. Valid configurations are numbered 0 ..
// NumValid()-1, and the space converts either way without ever walking the Cartesian product: knobs
// that no constraint ties together form independent groups, each a tree that is cut at the first
// level where a constraint fails. The numbering is mixed radix over the groups; it is the same
// whenever a space is created of the same knobs and constraints (see space_index.h).
#ifndef SEEDTUNE_CONFIG_CONFIG_SPACE_H_
#define SEEDTUNE_CONFIG_CONFIG_SPACE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "config/constraint.h"
#include "config/knob.h"

namespace seedtune {

class Config;
class SpaceIndex;

// A step leads to the next or the previous choice; of an unordered knob, to any other choice.
enum class NeighborKind {
  kHamming,           // one slot changed, to any other choice
  kAdjacent,          // any number of slots changed (never none), each by one step
  kStrictlyAdjacent,  // one slot changed, by one step
};

enum class NormalizeMode {
  kReject,  // an unknown knob, a value that is no choice or a violated constraint is an error
  // Values go to the nearest choice, and violated constraints are mended by going to the nearest
  // valid configuration (fewest steps); knobs that were asked for move only where moving the others
  // does not help. What cannot be mended, an unknown knob or an enum's unknown value, is an error.
  kRepair,
};

class ConfigSpace : public std::enable_shared_from_this<ConfigSpace> {
 public:
  // kInvalidArgument: two knobs of one name, a constraint over an unknown knob, no knobs, no valid
  // configuration. Where the knobs' defaults together break a constraint, the default is the valid
  // configuration nearest to them (fewest steps, deterministic). kResourceExhausted: one group is
  // too large to index; the message names its knobs.
  struct Options {
    std::string name;  // "cpu_matmul"
    int version = 1;   // raised whenever knobs, choices or constraints change their meaning
    std::vector<Knob> knobs;
    std::vector<Constraint> constraints;
    std::string whole_id = {};  // of the space that this is a part of; "": it is a whole one
    // Limits the memory of one group's index, which takes about 14 bytes an edge (see
    // space_index.h).
    int64_t max_group_edges = 20'000'000;
    // Indexes the groups when something first asks for what only the index knows (counts, samples,
    // neighbours, repairs), so that an untuned answer does not pay for it. For spaces that are
    // known to be small enough to index: one that is not ends the process when it is asked. Where
    // the knobs' defaults together break a constraint, the index is made at once all the same.
    bool index_on_demand = false;
  };
  static absl::StatusOr<std::shared_ptr<const ConfigSpace>> Create(Options options);

  ConfigSpace(const ConfigSpace&) = delete;
  ConfigSpace& operator=(const ConfigSpace&) = delete;
  ~ConfigSpace();

  // All of it is const and thread-safe.
  const std::string& name() const { return options_.name; }
  int version() const { return options_.version; }
  // "cpu_matmul.v1.<hash of knobs and choices>": two spaces with equal ids read each other's
  // configurations.
  const std::string& id() const;
  // Of the space that this is a part of, its own if of none: who makes code of a configuration need
  // not know of which part of his space it was chosen.
  const std::string& whole_id() const {
    return options_.whole_id.empty() ? id() : options_.whole_id;
  }
  std::span<const Knob> knobs() const { return options_.knobs; }
  std::span<const Constraint> constraints() const { return options_.constraints; }
  std::optional<int> FindKnob(std::string_view name) const;
  // The same; kInvalidArgument: there is none (`no knob named "num_warpz" in triton_matmul; did you
  // mean "num_warps"`).
  absl::StatusOr<int> SlotOf(std::string_view name) const;

  absl::uint128 CartesianSize() const;  // saturates
  absl::uint128 NumValid() const;       // exact unless it saturates

  Config At(absl::uint128 index) const;  // index < NumValid()
  // nullopt: not valid here (or, where NumValid() saturates, numbered beyond 128 bits).
  std::optional<absl::uint128> IndexOf(const Config& config) const;

  // Uniform over the valid configurations.
  Config Sample(std::mt19937_64& random) const;
  Config Default() const;

  // Cheap: looks up, and calls no constraint. False where `choices` is of the wrong size or out of
  // range.
  bool IsValid(std::span<const uint16_t> choices) const;
  // The first violated constraint, nullptr if none. `choices` has one entry a knob, each in range.
  const Constraint* FirstViolation(std::span<const uint16_t> choices) const;

  // The first constraint that a partial configuration violates, its missing knobs taken from the
  // defaults; nullptr: none. kInvalidArgument: an unknown knob, a value that is no choice.
  absl::StatusOr<const Constraint*> FirstViolationOf(const PartialConfig& partial) const;

  // Fills missing knobs with defaults. kInvalidArgument: what and why (`no knob named "num_warpz"
  // in triton_matmul; did you mean "num_warps"`, "tile_fits_shared_memory: ..."). In kRepair mode
  // each change is appended to `changes`
  // ("block_size[m]: 48 -> 64 (nearest choice)") if that is not null.
  absl::StatusOr<Config> Normalize(const PartialConfig& partial, NormalizeMode mode,
                                   std::vector<std::string>* changes = nullptr) const;
  // As above, the missing knobs taken from `base` (of this space) instead.
  absl::StatusOr<Config> NormalizeOver(const Config& base, const PartialConfig& partial,
                                       NormalizeMode mode,
                                       std::vector<std::string>* changes = nullptr) const;
  // The valid configuration that is the fewest steps away from `choices`: itself if valid; among
  // equals, one by chance. nullopt: `choices` is of the wrong size or out of range.
  std::optional<Config> Repair(std::vector<uint16_t> choices, std::mt19937_64& random) const;

  // The first `limit` valid neighbours, each once, `config` itself left out, in a fixed order: with
  // kAdjacent, those with fewer slots changed first. All adjacent neighbours may be many (up to 3
  // to the number of slots, and more with unordered knobs), so give kAdjacent a limit. None if
  // `config` is not of this space.
  std::vector<Config> Neighbors(const Config& config, NeighborKind kind,
                                size_t limit = SIZE_MAX) const;

 private:
  struct Index;  // the trees
  explicit ConfigSpace(Options options);
  absl::Status Init();
  absl::Status BuildIndex() const;
  const SpaceIndex& valid() const;  // the index, made where it is not there yet
  bool Contains(std::span<const uint16_t> choices) const;  // in range
  bool InRange(std::span<const uint16_t> choices) const;
  // `no knob named "num_warpz" in triton_matmul; did you mean "num_warps"`
  std::string UnknownKnob(std::string_view name) const;
  absl::StatusOr<Config> NormalizeFrom(std::span<const uint16_t> base, const PartialConfig& partial,
                                       NormalizeMode mode, std::vector<std::string>* changes) const;
  // The name of a constraint over `slot` that `choices` violate, or words to say that there is
  // none.
  std::string_view WhyMoved(int slot, std::span<const uint16_t> choices) const;

  Options options_;
  std::unique_ptr<Index> index_;
  std::vector<uint16_t> default_;
};

// A point of a space: one choice a slot. A few dozen bytes, cheap to copy, compare and hash; shares
// its space. Always valid in its space when it came out of the space's own functions.
// Thread-compatible.
class Config {
 public:
  Config() = default;  // of no space; only to be assigned to
  Config(std::shared_ptr<const ConfigSpace> space, std::vector<uint16_t> choices)
      : space_(std::move(space)), choices_(std::move(choices)) {}

  const ConfigSpace& space() const { return *space_; }
  const std::shared_ptr<const ConfigSpace>& shared_space() const { return space_; }
  std::span<const uint16_t> choices() const { return choices_; }

  // By knob name, for the code that runs a configuration. The knob must exist and be of that type.
  int64_t GetInt(std::string_view knob) const;
  bool GetBool(std::string_view knob) const;
  const std::string& GetEnum(std::string_view knob) const;
  const KnobValue& Get(std::string_view knob) const;

  PartialConfig ToPartial() const;  // every knob
  // Canonical JSON, one object, knobs in slot order, no spaces: {"block_size[m]":64,"num_warps":4}.
  std::string ToJson() const;
  uint64_t Hash() const;  // stable within a process only

  friend bool operator==(const Config& a, const Config& b) { return a.choices_ == b.choices_; }
  template <typename H>
  friend H AbslHashValue(H h, const Config& config) {
    return H::combine(std::move(h), config.choices_);
  }

 private:
  std::shared_ptr<const ConfigSpace> space_;
  std::vector<uint16_t> choices_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_CONFIG_SPACE_H_

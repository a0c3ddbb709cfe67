// The valid combinations of a space's choices, numbered: the machinery behind ConfigSpace.
//
// Slots that constraints tie together, directly or through others, form a group (union-find); a
// slot that no constraint reads, or that has a single choice, is a group of its own. The
// combinations of different groups are independent, so the numbering is mixed radix over the
// groups: the group that holds the smallest slot is outermost.
//
// Inside a group the slots are put into an order of levels, and each constraint is checked at the
// first level where all that it reads is known. What a subtree looks like depends only on those
// values above it that a constraint at or below it still reads. So subtrees are built once for each
// distinct tuple of these *live* values (forward, level by level), and subtrees that turn out alike
// all the same are merged (backward): the tree of all valid combinations is stored as a graph that
// is often smaller by orders of magnitude. The order of levels is searched for (dynamic programming
// over sets of slots, a beam where there are many) so that the expected number of (node, choice)
// pairs tried, which is the cost of building, is least; it is a function of knobs and constraints
// alone.
//
// Each edge carries how many combinations stand before it in its node, so number -> combination is
// one binary search a level, and combination -> number, or a validity check, one binary search a
// level over the choices.
#ifndef SEEDTUNE_CONFIG_SPACE_INDEX_H_
#define SEEDTUNE_CONFIG_SPACE_INDEX_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <span>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "config/constraint.h"
#include "config/knob.h"

namespace seedtune {

// Sums and products that stop at the largest 128-bit number.
absl::uint128 SaturatingAdd(absl::uint128 a, absl::uint128 b);
absl::uint128 SaturatingMultiply(absl::uint128 a, absl::uint128 b);

// Immutable; thread-safe. `choices` always has one entry a knob, each in range.
class SpaceIndex {
 public:
  // A constraint and the slots of the knobs that it reads.
  struct BoundConstraint {
    const Constraint* constraint = nullptr;
    std::vector<int> slots;
  };

  struct Limits {
    int64_t max_edges = 20'000'000;     // of one group's graph
    int64_t max_tries = 1'000'000'000;  // (node, choice) pairs tried for one group
  };

  // Borrows its arguments during the call only. kInvalidArgument: no valid combination.
  // kResourceExhausted: a group passes a limit; the message names its knobs.
  static absl::StatusOr<SpaceIndex> Build(std::span<const Knob> knobs,
                                          std::span<const BoundConstraint> constraints,
                                          const Limits& limits);

  absl::uint128 count() const { return count_; }  // saturates
  // Edges of all graphs: a measure of memory (about 14 bytes each).
  int64_t num_edges() const;

  // Requires index < count().
  void At(absl::uint128 index, std::span<uint16_t> choices) const;
  bool Contains(std::span<const uint16_t> choices) const;
  // As Contains, where all groups but that of `slot` are known to be valid.
  bool ContainsAround(int slot, std::span<const uint16_t> choices) const;
  // nullopt: not contained, or the number does not fit into 128 bits.
  std::optional<absl::uint128> IndexOf(std::span<const uint16_t> choices) const;
  // Uniform (where one group alone has more than 2^128 combinations, up to rounding of its
  // weights).
  void Sample(std::mt19937_64& random, std::span<uint16_t> choices) const;

  // Replaces `choices` by the contained combination of least cost, the sum of `cost(slot, choice)`
  // over all slots; costs are not negative, and 0 for the choices given. Groups that are valid as
  // given stay.
  void Nearest(std::span<uint16_t> choices,
               absl::FunctionRef<int64_t(int slot, int choice)> cost) const;

  // Calls `visit` for the contained combinations in which exactly `distance` slots differ from
  // `choices`, each by a choice for which `near(slot, choice)` holds; stops when `visit` returns
  // false, and then returns false.
  bool ForEachAtDistance(std::span<const uint16_t> choices, int distance,
                         absl::FunctionRef<bool(int slot, int choice)> near,
                         absl::FunctionRef<bool(std::span<const uint16_t>)> visit) const;

 private:
  struct Group {
    std::vector<int> slots;   // one a level; of a free group just the one
    absl::uint128 count = 0;  // of its combinations; saturates
    bool free = false;        // every choice of its slot is valid: nothing is stored
    int num_choices = 0;      // free groups only
    // The graph. Node i has the edges node_begin[i] .. node_begin[i + 1] - 1, ascending by choice;
    // nodes of the last level come first, the root is the last node.
    std::vector<uint32_t> node_begin;
    std::vector<uint16_t> edge_choice;
    std::vector<uint32_t> edge_child;  // kLeaf at the last level
    // How many combinations stand before the edge in its node; the high halves only where one is
    // not 0.
    std::vector<uint64_t> before_low;
    std::vector<uint64_t> before_high;
    // Only where `count` saturates: the same as rounded numbers, inclusive, for sampling.
    std::vector<long double> weight_through;

    uint32_t root() const { return static_cast<uint32_t>(node_begin.size()) - 2; }
    absl::uint128 before(uint32_t edge) const {
      return absl::MakeUint128(before_high.empty() ? 0 : before_high[edge], before_low[edge]);
    }
    // The edge of `node` with that choice.
    std::optional<uint32_t> FindEdge(uint32_t node, uint16_t choice) const;
    bool Contains(std::span<const uint16_t> choices) const;
  };
  static constexpr uint32_t kLeaf = UINT32_MAX;

  class GroupBuilder;
  struct Walk;

  SpaceIndex() = default;

  std::vector<Group> groups_;
  std::vector<int> group_of_slot_;
  absl::uint128 count_ = 0;
};

}  // namespace seedtune

#endif  // SEEDTUNE_CONFIG_SPACE_INDEX_H_

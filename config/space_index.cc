#include "config/space_index.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <queue>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "util/status_macros.h"

namespace seedtune {
namespace {

constexpr uint32_t kDead = UINT32_MAX;
constexpr uint32_t kEmptyCell = UINT32_MAX;

uint64_t Mix(uint64_t x) {  // The finaliser of SplitMix64.
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Distinct keys, numbered in order of arrival, by open addressing. The keys themselves stay with
// the caller.
class Numbering {
 public:
  // The number of the key with that hash; `equal(i)` says whether it is key i. A new key gets the
  // next number, which is size() before the call.
  template <typename Equal>
  uint32_t FindOrAdd(uint64_t hash, Equal equal) {
    if (2 * (hashes_.size() + 1) > cells_.size()) Grow();
    const uint64_t mask = cells_.size() - 1;
    for (uint64_t cell = hash & mask;; cell = (cell + 1) & mask) {
      const uint32_t number = cells_[cell];
      if (number == kEmptyCell) {
        cells_[cell] = size();
        hashes_.push_back(hash);
        return size() - 1;
      }
      if (hashes_[number] == hash && equal(number)) return number;
    }
  }
  uint32_t size() const { return static_cast<uint32_t>(hashes_.size()); }

 private:
  void Grow() {
    const size_t size = std::max<size_t>(64, 2 * cells_.size());
    cells_.assign(size, kEmptyCell);
    for (uint32_t number = 0; number < hashes_.size(); ++number) {
      uint64_t cell = hashes_[number] & (size - 1);
      while (cells_[cell] != kEmptyCell) cell = (cell + 1) & (size - 1);
      cells_[cell] = number;
    }
  }

  std::vector<uint32_t> cells_;
  std::vector<uint64_t> hashes_;
};

class UnionFind {
 public:
  explicit UnionFind(int size) : parent_(size) { std::iota(parent_.begin(), parent_.end(), 0); }
  int Find(int i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }
  // The smaller root stays, so that a group's root is its smallest slot.
  void Union(int a, int b) {
    a = Find(a);
    b = Find(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<int> parent_;
};

// Our own, since the standard library's distributions differ between implementations.
absl::uint128 UniformBelow(absl::uint128 bound, std::mt19937_64& random) {
  if (absl::Uint128High64(bound) == 0) {
    const uint64_t small = absl::Uint128Low64(bound);
    const uint64_t accepted = UINT64_MAX - UINT64_MAX % small;
    for (;;) {
      const uint64_t draw = random();
      if (draw < accepted) return draw % small;
    }
  }
  const absl::uint128 accepted = absl::Uint128Max() - absl::Uint128Max() % bound;
  for (;;) {
    const uint64_t high = random();
    const absl::uint128 draw = absl::MakeUint128(high, random());
    if (draw < accepted) return draw % bound;
  }
}

// A constraint as one group sees it: slots with a single choice are already filled in.
struct GroupConstraint {
  const Constraint* constraint = nullptr;
  std::vector<int64_t> args;        // with the constants in place
  std::vector<int> arg_of_operand;  // which argument each operand is
  std::vector<int> operands;        // slots, or, once the levels are known, places in a level's row
};

// Base-2 logarithms in sixteenths. Integers, so that the order of levels, and with it the
// numbering, does not hang on the last bit of a mathematical library.
constexpr double kSixteenths[16] = {1.0,
                                    1.0442737824274138,
                                    1.0905077326652577,
                                    1.1387886347566916,
                                    1.1892071150027210,
                                    1.2418578120734840,
                                    1.2968395546510096,
                                    1.3542555469368927,
                                    1.4142135623730951,
                                    1.4768261459394993,
                                    1.5422108254079407,
                                    1.6104903319492543,
                                    1.6817928305074290,
                                    1.7562521603732995,
                                    1.8340080864093424,
                                    1.9152065613971474};
int64_t Log16(double value) { return std::llround(16 * std::log2(value)); }
double Exp16(int64_t log) { return std::ldexp(kSixteenths[log & 15], static_cast<int>(log >> 4)); }

// Finds the order of levels; see the header.
class LevelOrder {
 public:
  LevelOrder(std::span<const Knob> knobs, std::span<const int> slots,
             std::span<const GroupConstraint> constraints)
      : slots_(slots) {
    for (const int slot : slots) log_choices_.push_back(Log16(knobs[slot].num_choices()));
    if (!Searchable()) return;
    for (const GroupConstraint& constraint : constraints) {
      uint64_t mask = 0;
      for (const int slot : constraint.operands) {
        mask |= uint64_t{1} << (std::lower_bound(slots.begin(), slots.end(), slot) - slots.begin());
      }
      masks_.push_back(mask);
      log_pass_.push_back(Log16(PassRate(knobs, constraint)));
    }
  }

  // The slots, in the order of levels.
  std::vector<int> Find() const {
    if (!Searchable()) return {slots_.begin(), slots_.end()};
    const int n = static_cast<int>(slots_.size());
    const size_t beam = n <= 12 ? SIZE_MAX : static_cast<size_t>(4096 / n);
    struct Step {
      double cost;
      int last;  // the slot added last
    };
    using Layer = std::unordered_map<uint64_t, Step>;
    std::vector<Layer> layers(n + 1);
    layers[0].emplace(0, Step{0, -1});
    for (int size = 0; size < n; ++size) {
      std::vector<std::tuple<double, uint64_t, double, double>>
          kept;  // rank, set, cost so far, width
      for (const auto& [set, step] : layers[size]) {
        const double width = Width(set);
        kept.emplace_back(step.cost + width, set, step.cost, width);
      }
      std::sort(kept.begin(), kept.end());
      if (kept.size() > beam) kept.resize(beam);
      for (const auto& [rank, set, cost, width] : kept) {
        for (int i = 0; i < n; ++i) {
          if (set >> i & 1) continue;
          const double next_cost = cost + width * Exp16(log_choices_[i]);
          const auto [found, added] =
              layers[size + 1].emplace(set | uint64_t{1} << i, Step{next_cost, i});
          if (!added && (next_cost < found->second.cost ||
                         (next_cost == found->second.cost && i > found->second.last))) {
            found->second = {next_cost, i};
          }
        }
      }
    }
    std::vector<int> order(n);
    uint64_t set = n == 64 ? ~uint64_t{0} : (uint64_t{1} << n) - 1;
    for (int size = n; size > 0; --size) {
      const int last = layers[size].at(set).last;
      order[size - 1] = slots_[last];
      set &= ~(uint64_t{1} << last);
    }
    return order;
  }

 private:
  // Groups of more slots than a set has bits keep the order of the slots.
  bool Searchable() const { return slots_.size() <= 64; }

  // The share of its operands' combinations for which a constraint holds: exact when there are few,
  // else sampled.
  static double PassRate(std::span<const Knob> knobs, const GroupConstraint& constraint) {
    constexpr int kSamples = 256;
    double combinations = 1;
    for (const int slot : constraint.operands) combinations *= knobs[slot].num_choices();
    const bool all = combinations <= kSamples;
    const int tries = all ? static_cast<int>(combinations) : kSamples;
    std::vector<int64_t> args = constraint.args;
    uint64_t state = 0;
    double passed = 0;
    for (int i = 0; i < tries; ++i) {
      uint64_t code = i;
      for (size_t j = 0; j < constraint.operands.size(); ++j) {
        const Knob& knob = knobs[constraint.operands[j]];
        if (!all) code = Mix(state += 0x9e3779b97f4a7c15u);
        args[constraint.arg_of_operand[j]] =
            knob.numeric(static_cast<int>(code % knob.num_choices()));
        code /= knob.num_choices();
      }
      if (constraint.constraint->holds(args)) passed += 1;
    }
    return std::max(passed, 0.5) / tries;
  }

  // How many distinct subtrees are expected once the slots of `set` are chosen.
  double Width(uint64_t set) const {
    uint64_t live = 0;
    for (const uint64_t mask : masks_) {
      if ((mask & ~set) != 0) live |= mask & set;
    }
    int64_t log_live = 0;
    int64_t log_all = 0;
    for (uint64_t left = set; left != 0; left &= left - 1) {
      const int i = std::countr_zero(left);
      log_all += log_choices_[i];
      if (live >> i & 1) log_live += log_choices_[i];
    }
    for (size_t c = 0; c < masks_.size(); ++c) {
      if ((masks_[c] & ~set) == 0) log_all += log_pass_[c];
      if ((masks_[c] & ~live) == 0) log_live += log_pass_[c];
    }
    return Exp16(std::clamp<int64_t>(std::min(log_live, log_all), 0, 16 * 500));
  }

  std::span<const int> slots_;        // ascending
  std::vector<int64_t> log_choices_;  // a slot
  std::vector<uint64_t> masks_;       // a constraint: the slots that it reads
  std::vector<int64_t> log_pass_;     // a constraint
};

}  // namespace

absl::uint128 SaturatingAdd(absl::uint128 a, absl::uint128 b) {
  return a > absl::Uint128Max() - b ? absl::Uint128Max() : a + b;
}

absl::uint128 SaturatingMultiply(absl::uint128 a, absl::uint128 b) {
  if (a == 0 || b == 0) return 0;
  return a > absl::Uint128Max() / b ? absl::Uint128Max() : a * b;
}

// Builds the graph of one group.
class SpaceIndex::GroupBuilder {
 public:
  GroupBuilder(std::span<const Knob> knobs, std::vector<int> slots,
               std::vector<GroupConstraint> constraints, const Limits& limits)
      : knobs_(knobs),
        slots_(std::move(slots)),
        constraints_(std::move(constraints)),
        limits_(limits) {}

  absl::StatusOr<Group> Build() && {
    slots_ = LevelOrder(knobs_, slots_, constraints_).Find();
    PlanLevels();
    SEEDTUNE_RETURN_IF_ERROR(Expand());
    return Contract();
  }

 private:
  // A state of a level is a row: the live values above it, as choices. A level's row, while it is
  // expanded, also has the level's own choice as its last entry.
  struct Level {
    int slot = 0;
    std::vector<GroupConstraint*> constraints;  // checked here; more than the own choice is read
    std::vector<uint16_t> allowed;   // choices that pass the constraints on this slot alone
    std::vector<int> live_levels;    // ascending; whose choices make up a state
    std::vector<int> next_places;    // places in this level's row that the next level's states keep
    bool children_distinct = false;  // the next level's states keep everything
    // States first, edges of state i in edge_begin[i] .. edge_begin[i + 1] - 1.
    std::vector<uint16_t> states;
    std::vector<uint32_t> edge_begin;
    std::vector<uint16_t> edge_choice;
    std::vector<uint32_t> edge_child;
  };

  std::string Names() const {
    std::vector<int> ascending = slots_;
    std::sort(ascending.begin(), ascending.end());
    return absl::StrJoin(ascending, ", ", [this](std::string* out, int slot) {
      absl::StrAppend(out, knobs_[slot].name());
    });
  }

  void PlanLevels() {
    const int n = static_cast<int>(slots_.size());
    levels_.resize(n);
    std::vector<int> level_of(knobs_.size(), -1);
    for (int i = 0; i < n; ++i) {
      level_of[slots_[i]] = i;
      levels_[i].slot = slots_[i];
    }
    // The last level that needs the choice of each level.
    std::vector<int> needed_until(n, -1);
    std::vector<std::vector<const GroupConstraint*>> unary(n);
    for (GroupConstraint& constraint : constraints_) {
      for (int& operand : constraint.operands) operand = level_of[operand];
      const int last = *std::max_element(constraint.operands.begin(), constraint.operands.end());
      const bool several = std::any_of(constraint.operands.begin(), constraint.operands.end(),
                                       [last](int level) { return level != last; });
      for (const int level : constraint.operands) {
        needed_until[level] = std::max(needed_until[level], last);
      }
      if (several) {
        levels_[last].constraints.push_back(&constraint);
      } else {
        unary[last].push_back(&constraint);
      }
    }
    for (int i = 0; i < n; ++i) {
      Level& level = levels_[i];
      for (int above = 0; above < i; ++above) {
        if (needed_until[above] >= i) level.live_levels.push_back(above);
      }
      const Knob& knob = knobs_[level.slot];
      for (int choice = 0; choice < knob.num_choices(); ++choice) {
        bool ok = true;
        for (const GroupConstraint* constraint : unary[i]) {
          std::vector<int64_t> args = constraint->args;
          for (const int arg : constraint->arg_of_operand) args[arg] = knob.numeric(choice);
          ok = ok && constraint->constraint->holds(args);
        }
        if (ok) level.allowed.push_back(static_cast<uint16_t>(choice));
      }
    }
    for (int i = 0; i < n; ++i) {
      Level& level = levels_[i];
      std::vector<int> row = level.live_levels;
      row.push_back(i);
      for (GroupConstraint* constraint : level.constraints) {
        for (int& operand : constraint->operands) {
          operand =
              static_cast<int>(std::lower_bound(row.begin(), row.end(), operand) - row.begin());
        }
      }
      if (i + 1 == n) break;
      for (size_t place = 0; place < row.size(); ++place) {
        if (needed_until[row[place]] > i) level.next_places.push_back(static_cast<int>(place));
      }
      level.children_distinct = level.next_places.size() == row.size();
    }
  }

  // Forward: all states that can be reached, level by level.
  absl::Status Expand() {
    int64_t edges = 0;
    int64_t tries = 0;
    uint32_t num_states = 1;
    for (size_t i = 0; i < levels_.size(); ++i) {
      Level& level = levels_[i];
      Level* next = i + 1 < levels_.size() ? &levels_[i + 1] : nullptr;
      const size_t width = level.live_levels.size();
      const size_t next_width = level.next_places.size();
      Numbering numbering;
      uint32_t next_states = 0;
      std::vector<uint16_t> row(width + 1);
      std::vector<uint16_t> child(next_width);
      // Where the level's own choice goes, for each constraint.
      std::vector<std::pair<GroupConstraint*, std::vector<int>>> checks;
      for (GroupConstraint* constraint : level.constraints) {
        std::vector<int> own;
        for (size_t j = 0; j < constraint->operands.size(); ++j) {
          if (constraint->operands[j] == static_cast<int>(width)) {
            own.push_back(constraint->arg_of_operand[j]);
          }
        }
        checks.emplace_back(constraint, std::move(own));
      }
      const Knob& knob = knobs_[level.slot];
      level.edge_begin.reserve(num_states + 1);
      level.edge_begin.push_back(0);
      for (uint32_t state = 0; state < num_states; ++state) {
        std::copy_n(level.states.begin() + static_cast<ptrdiff_t>(state * width), width,
                    row.begin());
        for (auto& [constraint, own] : checks) {
          for (size_t j = 0; j < constraint->operands.size(); ++j) {
            const size_t place = constraint->operands[j];
            if (place == width) continue;
            const Knob& above = knobs_[levels_[level.live_levels[place]].slot];
            constraint->args[constraint->arg_of_operand[j]] = above.numeric(row[place]);
          }
        }
        for (const uint16_t choice : level.allowed) {
          bool ok = true;
          for (auto& [constraint, own] : checks) {
            for (const int arg : own) constraint->args[arg] = knob.numeric(choice);
            if (!constraint->constraint->holds(constraint->args)) {
              ok = false;
              break;
            }
          }
          if (!ok) continue;
          level.edge_choice.push_back(choice);
          if (next == nullptr) continue;
          row[width] = choice;
          for (size_t j = 0; j < next_width; ++j) child[j] = row[level.next_places[j]];
          uint32_t number = next_states;
          if (!level.children_distinct) {
            uint64_t hash = 0;
            for (const uint16_t value : child) hash = Mix(hash + value + 0x9e3779b97f4a7c15u);
            number = numbering.FindOrAdd(hash, [&](uint32_t other) {
              return std::equal(child.begin(), child.end(),
                                next->states.begin() + static_cast<ptrdiff_t>(other * next_width));
            });
          }
          if (number == next_states) {
            ++next_states;
            next->states.insert(next->states.end(), child.begin(), child.end());
          }
          level.edge_child.push_back(number);
        }
        level.edge_begin.push_back(static_cast<uint32_t>(level.edge_choice.size()));
        tries += static_cast<int64_t>(level.allowed.size());
        if (edges + static_cast<int64_t>(level.edge_choice.size()) > limits_.max_edges ||
            tries > limits_.max_tries) {
          return absl::ResourceExhaustedError(absl::StrCat(
              "the constraints tie ", Names(), " into one group that takes more than ",
              edges + static_cast<int64_t>(level.edge_choice.size()) > limits_.max_edges
                  ? absl::StrCat(limits_.max_edges, " edges")
                  : absl::StrCat(limits_.max_tries, " tries"),
              " to index; give these knobs fewer choices or untie them"));
        }
      }
      edges += static_cast<int64_t>(level.edge_choice.size());
      num_states = next_states;
      if (next != nullptr && num_states == 0) return NoneValid();
    }
    return absl::OkStatus();
  }

  absl::Status NoneValid() const {
    const std::string constraints =
        absl::StrJoin(constraints_, ", ", [](std::string* out, const GroupConstraint& constraint) {
          absl::StrAppend(out, constraint.constraint->name);
        });
    return absl::InvalidArgumentError(
        absl::StrCat("no valid configuration: no choice of ", Names(), " meets ", constraints));
  }

  // Backward: drops what leads nowhere, merges what is alike, counts.
  absl::StatusOr<Group> Contract() {
    Group group;
    group.slots = slots_;
    group.node_begin.push_back(0);
    std::vector<absl::uint128> count;  // of each node
    std::vector<uint32_t> below;       // node of each state of the level below
    for (size_t i = levels_.size(); i-- > 0;) {
      Level& level = levels_[i];
      const bool last = i + 1 == levels_.size();
      const uint32_t first_node = static_cast<uint32_t>(count.size());
      const size_t num_states = level.edge_begin.size() - 1;
      std::vector<uint32_t> nodes(num_states);
      Numbering numbering;
      for (size_t state = 0; state < num_states; ++state) {
        const size_t begin = group.edge_choice.size();
        uint64_t hash = 0;
        for (uint32_t e = level.edge_begin[state]; e < level.edge_begin[state + 1]; ++e) {
          const uint32_t child = last ? kLeaf : below[level.edge_child[e]];
          if (!last && child == kDead) continue;
          group.edge_choice.push_back(level.edge_choice[e]);
          group.edge_child.push_back(child);
          hash = Mix(hash + (uint64_t{child} << 16 | level.edge_choice[e]) + 0x9e3779b97f4a7c15u);
        }
        const size_t size = group.edge_choice.size() - begin;
        if (size == 0) {
          nodes[state] = kDead;
          continue;
        }
        const uint32_t before = numbering.size();
        const uint32_t number = numbering.FindOrAdd(hash, [&](uint32_t other) {
          const uint32_t node = first_node + other;
          const size_t other_begin = group.node_begin[node];
          return group.node_begin[node + 1] - other_begin == size &&
                 std::equal(group.edge_choice.begin() + begin, group.edge_choice.end(),
                            group.edge_choice.begin() + other_begin) &&
                 std::equal(group.edge_child.begin() + begin, group.edge_child.end(),
                            group.edge_child.begin() + other_begin);
        });
        nodes[state] = first_node + number;
        if (number < before) {  // Seen already.
          group.edge_choice.resize(begin);
          group.edge_child.resize(begin);
          continue;
        }
        group.node_begin.push_back(static_cast<uint32_t>(group.edge_choice.size()));
        absl::uint128 sum = 0;
        for (size_t e = begin; e < group.edge_choice.size(); ++e) {
          group.before_low.push_back(absl::Uint128Low64(sum));
          if (absl::Uint128High64(sum) != 0 || !group.before_high.empty()) {
            group.before_high.resize(e, 0);
            group.before_high.push_back(absl::Uint128High64(sum));
          }
          sum = SaturatingAdd(sum, last ? absl::uint128(1) : count[group.edge_child[e]]);
        }
        count.push_back(sum);
      }
      below = std::move(nodes);
      level = Level();
    }
    if (below[0] == kDead) return NoneValid();
    if (!group.before_high.empty()) group.before_high.resize(group.before_low.size(), 0);
    group.count = count.back();
    if (group.count == absl::Uint128Max()) AddWeights(group);
    group.edge_choice.shrink_to_fit();
    group.edge_child.shrink_to_fit();
    group.before_low.shrink_to_fit();
    group.before_high.shrink_to_fit();
    group.node_begin.shrink_to_fit();
    return group;
  }

  static void AddWeights(Group& group) {
    const size_t num_nodes = group.node_begin.size() - 1;
    std::vector<long double> weight(num_nodes);
    group.weight_through.resize(group.edge_choice.size());
    for (size_t node = 0; node < num_nodes; ++node) {
      long double sum = 0;
      for (uint32_t e = group.node_begin[node]; e < group.node_begin[node + 1]; ++e) {
        sum += group.edge_child[e] == kLeaf ? 1 : weight[group.edge_child[e]];
        group.weight_through[e] = sum;
      }
      weight[node] = sum;
    }
  }

  std::span<const Knob> knobs_;
  std::vector<int> slots_;
  std::vector<GroupConstraint> constraints_;
  const Limits& limits_;
  std::vector<Level> levels_;
};

absl::StatusOr<SpaceIndex> SpaceIndex::Build(std::span<const Knob> knobs,
                                             std::span<const BoundConstraint> constraints,
                                             const Limits& limits) {
  const int num_slots = static_cast<int>(knobs.size());
  std::vector<GroupConstraint> bound;
  UnionFind groups(num_slots);
  std::vector<bool> constrained(num_slots, false);
  for (const BoundConstraint& from : constraints) {
    GroupConstraint to;
    to.constraint = from.constraint;
    to.args.resize(from.slots.size());
    for (size_t i = 0; i < from.slots.size(); ++i) {
      const int slot = from.slots[i];
      if (knobs[slot].num_choices() == 1) {
        to.args[i] = knobs[slot].numeric(0);
        continue;
      }
      to.operands.push_back(slot);
      to.arg_of_operand.push_back(static_cast<int>(i));
      constrained[slot] = true;
      groups.Union(to.operands.front(), slot);
    }
    if (!to.operands.empty()) {
      bound.push_back(std::move(to));
    } else if (!to.constraint->holds(to.args)) {
      return absl::InvalidArgumentError(
          absl::StrCat("no valid configuration: ", to.constraint->name, " never holds"));
    }
  }

  SpaceIndex index;
  index.group_of_slot_.assign(num_slots, 0);
  index.count_ = 1;
  for (int slot = 0; slot < num_slots; ++slot) {
    if (groups.Find(slot) != slot) continue;  // Met already with the group's first slot.
    Group group;
    if (!constrained[slot]) {
      group.slots = {slot};
      group.free = true;
      group.num_choices = knobs[slot].num_choices();
      group.count = group.num_choices;
    } else {
      std::vector<int> slots;
      for (int other = slot; other < num_slots; ++other) {
        if (groups.Find(other) == slot) slots.push_back(other);
      }
      std::vector<GroupConstraint> own;
      for (const GroupConstraint& constraint : bound) {
        if (groups.Find(constraint.operands.front()) == slot) own.push_back(constraint);
      }
      SEEDTUNE_ASSIGN_OR_RETURN(
          group, GroupBuilder(knobs, std::move(slots), std::move(own), limits).Build());
    }
    for (const int member : group.slots) {
      index.group_of_slot_[member] = static_cast<int>(index.groups_.size());
    }
    index.count_ = SaturatingMultiply(index.count_, group.count);
    index.groups_.push_back(std::move(group));
  }
  return index;
}

int64_t SpaceIndex::num_edges() const {
  int64_t sum = 0;
  for (const Group& group : groups_) sum += static_cast<int64_t>(group.edge_choice.size());
  return sum;
}

std::optional<uint32_t> SpaceIndex::Group::FindEdge(uint32_t node, uint16_t choice) const {
  const auto begin = edge_choice.begin() + node_begin[node];
  const auto end = edge_choice.begin() + node_begin[node + 1];
  const auto found = std::lower_bound(begin, end, choice);
  if (found == end || *found != choice) return std::nullopt;
  return static_cast<uint32_t>(found - edge_choice.begin());
}

bool SpaceIndex::Group::Contains(std::span<const uint16_t> choices) const {
  if (free) return true;
  uint32_t node = root();
  for (const int slot : slots) {
    const std::optional<uint32_t> edge = FindEdge(node, choices[slot]);
    if (!edge) return false;
    node = edge_child[*edge];
  }
  return true;
}

void SpaceIndex::At(absl::uint128 index, std::span<uint16_t> choices) const {
  assert(index < count_);
  for (size_t g = groups_.size(); g-- > 0;) {
    const Group& group = groups_[g];
    absl::uint128 left = index % group.count;
    index /= group.count;
    if (group.free) {
      choices[group.slots[0]] = static_cast<uint16_t>(absl::Uint128Low64(left));
      continue;
    }
    uint32_t node = group.root();
    for (const int slot : group.slots) {
      // The last edge with before(edge) <= left; the first edge has 0 before it.
      uint32_t low = group.node_begin[node];
      uint32_t high = group.node_begin[node + 1];
      while (high - low > 1) {
        const uint32_t middle = low + (high - low) / 2;
        (group.before(middle) <= left ? low : high) = middle;
      }
      left -= group.before(low);
      choices[slot] = group.edge_choice[low];
      node = group.edge_child[low];
    }
  }
}

bool SpaceIndex::Contains(std::span<const uint16_t> choices) const {
  return std::all_of(groups_.begin(), groups_.end(),
                     [&](const Group& group) { return group.Contains(choices); });
}

bool SpaceIndex::ContainsAround(int slot, std::span<const uint16_t> choices) const {
  return groups_[group_of_slot_[slot]].Contains(choices);
}

std::optional<absl::uint128> SpaceIndex::IndexOf(std::span<const uint16_t> choices) const {
  absl::uint128 index = 0;
  bool fits = true;
  for (const Group& group : groups_) {
    absl::uint128 own = 0;
    if (group.free) {
      own = choices[group.slots[0]];
    } else {
      uint32_t node = group.root();
      for (const int slot : group.slots) {
        const std::optional<uint32_t> edge = group.FindEdge(node, choices[slot]);
        if (!edge) return std::nullopt;
        own = SaturatingAdd(own, group.before(*edge));
        node = group.edge_child[*edge];
      }
    }
    index = SaturatingAdd(SaturatingMultiply(index, group.count), own);
    // The largest number stands for all that are too large.
    fits = fits && own != absl::Uint128Max() && index != absl::Uint128Max();
  }
  if (!fits) return std::nullopt;
  return index;
}

void SpaceIndex::Sample(std::mt19937_64& random, std::span<uint16_t> choices) const {
  for (const Group& group : groups_) {
    if (group.free) {
      choices[group.slots[0]] =
          static_cast<uint16_t>(absl::Uint128Low64(UniformBelow(group.num_choices, random)));
      continue;
    }
    uint32_t node = group.root();
    if (group.weight_through.empty()) {
      absl::uint128 left = UniformBelow(group.count, random);
      for (const int slot : group.slots) {
        uint32_t low = group.node_begin[node];
        uint32_t high = group.node_begin[node + 1];
        while (high - low > 1) {
          const uint32_t middle = low + (high - low) / 2;
          (group.before(middle) <= left ? low : high) = middle;
        }
        left -= group.before(low);
        choices[slot] = group.edge_choice[low];
        node = group.edge_child[low];
      }
      continue;
    }
    for (const int slot : group.slots) {
      const auto begin = group.weight_through.begin() + group.node_begin[node];
      const auto end = group.weight_through.begin() + group.node_begin[node + 1];
      const long double point =
          std::ldexp(static_cast<long double>(random() >> 1), -63) * *(end - 1);
      const auto found = std::min(std::upper_bound(begin, end, point), end - 1);
      const size_t edge = static_cast<size_t>(found - group.weight_through.begin());
      choices[slot] = group.edge_choice[edge];
      node = group.edge_child[edge];
    }
  }
}

void SpaceIndex::Nearest(std::span<uint16_t> choices,
                         absl::FunctionRef<int64_t(int slot, int choice)> cost) const {
  // Dijkstra over the group's graph. Nodes nearer to the leaves have smaller numbers, so among
  // equals the search goes deep first, and only nodes nearer than the answer are ever expanded.
  struct Reached {
    int64_t cost = 0;
    uint32_t from = 0;
    uint16_t choice = 0;
    bool done = false;
  };
  constexpr uint32_t kGoal = kLeaf;
  for (const Group& group : groups_) {
    if (group.Contains(choices)) continue;
    const int depth = static_cast<int>(group.slots.size());
    std::unordered_map<uint32_t, Reached> reached;
    using Entry = std::tuple<int64_t, int, uint32_t>;  // cost, levels left, node
    std::priority_queue<Entry, std::vector<Entry>, std::greater<>> queue;
    reached[group.root()] = {};
    queue.emplace(0, depth, group.root());
    while (!queue.empty()) {
      const auto [so_far, levels_left, node] = queue.top();
      queue.pop();
      if (node == kGoal) break;
      Reached& here = reached[node];
      if (here.done) continue;
      here.done = true;
      const int slot = group.slots[depth - levels_left];
      for (uint32_t e = group.node_begin[node]; e < group.node_begin[node + 1]; ++e) {
        const uint32_t child = group.edge_child[e];
        const int64_t total = so_far + cost(slot, group.edge_choice[e]);
        const auto [found, added] = reached.try_emplace(child);
        if (!added && found->second.cost <= total) continue;
        found->second = {total, node, group.edge_choice[e], false};
        queue.emplace(total, levels_left - 1, child);
      }
    }
    uint32_t node = kGoal;
    for (int i = depth - 1; i >= 0; --i) {
      const Reached& step = reached.at(node);
      choices[group.slots[i]] = step.choice;
      node = step.from;
    }
  }
}

// A depth-first walk through the levels of all groups, one after the other.
struct SpaceIndex::Walk {
  const std::vector<Group>& groups;
  std::span<const uint16_t> base;
  absl::FunctionRef<bool(int, int)> near;
  absl::FunctionRef<bool(std::span<const uint16_t>)> visit;
  std::vector<uint16_t> choices;
  int slots_left = 0;  // not yet chosen

  // From `level` of group `g`, with `distance` changes left to make. False: stop.
  bool Go(size_t g, size_t level, uint32_t node, int distance) {
    if (distance > slots_left) return true;
    if (g == groups.size()) return visit(choices);
    const Group& group = groups[g];
    if (level == group.slots.size()) {
      const bool more = g + 1 < groups.size() && !groups[g + 1].free;
      return Go(g + 1, 0, more ? groups[g + 1].root() : kLeaf, distance);
    }
    const int slot = group.slots[level];
    const auto take = [&](uint16_t choice, uint32_t child, int left) {
      choices[slot] = choice;
      --slots_left;
      const bool go_on = Go(g, level + 1, child, left);
      ++slots_left;
      return go_on;
    };
    if (group.free) {
      if (!take(base[slot], kLeaf, distance)) return false;
      for (int choice = 0; distance > 0 && choice < group.num_choices; ++choice) {
        if (choice == base[slot] || !near(slot, choice)) continue;
        if (!take(static_cast<uint16_t>(choice), kLeaf, distance - 1)) return false;
      }
      return true;
    }
    if (const std::optional<uint32_t> edge = group.FindEdge(node, base[slot])) {
      if (!take(base[slot], group.edge_child[*edge], distance)) return false;
    }
    if (distance == 0) return true;
    for (uint32_t e = group.node_begin[node]; e < group.node_begin[node + 1]; ++e) {
      const uint16_t choice = group.edge_choice[e];
      if (choice == base[slot] || !near(slot, choice)) continue;
      if (!take(choice, group.edge_child[e], distance - 1)) return false;
    }
    return true;
  }
};

bool SpaceIndex::ForEachAtDistance(std::span<const uint16_t> choices, int distance,
                                   absl::FunctionRef<bool(int slot, int choice)> near,
                                   absl::FunctionRef<bool(std::span<const uint16_t>)> visit) const {
  Walk walk{groups_,
            choices,
            near,
            visit,
            {choices.begin(), choices.end()},
            static_cast<int>(choices.size())};
  return walk.Go(0, 0, groups_[0].free ? kLeaf : groups_[0].root(), distance);
}

}  // namespace seedtune

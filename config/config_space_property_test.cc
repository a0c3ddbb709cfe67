// Random small spaces against brute force: the count, the numbering, validity, repair, the
// neighbours and how often each is sampled.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "config/config_space.h"
#include "config/constraint.h"
#include "config/knob.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "testing/status_matchers.h"

namespace seedtune {
namespace {

using Choices = std::vector<uint16_t>;
using ::testing::HasSubstr;

constexpr int kSpaces = 400;

int Below(std::mt19937_64& random, int bound) {
  return static_cast<int>(random() % static_cast<uint64_t>(bound));
}

Knob RandomKnob(const std::string& name, std::mt19937_64& random) {
  switch (Below(random, 6)) {
    case 0:
      return *Knob::Boolean(name, Below(random, 2) == 1);
    case 1:
      return *Knob::PowerOfTwo(name, 4, int64_t{4} << Below(random, 5), 4);
    case 2:
      return *Knob::Enum(name, {"a", "b", "c"}, "b");
    case 3:
      return *Knob::IntegerChoice(name, {-3, 1, 6, 7, 20}, 6);
    case 4:
      return *Knob::Permutation(name, 1 + Below(random, 3));
    default:
      return *Knob::Integer(name, 0, Below(random, 6), 1, 0);
  }
}

// Some condition over one to four knobs, of the kinds that kernels have: divisibility, budgets,
// order, and a hash for what has no structure at all.
Constraint RandomConstraint(const std::string& name, std::span<const Knob> knobs,
                            std::mt19937_64& random) {
  Constraint constraint;
  constraint.name = name;
  constraint.description = "a random condition";
  const int operands = 1 + Below(random, 4);
  for (int i = 0; i < operands; ++i) {
    constraint.knobs.push_back(knobs[Below(random, static_cast<int>(knobs.size()))].name());
  }
  const int64_t budget = Below(random, 60);
  const uint64_t salt = random();
  switch (Below(random, 4)) {
    case 0:
      constraint.holds = [budget](std::span<const int64_t> values) {
        int64_t product = 1;
        for (const int64_t value : values) product *= 1 + std::abs(value);
        return product <= 2 * budget;
      };
      break;
    case 1:
      constraint.holds = [](std::span<const int64_t> values) {
        return std::abs(values.front()) % (1 + std::abs(values.back())) <= 1;
      };
      break;
    case 2:
      constraint.holds = [](std::span<const int64_t> values) {
        return std::is_sorted(values.begin(), values.end());
      };
      break;
    default:
      constraint.holds = [salt](std::span<const int64_t> values) {
        uint64_t hash = salt;
        for (const int64_t value : values) {
          hash = (hash ^ static_cast<uint64_t>(value)) * 0x9e3779b97f4a7c15u;
          hash ^= hash >> 29;
        }
        return hash % 3 != 0;
      };
  }
  return constraint;
}

ConfigSpace::Options RandomOptions(uint64_t seed) {
  std::mt19937_64 random(seed);
  ConfigSpace::Options options;
  options.name = "random";
  const int knobs = 1 + Below(random, 6);
  for (int i = 0; i < knobs; ++i) {
    options.knobs.push_back(RandomKnob(absl::StrCat("knob", i), random));
  }
  const int constraints = Below(random, 5);
  for (int i = 0; i < constraints; ++i) {
    options.constraints.push_back(
        RandomConstraint(absl::StrCat("constraint", i), options.knobs, random));
  }
  return options;
}

bool Holds(const ConfigSpace::Options& options, const Choices& choices) {
  for (const Constraint& constraint : options.constraints) {
    std::vector<int64_t> values;
    for (const std::string& name : constraint.knobs) {
      for (size_t slot = 0; slot < options.knobs.size(); ++slot) {
        if (options.knobs[slot].name() == name) {
          values.push_back(options.knobs[slot].numeric(choices[slot]));
        }
      }
    }
    if (!constraint.holds(values)) return false;
  }
  return true;
}

// Calls `visit` for every combination of choices, valid or not.
template <typename Visit>
void ForEachCombination(const ConfigSpace::Options& options, Visit visit) {
  Choices choices(options.knobs.size(), 0);
  for (;;) {
    visit(choices);
    size_t slot = 0;
    while (slot < choices.size() && ++choices[slot] == options.knobs[slot].num_choices()) {
      choices[slot++] = 0;
    }
    if (slot == choices.size()) return;
  }
}

std::set<Choices> BruteForce(const ConfigSpace::Options& options) {
  std::set<Choices> valid;
  ForEachCombination(options, [&](const Choices& choices) {
    if (Holds(options, choices)) valid.insert(choices);
  });
  return valid;
}

int Steps(const Knob& knob, int a, int b) {
  if (a == b) return 0;
  return knob.is_ordered() ? std::abs(a - b) : 1;
}

int Distance(const ConfigSpace::Options& options, const Choices& a, const Choices& b) {
  int sum = 0;
  for (size_t slot = 0; slot < a.size(); ++slot)
    sum += Steps(options.knobs[slot], a[slot], b[slot]);
  return sum;
}

bool AreNeighbors(const ConfigSpace::Options& options, const Choices& a, const Choices& b,
                  NeighborKind kind) {
  int changed = 0;
  int most_steps = 0;
  for (size_t slot = 0; slot < a.size(); ++slot) {
    changed += a[slot] != b[slot] ? 1 : 0;
    most_steps = std::max(most_steps, Steps(options.knobs[slot], a[slot], b[slot]));
  }
  switch (kind) {
    case NeighborKind::kHamming:
      return changed == 1;
    case NeighborKind::kAdjacent:
      return changed >= 1 && most_steps == 1;
    case NeighborKind::kStrictlyAdjacent:
      return changed == 1 && most_steps == 1;
  }
  return false;
}

Choices ChoicesOf(const Config& config) {
  return Choices(config.choices().begin(), config.choices().end());
}

// Calls `check` with each random space that has a valid configuration and its valid choices; the
// others must say so.
template <typename Check>
void ForEachSpace(Check check) {
  int checked = 0;
  for (uint64_t seed = 0; seed < kSpaces; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    const ConfigSpace::Options options = RandomOptions(seed);
    const std::set<Choices> valid = BruteForce(options);
    const auto space = ConfigSpace::Create(options);
    if (valid.empty()) {
      EXPECT_THAT(
          space, StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no valid configuration")));
      continue;
    }
    ASSERT_THAT(space, IsOk());
    check(options, valid, **space);
    ++checked;
  }
  EXPECT_GT(checked, kSpaces / 2);
}

TEST(ConfigSpacePropertyTest, CountsAndNumbersExactlyTheValidCombinations) {
  ForEachSpace(
      [](const ConfigSpace::Options&, const std::set<Choices>& valid, const ConfigSpace& space) {
        ASSERT_EQ(space.NumValid(), valid.size());
        std::set<Choices> seen;
        for (absl::uint128 index = 0; index < space.NumValid(); ++index) {
          const Config config = space.At(index);
          EXPECT_TRUE(seen.insert(ChoicesOf(config)).second);
          EXPECT_EQ(space.IndexOf(config), index);
        }
        EXPECT_EQ(seen, valid);
      });
}

TEST(ConfigSpacePropertyTest, KnowsTheValidFromTheInvalid) {
  ForEachSpace([](const ConfigSpace::Options& options, const std::set<Choices>& valid,
                  const ConfigSpace& space) {
    ForEachCombination(options, [&](const Choices& choices) {
      const bool is_valid = valid.count(choices) != 0;
      EXPECT_EQ(space.IsValid(choices), is_valid);
      EXPECT_EQ(space.FirstViolation(choices) == nullptr, is_valid);
      EXPECT_EQ(space.IndexOf(Config(space.shared_from_this(), choices)).has_value(), is_valid);
    });
  });
}

TEST(ConfigSpacePropertyTest, FindsEveryNeighborOnce) {
  ForEachSpace([](const ConfigSpace::Options& options, const std::set<Choices>& valid,
                  const ConfigSpace& space) {
    int asked = 0;
    // Of valid configurations and of others: a search may stand outside for a moment.
    ForEachCombination(options, [&](const Choices& choices) {
      if (asked++ % 7 != 0) return;
      const Config config(space.shared_from_this(), choices);
      for (const NeighborKind kind :
           {NeighborKind::kHamming, NeighborKind::kAdjacent, NeighborKind::kStrictlyAdjacent}) {
        std::set<Choices> wanted;
        for (const Choices& other : valid) {
          if (AreNeighbors(options, choices, other, kind)) wanted.insert(other);
        }
        const std::vector<Config> found = space.Neighbors(config, kind);
        std::set<Choices> seen;
        for (const Config& neighbor : found) EXPECT_TRUE(seen.insert(ChoicesOf(neighbor)).second);
        EXPECT_EQ(seen, wanted);
        const size_t limit = found.size() / 2;
        const std::vector<Config> first = space.Neighbors(config, kind, limit);
        ASSERT_EQ(first.size(), limit);
        EXPECT_TRUE(std::equal(first.begin(), first.end(), found.begin()));
      }
    });
  });
}

TEST(ConfigSpacePropertyTest, RepairsToTheNearestValid) {
  std::mt19937_64 random(1);
  ForEachSpace([&](const ConfigSpace::Options& options, const std::set<Choices>& valid,
                   const ConfigSpace& space) {
    int asked = 0;
    ForEachCombination(options, [&](const Choices& choices) {
      if (asked++ % 5 != 0) return;
      int nearest = INT32_MAX;
      for (const Choices& other : valid)
        nearest = std::min(nearest, Distance(options, choices, other));
      const std::optional<Config> repaired = space.Repair(choices, random);
      ASSERT_TRUE(repaired.has_value());
      EXPECT_TRUE(valid.count(ChoicesOf(*repaired)));
      EXPECT_EQ(Distance(options, choices, ChoicesOf(*repaired)), nearest);
    });
    Choices defaults;
    for (const Knob& knob : options.knobs) {
      defaults.push_back(static_cast<uint16_t>(knob.default_choice()));
    }
    int nearest = INT32_MAX;
    for (const Choices& other : valid)
      nearest = std::min(nearest, Distance(options, defaults, other));
    EXPECT_TRUE(valid.count(ChoicesOf(space.Default())));
    EXPECT_EQ(Distance(options, defaults, ChoicesOf(space.Default())), nearest);
  });
}

TEST(ConfigSpacePropertyTest, SamplesOnlyValidAndReachesAll) {
  std::mt19937_64 random(2);
  ForEachSpace(
      [&](const ConfigSpace::Options&, const std::set<Choices>& valid, const ConfigSpace& space) {
        if (valid.size() > 20) return;
        std::set<Choices> seen;
        // The chance to miss one of 20 in 800 draws is about 20 exp(-40).
        for (int i = 0; i < 800; ++i) seen.insert(ChoicesOf(space.Sample(random)));
        EXPECT_EQ(seen, valid);
      });
}

// Pearson's test, of each space and of all together: their constraints skew them in many ways.
TEST(ConfigSpacePropertyTest, SamplesUniformly) {
  constexpr int kDrawsEach = 20;
  std::mt19937_64 random(3);
  double all_chi_squared = 0, all_freedom = 0;
  ForEachSpace(
      [&](const ConfigSpace::Options&, const std::set<Choices>& valid, const ConfigSpace& space) {
        if (valid.size() < 2 || valid.size() > 300) return;
        std::map<Choices, int> drawn;
        for (size_t i = 0; i < kDrawsEach * valid.size(); ++i) {
          ++drawn[ChoicesOf(space.Sample(random))];
        }
        double chi_squared = 0;
        for (const Choices& choices : valid) {
          const double off = drawn[choices] - kDrawsEach;
          chi_squared += off * off / kDrawsEach;
        }
        const double freedom = static_cast<double>(valid.size()) - 1;
        // Six standard deviations, and room for the long tail where there are few degrees.
        EXPECT_LT(chi_squared, freedom + 6 * std::sqrt(2 * freedom) + 15);
        all_chi_squared += chi_squared;
        all_freedom += freedom;
      });
  ASSERT_GT(all_freedom, 1000);
  EXPECT_LT(std::fabs(all_chi_squared - all_freedom), 4 * std::sqrt(2 * all_freedom));
}

}  // namespace
}  // namespace seedtune

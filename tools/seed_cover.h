// Which of many measured configurations make a table of seeds: few rules that serve many shapes.
//
// The criterion. A configuration serves a shape if it was measured there, is within `max_slowdown`
// of the best that was measured there, and beats the untuned default by `min_gain`. Rules are
// chosen greedily (Chvatal, "A Greedy Heuristic for the Set-Covering Problem", 1979): the
// configuration next that serves most shapes which no rule serves yet; of equals the one that is
// closest to the best on these (geometric mean), then the first by its text, so that one database
// gives one table. A rule holds the smallest box of extents around its shapes; where that box
// holds a shape which the configuration does not serve, or cuts another rule's, each of its shapes
// becomes a rule of its own. So a table says nothing about what lies outside of what was measured.
#ifndef SEEDTUNE_TOOLS_SEED_COVER_H_
#define SEEDTUNE_TOOLS_SEED_COVER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace seedtune {

// One shape, and what was measured on it.
struct CoverShape {
  std::string kind;                        // types and layouts: rules never mix these
  std::array<int64_t, 4> extents = {};     // m, n, k, batch
  std::map<std::string, double> times_ns;  // by configuration
  double untuned_ns = 0;

  double best_ns() const;  // +infinity where there are none
};

struct CoverOptions {
  double max_slowdown = 1.05;
  double min_gain = 1.05;
  size_t max_rules = 64;
};

struct CoverRule {
  std::string config;
  std::vector<size_t> shapes;         // that it serves, of its box, ascending
  std::array<int64_t, 4> least = {};  // the box, inclusive
  std::array<int64_t, 4> most = {};
};

// Sorted by kind and box. No two boxes of a kind overlap unless one lies inside the other, no two
// are equal. Shapes must differ in kind or extents. Thread-safe.
std::vector<CoverRule> CoverShapes(std::span<const CoverShape> shapes, const CoverOptions& options);

}  // namespace seedtune

#endif  // SEEDTUNE_TOOLS_SEED_COVER_H_

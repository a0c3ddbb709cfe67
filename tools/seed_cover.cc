#include "tools/seed_cover.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

namespace seedtune {
namespace {

constexpr size_t kExtents = 4;

bool Serves(const CoverShape& shape, const std::string& config, const CoverOptions& options) {
  const auto found = shape.times_ns.find(config);
  return found != shape.times_ns.end() && found->second <= options.max_slowdown * shape.best_ns() &&
         found->second * options.min_gain <= shape.untuned_ns;
}

CoverRule RuleAround(std::string config, std::vector<size_t> covered,
                     std::span<const CoverShape> shapes) {
  CoverRule rule;
  rule.config = std::move(config);
  rule.least = rule.most = shapes[covered.front()].extents;
  for (const size_t shape : covered) {
    for (size_t i = 0; i < kExtents; ++i) {
      rule.least[i] = std::min(rule.least[i], shapes[shape].extents[i]);
      rule.most[i] = std::max(rule.most[i], shapes[shape].extents[i]);
    }
  }
  rule.shapes = std::move(covered);
  return rule;
}

bool Holds(const CoverRule& rule, const CoverShape& shape) {
  for (size_t i = 0; i < kExtents; ++i) {
    if (shape.extents[i] < rule.least[i] || shape.extents[i] > rule.most[i]) return false;
  }
  return true;
}

// Whether both hold some shape.
bool Overlap(const CoverRule& a, const CoverRule& b) {
  for (size_t i = 0; i < kExtents; ++i) {
    if (a.least[i] > b.most[i] || b.least[i] > a.most[i]) return false;
  }
  return true;
}

// Whether the rule may stand beside those of its kind, and holds nothing that it does not serve.
bool Stands(const CoverRule& rule, std::string_view kind, std::span<const CoverShape> shapes,
            std::span<const CoverRule> rules, const CoverOptions& options) {
  for (const CoverShape& shape : shapes) {
    if (shape.kind == kind && Holds(rule, shape) && !Serves(shape, rule.config, options)) {
      return false;
    }
  }
  return std::none_of(rules.begin(), rules.end(), [&](const CoverRule& other) {
    return shapes[other.shapes.front()].kind == kind && Overlap(rule, other);
  });
}

// A configuration, and the shapes without a rule that it serves.
struct Candidate {
  std::string config;
  std::vector<size_t> shapes;
  double slowdown = 0;  // log, mean
};

bool IsBetter(const Candidate& a, const Candidate& b) {
  if (a.shapes.size() != b.shapes.size()) return a.shapes.size() > b.shapes.size();
  return a.slowdown < b.slowdown;
}

Candidate BestCandidate(std::span<const CoverShape> shapes, const std::set<size_t>& open,
                        const CoverOptions& options) {
  std::map<std::pair<std::string_view, std::string_view>, Candidate> candidates;
  for (const size_t i : open) {
    for (const auto& [config, ns] : shapes[i].times_ns) {
      if (!Serves(shapes[i], config, options)) continue;
      Candidate& candidate = candidates[{shapes[i].kind, config}];
      candidate.config = config;
      candidate.shapes.push_back(i);
      candidate.slowdown += std::log(ns / shapes[i].best_ns());
    }
  }
  Candidate best;
  for (auto& [key, candidate] : candidates) {
    candidate.slowdown /= static_cast<double>(candidate.shapes.size());
    if (best.shapes.empty() || IsBetter(candidate, best)) best = std::move(candidate);
  }
  return best;
}

}  // namespace

double CoverShape::best_ns() const {
  double best = std::numeric_limits<double>::infinity();
  for (const auto& [config, ns] : times_ns) best = std::min(best, ns);
  return best;
}

std::vector<CoverRule> CoverShapes(std::span<const CoverShape> shapes,
                                   const CoverOptions& options) {
  std::set<size_t> open;
  for (size_t i = 0; i < shapes.size(); ++i) open.insert(i);
  std::vector<CoverRule> rules;
  while (rules.size() < options.max_rules) {
    const Candidate candidate = BestCandidate(shapes, open, options);
    if (candidate.shapes.empty()) break;
    for (const size_t shape : candidate.shapes) open.erase(shape);
    CoverRule rule = RuleAround(candidate.config, candidate.shapes, shapes);
    if (Stands(rule, shapes[candidate.shapes.front()].kind, shapes, rules, options)) {
      rules.push_back(std::move(rule));
      continue;
    }
    // A single shape lies in no other rule's box, or wholly inside one.
    for (const size_t shape : candidate.shapes) {
      if (rules.size() >= options.max_rules) break;
      rules.push_back(RuleAround(candidate.config, {shape}, shapes));
    }
  }
  std::sort(rules.begin(), rules.end(), [&](const CoverRule& a, const CoverRule& b) {
    return std::tie(shapes[a.shapes.front()].kind, a.least, a.most) <
           std::tie(shapes[b.shapes.front()].kind, b.least, b.most);
  });
  return rules;
}

}  // namespace seedtune

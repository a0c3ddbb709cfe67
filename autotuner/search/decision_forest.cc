#include "autotuner/search/decision_forest.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "autotuner/search/random_moves.h"
#include "config/config_space.h"
#include "config/knob.h"

namespace seedtune {
namespace {

// Gini impurity times weight.
double Impurity(double good, double bad) {
  const double sum = good + bad;
  return sum > 0 ? good * bad / sum : 0;
}

}  // namespace

DecisionForest::DecisionForest(const ConfigSpace& space, Options options) : options_(options) {
  for (const Knob& knob : space.knobs()) {
    num_choices_.push_back(knob.num_choices());
    is_ordered_.push_back(knob.is_ordered());
  }
}

void DecisionForest::Learn(std::span<const Example> examples, std::mt19937_64& random) {
  nodes_.clear();
  roots_.clear();
  if (examples.empty()) return;
  std::vector<Sampled> samples;
  for (int tree = 0; tree < options_.trees; ++tree) {
    samples.clear();
    for (size_t i = 0; i < examples.size(); ++i) {
      const Example& example = examples[RandomBelow(examples.size(), random)];
      samples.push_back({&example, example.weight});
    }
    roots_.push_back(Grow(samples, 0, random));
  }
}

bool DecisionForest::GoesLeft(const Node& node, std::span<const uint16_t> choices) const {
  const auto knob = static_cast<size_t>(node.knob);
  return is_ordered_[knob] ? choices[knob] <= node.choice : choices[knob] == node.choice;
}

uint32_t DecisionForest::Grow(std::span<Sampled> samples, int depth, std::mt19937_64& random) {
  double good = 0;
  double bad = 0;
  for (const Sampled& sample : samples) {
    (sample.example->is_good ? good : bad) += sample.weight;
  }
  const auto id = static_cast<uint32_t>(nodes_.size());
  nodes_.push_back({.goodness = static_cast<float>(good / (good + bad))});
  if (good == 0 || bad == 0 || depth == options_.max_depth) return id;

  Node best;
  double best_impurity = Impurity(good, bad) * (1 - 1e-9);
  std::vector<double> counts[2];
  for (size_t knob = 0; knob < num_choices_.size(); ++knob) {
    if (num_choices_[knob] < 2 || RandomUnit(random) >= options_.knob_share) continue;
    for (std::vector<double>& of_class : counts) {
      of_class.assign(static_cast<size_t>(num_choices_[knob]), 0);
    }
    for (const Sampled& sample : samples) {
      counts[sample.example->is_good ? 1 : 0][sample.example->choices[knob]] += sample.weight;
    }
    double left_good = 0;
    double left_bad = 0;
    for (int choice = 0; choice < num_choices_[knob]; ++choice) {
      const double choice_bad = counts[0][static_cast<size_t>(choice)];
      const double choice_good = counts[1][static_cast<size_t>(choice)];
      left_bad = is_ordered_[knob] ? left_bad + choice_bad : choice_bad;
      left_good = is_ordered_[knob] ? left_good + choice_good : choice_good;
      if (left_good + left_bad == 0 || left_good + left_bad >= (good + bad) * (1 - 1e-12)) continue;
      const double impurity =
          Impurity(left_good, left_bad) + Impurity(good - left_good, bad - left_bad);
      if (impurity >= best_impurity) continue;
      best_impurity = impurity;
      best.knob = static_cast<int>(knob);
      best.choice = static_cast<uint16_t>(choice);
    }
  }
  if (best.knob < 0) return id;
  const auto middle = std::partition(samples.begin(), samples.end(), [&](const Sampled& sample) {
    return GoesLeft(best, sample.example->choices);
  });
  const auto left_size = static_cast<size_t>(middle - samples.begin());
  if (left_size == 0 || left_size == samples.size()) return id;
  best.goodness = nodes_[id].goodness;
  best.left = Grow(samples.first(left_size), depth + 1, random);
  best.right = Grow(samples.subspan(left_size), depth + 1, random);
  nodes_[id] = best;
  return id;
}

double DecisionForest::Goodness(std::span<const uint16_t> choices) const {
  if (roots_.empty()) return 0;
  double sum = 0;
  for (const uint32_t root : roots_) {
    uint32_t at = root;
    while (nodes_[at].knob >= 0) {
      at = GoesLeft(nodes_[at], choices) ? nodes_[at].left : nodes_[at].right;
    }
    sum += nodes_[at].goodness;
  }
  return sum / static_cast<double>(roots_.size());
}

}  // namespace seedtune

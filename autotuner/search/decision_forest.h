// A random forest that tells good configurations from others.
//
// Written here: on knobs with few choices a split is found by counting, which takes a page of code;
// Debian 12 has XGBoost as a shared library only, which the shipped program would have to carry,
// and LightGBM not at all.
#ifndef SEEDTUNE_AUTOTUNER_SEARCH_DECISION_FOREST_H_
#define SEEDTUNE_AUTOTUNER_SEARCH_DECISION_FOREST_H_

#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "config/config_space.h"

namespace seedtune {

// Thread-compatible.
class DecisionForest {
 public:
  struct Example {
    std::span<const uint16_t> choices;  // borrowed while it learns
    bool is_good;
    double weight;  // above 0
  };
  struct Options {
    int trees = 30;
    int max_depth = 12;
    double knob_share = 0.6;  // of the knobs, drawn anew for each split
  };

  DecisionForest(const ConfigSpace& space, Options options);

  // Forgets what it knew. Each tree learns from a bootstrap sample.
  void Learn(std::span<const Example> examples, std::mt19937_64& random);
  // The weighted share of good ones among examples like this, the mean of all trees; 0 where
  // nothing has been learnt.
  double Goodness(std::span<const uint16_t> choices) const;

 private:
  struct Node {
    int knob = -1;        // -1: a leaf
    uint16_t choice = 0;  // left: at most this (ordered knobs), or this (others)
    uint32_t left = 0, right = 0;
    float goodness = 0;
  };
  struct Sampled {
    const Example* example;
    double weight;
  };

  bool GoesLeft(const Node& node, std::span<const uint16_t> choices) const;
  uint32_t Grow(std::span<Sampled> samples, int depth, std::mt19937_64& random);

  Options options_;
  std::vector<int> num_choices_;
  std::vector<bool> is_ordered_;
  std::vector<Node> nodes_;
  std::vector<uint32_t> roots_;
};

}  // namespace seedtune

#endif  // SEEDTUNE_AUTOTUNER_SEARCH_DECISION_FOREST_H_

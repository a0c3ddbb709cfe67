// How long a step that takes about as long every time may take before it counts as hung.
#ifndef SEEDTUNE_BACKENDS_ADAPTIVE_LIMIT_H_
#define SEEDTUNE_BACKENDS_ADAPTIVE_LIMIT_H_

#include <algorithm>

namespace seedtune {

// Follows what the steps take, both ways: a slow one raises the limit at once, quick ones lower it
// little by little, and so that no limit cuts everything for ever, a cut raises it, too.
// Not thread-safe.
class AdaptiveLimit {
 public:
  struct Options {
    double first_ns = 60e9;  // before anything is known
    double min_ns = 4e9;
    double max_ns = 300e9;
    double factor = 5;  // of the slowest
  };
  explicit AdaptiveLimit(Options options)
      : options_(options), slowest_ns_(options.first_ns / options.factor) {}

  double limit_ns() const {
    return std::clamp(options_.factor * slowest_ns_, options_.min_ns, options_.max_ns);
  }

  void Took(double ns) { slowest_ns_ = std::max(ns, kForget * slowest_ns_); }
  void Cut() { slowest_ns_ = kRaise * limit_ns() / options_.factor; }

 private:
  static constexpr double kForget = 0.9, kRaise = 1.5;

  Options options_;
  double slowest_ns_;  // of late
};

}  // namespace seedtune

#endif  // SEEDTUNE_BACKENDS_ADAPTIVE_LIMIT_H_
